"""Delay, slip, kicks, falls, sway and several robots in the twin."""

from dataclasses import replace

import numpy as np
import pytest

from guda_ros.config.files import ConfigError
from guda_ros.data.contract import Contract
from guda_ros.sim.physics.batch import BatchSimulation
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.sim.physics.walk import FALLING, GETTING_UP, KICKING, WALKING
from guda_ros.soccer.robot import RobotProfile, Sway

CONTRACT = Contract.load()
ROBOT = RobotProfile.load(CONTRACT.robot)
FAR_BALL = [3.0, 2.0]


def robot_with(**walk):
    return replace(ROBOT, walk=replace(ROBOT.walk, **{'slip': 0.0, 'delay': 0.0, **walk}))


@pytest.mark.parametrize('delay', [0.05, 0.12, 0.3])
def test_a_command_has_no_effect_for_the_dead_time_and_then_the_usual_lag(delay):
    # one physics step a control step, to see the time between commands
    contract = replace(CONTRACT, rate=100.0)
    delayed, prompt = (
        SoccerSimulation(contract, robot_with(delay=value), visual=False) for value in (delay, 0.0)
    )
    for simulation in (delayed, prompt):
        simulation.reset([0, 0, 0, *FAR_BALL])
    command = np.array([0.2, 0.1, 1.0])
    late, early = [], []
    for _ in range(100):
        for simulation, speeds in ((delayed, late), (prompt, early)):
            simulation.step(command)
            speeds.append(simulation.robot_velocity())
    shift = round(delay * 100)
    assert np.abs(late[:shift]).max() < 1e-12
    np.testing.assert_allclose(late[shift:], early[: 100 - shift], atol=2e-3)


@pytest.mark.parametrize('axis, speed', [(0, 0.25), (1, 0.2), (2, 2.0)])
@pytest.mark.parametrize('response_time', [0.02, 0.05, 0.1, 0.5])
def test_quick_and_slow_walks_follow_without_swinging(response_time, axis, speed):
    simulation = SoccerSimulation(
        replace(CONTRACT, rate=100.0), robot_with(response_time=(response_time,) * 3), visual=False
    )
    simulation.reset([0, 0, 0, *FAR_BALL])
    command = np.zeros(3)
    command[axis] = speed
    reached = []
    for _ in range(300):
        simulation.step(command)
        reached.append(simulation.robot_velocity()[axis] / speed)
    time = 0.01 * np.arange(1, 301)
    # the servo settles within half a physics step
    np.testing.assert_allclose(reached, 1 - np.exp(-time / response_time), atol=0.08)
    assert np.diff(reached).min() > -1e-9
    assert reached[-1] == pytest.approx(1 - np.exp(-3 / response_time), abs=1e-3)


def test_a_delayed_walk_goes_on_with_the_previous_command_after_a_load():
    simulation = SoccerSimulation(CONTRACT, robot_with(delay=0.2), visual=False)
    simulation.set_world_state([0, 0, 0, 3, 2, 0, 0, 0.2, 0, 0])
    for _ in range(2):
        simulation.step([0, 0, 0])
    assert simulation.robot_velocity()[0] == pytest.approx(0.2, abs=1e-3)
    for _ in range(20):
        simulation.step([0, 0, 0])
    assert abs(simulation.robot_velocity()[0]) < 1e-3


def test_slip_has_the_profiles_spread_is_held_for_a_step_and_stops_with_the_robot():
    count, slip = 400, 0.2
    robot = robot_with(slip=slip, response_time=(0.02, 0.02, 0.02), step_frequency=2.0)
    batch = BatchSimulation(CONTRACT, robot, count, seed=1)
    batch.reset(np.tile([0, 0, 0, *FAR_BALL], (count, 1)))
    before, speeds = batch.world_states()[:, 0], []
    for _ in range(20):
        batch.step(np.tile([0.1, 0, 0], (count, 1)))
        now = batch.world_states()[:, 0]
        speeds.append((now - before) / 0.1)
        before = now
    speeds = np.array(speeds)
    # two steps a second: five control periods have the same error, but for the 20 ms of lag
    within = speeds.reshape(4, 5, count)[:, 2:]
    assert np.ptp(within, axis=1).max() < 1e-3
    error = within[:, -1] / 0.1 - 1
    assert error.mean() == pytest.approx(0, abs=4 * slip / np.sqrt(4 * count))
    assert error.std() == pytest.approx(slip, rel=0.1)
    correlation = np.corrcoef(error)[np.triu_indices(4, 1)]
    assert np.abs(correlation).max() < 4 / np.sqrt(count)
    for _ in range(10):
        batch.step(np.zeros((count, 3)))
    rest = batch.world_states()
    batch.step(np.zeros((count, 3)))
    np.testing.assert_allclose(batch.world_states()[:, :3], rest[:, :3], atol=1e-6)


