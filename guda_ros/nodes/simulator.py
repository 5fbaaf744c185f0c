"""The simulated robot: camera, odometry, clock and truth out, velocity commands in."""

from __future__ import annotations

from dataclasses import replace
import time

from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import SetBool, Trigger

from guda_ros.data.collection import header_stamp
from guda_ros.errors import GudaError
from guda_ros.ros import conversions as convert
from guda_ros.ros import diagnostics, qos, running
from guda_ros.ros import simulator_parameters as parameters
from guda_ros.ros.episode import EpisodeEvent
from guda_ros.ros.lockstep import LockStep
from guda_ros.ros.parameters import declare_contract
from guda_ros.ros.simulator_topics import SimulatorTopics
from guda_ros.sim.odometry import OdometryModel
from guda_ros.sim.simulation import SoccerSimulation
from guda_ros.soccer import starts, world
from guda_ros.soccer.robot import RobotProfile

#: Seconds of simulated time that a command is followed in free mode when no other one comes.
COMMAND_LIFE = 0.5
#: Pause [s] after the phases of a reset, in which every node handles them before data follows.
SETTLE = 0.05


class Simulator(LifecycleNode):
    """
    MuJoCo simulation of one robot.

    Lock-step: an observation set with stamp t is published, the world stands still until `cmd_vel`
    with stamp t has come (and `ball/odom`, if somebody publishes it), then one control period
    passes. Free: the world runs on a steady clock with the last command.
    """

    def __init__(self) -> None:
        super().__init__('simulator')
        self._options = p = parameters.declare_simulator_parameters(self)
        self.contract = declare_contract(p)
        self.robot = RobotProfile.load(p['robot'] or self.contract.robot)
        self.failure = ''
        self._lockstep = p['mode'] == 'lockstep'
        self._period_ns = round(1e9 * self.contract.period)
        self._now = 0
        self._count = self._step = 0
        self._event: EpisodeEvent | None = None
        self._pending = ''
        self._paused = self._active = False
        self._command, self._command_stamp = np.zeros(3), 0
        self._answer_seconds = 0.0
        self._simulation = None
        diagnostics.DiagnosticsPublisher(self, self._report, self.robot.name)
        running.autostart(self, p['autostart'])

    @running.reports_failure
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Build the simulation, try the camera and create the interfaces."""
        self._simulation = SoccerSimulation(self.contract, self.robot,
                                            visual=self._options['camera'])
        if self._options['camera']:
            self._simulation.render()
        self._odometry = OdometryModel(self.robot.odometry, np.random.default_rng(0),
                                       self.contract.period)
        topic = self.contract.topics
        self._topics = SimulatorTopics(self, self.contract, self.robot.camera)
        watched = (topic['ball'], *(f'{topic["command"]}/{source}'
                                    for source in ('teleop', 'policy')))
        self._answers = LockStep(topic['command'], watched)
        self._entities = [self.create_subscription(TwistStamped, topic['command'],
                                                   self._on_command, qos.COMMAND)]
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        if self._lockstep:
            for name, kind in zip(watched, (Odometry, TwistStamped, TwistStamped)):
                self._entities.append(self.create_subscription(
                    kind, name, lambda data, name=name: self._on_answer(name, data), qos.DEFAULT,
                    raw=True))
            self._entities.append(self.create_timer(0.1, self._check_answer, clock=steady))
        else:
            period = self.contract.period / self._options['real_time_factor']
            self._entities.append(self.create_timer(period, self._tick, clock=steady))
        for kind, name, call in ((Trigger, '~/reset', self._on_reset),
                                 (Trigger, '~/step', self._on_step),
                                 (SetBool, '~/pause', self._on_pause)):
            self._entities.append(self.create_service(kind, name, call))
        return TransitionCallbackReturn.SUCCESS

    @running.reports_failure
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start publishing; in free mode the first episode begins at once."""
        result = super().on_activate(state)
        self._active = True
        problem = '' if self._lockstep else self._begin()
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
        self._topics.destroy()
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """Free the OpenGL context."""
        if self._simulation is not None:
            self._simulation.close()

    # Episodes

    def _on_reset(self, request, response: Trigger.Response) -> Trigger.Response:
        problem = self._begin() if self._active else 'the simulator is not active'
        response.success, response.message = not problem, problem or self._event.id
        return response

    def _begin(self) -> str:
        """Start an episode from the parameters; return what is wrong, or an empty text."""
        p = self._options
        self._end('aborted', 'the simulator was reset')
        if self._lockstep:
            problem = self._topics.wait_for_partners(p['partners'], p['partner_timeout'])
            if problem:
                return problem
            ball = self.contract.topics['ball']
            self._answers.require([ball] if self.count_publishers(ball) else [])
        try:
            index, start = parameters.requested_start(p, self.contract.field)
            self._simulation.reset(start[:starts.SIZE])
            if len(start) > starts.SIZE:
                state = self._simulation.world_state()
                state[world.BALL_VELOCITY] = start[starts.SIZE:]
                self._simulation.set_world_state(state)
        except (GudaError, ValueError) as error:
            return f'this start is not possible: {error}'
        self._odometry.reset(start[world.ROBOT],
                             np.random.default_rng([p['seed'], index + 1, 7]))
        self._count += 1
        self._step, self._pending, self._command = 0, '', np.zeros(3)
        # Time never runs backwards, and a gap keeps the data of two episodes apart.
        self._now = (self._now // 1_000_000_000 + 2) * 1_000_000_000
        self._command_stamp = self._now
        name = parameters.episode_name(p, index, self._count)
        self._topics.prime(self._now - 500_000_000, self._simulation.world_state(),
                           self._odometry)
        for phase in ('reset', 'start'):
            self._announce(EpisodeEvent(
                id=name, phase=phase, scenario=p['scenario'], start_index=index, seed=p['seed'],
                stamp=self._now, robot_start=tuple(map(float, start[world.ROBOT])),
                contract_hash=self.contract.hash))
            time.sleep(SETTLE)
        self._max_steps = round((p['time_limit'] or self.contract.time_limit)
                                * self.contract.rate)
        self._publish_observation()
        return ''

    def _end(self, verdict: str, message: str = '') -> None:
        """End the episode, if one is under way."""
        self._pending = ''
        if self._simulation is None or self._event is None or self._event.phase == 'end':
            return
        self._answers.finish()
        self._announce(replace(self._event, phase='end', verdict=verdict, message=message,
                               stamp=self._now))
        told = f'episode {self._event.id}: {verdict} after {self._step} steps. {message}'
        if verdict == 'error':
            self.get_logger().error(told)
        else:
            self.get_logger().info(told)

    def _announce(self, event: EpisodeEvent) -> None:
        self._event = event
        if not self._topics.announce(event):
            self.get_logger().warning(f'a node has not confirmed episode {event.id} {event.phase}')

    # The world

    def _publish_observation(self) -> None:
        self._sent, self._repeated = time.monotonic(), 0
        if self._lockstep:
            self._answers.expect(self._now)
        self._topics.observation(
            self._now, self._simulation.world_state(), self._simulation.robot_velocity(),
            self._odometry, self._simulation.render if self._options['camera'] else None)

    def _advance(self, command: np.ndarray) -> None:
        """Let one control period pass and publish what is seen then."""
        self._answer_seconds = time.monotonic() - self._sent
        try:
            self._simulation.step(command)
        except (GudaError, ValueError, RuntimeError) as error:
            self._end('error', f'the simulation stopped: {error}')
            return
        self._now += self._period_ns
        self._step += 1
        if self._event.phase != 'end':
            self._pending = ('scored' if self._simulation.scored else
                             'out' if self._simulation.out else
                             'timeout' if self._step >= self._max_steps else '')
        self._odometry.update(self._simulation.world_state()[world.ROBOT])
        self._publish_observation()
        if self._pending and not self._lockstep:
            self._end(self._pending)

    def _on_command(self, message: TwistStamped) -> None:
        stamp = convert.stamp_to_ns(message.header.stamp)
        if not self._lockstep:
            self._command = convert.command_from_twist(message.twist)
            self._command_stamp = self._now
        elif self._answers.answer(self.contract.topics['command'], stamp):
            self._command = convert.command_from_twist(message.twist)
            self._proceed()

    def _on_answer(self, topic: str, data: bytes) -> None:
        if self._answers.answer(topic, header_stamp(data)):
            self._proceed()

    def _proceed(self, stepping: bool = False) -> None:
        if (self._paused and not stepping) or not self._answers.complete:
            return
        # The last state is answered before the end is told, so that recorders have all of it.
        if self._pending:
            self._end(self._pending)
        else:
            self._advance(self._command)

    def _check_answer(self) -> None:
        if self._paused or self._answers.stamp is None:
            return
        waited = time.monotonic() - self._sent
        if waited > 1.0 + self._repeated:
            # Nodes answer a repeated set as they did before, so nothing changes but what was lost.
            self._repeated += 1
            self._topics.repeat()
        if waited > self._options['answer_timeout']:
            publishers = self._topics.publishers_of(self._answers.topics)
            told = f'waited {waited:.1f} s: {self._answers.describe(publishers)}'
            self._end(self._pending or 'error', told)

    def _tick(self, stepping: bool = False) -> None:
        if self._active and (stepping or not self._paused):
            fresh = self._now - self._command_stamp <= COMMAND_LIFE * 1e9
            self._advance(self._command if fresh else np.zeros(3))

    def _on_step(self, request, response: Trigger.Response) -> Trigger.Response:
        before = self._now
        if not self._active or not self._paused or self._event is None:
            response.message = 'only a running episode that is paused can be stepped'
        elif self._lockstep:
            self._proceed(stepping=True)
            if self._now == before:
                response.message = 'waiting for ' + (', '.join(self._answers.missing())
                                                     or 'the next episode')
        else:
            self._tick(stepping=True)
        response.success = self._now != before
        response.message = response.message or f'{self._now / 1e9:.3f}'
        return response

    def _on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._paused = request.data
        response.success, response.message = True, 'paused' if request.data else 'running'
        if not self._paused and self._lockstep and self._active:
            self._sent, self._repeated = time.monotonic(), 0
            self._proceed()
        return response

    def _report(self) -> tuple:
        event = self._event
        level = diagnostics.ERROR if event and event.verdict == 'error' else diagnostics.OK
        return level, event.message if event else 'no episode yet', {
            'mode': self._options['mode'], 'paused': self._paused, 'time': self._now / 1e9,
            'episode': event.id if event else '', 'phase': event.phase if event else '',
            'step': self._step, 'answer_ms': round(self._answer_seconds * 1e3, 1)}


def main(args=None) -> int:
    """Run the simulator."""
    return running.run_node(Simulator, args)


if __name__ == '__main__':
    running.exit_process(main())
