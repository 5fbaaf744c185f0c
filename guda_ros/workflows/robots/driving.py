"""Drive a robot through the protocol of identification while a person holds the dead-man."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
import os
from pathlib import Path
import time
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.arguments import as_folder, if_given
from guda_ros.control.joystick import JoystickState
from guda_ros.control.keyboard import Keyboard, KeyboardMap
from guda_ros.data.contract import Contract, robot_of
from guda_ros.errors import GudaError, naming_extras
from guda_ros.identification.protocol import DRIVES, PROTOCOL, ROLL_TIME, ROLLS
from guda_ros.ros.graph.environment import driver_domain
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import GraphOptions, GRAPHS
from guda_ros.workflows.progress import Say, silent
from guda_ros.workflows.record import recorded_outcomes
from guda_ros.workflows.robots.checking import check_graph
from guda_ros.workflows.terminal.operator import Operator, TerminalOperator

if TYPE_CHECKING:
    from guda_ros.control.gamepad import Gamepad
    from guda_ros.ros.control.operator_station import OperatorStation
    from guda_ros.ros.episode.referee import Referee

#: Seconds and action in [-1, 1] (forward, left, turn) of each part of a drive.
Protocol = Sequence[tuple[float, Sequence[float]]]
#: Key that is held while the robot moves, that breaks off, that goes on, and those of safety.
HOLD, ABORT, GO = 'p', 'a', '\n'
_STOP = ' '
_NAMES = {_STOP: 'space', 'u': 'u', HOLD: HOLD}
#: Seconds from one `joy` to the next, and the longest that counts as one step of the drive.
_PERIOD, _LONGEST = 0.04, 0.2
_SCENARIO = 'attack'
_AXES = ('forward', 'left', 'turn')
#: Without these a drive tells nothing.
_NEEDED = ('odom', 'cmd_vel')


@naming_extras()
def record_drive_on_robot(
    out: str | os.PathLike,
    *,
    contract: str | os.PathLike = 'soccer_push',
    robot: str | os.PathLike | None = None,
    drives: int = DRIVES,
    rolls: int = len(ROLLS),
    protocol: Protocol = PROTOCOL,
    check: bool = True,
    operator: Operator | None = None,
    options: GraphOptions | None = None,
    network: bool = False,
    sim_time: bool = False,
    domain: int | None = None,
    log_dir: str | os.PathLike | None = None,
    say: Say = silent,
) -> list[Path]:
    """
    Drive a robot and record it for `guda_ros.identify`, as `guda identify --record` does.

        drives = guda_ros.record_drive_on_robot('runs/drive', robot='my_robot.yaml', say=print)

    A person holds a key, or the dead-man's button of a gamepad; when it is let go the robot stops,
    and the drive waits. Commands go through teleop and safety, as if the sticks were moved.

    :param out: folder for the recordings; those that are complete already are kept.
    :param robot: profile, by default the contract's.
    :param drives: how many times the protocol is driven. :param rolls: how many balls a person
        rolls past the robot while it stands.
    :param check: look at the driver first; without odometry, or with nobody who hears commands,
        nothing is driven.
    :param operator: who holds the key; by default whoever sits at the terminal.
    :param options: what else the graph is started with: names, overrides, adapter.
    :param network: the robot is another computer.
    :param sim_time: follow /clock, because a simulator stands in for the robot.
    :param domain: ROS domain, by default $ROS_DOMAIN_ID or 0, where the driver is.
    :param log_dir: folder for the nodes' logs, by default a temporary one.
    :return: the recordings.
    :raises GudaError: if somebody broke it off, a node dies, or the driver lacks what is needed.
    """
    loaded, folder = Contract.load(contract, robot), as_folder(out, 'out')
    robot_of(loaded, robot)
    log_dir = if_given(as_folder, log_dir, 'log_dir')
    names = [f'drive_{number:03d}' for number in range(drives)]
    names += [f'roll_{number:03d}' for number in range(rolls)]
    kept = recorded_outcomes(folder, names, _SCENARIO, loaded, say)
    missing = [name for index, name in enumerate(names) if index not in kept]
    if kept:
        say(f'{len(kept)} of {len(names)} recordings were made before and are kept')
    if missing:
        told = _graph_options(
            options or GraphOptions(), contract, robot, folder, network, sim_time
        )
        with ExitStack() as stack:
            person = stack.enter_context(operator or TerminalOperator())
            graph = stack.enter_context(
                GraphProcesses('robot', told, log_dir, driver_domain(domain), join=True)
            )
            say(f'graph robot in ROS domain {graph.domain}, logs in {graph.log_dir}')
            graph.wait_ready()
            if check:
                _require(graph, say)
            # Only now: starting the graph has set the environment that rclpy reads.
            from guda_ros.ros.control.operator_station import OperatorStation
            from guda_ros.ros.episode.referee import Referee

            station = OperatorStation(graph.domain, loaded, told.names)
            stack.callback(station.close)
            referee = stack.enter_context(Referee(graph.domain, loaded, sim_time, told.names))
            referee.wait_for_time()
            session = DriveSession(station, referee, graph, person, _gamepad(stack))
            for name in missing:
                if name.startswith('drive'):
                    session.drive(name, loaded, protocol)
                else:
                    session.roll(name)
    return [folder / name for name in names]


def _graph_options(
    options: GraphOptions,
    contract: str | os.PathLike,
    robot: str | os.PathLike | None,
    folder: Path,
    network: bool,
    sim_time: bool,
) -> GraphOptions:
    overrides = {
        node: {'use_sim_time': sim_time, **options.overrides.get(node, {})}
        for node in GRAPHS['robot'].nodes
    }
    # Commands answer the sticks, whatever the camera sees.
    overrides['teleop'].setdefault('answer', 'joy')
    return replace(
        options,
        contract=os.fspath(contract),
        robot=os.fspath(robot or ''),
        policy='',
        recordings=str(folder),
        local=not network,
        overrides={**options.overrides, **overrides},
    )


def _require(graph: GraphProcesses, say: Say) -> None:
    lacks = [each for each in check_graph(graph, say=say).lacks if each.subject in _NEEDED]
    if lacks:
        raise GudaError('nothing was driven: ' + '; '.join(finding.sentence for finding in lacks))


def _gamepad(stack: ExitStack) -> Gamepad | None:
    from guda_ros.control.gamepad import Gamepad, GamepadError

    try:
        pad = Gamepad()
    except GamepadError:
        return None
    stack.callback(pad.close)
    return pad


class DriveSession:
    """
    A person beside the robot, who holds the dead-man while a script moves the sticks.

    :param station: what the sticks say. :param referee: announces the recordings.
    """

    def __init__(
        self,
        station: OperatorStation,
        referee: Referee,
        graph: GraphProcesses,
        operator: Operator,
        pad: Gamepad | None = None,
    ) -> None:
        self._station, self._referee, self._graph = station, referee, graph
        self._operator, self._pad = operator, pad
        self._keyboard = Keyboard(KeyboardMap.load())
        self._state = JoystickState(np.zeros(3), frozenset())

    def drive(self, name: str, contract: Contract, protocol: Protocol) -> None:
        """Drive the protocol, a part after the other, and record it."""
        total = sum(seconds for seconds, _ in protocol)
        limits = contract.limits
        self._operator.say(
            f'\n{name}: the robot {contract.robot} will move for {total:.0f} s, at most '
            f'{limits.forward:.2f} m/s ahead, {limits.backward:.2f} m/s back, {limits.side:.2f} '
            f'm/s sideways, {limits.turn:.2f} rad/s. It does not look where it goes: it needs 2 m '
            'before it and 1.5 m to its left.'
        )
        self._confirm(f'Enter: the way is clear, go; then hold {HOLD}, or the dead-man of the pad')
        self._begin(name)
        ends = np.cumsum([seconds for seconds, _ in protocol])
        done, before = 0.0, time.monotonic()
        try:
            while done < total:
                held = self._look(name)
                now = time.monotonic()
                done += min(now - before, _LONGEST) * held
                before = now
                part = min(int(np.searchsorted(ends, done, side='right')), len(protocol) - 1)
                action = np.array(protocol[part][1], dtype=float) * held
                self._send(action, held)
                self._operator.show(f'  {done:5.1f} of {total:.0f} s  {self._word(action, held)}')
        finally:
            self._station.let_go()
            self._operator.clear()
        self._end(name)

    def roll(self, name: str) -> None:
        """Record a ball that a person rolls while the robot stands."""
        self._operator.say(
            f'\n{name}: the robot stands. Roll a ball slowly across its view, from another side '
            'than before, so that it comes to rest in view.'
        )
        self._confirm(f'Enter: {ROLL_TIME:g} s are recorded; then roll the ball')
        self._begin(name)
        end = time.monotonic() + ROLL_TIME
        while (left := end - time.monotonic()) > 0:
            self._look(name)
            self._send(np.zeros(3), False)
            self._operator.show(f'  {left:4.1f} s left')
        self._operator.clear()
        self._end(name)

    def _confirm(self, words: str) -> None:
        self._operator.say(f'{words}; {ABORT}: stop here')
        while True:
            key = self._key()
            if key == ABORT:
                raise GudaError('stopped before it was all driven; what was recorded is kept')
            if key in (GO, '\r'):
                return
            self._send(np.zeros(3), False)

    def _begin(self, name: str) -> None:
        # Nobody knows where on a field the robot stands, and nothing here depends on it.
        self._referee.begin(name, None, 0, _SCENARIO)

    def _end(self, name: str) -> None:
        self._referee.end('timeout')
        problem = self._referee.wait_recorded()
        if problem:
            raise GudaError(f'{name} was not recorded: {problem}')
        self._operator.say(f'  {name} is recorded')

    def _key(self) -> str:
        """Return the key of this moment; look after the nodes."""
        self._graph.check()
        self._referee.spin(0.001)
        self._station.spin(_PERIOD / 2)
        return self._operator.key(_PERIOD / 2)

    def _look(self, name: str) -> bool:
        """Tell whether the dead-man is held and the robot not stopped."""
        key, now = self._key(), time.monotonic()
        if key == ABORT:
            self._referee.end('aborted', 'the operator broke the drive off')
            self._referee.wait_recorded()
            raise GudaError(f'{name} was broken off; what was recorded before is kept')
        if key:
            self._keyboard.press([_NAMES.get(key, 'other')], now)
        self._state = self._keyboard.state(now)
        pad = self._pad.state() if self._pad is not None else None
        if pad is not None:
            self._state = self._state.joined(pad)
        return self._state.deadman and not self._station.safety.get('stopped', False)

    def _send(self, action: np.ndarray, held: bool) -> None:
        pressed = {'deadman'} if held else set()
        pressed |= self._state.pressed & {'emergency_stop', 'release'}
        self._station.send(JoystickState(action, frozenset(pressed)))

    def _word(self, action: np.ndarray, held: bool) -> str:
        if self._station.safety.get('stopped'):
            cause = self._station.safety.get('cause')
            return f'EMERGENCY STOP by {cause}: u releases'
        if not held:
            return f'waits: hold {HOLD}, space stops'
        moves = [f'{axis} {value:+.1f}' for axis, value in zip(_AXES, action) if value]
        return ', '.join(moves) or 'stands'