def test_without_slip_and_randomisation_the_seed_does_not_matter():
    histories = []
    for seed in (1, 2):
        simulation = SoccerSimulation(CONTRACT, robot_with(delay=0.1), visual=False, kick=True)
        simulation.reset([0, 0, 0, 0.2, 0], seed=seed)
        for k in range(30):
            simulation.step([0.2, 0.05, 0.3, k == 10])
        histories.append(simulation.world_state().tobytes())
    assert histories[0] == histories[1]


@pytest.mark.parametrize('speed', [0.5, 1.5, 2.5])
@pytest.mark.parametrize('distance, side', [(0.151, 0.0), (0.18, 0.05), (0.20, -0.05)])
def test_a_kick_sends_the_ball_forward_at_the_speed_of_the_foot(speed, distance, side):
    robot = replace(robot_with(), kick=replace(ROBOT.kick, speed=speed, reach=0.08))
    simulation = SoccerSimulation(CONTRACT, robot, visual=False, kick=True)
    simulation.reset([0, 0, 0, distance, side])
    speeds, heights = [], []
    for k in range(15):
        simulation.step([0, 0, 0, k == 0])
        speeds.append(simulation.world_state()[5])
        heights.append(simulation.data.geom('ball').xpos[2])
    # before the wind-up of .3 s is over nothing has happened
    assert np.abs(speeds[:3]).max() < 1e-6
    assert 0.75 * speed < max(speeds) < 1.2 * speed
    ball = simulation.world_state()[3:5]
    assert abs(ball[1] - side) < 0.1 * (ball[0] - distance)
    assert max(heights) < 0.11
    assert np.abs(simulation.world_state()[:3]).max() < 0.005, 'the robot stands while it kicks'


def test_a_kick_that_misses_leaves_the_ball_where_it_is():
    simulation = SoccerSimulation(CONTRACT, robot_with(), visual=False, kick=True)
    for ball in ([0.3, 0.0], [0.16, 0.25], [-0.3, 0.0]):
        simulation.reset([0, 0, 0, *ball])
        for k in range(15):
            simulation.step([0, 0, 0, k == 0])
        np.testing.assert_allclose(simulation.world_state()[3:5], ball, atol=1e-4)


def test_a_kick_takes_its_time_ignores_commands_and_leaves_the_robot_walking():
    simulation = SoccerSimulation(CONTRACT, robot_with(), visual=False, kick=True)
    simulation.reset([0, 0, 0, *FAR_BALL])
    modes = []
    for _ in range(12):
        simulation.step([0.2, 0, 0, len(modes) == 0])
        modes.append(simulation.mode)
    # .3 s wind-up, .14 m at 1.5 m/s in a whole control period, .4 s recovery
    assert modes == [KICKING] * 7 + [WALKING] * 5
    assert simulation.world_state()[0] == pytest.approx(
        0.2 * (0.4 - 0.25 * (1 - np.exp(-0.4 / 0.25))), abs=0.005
    )
    # the previous command is what was sent, obeyed or not
    assert simulation.world_state()[7] == 0.2


def test_kicks_need_a_model_with_a_foot_and_a_foot_that_is_not_too_fast():
    simulation = SoccerSimulation(CONTRACT, ROBOT, visual=False)
    with pytest.raises(ValueError, match='kick=True'):
        simulation.step([0, 0, 0, 1])
    with pytest.raises(ValueError, match='kick=True'):
        BatchSimulation(CONTRACT, ROBOT, 2).step(np.zeros((2, 4)))
    fast = replace(ROBOT, kick=replace(ROBOT.kick, speed=9.0))
    with pytest.raises(ConfigError, match=r'kick.speed: 9.0 m/s .* 3 m/s at most'):
        SoccerSimulation(CONTRACT, fast, visual=False, kick=True)


def test_walking_with_a_foot_that_can_kick_dribbles_as_without():
    ends = []
    for kick in (False, True):
        simulation = SoccerSimulation(CONTRACT, robot_with(), visual=False, kick=kick)
        simulation.reset([-2, 0, 0, -1.5, 0.03])
        for _ in range(120):
            simulation.step([0.25, 0, 0])
        ends.append(simulation.world_state())
    np.testing.assert_allclose(ends[0][:5], ends[1][:5], atol=0.01)


