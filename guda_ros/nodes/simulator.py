"""The simulated robot: sensors, clock and truth out, velocity commands in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import time

import numpy as np
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import SetBool, Trigger

from guda_ros.errors import GudaError
from guda_ros.ros import diagnostics, running
from guda_ros.ros.episode.event import EpisodeEvent
from guda_ros.ros.parameters import declare_contract
from guda_ros.ros.simulator import parameters
from guda_ros.ros.simulator.acknowledgements import AnswerWatch
from guda_ros.ros.simulator.real_time import Pace, StepClock, StepRequest
from guda_ros.ros.simulator.robot import SimulatedRobot
from guda_ros.ros.simulator.topics import WorldTopics
from guda_ros.ros.topics import offer_service
from guda_ros.sim.physics.sensor_suite import World
from guda_ros.soccer.robot import RobotProfile

#: Pause [s] after the phases of a reset, in which every node handles them before data follows.
SETTLE = 0.05


class Simulator(LifecycleNode):
    """
    MuJoCo simulation of one robot, or of several.

    Lock-step: what has arrived by t is published, the world stands still until `cmd_vel` has the
    stamp that answers it (and `ball/odom`, if somebody publishes it), then one control period
    passes. Free: the world runs on a steady clock with the last command.
    """

    def __init__(self) -> None:
        super().__init__('simulator')
        self._options = p = parameters.declare_simulator_parameters(self)
        self.contract = declare_contract(p)
        self.robot = RobotProfile.load(p['robot'] or self.contract.robot)
        self.failure = ''
        self._lockstep = p['mode'] == 'lockstep'
        rate = parameters.step_rate(p, self.contract.rate, self.robot.imu.rate)
        self._time = StepClock(rate, self.contract.rate)
        self._pace = Pace(1.0 / rate, p['real_time_factor'])
        self._request = StepRequest()
        self._count = 0
        self._event: EpisodeEvent | None = None
        self._pending = ''
        self._paused = self._active = False
        self._answer_seconds = 0.0
        self._world: World | None = None
        diagnostics.DiagnosticsPublisher(self, self._report, self.robot.name)
        running.autostart(self, p['autostart'])

    @running.reports_failure
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Build the simulation, try the camera and create the interfaces."""
        p = self._options
        names = p['robots'] or ['']
        if self._lockstep and len(names) > 1:
            raise GudaError(
                'several robots need mode free: in lock-step the world would have to '
                'wait for all of them'
            )
        robots = [self.robot] * len(names)
        self._world = World(
            self.contract,
            robots,
            self._time.rate,
            p['camera'],
            threaded=not self._lockstep,
            randomisation=p['randomisation'],
        )
        self._robots = [
            SimulatedRobot(
                self,
                self.contract,
                self._world,
                self._on_command,
                f'{name}/' if name else '',
                index,
            )
            for index, name in enumerate(names)
        ]
        self._topics = WorldTopics(self, self.contract, [robot.topics for robot in self._robots])
        self._answers = AnswerWatch(self, self.contract, self._proceed)
        steady, self._entities = Clock(clock_type=ClockType.STEADY_TIME), []
        if self._lockstep:
            self._entities.append(self.create_timer(0.1, self._check_answer, clock=steady))
            self._unanswered = self.create_guard_condition(self._proceed)
        else:
            self._entities.append(self.create_timer(self._pace.interval, self._run, clock=steady))
        self._entities += [
            offer_service(self, 'reset', self._on_reset),
            offer_service(self, 'end', self._on_end),
            offer_service(self, 'pause', self._on_pause),
            # It waits for answers, which are handled meanwhile.
            offer_service(self, 'step', self._on_step, callback_group=ReentrantCallbackGroup()),
        ]
        return TransitionCallbackReturn.SUCCESS

    @running.reports_failure
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start publishing; in free mode the world, and the first episode unless it shall wait."""
        result = super().on_activate(state)
        self._active = True
        self._topics.draw_field()
        problem = '' if self._lockstep else self._begin(self._options['begin_at_once'])
        if problem:
            self.on_deactivate(state)
            raise GudaError(problem)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Abort the episode and stop the world."""
        self._end('aborted', 'the simulator was deactivated')
        self._active = False
        return super().on_deactivate(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Deactivate first: rclpy leaves an active node at work."""
        if self._active:
            self.on_deactivate(state)
        return super().on_shutdown(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Undo configure."""
        running.destroy_entities(self, self._entities)
        if self._lockstep:
            self.destroy_guard_condition(self._unanswered)
        for robot in self._robots:
            robot.destroy()
        self._answers.destroy()
        self._topics.destroy()
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """Free the OpenGL contexts."""
        if self._world is not None:
            self._world.close()
            self._world = None

    # Episodes

    def _on_reset(self, request, response: Trigger.Response) -> Trigger.Response:
        problem = self._begin() if self._active else 'the simulator is not active'
        response.success, response.message = not problem, problem or self._event.id
        return response

    def _on_end(self, request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._event is not None and self._event.phase != 'end'
        response.message = self._event.id if response.success else 'no episode is running'
        self._end(self._options['verdict'], 'by the operator')
        return response

    def _begin(self, announce: bool = True) -> str:
        """
        Start an episode from the parameters; return what is wrong, or an empty text.

        :param announce: False lets the world begin without an episode.
        """
        p = self._options
        self._end('aborted', 'the simulator was reset')
        if self._lockstep:
            problem = self._topics.wait_for_partners(p['partners'], p['partner_timeout'])
            if problem:
                return problem
        now = self._time.next_begin()
        try:
            index, start = parameters.requested_start(p, self.contract.field)
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
            contract_hash=self.contract.hash,
            parameters=self._world.simulation.parameters,
        )
        for phase in ('reset', 'start') if announce else ():
            self._announce(replace(event, phase=phase))
            time.sleep(SETTLE)
        self._max_steps = round((p['time_limit'] or self.contract.time_limit) * self.contract.rate)
        self._answers.look(p['camera'])
        self._pace.restart()
        self._tell()
        return ''

    def _end(self, verdict: str, message: str = '') -> None:
        """End the episode, if one is under way."""
        self._pending = ''
        if self._event is None or self._event.phase == 'end':
            return
        self._answers.finish()
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
            self.get_logger().error(told)
        else:
            self.get_logger().info(told)

    def _announce(self, event: EpisodeEvent) -> None:
        self._event = event
        for robot in self._robots:
            if not robot.announce(event):
                self.get_logger().warning(
                    f'a node has not confirmed episode {event.id} {event.phase}'
                )

    # The world

    def _tell(self) -> None:
        """Publish what is known now, and say in lock-step what has to be answered."""
        self._answers.restart()
        now = self._time.now
        self._topics.clock(now)
        newest = [robot.tell(now, self._time.is_control) for robot in self._robots][0]
        if self._lockstep and not self._answers.expect(now, newest):
            # Nothing new has arrived that could be answered: the last command holds. Recorders
            # are waited for instead.
            self._robots[0].topics.flush()
            self._unanswered.trigger()

    def _advance(self) -> None:
        """Make one step, and publish what is seen then."""
        self._answer_seconds = self._answers.waited
        try:
            self._world.simulation.step([robot.command(self._time.now) for robot in self._robots])
        except (GudaError, ValueError, RuntimeError) as error:
            self._end('error', f'the simulation stopped: {error}')
            # A command that cannot be followed would never grow old while time stands still.
            for robot in self._robots:
                robot.follow(self._time.now, np.zeros(3))
            return
        self._time.advance()
        running = self._event is not None and self._event.phase != 'end'
        if running and self._time.is_control:
            simulation = self._world.simulation
            self._pending = (
                'scored'
                if simulation.scored
                else 'out'
                if simulation.out
                else 'timeout'
                if self._time.control_step >= self._max_steps
                else ''
            )
        self._tell()
        if self._pending and not self._lockstep:
            self._end(self._pending)

    def _on_command(self, robot: SimulatedRobot, stamp: int, command: np.ndarray) -> None:
        if not self._lockstep:
            robot.follow(self._time.now, command)
        elif self._answers.answer(self.contract.topics['command'], stamp):
            robot.follow(self._time.now, command)
            self._proceed()

    def _proceed(self) -> None:
        """Go on in lock-step if everything is answered and the world may go on."""
        if not self._answers.complete or (self._paused and not self._request.left):
            return
        self._request.take()
        # The last state is answered before the end is told, so that recorders have all of it.
        if self._pending:
            self._end(self._pending)
        else:
            self._advance()
        if not self._request.left:
            self._request.finish()

    def _check_answer(self) -> None:
        missing = self._answers.missing()
        if (self._paused and not self._request.left) or not missing:
            return
        if self._answers.should_repeat():
            # Nodes answer a repeated set as they did before, so nothing changes but what was lost.
            self._robots[0].topics.repeat()
        if self._answers.waited > self._options['answer_timeout']:
            if self._paused:
                self._request.finish('waiting for ' + ', '.join(missing))
            else:
                self._end(self._pending or 'error', self._answers.explain())

    def _run(self) -> None:
        """Keep up with the clock in free mode."""
        if not self._active:
            return
        if self._paused:
            self._pace.restart()
            for robot in self._robots:
                robot.deliver(self._time.now)
        for _ in range(self._pace.due()):
            self._advance()

    async def _on_step(self, request, response: Trigger.Response) -> Trigger.Response:
        count, before = self._options['steps'], self._time.control_step
        if (
            not self._active
            or not self._paused
            or self._request.left
            or self._event is None
            or self._event.phase == 'end'
        ):
            response.message = 'only a running episode that is paused can be stepped'
            return response
        if self._lockstep:
            done = self._request.begin(count, self.executor)
            self._answers.restart()
            self._proceed()
            response.message = await done
        else:
            for _ in range(count * self._time.ratio):
                self._advance()
        made = self._time.control_step - before
        response.success = made == count
        response.message = (
            f'{self._time.now / 1e9:.3f}'
            if response.success
            else (f'{made} of {count} steps: {response.message or "the episode is over"}')
        )
        return response

    def _on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._paused = request.data
        response.success, response.message = True, 'paused' if request.data else 'running'
        if not self._paused and self._lockstep and self._active:
            self._request.finish('the pause is over')
            self._answers.restart()
            self._proceed()
        return response

    def _report(self) -> tuple:
        event = self._event
        level = diagnostics.ERROR if event and event.verdict == 'error' else diagnostics.OK
        return (
            level,
            event.message if event else 'no episode yet',
            {
                'mode': self._options['mode'],
                'paused': self._paused,
                'time': self._time.now / 1e9,
                'real_time_factor': round(self._pace.measure(self._time.simulated), 3),
                'rate': self._time.rate,
                'episode': event.id if event else '',
                'phase': event.phase if event else '',
                'step': self._time.control_step,
                'answer_ms': round(self._answer_seconds * 1e3, 1),
            },
        )


def main(args: Sequence[str] | None = None) -> int:
    """Run the simulator."""
    return running.run_node(Simulator, args)


if __name__ == '__main__':
    running.exit_process(main())
