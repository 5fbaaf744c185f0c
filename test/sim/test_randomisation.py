"""What differs between episodes: files, draws, and what they change in the physics."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from guda_ros.config.files import ConfigError, find_config
from guda_ros.data.contract import Contract
from guda_ros.sim.physics.batch import BatchSimulation
from guda_ros.sim.physics.randomisation import Randomisation
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.soccer.robot import RobotProfile

CONTRACT = Contract.load()
ROBOT = RobotProfile.load(CONTRACT.robot)
NONE = Randomisation.load('none')


def only(key, low, high=None):
    """Return a randomisation of one value."""
    return replace(NONE, ranges={**NONE.ranges, key: (low, low if high is None else high)})


def content():
    return yaml.safe_load(find_config('randomisation', 'default').read_text())


@pytest.mark.parametrize('name', ['none', 'default', 'extreme'])
def test_the_files_can_be_read_and_hold_each_other(name):
    ranges = Randomisation.load(name).ranges
    neutral = NONE.ranges
    for key, (low, high) in ranges.items():
        assert low <= neutral[key][0] <= high
        wide = Randomisation.load('extreme').ranges[key]
        assert wide[0] <= low and high <= wide[1]


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda c: c['ball'].update(mass=[0, 1]), r'ball.mass.0: 0 is outside \[0.1, 10\]'),
        (lambda c: c['robot'].pop('delay'), 'robot.delay: is missing'),
        (lambda c: c['camera'].update(zoom=[1, 1]), 'camera.zoom: is not a known key'),
        (lambda c: c['light'].update(ambient=[1.2, 0.8]), 'light.ambient: .* is no range'),
        (lambda c: c.update(weather=3), 'weather: is not a known key'),
    ],
)
def test_a_wrong_value_is_named_with_file_and_key(tmp_path, change, message):
    values = content()
    change(values)
    path = tmp_path / 'mine.yaml'
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(ConfigError, match=f'mine.yaml: {message}'):
        Randomisation.load(path)


def test_draws_are_uniform_in_their_ranges_and_depend_on_seed_and_name_alone():
    randomisation = Randomisation.load('default')
    seeds = np.arange(5000)
    drawn = randomisation.draw(seeds, visual=True)
    for name, values in drawn.items():
        key = name if name in randomisation.ranges else name.rpartition('.')[0]
        low, high = randomisation.ranges[key]
        assert low <= values.min() and values.max() <= high
        assert values.mean() == pytest.approx((low + high) / 2, abs=0.03 * (high - low))
        assert values.std() == pytest.approx((high - low) / 12**0.5, rel=0.05)
    table = np.corrcoef(list(drawn.values()))
    assert np.abs(table - np.eye(len(table))).max() < 5 / len(seeds) ** 0.5
    fewer = randomisation.draw(seeds[[7, 99]], visual=False)
    assert set(fewer) < set(drawn)
    for name, values in fewer.items():
        assert values.tobytes() == drawn[name][[7, 99]].tobytes()


def test_parameters_are_the_same_alone_and_in_a_batch_and_change_with_the_episode():
    randomisation = Randomisation.load('default')
    batch = BatchSimulation(CONTRACT, ROBOT, 3, randomisation=randomisation, seed=8)
    starts = np.tile([0, 0, 0, 2, 0], (3, 1))
    batch.reset(starts, seeds=[5, 6, 7])
    single = SoccerSimulation(CONTRACT, ROBOT, visual=False, randomisation=randomisation, seed=8)
    single.reset(starts[0], seed=6)
    assert single.seed == batch.seeds[1] == 6
    assert single.parameters == {name: values[1] for name, values in batch.parameters.items()}
    batch.reset(starts)
    first = batch.parameters
    batch.reset(starts[:1], indices=[1])
    second = batch.parameters
    for name, values in second.items():
        assert (values[[0, 2]] == first[name][[0, 2]]).all() and values[1] != first[name][1]
    # without seeds a single simulation goes through the episodes of the batch's first
    single.reset(starts[0])
    assert single.seed == batch.seeds[0]
    assert BatchSimulation(CONTRACT, ROBOT, 2).parameters == {}
    with pytest.raises(ValueError, match='3 seeds'):
        batch.reset(starts, seeds=[1, 2])


def test_no_randomisation_at_all_gives_the_bytes_of_the_file_that_changes_nothing():
    states = []
    for randomisation in (None, NONE):
        simulation = SoccerSimulation(CONTRACT, ROBOT, visual=False, randomisation=randomisation)
        simulation.reset([0, 0, 0, 0.2, 0.02])
        for _ in range(40):
            simulation.step([0.25, 0.05, 0.2])
        states.append(simulation.world_state().tobytes())
    assert states[0] == states[1]


def test_rolling_friction_scales_the_deceleration():
    lost = []
    for factor in (0.5, 1.0, 2.0):
        simulation = SoccerSimulation(
            CONTRACT, ROBOT, visual=False, randomisation=only('ball.rolling_friction', factor)
        )
        simulation.set_world_state([-3, 2, 0, 0, 0, 1.0, 0, 0, 0, 0])
        for _ in range(10):
            simulation.step([0, 0, 0])
        lost.append(1.0 - simulation.world_state()[5])
    np.testing.assert_allclose(np.array(lost) / 0.30, [0.5, 1.0, 2.0], rtol=0.05)


def test_sliding_friction_scales_how_fast_a_sliding_ball_begins_to_roll():
    speeds = []
    for factor in (0.5, 1.0):
        simulation = SoccerSimulation(
            CONTRACT, ROBOT, visual=False, randomisation=only('ball.sliding_friction', factor)
        )
        simulation.reset([-3, 2, 0, 0, 0])
        simulation.step([0, 0, 0])
        simulation.data.joint('ball').qvel[:] = [2.5, 0, 0, 0, 0, 0]
        simulation.step([0, 0, 0])
        speeds.append(2.5 - simulation.world_state()[5])
    # a sliding ball hops, so friction acts on it in blows, as strong as the coefficient
    assert 0.1 < speeds[0] < 0.5 and speeds[0] / speeds[1] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize('factor', [0.4, 1.0, 2.5])
def test_response_time_limits_and_step_length_scale_the_walk(factor):
    def reached(randomisation, steps, command):
        simulation = SoccerSimulation(CONTRACT, ROBOT, visual=False, randomisation=randomisation)
        simulation.reset([0, 0, 0, 3, 2])
        for _ in range(steps):
            simulation.step(command)
        return simulation.robot_velocity()

    velocity = reached(only('robot.response_time', factor), 3, [0.2, 0, 0])
    assert velocity[0] / 0.2 == pytest.approx(1 - np.exp(-0.3 / (0.25 * factor)), abs=0.03)
    velocity = reached(only('robot.step_length', factor), 40, [0.1, 0.05, 0])
    np.testing.assert_allclose(velocity[:2], [0.1 * factor, 0.05 * factor], rtol=0.01)
    if factor < 1:
        np.testing.assert_allclose(
            reached(only('robot.limits', factor), 40, [-0.15, 0.2, 0])[:2],
            [-0.15 * factor, 0.2 * factor],
            rtol=0.01,
        )


def test_delay_and_slip_are_added_to_the_profiles():
    robot = replace(ROBOT, walk=replace(ROBOT.walk, delay=0.1, slip=0.0))
    simulation = SoccerSimulation(
        CONTRACT, robot, visual=False, randomisation=only('robot.delay', 0.1)
    )
    simulation.reset([0, 0, 0, 3, 2])
    for expected in (0, 0, 0.2 * (1 - np.exp(-0.1 / 0.25))):
        simulation.step([0.2, 0, 0])
        assert simulation.robot_velocity()[0] == pytest.approx(expected, abs=0.005)
    ends = []
    for seed in range(20):
        slipping = SoccerSimulation(
            CONTRACT, robot, visual=False, randomisation=only('robot.slip', 0.2)
        )
        slipping.reset([0, 0, 0, 3, 2], seed=seed)
        for _ in range(20):
            slipping.step([0.2, 0, 0])
        ends.append(slipping.world_state()[0])
    assert 0.005 < np.std(ends) < 0.05


def test_masses_scale_with_what_follows_from_them():
    batch = BatchSimulation(CONTRACT, ROBOT, 2, randomisation=only('ball.mass', 0.5, 2))
    batch.reset(np.tile([0, 0, 0, 0.2, 0], (2, 1)), seeds=[1, 2])
    factor = batch.parameters['ball.mass']
    body = batch.model.body('ball').id
    fields = {name: batch._batch.expanded(name) for name in ('body_mass', 'body_invweight0')}
    nominal = CONTRACT.field.ball.mass
    np.testing.assert_allclose(fields['body_mass'][:, body], nominal * factor)
    np.testing.assert_allclose(fields['body_invweight0'][:, body, 0], 1 / (nominal * factor))


@pytest.mark.needs('drawing')
def test_pictures_change_with_camera_light_and_colours_and_the_physics_does_not():
    ends, base = set(), None
    for key, low in (
        ('camera.position', 0.0),
        ('camera.position', 0.03),
        ('camera.rotation', 0.05),
        ('camera.field_of_view', 1.1),
        ('light.brightness', 0.5),
        ('light.ambient', 0.5),
        ('light.direction', 2.0),
        ('colour.ball', 0.6),
        ('colour.carpet', 0.5),
        ('colour.lines', 0.5),
        ('texture.carpet', 3.0),
    ):
        with SoccerSimulation(CONTRACT, ROBOT, randomisation=only(key, low)) as simulation:
            simulation.reset([3.0, 0, 0, 3.5, 0])
            for _ in range(3):
                simulation.step([0.2, 0, 0])
            image = simulation.render('head', 160, 120).astype(int)
            ends.add(simulation.world_state().tobytes())
        if base is None:
            base = image
            continue
        assert (np.abs(image - base).max(axis=-1) > 8).mean() > 0.002, key
    assert len(ends) == 1


@pytest.mark.needs('drawing')
def test_a_randomised_picture_is_that_of_its_seed_again():
    with SoccerSimulation(
        CONTRACT, ROBOT, randomisation=Randomisation.load('extreme')
    ) as simulation:
        images = []
        for seed in (4, 5, 4):
            simulation.reset([3.0, 0, 0, 3.5, 0], seed=seed)
            images.append(simulation.render('head', 160, 120))
    np.testing.assert_array_equal(images[0], images[2])
    assert np.abs(images[0].astype(int) - images[1]).mean() > 3