def test_a_hard_push_fells_the_robot_for_its_time_and_a_light_one_does_not():
    simulation = SoccerSimulation(CONTRACT, robot_with(), visual=False)
    robot_fall = simulation.robot.fall
    simulation.reset([0, 0, 0, *FAR_BALL])
    simulation.push([0.0, 0.95 * robot_fall.push_speed])
    assert simulation.mode == WALKING
    simulation.step([0.2, 0, 0])
    simulation.push([0.0, 1.05 * robot_fall.push_speed])
    modes, places = [simulation.mode], []
    for _ in range(80):
        simulation.step([0.2, 0, 0])
        modes.append(simulation.mode)
        places.append(simulation.world_state()[:2])
    down, up = round(robot_fall.fall_time * 10), round(robot_fall.get_up_time * 10)
    assert modes[: down + up + 2] == ([FALLING] * down + [GETTING_UP] * up + [WALKING] * 2)
    # it slid, then it lay still, then it walked again
    np.testing.assert_allclose(places[down + 10], places[down + up - 1], atol=1e-3)
    assert 0.05 < places[20][1] < 0.3
    assert places[-1][0] > places[down + up - 1][0] + 0.1


def test_running_into_a_post_fells_a_fast_robot_and_stops_a_slow_one():
    for speed, fallen in ((0.25, False), (1.0, True)):
        limits = replace(ROBOT.limits, forward=speed)
        robot = replace(robot_with(), limits=limits)
        simulation = SoccerSimulation(replace(CONTRACT, limits=limits), robot, visual=False)
        simulation.reset([2.5, 0.8, 0, -3, 0])
        modes = set()
        for _ in range(150):
            simulation.step([speed, 0, 0])
            modes.add(simulation.mode)
        assert (FALLING in modes) == fallen


def test_running_aslant_into_the_border_fells_a_robot_that_is_slower_along_each_axis():
    # .45 m/s forward and .3 m/s to the left are .54 m/s, and it falls at .5 m/s.
    limits = replace(ROBOT.limits, forward=0.45, backward=0.05, side=0.3)
    robot = replace(robot_with(), limits=limits, fall=replace(ROBOT.fall, push_speed=0.5))
    simulation = SoccerSimulation(replace(CONTRACT, limits=limits), robot, visual=False)
    simulation.reset([4.0, 2.0, -np.arctan2(0.3, 0.45), -3, 0])
    modes = set()
    for _ in range(60):
        simulation.step([0.45, 0.3, 0])
        modes.add(simulation.mode)
    assert FALLING in modes


def test_pushes_of_a_batch_fell_the_robots_they_hit():
    batch = BatchSimulation(CONTRACT, robot_with(), 3)
    batch.reset(np.tile([0, 0, 1.0, *FAR_BALL], (3, 1)))
    batch.push([[0.8, 0], [0.1, 0]], indices=[2, 0])
    assert batch.modes.tolist() == [WALKING, WALKING, FALLING]
    batch.step(np.tile([0.2, 0, 0], (3, 1)))
    batch.reset([[0, 0, 0, *FAR_BALL]], indices=[2])
    assert batch.modes.tolist() == [WALKING] * 3


def test_the_trunk_sways_once_in_two_steps_as_much_as_the_walk_is_fast():
    robot = robot_with(sway=Sway(lateral=0.02, roll=0.05, pitch=0.03), step_frequency=2.5)
    simulation = SoccerSimulation(CONTRACT, robot, visual=False)
    simulation.reset([0, 0, 0, *FAR_BALL])
    np.testing.assert_array_equal(simulation.trunk_sway(), 0)
    swings = []
    for _ in range(100):
        simulation.step([0.25, 0, 0])
        swings.append(simulation.trunk_sway())
    swings = np.array(swings[20:])
    # a full cycle takes .8 s
    np.testing.assert_allclose(swings[8:], swings[:-8], atol=1e-4)
    np.testing.assert_allclose(np.abs(swings).max(axis=0), [0.02, 0.05, 0.03], rtol=0.01)
    # over the left foot it leans to the left: a negative roll
    np.testing.assert_allclose(swings[:, 1], -2.5 * swings[:, 0], atol=1e-9)
    for _ in range(30):
        simulation.step([0.125, 0, 0])
        half = simulation.trunk_sway()
    assert np.abs(half).max() <= 0.5 * 0.05 + 1e-3


@pytest.mark.needs('drawing')
def test_sway_and_falls_move_the_picture_and_not_the_physics():
    robot = robot_with(sway=Sway(lateral=0.03, roll=0.1, pitch=0.1))
    states, images = [], []
    for profile in (robot_with(), robot):
        with SoccerSimulation(CONTRACT, profile) as simulation:
            simulation.reset([0, 0, 0, 1.0, 0])
            for _ in range(10):
                simulation.step([0.25, 0, 0])
                image = simulation.render('head', 160, 120).astype(int)
            states.append(simulation.physics_state().tobytes())
            images.append(image)
            if profile is robot:
                standing = simulation.render('portrait', 160, 120).astype(int)
                simulation.push([1.0, 0])
                for _ in range(8):
                    simulation.step([0, 0, 0])
                assert simulation.mode == GETTING_UP
                lying = simulation.render('portrait', 160, 120).astype(int)
    assert states[0] == states[1]
    assert np.abs(images[0] - images[1]).mean() > 1
    assert (np.abs(standing - lying).max(axis=-1) > 30).mean() > 0.05


