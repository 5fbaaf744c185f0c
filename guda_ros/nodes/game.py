"""The node that hears the game controller, and tells safety what the game asks of the robot."""

from __future__ import annotations

from collections.abc import Sequence
import json
import time

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_msgs.msg import Bool, String

from guda_ros.errors import GudaError
from guda_ros.game.packets import CONTROL_PORT, STATUS_PORT
from guda_ros.game.watch import GameWatch
from guda_ros.ros import diagnostics
from guda_ros.ros.game_link import GameSocket, OwnStatus
from guda_ros.ros.parameters import declare_contract, Parameters
from guda_ros.ros.running import (
    autostart,
    destroy_entities,
    exit_process,
    reports_failure,
    run_node,
    steady_timer,
    terminable,
)
from guda_ros.ros.topics import Topics

#: How often [s] the socket is read, and the state is told although nothing is new.
TICK, AGAIN = 0.04, 0.5


class Game(LifecycleNode):
    """
    Hear a game controller's packets (version 19 or 18), tell `game/state`, and answer it.

    While the game wants the robot to stand (`initial`, `set`, `finished`, a stopped game, a
    penalty, a lost game controller), the safety node holds the policy. A whistle on `game/whistle`
    stands for the `playing` that comes late.
    """

    def __init__(self) -> None:
        super().__init__('game')
        self._options = p = Parameters(self)
        self._contract = declare_contract(p)
        whole = {'read_only': True}
        p.declare('team', 0, "number of the robot's team", low=0, high=254, **whole)
        p.declare('player', 1, 'number of the robot in its team', low=1, high=20, **whole)
        p.declare('address', '0.0.0.0', "this computer's address to hear on", **whole)
        p.declare('port', CONTROL_PORT, 'UDP port of control packets', low=0, high=65535, **whole)
        p.declare('status_port', STATUS_PORT, 'of status packets', low=1, high=65535, **whole)
        p.declare('controller', '', "the game controller's address; empty: the first", **whole)
        for name, default, high, meaning in (
            ('lost_after', 5.0, 60.0, 'silence after which the game controller is lost'),
            ('whistle_delay', 12.0, 60.0, 'how long a whistle stands for `playing`'),
            ('status_period', 1.0, 2.0, 'between two status packets'),
        ):
            p.declare(name, default, meaning, unit='s', low=0.5, high=high, **whole)
        p.declare('stand_when_lost', True, 'stand while the game controller is lost', **whole)
        p.declare('autostart', True, 'configure and activate by itself', read_only=True)
        self.failure = self._said = ''
        self._watch: GameWatch | None = None
        self._stopping = False
        self._said_at = self._answered_at = float('-inf')
        diagnostics.DiagnosticsPublisher(self, self._report, self._contract.robot)
        autostart(self, p['autostart'])

    @reports_failure
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take the port and create the interfaces."""
        p = self._options
        if not p['team']:
            raise GudaError("parameter team is 0: give the number of the robot's team")
        watch = GameWatch(
            p['team'],
            p['player'],
            lost_after=p['lost_after'],
            whistle_delay=p['whistle_delay'],
            controller=p['controller'],
            stand_when_lost=p['stand_when_lost'],
        )
        self._socket, self._watch = GameSocket(p['address'], p['port']), watch
        self.get_logger().info(f'team {watch.team}, player {watch.player}: {self._socket.port}')
        topics = Topics(self._contract)
        self._pub = topics.publisher(self, 'game_state')
        self._status = OwnStatus(self, topics)
        self._entities = [
            *self._status.entities,
            topics.subscription(self, 'whistle', self._on_whistle),
            steady_timer(self, TICK, self._tick),
        ]
        return TransitionCallbackReturn.SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of the robot: there is no game any more."""
        self._tell_end()
        self._said = ''
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Undo configure."""
        destroy_entities(self, self._entities)
        self.destroy_lifecycle_publisher(self._pub)
        self._socket.close()
        self._watch = None
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Deactivate first: rclpy leaves an active node at work."""
        if self._active:
            self.on_deactivate(state)
        return super().on_shutdown(state)

    def terminate(self, *_) -> None:
        """End the node soon; a signal handler."""
        self._stopping = True

    def close(self) -> None:
        """Say that there is no game any more."""
        if self._active and self.context.ok():
            self._tell_end()

    def _tell_end(self) -> None:
        self._pub.publish(String(data=json.dumps({'ended': True})))

    @property
    def _active(self) -> bool:
        return self._watch is not None and self._pub.is_activated

    def _tick(self) -> None:
        if self._stopping:
            raise KeyboardInterrupt
        watch, now = self._watch, time.monotonic()
        for data, sender in self._socket.packets():
            watch.packet(data, sender, now)
        if not self._active:
            return
        said = json.dumps(watch.as_dict(now))
        if said != self._said or now - self._said_at >= AGAIN:
            self._said, self._said_at = said, now
            self._pub.publish(String(data=said))
        if not watch.lost(now) and now - self._answered_at >= self._options['status_period']:
            self._answered_at = now
            packet = self._status.packet(watch.team, watch.player)
            self._socket.answer(packet, watch.sender, self._options['status_port'])

    def _on_whistle(self, message: Bool) -> None:
        if message.data and self._watch.whistle(time.monotonic()):
            self.get_logger().info('the whistle was blown')

    def _report(self) -> tuple:
        watch, now = self._watch, time.monotonic()
        if watch is None:
            return diagnostics.WARN, 'not configured', {}
        values = {
            'heard': watch.heard,
            'sender': watch.sender or 'nobody',
            **{f'refused, {why}': count for why, count in sorted(watch.refused.items())},
            'refused last': watch.problem or 'none',
        }
        if watch.lost(now):
            return diagnostics.ERROR, f'no game controller for {watch.lost_after:g} s', values
        problem = self._socket.problem or ('' if self._active else 'inactive')
        if problem:
            return diagnostics.WARN, problem, values
        return diagnostics.OK, watch.stand(now) or watch.control.state, values


def main(args: Sequence[str] | None = None) -> int:
    """Run the game node."""
    return run_node(terminable(Game), args)


if __name__ == '__main__':
    exit_process(main())
