"""The episodes of a simulator node: begin, go on step by step (lock-step or free), end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import time
from typing import TYPE_CHECKING

import numpy as np
from rclpy.lifecycle import LifecycleNode

from guda_ros.data.contract import Contract
from guda_ros.errors import GudaError
from guda_ros.ros import diagnostics
from guda_ros.ros.episode.event import EpisodeEvent
from guda_ros.ros.parameters import Parameters
from guda_ros.ros.simulator import parameters
from guda_ros.ros.simulator.acknowledgements import Acknowledgements
from guda_ros.ros.simulator.real_time import RealTimePacer, StepClock, StepRequest
from guda_ros.ros.simulator.robot import SimulatedRobot
from guda_ros.ros.simulator.topics import WorldTopics
from guda_ros.soccer.robot import RobotProfile

if TYPE_CHECKING:
    from guda_ros.sim.physics.sensor_suite import World

#: Pause [s] after the phases of a reset, in which every node handles them before data follows.
SETTLE = 0.05


class SimulatedEpisodes:
    """
    What happens in a simulated world, and when.

    Time and the number of episodes go on when the world is built anew (`build`, `destroy`).

    :param options: the node's parameters, see declare_simulator_parameters.
    :param make_world: the class World: what is here runs without MuJoCo until `build`.
    :param wake: lets `proceed` be called soon, from the executor.
    """

    def __init__(
        self,
        node: LifecycleNode,
        options: Parameters,
        contract: Contract,
        robot: RobotProfile,
        make_world: Callable[..., World],
        wake: Callable[[], None],
    ) -> None:
        self._node, self._options = node, options
        self._contract, self._robot, self._wake = contract, robot, wake
        self._make_world = make_world
        self.lockstep = options['mode'] == 'lockstep'
        rate = parameters.step_rate(options, contract.rate, robot.imu.rate)
        self._time = StepClock(rate, contract.rate)
        self._pacer = RealTimePacer(1.0 / rate, options['real_time_factor'])
        self._request = StepRequest()
        self._count = 0
        self._event: EpisodeEvent | None = None
        self._pending = ''
        self._paused = False
        self.active = False
        self._answer_seconds = 0.0
        self._world: World | None = None

    @property
    def interval(self) -> float:
        """Real seconds between two steps of free mode."""
        return self._pacer.interval

    @property
    def running(self) -> bool:
        """Whether an episode is under way."""
        return self._event is not None and self._event.phase != 'end'

    @property
    def name(self) -> str:
        """The name of the latest episode, empty before the first."""
        return self._event.id if self._event else ''

    # The world

    def build(self) -> None:
        """Build the world, try the camera and create the topics; GudaError if it cannot be."""
        p, node = self._options, self._node
        names = p['robots'] or ['']
        if self.lockstep and len(names) > 1:
            raise GudaError(
                'several robots need mode free: in lock-step the world would have to '
                'wait for all of them'
            )
        self._world = self._make_world(
            self._contract,
            [self._robot] * len(names),
            self._time.rate,
            p['camera'],
            threaded=not self.lockstep,
            randomisation=p['randomisation'],
        )
        self._robots = [
            SimulatedRobot(
                node,
                self._contract,
                self._world,
                self._on_command,
                f'{name}/' if name else '',
                index,
            )
            for index, name in enumerate(names)
        ]
        self._topics = WorldTopics(node, self._contract, [robot.topics for robot in self._robots])
        self._acknowledgements = Acknowledgements(node, self._contract, self.proceed)

    def destroy(self) -> None:
        """Undo `build`."""
        for robot in self._robots:
            robot.destroy()
        self._acknowledgements.destroy()
        self._topics.destroy()
        self.close()

    def close(self) -> None:
        """Free the OpenGL contexts."""
        if self._world is not None:
            self._world.close()
            self._world = None

    def draw_field(self) -> None:
        """Publish the field, for viewers."""
        self._topics.draw_field()

    # Episodes

    def begin(self, announce: bool = True) -> str:
        """
        Start an episode from the parameters; return what is wrong, or an empty text.

        :param announce: False lets the world begin without an episode.
        """
        p = self._options
        self.end('aborted', 'the simulator was reset')
        if self.lockstep:
            problem = self._topics.wait_for_partners(p['partners'], p['partner_timeout'])
            if problem:
                return problem
        now = self._time.next_begin()
        try:
            index, start = parameters.requested_start(p, self._contract.field)
            self._world.reset(now, start, p['seed'], index)
        except (GudaError, ValueError) as error:
            return f'this start is not possible: {error}'
        self._count += 1
        self._time.begin(now)
        self._pending = ''
        for robot in self._robots:
            robot.reset(now)
        event = parameters.next_episode(
            p,
            self._count,
            index,
            stamp=now,
            contract_hash=self._contract.hash,
            parameters=self._world.simulation.parameters,
        )
        for phase in ('reset', 'start') if announce else ():
            self._announce(replace(event, phase=phase))
            time.sleep(SETTLE)
        limit = p['time_limit'] or self._contract.time_limit
        self._max_steps = round(limit * self._contract.rate)
        self._acknowledgements.find_sources(p['camera'])
        self._pacer.restart()
        self._tell()
        return ''

    def end(self, verdict: str, message: str = '') -> None:
        """End the episode, if one is under way."""
        self._pending = ''
        if not self.running:
            return
        self._acknowledgements.finish()
        self._request.finish()
        self._announce(
            replace(
                self._event, phase='end', verdict=verdict, message=message, stamp=self._time.now
            )
        )
        told = (
            f'episode {self._event.id}: {verdict} after {self._time.control_step} steps. {message}'
        )
        if verdict == 'error':
            self._node.get_logger().error(told)
        else:
            self._node.get_logger().info(told)

    def _announce(self, event: EpisodeEvent) -> None:
        self._event = event
        for robot in self._robots:
            if not robot.announce(event):
                self._node.get_logger().warning(
                    f'a node has not confirmed episode {event.id} {event.phase}'
                )

    # Steps

    def _tell(self) -> None:
        """Publish what is known now, and say in lock-step what has to be answered."""
        self._acknowledgements.restart()
        now = self._time.now
        self._topics.clock(now)
        newest = [robot.tell(now, self._time.is_control) for robot in self._robots][0]
        if self.lockstep and not self._acknowledgements.expect(now, newest):
            # Nothing new has arrived that could be answered: the last command holds. Recorders
            # are waited for instead.
            self._robots[0].topics.flush()
            self._wake()

    def _advance(self) -> None:
        """Make one step, and publish what is seen then."""
        self._answer_seconds = self._acknowledgements.waited
        try:
            self._world.simulation.step([robot.command(self._time.now) for robot in self._robots])
        except (GudaError, ValueError, RuntimeError) as error:
            self.end('error', f'the simulation stopped: {error}')
            # A command that cannot be followed would never grow old while time stands still.
            for robot in self._robots:
                robot.follow(self._time.now, np.zeros(3))
            return
        self._time.advance()
        if self.running and self._time.is_control:
            self._pending = self._verdict()
        self._tell()
        if self._pending and not self.lockstep:
            self.end(self._pending)

    def _verdict(self) -> str:
        """Return how the episode ends with this step, an empty text if it goes on."""
        if self._world.simulation.scored:
            return 'scored'
        if self._world.simulation.out:
            return 'out'
        return 'timeout' if self._time.control_step >= self._max_steps else ''

    def _on_command(self, robot: SimulatedRobot, stamp: int, command: np.ndarray) -> None:
        if not self.lockstep:
            robot.follow(self._time.now, command)
        elif self._acknowledgements.answer(self._contract.topics['command'], stamp):
            robot.follow(self._time.now, command)
            self.proceed()

    def proceed(self) -> None:
        """Go on in lock-step if everything is answered and the world may go on."""
        if not self._acknowledgements.complete or (self._paused and not self._request.left):
            return
        self._request.take()
        # The last state is answered before the end is told, so that recorders have all of it.
        if self._pending:
            self.end(self._pending)
        else:
            self._advance()
        if not self._request.left:
            self._request.finish()

    def check_answers(self) -> None:
        """Repeat in lock-step what may have been lost, and end an episode nobody answers."""
        missing = self._acknowledgements.missing()
        if (self._paused and not self._request.left) or not missing:
            return
        if self._acknowledgements.should_repeat():
            # Nodes answer a repeated set as they did before, so nothing changes but what was lost.
            self._robots[0].topics.repeat()
        if self._acknowledgements.waited > self._options['answer_timeout']:
            if self._paused:
                self._request.finish('waiting for ' + ', '.join(missing))
            else:
                self.end(self._pending or 'error', self._acknowledgements.explain())

    def keep_up(self) -> None:
        """Make the steps that are due in free mode."""
        if not self.active:
            return
        if self._paused:
            self._pacer.restart()
            for robot in self._robots:
                robot.deliver(self._time.now)
        for _ in range(self._pacer.due()):
            self._advance()

    async def step(self) -> tuple[bool, str]:
        """Make the control steps of the parameter `steps`; return success and a message."""
        count, before = self._options['steps'], self._time.control_step
        if not self.active or not self._paused or self._request.left or not self.running:
            return False, 'only a running episode that is paused can be stepped'
        problem = ''
        if self.lockstep:
            done = self._request.begin(count, self._node.executor)
            self._acknowledgements.restart()
            self.proceed()
            problem = await done
        else:
            for _ in range(count * self._time.ratio):
                self._advance()
        made = self._time.control_step - before
        if made == count:
            return True, f'{self._time.now / 1e9:.3f}'
        return False, f'{made} of {count} steps: {problem or "the episode is over"}'

    def pause(self, paused: bool) -> None:
        """Stop the world, or let it go on."""
        self._paused = paused
        if not paused and self.lockstep and self.active:
            self._request.finish('the pause is over')
            self._acknowledgements.restart()
            self.proceed()

    def report(self) -> tuple[bytes, str, dict[str, object]]:
        """Return level, message and values of the diagnostics."""
        event = self._event
        level = diagnostics.ERROR if event and event.verdict == 'error' else diagnostics.OK
        return (
            level,
            event.message if event else 'no episode yet',
            {
                'mode': self._options['mode'],
                'paused': self._paused,
                'time': self._time.now / 1e9,
                'real_time_factor': round(self._pacer.measure(self._time.simulated), 3),
                'rate': self._time.rate,
                'episode': self.name,
                'phase': event.phase if event else '',
                'step': self._time.control_step,
                'answer_ms': round(self._answer_seconds * 1e3, 1),
            },
        )