def test_the_head_turns_at_its_speed_to_its_limits():
    robot = replace(
        robot_with(), head=replace(ROBOT.head, speed=1.0, pan=(-0.5, 0.5), tilt=(-0.2, 0.3))
    )
    simulation = SoccerSimulation(CONTRACT, robot, visual=False)
    simulation.look(2.0, 0.15)
    pans = []
    for _ in range(8):
        simulation.step([0, 0, 0])
        pans.append(simulation.head().copy())
    np.testing.assert_allclose(np.array(pans)[:, 0], [0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5])
    assert pans[-1][1] == pytest.approx(0.15)
    simulation.reset([0, 0, 0, *FAR_BALL])
    np.testing.assert_array_equal(simulation.head(), 0)


def test_several_robots_walk_kick_and_bump_into_each_other():
    small = replace(robot_with(), name='small', kick=replace(ROBOT.kick, speed=1.0))
    simulation = SoccerSimulation(
        CONTRACT, robot_with(), visual=False, kick=True, robots=(robot_with(), small)
    )
    simulation.reset([0, 0, 0, *FAR_BALL])
    simulation.place_robot(1, [1.0, 0, np.pi])
    assert simulation.world_state(1)[:3].tolist() == [1.0, 0, -np.pi]
    for _ in range(60):
        simulation.step([[0.25, 0, 0], [0.1, 0, 0]])
    gap = simulation.world_state(1)[0] - simulation.world_state(0)[0]
    # both fronts are .10 m ahead, and the faster one pushes the other back
    assert gap == pytest.approx(0.2, abs=0.02)
    np.testing.assert_allclose(simulation.world_state(1)[7:], [0.1, 0, 0])
    simulation.reset([-2, 0, 0, *FAR_BALL])
    simulation.place_robot(1, [2.82, 2.0, 0.0])
    for k in range(15):
        simulation.step([[0, 0, 0, 0], [0, 0, 0, k == 0]])
    assert simulation.modes.tolist() == [WALKING, WALKING]
    assert simulation.world_state()[3] > FAR_BALL[0] + 0.3
    # one command is for the first, and the others stand
    simulation.step([0.2, 0, 0])
    with pytest.raises(ValueError, match='2 robots'):
        simulation.step(np.zeros((3, 3)))
    with pytest.raises(ValueError, match='first of `robots`'):
        SoccerSimulation(CONTRACT, small, visual=False, robots=(ROBOT,))


@pytest.mark.needs('drawing')
def test_every_robot_is_drawn_and_has_a_camera():
    with SoccerSimulation(CONTRACT, ROBOT, robots=(ROBOT, ROBOT)) as simulation:
        simulation.reset([0, 0, 0, 3, 0])
        simulation.place_robot(1, [0.8, 0, np.pi])
        near = simulation.render('head', 160, 120).astype(int)
        simulation.place_robot(1, [-2, 2, np.pi])
        far = simulation.render('head', 160, 120).astype(int)
        assert (np.abs(near - far).max(axis=-1) > 30).mean() > 0.03
        simulation.place_robot(1, [0.8, 0, np.pi])
        other = simulation.render('head_1', 160, 120).astype(int)
        assert (np.abs(near - other).max(axis=-1) > 10).mean() > 0.1


@pytest.mark.needs('drawing')
def test_a_turned_head_looks_where_it_is_turned():
    with SoccerSimulation(CONTRACT, robot_with()) as simulation:
        simulation.reset([0, 0, 0, 1.5 * np.cos(0.5), 1.5 * np.sin(0.5)])

        def ball():
            red, green, blue = simulation.render('head', 200, 150).astype(int).transpose(2, 0, 1)
            return [
                places.mean()
                for places in np.nonzero((red > 90) & (red > 1.6 * green) & (green > blue))
            ]

        ahead = ball()
        simulation.look(0.5, 0.0)
        for _ in range(5):
            simulation.step([0, 0, 0])
        panned = ball()
        simulation.look(0.5, 0.3)
        for _ in range(5):
            simulation.step([0, 0, 0])
        tilted = ball()
    assert ahead[1] < 60 and panned[1] == pytest.approx(99.5, abs=3)
    # the ball is .29 rad below the horizon, the camera looks .7156 rad down and then .3 more
    focal = 75 / np.tan(1.4835 / 2)
    rise = focal * (np.tan(0.7156 + 0.3 - 0.29) - np.tan(0.7156 - 0.29))
    assert panned[0] - tilted[0] == pytest.approx(rise, rel=0.1)
