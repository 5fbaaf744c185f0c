"""A base with wheels: a profile of a few keys that draws, drives and teaches like any other."""

import numpy as np
import pytest
import yaml

from guda_ros.config.files import ConfigError, find_config, load_yaml
from guda_ros.data.contract import Contract
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.robot_file import keys_of
from guda_ros.workflows.evaluate import evaluate

CONTRACT = Contract.load(robot='turtlebot4')
ROBOT = RobotProfile.load('turtlebot4')
FEW = """\
name: small
kind: wheels
sources: ["none: assumed"]
base: {radius: 0.1, height: 0.2, mass: 1.0}
limits: {forward: 0.2, backward: 0.1, turn: 2.0}
camera: {width: 160, height: 120, vertical_fov: 0.9, position: [0.08, 0, 0.15], pitch: 0.3}
"""


def profile(tmp_path, **changes):
    path = tmp_path / 'small.yaml'
    path.write_text(yaml.safe_dump({**yaml.safe_load(FEW), **changes}))
    return path


def test_a_few_keys_are_a_profile(tmp_path):
    robot = RobotProfile.load(profile(tmp_path))
    assert robot.limits.side == 0 and robot.body.foot_front == 0.1
    fronted = profile(tmp_path, base={'radius': 0.1, 'front': 0.13, 'height': 0.2, 'mass': 1.0})
    assert RobotProfile.load(fronted).body.foot_front == 0.13


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('kind', 'tracks', "kind: 'tracks' is not one of"),
        ('base', {'radius': 0.1, 'height': 0.2}, 'base.mass: is missing'),
        ('base', {'radius': 0, 'height': 0.2, 'mass': 1}, 'base.radius: 0 is outside'),
        ('limits', {'forward': 1, 'backward': 1, 'turn': 1, 'side': 1}, 'limits.side: a base'),
        ('limits', {'forward': 1, 'turn': 1}, 'limits.backward: is missing'),
        ('walk', 5, 'walk: a mapping is expected'),
        ('gait', 5, 'gait: is not a known key'),
    ],
)
def test_a_wrong_value_is_named(tmp_path, key, value, message):
    with pytest.raises(ConfigError, match=message):
        RobotProfile.load(profile(tmp_path, **{key: value}))


def test_what_may_be_given_is_used(tmp_path):
    robot = RobotProfile.load(profile(tmp_path, walk={'delay': 0.15}))
    assert robot.walk.delay == 0.15 and robot.walk.slip == 0.0


def test_the_keys_of_a_base_have_units_and_meanings():
    values = load_yaml(find_config('robots', 'turtlebot4'))
    assert 'base.radius' in keys_of(values) and 'body.foot_length' not in keys_of(values)


def test_no_action_moves_it_to_a_side():
    actions = np.random.default_rng(0).uniform(-1, 1, (50, 3))
    commands = CONTRACT.to_command(actions)
    assert not commands[:, 1].any()
    np.testing.assert_allclose(CONTRACT.to_action(commands), actions * [1, 0, 1], atol=1e-12)
    # Also where somebody else commanded it to a side.
    assert CONTRACT.to_action(np.array([0.1, 0.2, 0.0]))[1] == 0


def test_the_twin_drives_it_as_it_is_told():
    simulation = SoccerSimulation(CONTRACT, ROBOT, visual=False)
    simulation.reset(np.array([0.0, 0.0, 0.0, 3.0, 2.0]), 0)
    for _ in range(20):
        simulation.step(CONTRACT.to_command(np.array([1.0, 1.0, 0.0])))
    state = simulation.world_state()
    assert state[0] == pytest.approx(0.31 * (2.0 - 0.2), abs=0.02)
    assert state[1] == pytest.approx(0.0, abs=1e-6)


def test_its_front_pushes_the_ball():
    simulation = SoccerSimulation(CONTRACT, ROBOT, visual=False)
    simulation.reset(np.array([0.0, 0.0, 0.0, 0.5, 0.0]), 0)
    for _ in range(30):
        simulation.step([0.31, 0.0, 0.0])
    state = simulation.world_state()
    radius = CONTRACT.field.ball.radius
    assert state[world.BALL][0] > 0.7
    assert state[world.BALL][0] - state[0] >= ROBOT.body.foot_front + radius - 0.01


@pytest.mark.needs('drawing')
def test_its_camera_sees_the_ball_before_it():
    with SoccerSimulation(CONTRACT, ROBOT) as simulation:
        simulation.reset(np.array([0.0, 0.0, 0.0, 0.8, 0.0]), 0)
        for _ in range(3):
            simulation.step([0.31, 0.0, 1.0])
        assert np.isfinite(simulation.trunk_sway()).all()
        red, green, blue = np.moveaxis(simulation.render('head').astype(int), -1, 0)
    assert ((red > 150) & (red > 2 * blue) & (red > green + 50)).sum() > 100
    assert (green > red + 30).mean() > 0.3


def test_the_scripted_demonstrator_drives_round_the_ball_and_scores():
    judged = evaluate(demonstrators=['clean'], contract=CONTRACT, count=30, starts='attack-v1')
    scored = sum(episode.scored for episode in judged.policies[0].episodes)
    assert scored >= 24
