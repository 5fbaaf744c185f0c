"""The walking body, the ball and what stops them, in the MuJoCo twin."""

import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.sim.physics.state import check_starts
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

CONTRACT = Contract.load()
ROBOT = RobotProfile.load(CONTRACT.robot)
FAR_BALL = [3.0, 2.0]
BALL_RADIUS = 0.05


@pytest.fixture(scope='module')
def simulation():
    return SoccerSimulation(CONTRACT, ROBOT, visual=False)


def walk(simulation, command, steps):
    """Step with one command; return the world states after each step and the ball's heights."""
    states, heights = [], []
    for _ in range(steps):
        simulation.step(command)
        states.append(simulation.world_state())
        heights.append(simulation.data.qpos[5])
    return np.array(states), np.array(heights)


@pytest.mark.parametrize('axis, speed', [(0, 0.25), (0, -0.15), (1, 0.2), (1, -0.2), (2, 2.0)])
def test_robot_reaches_the_commanded_velocity_with_a_first_order_lag(simulation, axis, speed):
    simulation.reset([0, 0, 0.7, *FAR_BALL])
    command = np.zeros(3)
    command[axis] = speed
    reached = []
    for _ in range(15):
        simulation.step(command)
        reached.append(simulation.robot_velocity()[axis] / speed)
    time = 0.1 * np.arange(1, 16)
    np.testing.assert_allclose(reached, 1 - np.exp(-time / 0.25), atol=0.02)
    assert abs(reached[-1] - 1) < 0.02


def test_forward_is_where_the_robot_faces_and_left_is_ninety_degrees_on(simulation):
    for command, direction in (([0.2, 0, 0], 0.7), ([0, 0.2, 0], 0.7 + np.pi / 2)):
        simulation.reset([0, 0, 0.7, *FAR_BALL])
        states, _ = walk(simulation, command, 20)
        # .2 m/s over 2 s, less what a lag of .25 s costs
        expected = 0.2 * (2 - 0.25) * np.array([np.cos(direction), np.sin(direction)])
        np.testing.assert_allclose(states[-1, :2], expected, atol=0.005)


def test_a_command_beyond_the_limits_is_clipped_and_remembered_as_it_was_sent(simulation):
    simulation.reset([0, 0, 0, *FAR_BALL])
    np.testing.assert_array_equal(simulation.world_state(), [0, 0, 0, 3, 2, 0, 0, 0, 0, 0])
    simulation.step([9, -9, 9])
    np.testing.assert_allclose(
        simulation.world_state()[world.PREVIOUS_COMMAND], [0.25, -0.2, 2.0943951]
    )


@pytest.mark.parametrize('velocity', [(1.0, 0.0), (0.5, 0.2), (-0.4, -0.4)])
def test_a_rolling_ball_loses_the_speed_that_the_field_says(simulation, velocity):
    simulation.set_world_state([-3, 0, 0, 0, 0, *velocity, 0, 0, 0])
    speed = np.hypot(*velocity)
    states, heights = walk(simulation, [0, 0, 0], 10)
    lost = speed - np.hypot(states[-1, 5], states[-1, 6])
    assert lost / 1.0 == pytest.approx(0.30, rel=0.05)
    direction = np.arctan2(states[-1, 4], states[-1, 3])
    assert direction == pytest.approx(np.arctan2(*velocity[::-1]), abs=0.01)
    walk(simulation, [0, 0, 0], 30)
    # v^2 / (2 a)
    assert np.hypot(*simulation.world_state()[3:5]) == pytest.approx(speed**2 / 0.6, rel=0.05)
    assert np.hypot(*simulation.world_state()[5:7]) < 0.002
    assert heights.min() > 0.048 and heights.max() < 0.052


@pytest.mark.parametrize('offset', [0.0, 0.03, -0.03, 0.07])
def test_walking_straight_at_the_ball_dribbles_it(simulation, offset):
    simulation.reset([-2, 0, 0, -1.5, offset])
    states, heights = walk(simulation, [0.25, 0, 0], 150)
    ahead = (states[:, 3] - states[:, 0])[30:]
    assert states[-1, 0] > 1.6
    # touching at .10 + .05 m, at most a short roll ahead
    assert ahead.min() > 0.14 and ahead.max() < 0.22
    assert np.abs(states[:, 4] - states[:, 1] - offset).max() < 0.03
    assert heights.min() > 0.045 and heights.max() < 0.06


def test_a_ball_pushed_into_the_goal_scores_and_the_net_holds_it(simulation):
    simulation.reset([4.0, 0, 0, 4.2, 0.05])
    states, _ = walk(simulation, [0.25, 0, 0], 60)
    assert simulation.scored and simulation.done and not simulation.out
    assert 4.55 < states[-1, 3] < 5.0


