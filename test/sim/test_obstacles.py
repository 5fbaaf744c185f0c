"""Obstacles that stand, walk and keep the goal."""

from dataclasses import replace

import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.sim.physics.batch import BatchSimulation
from guda_ros.sim.physics.obstacles import Obstacle
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.sim.physics.walk import FALLING, WALKING
from guda_ros.soccer.robot import RobotProfile

CONTRACT = Contract.load()
ROBOT = RobotProfile.load(CONTRACT.robot)


def simulation_with(*obstacles, **options):
    return SoccerSimulation(CONTRACT, ROBOT, visual=False, obstacles=obstacles, **options)


def test_a_standing_obstacle_stops_robot_and_ball_and_stays():
    simulation = simulation_with(Obstacle('static', ((1.0, 0.0),), radius=0.2))
    simulation.reset([0, 0, 0, -3, 2])
    for _ in range(80):
        simulation.step([0.25, 0, 0])
    # the feet end .10 m before base_link
    assert simulation.world_state()[0] == pytest.approx(1.0 - 0.2 - 0.1, abs=0.01)
    assert simulation.mode == WALKING
    simulation.set_world_state([-3, 2, 0, 0.3, 0, 1.5, 0, 0, 0, 0])
    highest, farthest = 0.0, 0.0
    for _ in range(20):
        simulation.step([0, 0, 0])
        farthest = max(farthest, simulation.world_state()[3])
        highest = max(highest, simulation.data.geom('ball').xpos[2])
    assert farthest == pytest.approx(1.0 - 0.2 - 0.05, abs=0.02) and highest < 0.08
    np.testing.assert_array_equal(simulation.obstacle_states(), [[1, 0, 0, 0]])


def test_a_walking_obstacle_goes_round_its_waypoints_at_its_speed():
    corners = ((0.0, 1.0), (1.0, 1.0), (1.0, 2.0))
    simulation = simulation_with(Obstacle('walking', corners, speed=0.4))
    simulation.reset([-3, 0, 0, -3, 2])
    np.testing.assert_array_equal(simulation.obstacle_states(), [[0, 1, 0, 0]])
    track = []
    for _ in range(200):
        simulation.step([0, 0, 0])
        track.append(simulation.obstacle_states()[0])
    track = np.array(track)
    for corner in corners:
        assert np.linalg.norm(track[20:, :2] - corner, axis=1).min() < 0.06
    speed = np.hypot(track[:, 2], track[:, 3])
    assert speed.max() < 0.41 and np.median(speed) == pytest.approx(0.4, abs=0.01)
    # a round of 2 + sqrt(2) m
    first, second = (
        np.flatnonzero(np.linalg.norm(track[a:b, :2] - corners[1], axis=1) < 0.06)[0] + a
        for a, b in ((0, 60), (60, 200))
    )
    assert (second - first) * 0.1 == pytest.approx((2 + 2**0.5) / 0.4, rel=0.1)


def test_a_walking_obstacle_pushes_the_ball_with_its_speed_and_can_be_stopped():
    simulation = simulation_with(Obstacle('walking', ((0.0, 0.0), (3.0, 0.0)), speed=0.5))
    simulation.reset([-3, 2, 0, 0.5, 0])
    speeds = []
    for _ in range(30):
        simulation.step([0, 0, 0])
        speeds.append(simulation.world_state()[5])
    assert 0.4 < max(speeds) < 0.9
    # a robot in its way that pushes back
    simulation.reset([1.0, 0, np.pi, -3, 2])
    for _ in range(60):
        simulation.step([0.25, 0, 0])
    assert simulation.obstacle_states()[0, 0] < 1.0


def test_a_fast_obstacle_fells_the_robot():
    fast = Obstacle('walking', ((0.0, 0.0), (4.0, 0.0)), speed=1.5)
    simulation = simulation_with(fast)
    simulation.reset([1.5, 0, 0, -3, 2])
    modes = set()
    for _ in range(30):
        simulation.step([0, 0, 0])
        modes.add(simulation.mode)
    assert FALLING in modes


