"""
Parking: its dynamics beside highway-env itself, its guides, its episodes, its recordings.

The recordings (initial_0.npz to initial_4.npz) are read from the folder parking below the folder
that the environment variable GUDA_DATA names; highway-env is in the extra [benchmarks].
"""

import os
from pathlib import Path
import sys

import numpy as np
from parking_scene import drives
import pytest

from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import augment
from guda_ros.augmentation.registry import load_task
from guda_ros.augmentation.rules.base import change_of
from guda_ros.augmentation.verify import verify
from guda_ros.cli.main import main
from guda_ros.data.transitions import DataSetError
from guda_ros.soccer.world import wrap_angle_fast
from guda_ros.tasks.parking import world
from guda_ros.tasks.parking.task import Parking, ParkingContract

GUIDES = ('parking_guided', 'parking_random')


def recording(index):
    folder = os.environ.get('GUDA_DATA')
    path = Path(folder or '.') / 'parking' / f'initial_{index}.npz'
    if not folder or not path.is_file():
        pytest.skip('no recordings: set GUDA_DATA to the folder that has parking/')
    return path


@pytest.fixture(scope='module')
def highway():
    return pytest.importorskip('highway_env', reason='the extra [benchmarks] is not installed')


def random_states(count, seed, near_walls):
    """Return states of cars anywhere in the car park, or about to hit a wall."""
    rng = np.random.default_rng(seed)
    states = np.zeros((count, 8))
    states[:, 0], states[:, 1] = rng.uniform(-31, 31, count), rng.uniform(-17, 17, count)
    if near_walls:
        side = rng.choice([-1, 1], count)
        upright = rng.random(count) < 0.5
        states[:, 0] = np.where(upright, states[:, 0], side * rng.uniform(31, 34, count))
        states[:, 1] = np.where(upright, side * rng.uniform(17.5, 20, count), states[:, 1])
    states[:, world.YAW] = rng.uniform(-np.pi, np.pi, count)
    states[:, world.SPEED] = rng.uniform(-12, 12, count)
    states[:, 4:7] = world.spots()[rng.integers(0, 28, count)]
    return states, rng.uniform(-1.2, 1.2, (count, 2))


@pytest.mark.parametrize('near_walls', [False, True])
def test_one_step_is_that_of_highway_env(highway, near_walls):
    states, actions = random_states(25, 3, near_walls)
    task = Parking()
    real, ours = task.simulate(states, actions), task.step(states, actions)
    difference = ours - real
    difference[:, world.YAW] = wrap_angle_fast(difference[:, world.YAW])
    np.testing.assert_allclose(difference, 0.0, atol=1e-10)
    # Both kinds of ends were seen.
    assert bool(real[:, world.CRASHED].any()) == near_walls


def test_rewards_starts_and_ends_are_those_of_highway_env(highway):
    import gymnasium

    gymnasium.register_envs(highway)
    env = gymnasium.make('parking-v0').unwrapped
    task = Parking()
    starts = task.start(2000, np.random.default_rng(0))
    for seed in range(3):
        seen, _ = env.reset(seed=seed)
        vehicle = env.vehicle
        state = np.array(
            [
                [
                    *vehicle.position,
                    wrap_angle_fast(vehicle.heading),
                    0.0,
                    *vehicle.goal.position,
                    vehicle.goal.heading,
                    0.0,
                ]
            ]
        )
        # Every start of theirs is one of ours.
        assert np.abs(starts[:, 4:7] - state[0, 4:7]).max(axis=1).min() < 1e-9
        action = np.array([1.0, -0.3])
        seen, reward, terminated, truncated, info = env.step(action)
        state = task.step(state, action[None])
        np.testing.assert_allclose(
            task.contract.observe(state)[0],
            np.concatenate([seen['observation'], seen['desired_goal']]),
            atol=1e-6,
        )
        assert task.reward(None, None, state)[0] == pytest.approx(reward, abs=1e-12)
        assert bool(task.terminated(state)[0]) == terminated
        assert bool(task.succeeded(state)[0]) == info['is_success']
    assert task.contract.max_steps == env.config['duration'] * env.config['policy_frequency']


def test_a_car_that_stands_at_its_spot_is_parked_and_one_at_the_wall_has_crashed():
    task = Parking()
    state = np.zeros((1, 8))
    state[0, 4:7] = world.spots()[3]
    assert not task.terminated(state)
    state[0, :3] = world.spots()[3]
    assert task.succeeded(state) and task.terminated(state)
    state[0, :4] = (30.0, 0.0, 0.0, 10.0)
    for _ in range(3):
        state = task.step(state, np.array([[1.0, 0.0]]))
    assert state[0, world.CRASHED] == 1 and task.terminated(state) and not task.succeeded(state)
    assert task.reward(None, None, state)[0] < -5


@pytest.mark.parametrize('name', GUIDES)
def test_augmented_drives_obey_the_dynamics(name):
    made, _ = augment(drives(), load_guide(name), 5000, 0)
    task = Parking()
    difference = task.step(made.states, made.actions) - made.next_states
    difference[:, world.YAW] = wrap_angle_fast(difference[:, world.YAW])
    np.testing.assert_allclose(difference, 0.0, atol=1e-9)
    np.testing.assert_allclose(
        made.rewards, task.reward(made.states, made.actions, made.next_states), atol=1e-6
    )
    np.testing.assert_array_equal(made.terminations, task.terminated(made.next_states))
    at = {key: row for row, key in enumerate(zip(drives().source_episode, drives().source_step))}
    rows = [at[key] for key in zip(made.source_episode, made.source_step)]
    again = change_of(task.layout, made.parameters).states(drives().states[rows])
    np.testing.assert_allclose(again[:, [0, 1, 4, 5]], made.states[:, [0, 1, 4, 5]], atol=1e-4)


