"""The simulated robot: sensors, clock and truth out, velocity commands in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import SetBool, Trigger

from guda_ros.errors import GudaError
from guda_ros.ros import diagnostics, running
from guda_ros.ros.parameters import declare_contract, declare_stamped
from guda_ros.ros.simulator.episode import SimulatedEpisodes
from guda_ros.ros.simulator.parameters import declare_simulator_parameters
from guda_ros.ros.topics import offer_service
from guda_ros.sim.physics.sensor_suite import World
from guda_ros.soccer.robot import RobotProfile


class Simulator(LifecycleNode):
    """
    MuJoCo simulation of one robot, or of several.

    Lock-step: what has arrived by t is published, the world stands still until `cmd_vel` has the
    stamp that answers it (and `ball/odom`, if somebody publishes it), then one control period
    passes. Free: the world runs on a steady clock with the last command.
    """

    def __init__(self) -> None:
        super().__init__('simulator')
        self._options = p = declare_simulator_parameters(self)
        self.contract = declare_contract(p)
        stamped = declare_stamped(p, 'hear TwistStamped on cmd_vel; false: Twist')
        profile = RobotProfile.load(p['robot'] or self.contract.robot)
        self.robot = replace(profile, driver=replace(profile.driver, stamped=stamped))
        self.failure = ''
        self._episodes = SimulatedEpisodes(self, p, self.contract, self.robot, World, self._wake)
        diagnostics.DiagnosticsPublisher(self, self._episodes.report, self.robot.name)
        running.autostart(self, p['autostart'])

    @running.reports_failure
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Build the simulation, try the camera and create the interfaces."""
        episodes = self._episodes
        episodes.build()
        if episodes.lockstep:
            self._entities = [running.steady_timer(self, 0.1, episodes.check_answers)]
            self._unanswered = self.create_guard_condition(episodes.proceed)
        else:
            self._entities = [running.steady_timer(self, episodes.interval, episodes.keep_up)]
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
        episodes = self._episodes
        episodes.active = True
        episodes.draw_field()
        problem = '' if episodes.lockstep else episodes.begin(self._options['begin_at_once'])
        if problem:
            self.on_deactivate(state)
            raise GudaError(problem)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Abort the episode and stop the world."""
        self._episodes.end('aborted', 'the simulator was deactivated')
        self._episodes.active = False
        return super().on_deactivate(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Deactivate first: rclpy leaves an active node at work."""
        if self._episodes.active:
            self.on_deactivate(state)
        return super().on_shutdown(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Undo configure."""
        running.destroy_entities(self, self._entities)
        if self._episodes.lockstep:
            self.destroy_guard_condition(self._unanswered)
        self._episodes.destroy()
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """Free the OpenGL contexts."""
        self._episodes.close()

    def _wake(self) -> None:
        self._unanswered.trigger()

    def _on_reset(self, request, response: Trigger.Response) -> Trigger.Response:
        episodes = self._episodes
        problem = episodes.begin() if episodes.active else 'the simulator is not active'
        response.success, response.message = not problem, problem or episodes.name
        return response

    def _on_end(self, request, response: Trigger.Response) -> Trigger.Response:
        episodes = self._episodes
        response.success = episodes.running
        response.message = episodes.name if episodes.running else 'no episode is running'
        episodes.end(self._options['verdict'], 'by the operator')
        return response

    async def _on_step(self, request, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = await self._episodes.step()
        return response

    def _on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success, response.message = True, 'paused' if request.data else 'running'
        self._episodes.pause(request.data)
        return response


def main(args: Sequence[str] | None = None) -> int:
    """Run the simulator."""
    return running.run_node(Simulator, args)


if __name__ == '__main__':
    running.exit_process(main())