def test_a_goalkeeper_follows_the_ball_within_the_goal_at_its_speed():
    field = CONTRACT.field
    simulation = simulation_with(Obstacle.goalkeeper(field, speed=0.3))
    simulation.reset([-3, 0, 0, 2, 0.5])
    track = []
    for _ in range(30):
        simulation.step([0, 0, 0])
        track.append(simulation.obstacle_states()[0])
    track = np.array(track)
    assert track[-1, 1] == pytest.approx(0.5, abs=0.01)
    assert np.abs(track[:, 0] - (field.goal_line - 0.15)).max() < 0.01
    assert np.abs(track[:, 3]).max() == pytest.approx(0.3, abs=0.01)
    simulation.reset([-3, 0, 0, 2, -2.5])
    for _ in range(60):
        simulation.step([0, 0, 0])
    assert simulation.obstacle_states()[0, 1] == pytest.approx(-field.goal_width / 2, abs=0.01)
    # it saves a shot at the middle that scores without it
    for obstacles, saved in (((Obstacle.goalkeeper(field),), True), ((), False)):
        simulation = simulation_with(*obstacles)
        simulation.set_world_state([-3, 0, 0, 2.5, 0, 2.0, 0, 0, 0, 0])
        for _ in range(40):
            simulation.step([0, 0, 0])
        assert simulation.scored != saved


def test_each_simulation_of_a_batch_has_its_own_places_and_speeds():
    crowd = (Obstacle('static', ((0, 0),)), Obstacle('walking', ((0, 0), (1, 0)), 0.2))
    batch = BatchSimulation(CONTRACT, ROBOT, 3, obstacles=crowd)
    batch.reset(np.tile([-3, 0, 0, -3, 2], (3, 1)))
    assert batch.obstacle_states().shape == (3, 2, 4)
    waypoints = np.zeros((2, 2, 2, 2))
    waypoints[:, 0, :, 1] = [[1, 1], [2, 2]]
    waypoints[:, 1] = [[[0, 2], [2, 2]], [[0, -2], [0, 2]]]
    batch.place_obstacles(waypoints, speeds=[[0, 0.3], [0, 0.5]], indices=[2, 0])
    for _ in range(20):
        batch.step(np.zeros((3, 3)))
    states = batch.obstacle_states()
    np.testing.assert_array_equal(states[:, 0, :2], [[0, 2], [0, 0], [0, 1]])
    np.testing.assert_allclose(states[:, 1, 2:], [[0, 0.5], [0.2, 0], [0.3, 0]], atol=1e-3)
    np.testing.assert_allclose(states[:, 1, :2], [[0, -1.0], [0.4, 0], [0.6, 2]], atol=0.08)
    with pytest.raises(ValueError, match='waypoints of shape'):
        batch.place_obstacles(np.zeros((3, 1, 2, 2)))


@pytest.mark.parametrize(
    'wrong, problem',
    [
        ({'kind': 'flying'}, 'flying'),
        ({'waypoints': ((0, np.nan),)}, 'waypoints'),
        ({'waypoints': ()}, 'waypoints'),
        ({'radius': 9}, 'radius'),
        ({'speed': -1}, 'speed'),
    ],
)
def test_an_impossible_obstacle_is_refused(wrong, problem):
    with pytest.raises(ValueError, match=problem):
        Obstacle(**wrong)


@pytest.mark.needs('drawing')
@pytest.mark.parametrize('kind', ['static', 'walking', 'goalkeeper'])
def test_obstacles_are_seen_and_drawing_does_not_change_the_physics(kind):
    obstacle = Obstacle(kind, ((1.0, 0.1),))
    hidden = SoccerSimulation(CONTRACT, ROBOT, visual=False, obstacles=(obstacle,))
    with (
        SoccerSimulation(CONTRACT, ROBOT, obstacles=(obstacle,)) as drawn,
        SoccerSimulation(CONTRACT, ROBOT) as empty,
    ):
        for simulation in (hidden, drawn, empty):
            simulation.reset([0, 0, 0, 2, 0.5])
            simulation.step([0.25, 0, 0])
        change = np.abs(
            drawn.render('head', 160, 120).astype(int) - empty.render('head', 160, 120)
        ).max(axis=-1)
        assert (change > 30).mean() > 0.03
        for _ in range(30):
            hidden.step([0.25, 0, 0])
            drawn.step([0.25, 0, 0])
            drawn.render('head', 32, 24)
        assert hidden.physics_state().tobytes() == drawn.physics_state().tobytes()


def test_a_batch_without_obstacles_has_none_to_tell_of():
    batch = BatchSimulation(CONTRACT, replace(ROBOT, name='x'), 2)
    assert batch.obstacle_states().shape == (2, 0, 4)