def ends(made):
    """Return the last states of the drives of a set."""
    whole = np.append(np.flatnonzero(np.diff(made.source_step) < 0), len(made) - 1)
    return made.next_states[whole[:-1]]


def test_guided_drives_end_at_their_spots():
    found = ends(augment(drives(), load_guide('parking_guided'), 5000, 0)[0])
    np.testing.assert_allclose(found[:, world.CAR], found[:, world.GOAL], atol=1e-9)
    off = np.abs(wrap_angle_fast(found[:, world.YAW] - found[:, world.GOAL_YAW]))
    assert np.degrees(off.max()) <= 45 and np.degrees(off.max()) > 30
    spots = {tuple(np.round(row, 6)) for row in found[:, 4:7]}
    assert spots == {tuple(np.round(row, 6)) for row in world.spots()}


def test_random_drives_end_anywhere():
    found = ends(augment(drives(), load_guide('parking_random'), 5000, 0)[0])
    assert np.linalg.norm(found[:, world.CAR] - found[:, world.GOAL], axis=1).mean() > 10
    assert np.abs(found[:, 0]).max() > 25


def test_a_mirrored_drive_steers_the_other_way(tmp_path):
    text = load_guide('parking_guided').text + '    reflect: 1.0\n'
    (tmp_path / 'mirror.yaml').write_text(text)
    recorded = drives()
    made, _ = augment(recorded, load_guide(tmp_path / 'mirror.yaml'), 500, 0)
    rows = made.source_episode * 25 + made.source_step
    np.testing.assert_array_equal(made.actions[:, 0], recorded.actions[rows, 0])
    np.testing.assert_array_equal(made.actions[:, 1], -recorded.actions[rows, 1])
    difference = Parking().step(made.states, made.actions) - made.next_states
    np.testing.assert_allclose(difference[:, world.CAR], 0.0, atol=1e-9)


def test_episodes_end_each_at_its_own_time_and_begin_anew():
    task = Parking(ParkingContract(max_steps=40))
    env = task.environments(20)
    env.reset(seed=1)
    full, ended = np.tile([1.0, 0.0], (20, 1)), np.zeros(20, dtype=bool)
    for _ in range(40):
        _, rewards, terminated, truncated, info = env.step(full)
        # The step after an end begins anew, in the middle, and earns nothing.
        np.testing.assert_array_equal(info['world_state'][ended, :2], 0.0)
        np.testing.assert_array_equal(rewards[ended], 0.0)
        assert not np.any(terminated & truncated)
        ended = terminated | truncated
        if truncated.any():
            break
    found = task.evaluate(lambda seen: np.tile([1.0, 0.0], (len(seen), 1)), 20, seed=1)
    # At full speed every car hits a wall within 34 m.
    assert not found.successes.any() and found.steps.max() < 40
    assert found.returns.max() < -5


def test_a_broken_recording_is_refused(tmp_path):
    (tmp_path / 'initial_0.npz').write_bytes(b'nothing')
    with pytest.raises(DataSetError, match='no recording of the task parking'):
        Parking.read(tmp_path / 'initial_0.npz')
    with pytest.raises(ValueError, match='parking'):
        ParkingContract.from_json('{"speed": 3}')


def test_contract_survives_its_json():
    contract = ParkingContract(max_steps=7)
    assert load_task('parking').read_contract(contract.to_json()) == contract


@pytest.mark.parametrize('index', range(5))
def test_recorded_drives_are_reproduced(index):
    recorded = Parking.read(recording(index))
    task = Parking()
    difference = task.step(recorded.states, recorded.actions) - recorded.next_states
    difference[:, world.YAW] = wrap_angle_fast(difference[:, world.YAW])
    # Observations are float32.
    np.testing.assert_allclose(difference, 0.0, atol=5e-6)
    reward = task.reward(recorded.states, recorded.actions, recorded.next_states)
    np.testing.assert_allclose(reward, recorded.rewards, atol=1e-6)
    np.testing.assert_array_equal(task.terminated(recorded.next_states), recorded.terminations)
    assert len(recorded.episode_ids) == 10


def test_augmented_recordings_are_as_exact_as_recorded_ones_in_highway_env(highway):
    recorded = Parking.read(recording(0))
    made, _ = augment(recorded, load_guide('parking_guided'), 1000, 0)
    task = Parking()
    for steps in (recorded, made):
        found = verify(task, steps, 25)
        assert found.position[1] < 5e-6 and found.heading[1] < 5e-7 and found.reward[1] < 1e-6


def test_without_highway_env_the_command_line_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'highway_env', None)
    assert (
        main(
            [
                'augment',
                str(recording(1)),
                '--guide',
                'parking_guided',
                '--count',
                '500',
                '--out',
                str(tmp_path / 'made.h5'),
                '--verify',
                '10',
            ]
        )
        == 1
    )
    assert 'highway_env: install the extra [benchmarks]' in capsys.readouterr().err


def test_command_line_augments_a_recording(tmp_path, capsys):
    assert (
        main(
            [
                'augment',
                str(recording(1)),
                '--guide',
                'parking_guided',
                '--count',
                '2000',
                '--out',
                str(tmp_path / 'made.h5'),
            ]
        )
        == 0
    )
    assert '2000 transitions from 10 episodes' in capsys.readouterr().out