def test_a_ball_pushed_over_the_line_beside_the_goal_is_out(simulation):
    simulation.reset([4.0, 2, 0, 4.2, 2])
    walk(simulation, [0.25, 0, 0], 40)
    assert simulation.out and simulation.done and not simulation.scored


def test_the_robot_stops_at_posts_and_at_the_edge_of_the_carpet(simulation):
    post_y = 0.75 + 0.05
    simulation.reset([4.0, post_y, 0, *FAR_BALL])
    states, _ = walk(simulation, [0.25, 0, 0], 50)
    # the feet end .10 m before base_link, the post's surface is .05 m before the line
    assert states[-1, 0] == pytest.approx(4.5 - 0.05 - 0.10, abs=0.01)
    for x, y, yaw, axis, edge in (
        (4.6, 2, 0, 0, 5.2),
        (-4.6, 2, np.pi, 0, -5.2),
        (0, 3.2, np.pi / 2, 1, 3.7),
        (0, -3.2, -np.pi / 2, 1, -3.7),
    ):
        simulation.reset([x, y, yaw, *FAR_BALL])
        states, _ = walk(simulation, [0.25, 0, 0], 50)
        assert abs(states[-1, axis]) == pytest.approx(abs(edge) - 0.10, abs=0.01)
        assert np.abs(simulation.robot_velocity()).max() < 0.01


def test_a_ball_squeezed_against_post_net_or_border_stays_on_the_ground(simulation):
    for start in (
        [4.1, 0.8, 0, 4.3, 0.8],
        [4.4, 0, 0, 4.6, 0],
        [0, 3.2, np.pi / 2, 0, 3.4],
        [4.3, 0.6, 0.4, 4.5, 0.68],
    ):
        simulation.reset(start)
        _, heights = walk(simulation, [0.25, 0, 0], 80)
        assert heights.min() > 0.04 and heights.max() < 0.07
        assert np.abs(simulation.world_state()[:7]).max() < 5.2


def test_the_same_start_and_commands_give_the_same_bytes():
    rng = np.random.default_rng(5)
    commands = CONTRACT.to_command(rng.uniform(-1, 1, (100, 3)))
    histories = []
    for visual in (False, False, True):
        simulation = SoccerSimulation(CONTRACT, ROBOT, visual=visual)
        simulation.reset([0, 0, 0, 0.2, 0.02])
        history = b''
        for command in commands:
            simulation.step(command)
            history += simulation.world_state().tobytes()
        histories.append(history)
    assert histories[0] == histories[1]
    assert histories[0] == histories[2], 'drawing changed the physics'


def test_a_physics_state_can_be_continued_in_another_simulation(simulation):
    simulation.reset([0, 0, 0, 0.2, 0.02])
    walk(simulation, [0.25, 0.1, 0.3], 25)
    other = SoccerSimulation(CONTRACT, ROBOT, visual=True)
    other.load_physics_state(simulation.physics_state())
    np.testing.assert_array_equal(other.world_state(), simulation.world_state())
    first, _ = walk(simulation, [0.2, -0.1, 0.5], 10)
    second, _ = walk(other, [0.2, -0.1, 0.5], 10)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    'start, problem',
    [
        ([0, 0, np.nan, 1, 0], 'not finite'),
        ([5.19, 0, 0, 1, 0], 'off the carpet'),
        ([0, 0, 0, 0, 3.69], 'off the carpet'),
        ([1, 1, np.pi / 2, 1, 1.12], 'ball inside the robot'),
    ],
)
def test_an_impossible_start_is_refused_with_its_numbers(simulation, start, problem):
    with pytest.raises(ValueError, match=problem):
        simulation.reset(start)


def test_a_start_that_touches_nothing_is_accepted():
    starts = check_starts([[1, 1, np.pi / 2, 1, 1.151]], ROBOT, CONTRACT.field)
    assert starts.shape == (1, 5)


@pytest.mark.parametrize('command', [[np.nan, 0, 0], [0, np.inf, 0], [0, 0]])
def test_a_command_that_is_no_command_is_refused(simulation, command):
    simulation.reset([0, 0, 0, *FAR_BALL])
    with pytest.raises(ValueError, match='command'):
        simulation.step(command)
    assert simulation.time == 0


def test_a_physics_step_that_does_not_divide_the_control_period_is_refused():
    with pytest.raises(ValueError, match='no multiple'):
        SoccerSimulation(CONTRACT, ROBOT, visual=False, timestep=0.007)
