"""The environments keep the contracts of Gymnasium and stable-baselines3, and agree."""

import warnings

import gymnasium
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import vector as wrappers
import numpy as np
import pytest
import torch

from guda_ros.data.contract import Contract
from guda_ros.errors import GudaError
from guda_ros.sim.env import SoccerEnv
from guda_ros.sim.episodes import EpisodeBatch
from guda_ros.sim.physics.batch import BatchSimulation
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.sim.vector_env import SoccerVectorEnv
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.starts import fixed_starts

MAKE = 'guda_ros.sim.env:guda_ros/Soccer-v0'
#: Scores after some 20 steps straight on, and goes out after fewer.
SCORES, GOES_OUT = [4.1, 0, 0, 4.3, 0], [4.1, 1.5, 0, 4.3, 1.5]
FORWARD = np.array([1, 0, 0], np.float32)


@pytest.fixture
def strict():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        yield


def test_gymnasium_finds_nothing_wrong(strict):
    env = gymnasium.make(MAKE, scenario='penalty', time_limit=1.0)
    check_env(env.unwrapped, skip_render_check=True)


def test_stable_baselines_finds_nothing_wrong(strict):
    checker = pytest.importorskip('stable_baselines3.common.env_checker')
    checker.check_env(SoccerEnv(scenario='penalty', time_limit=1.0))


@pytest.mark.needs('drawing')
def test_it_draws_itself():
    env = gymnasium.make(MAKE, render_mode='rgb_array', width=64, height=48)
    env.reset(seed=0)
    picture = env.render()
    assert picture.shape == (48, 64, 3) and picture.std() > 5
    env.close()
    vector = SoccerVectorEnv(2, render_mode='rgb_array', width=64, height=48)
    vector.reset(seed=0, options={'starts': [SCORES, GOES_OUT]})
    first, second = vector.render()
    assert (first != second).any()
    vector.close()


def play(env, actions, seed):
    observation, _ = env.reset(seed=seed)
    trace = [observation]
    infos = []
    for action in actions:
        observation, reward, terminated, truncated, info = env.step(action)
        if terminated or truncated:
            infos.append(info)
            trace += [observation]
            observation, _ = env.reset()
        trace += [observation, reward, terminated, truncated]
    return [np.asarray(value).tobytes() for value in trace], infos


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not():
    actions = np.random.default_rng(0).uniform(-1, 1, (60, 3)).astype(np.float32)
    first, _ = play(SoccerEnv(scenario='attack', time_limit=2.0), actions, 7)
    again, _ = play(SoccerEnv(scenario='attack', time_limit=2.0), actions, 7)
    other, _ = play(SoccerEnv(scenario='attack', time_limit=2.0), actions, 8)
    assert first == again and first != other


def test_a_row_of_the_vector_environment_is_a_single_environment_to_the_bit():
    count, seed = 3, 11
    actions = np.random.default_rng(1).uniform([-0.2, -1, -1], 1, (90, count, 3))
    actions = actions.astype(np.float32)
    arguments = {'scenario': 'penalty', 'rewards': 'shaped', 'time_limit': 4.0}
    vector = SoccerVectorEnv(count, threads=2, autoreset_mode='SameStep', **arguments)
    observations, _ = vector.reset(seed=seed)
    traces = [[row] for row in observations]
    finals = [[] for _ in range(count)]
    for row in actions:
        observations, rewards, terminations, truncations, infos = vector.step(row)
        for k in range(count):
            if terminations[k] or truncations[k]:
                assert infos['_final_obs'][k] and infos['_final_info'][k]
                traces[k].append(infos['final_obs'][k])
                finals[k].append(
                    {
                        name: values[k].item()
                        for name, values in infos['final_info'].items()
                        if not name.startswith('_')
                    }
                )
            traces[k] += [observations[k], rewards[k], terminations[k], truncations[k]]
    for k in range(count):
        trace, infos = play(SoccerEnv(**arguments), actions[:, k], seed + k)
        assert trace == [np.asarray(value).tobytes() for value in traces[k]]
        assert infos == finals[k] and len(infos) >= 2


def test_only_rows_that_ended_begin_anew():
    env = SoccerVectorEnv(3, time_limit=30.0, autoreset_mode='SameStep')
    assert env.metadata['autoreset_mode'] == AutoresetMode.SAME_STEP
    start = [0, 0, 0, 2, 0]
    env.reset(seed=0, options={'starts': [SCORES, start, GOES_OUT]})
    ends = {}
    for step in range(1, 61):
        before = env.episodes.world_states()[1, :2]
        _, rewards, terminations, truncations, infos = env.step(np.tile(FORWARD, (3, 1)))
        assert not truncations.any() and not terminations[1]
        assert np.linalg.norm(env.episodes.world_states()[1, :2] - before) < 0.03
        for k in np.flatnonzero(terminations):
            ends.setdefault(int(k), (step, infos, rewards[k]))
            # Its world state is that of a new start, at rest.
            assert (env.episodes.world_states()[k, 5:] == 0).all()
        if len(ends) == 2:
            break
    assert sorted(ends) == [0, 2]
    scored, out = ends[0], ends[2]
    assert scored[1]['final_info']['is_success'][0] and scored[2] > 9
    assert not out[1]['final_info']['is_success'][2] and -1 < out[2] < 0
    assert scored[1]['final_info']['steps'][0] == scored[0]
    assert scored[1]['final_info']['reward/goal'][0] == 10
    # What the ball came nearer to (4.7, 0) on the way over the line.
    last = scored[1]['final_obs'][0]
    assert last.shape == env.single_observation_space.shape
    assert 0.25 < scored[1]['final_info']['reward/ball_to_goal'][0] < 0.4


def test_the_time_limit_truncates_and_does_not_terminate():
    env = SoccerEnv(time_limit=0.5)
    env.reset(seed=0, options={'start': [0, 0, 0, 2, 0]})
    ends = [env.step(FORWARD)[2:4] for _ in range(5)]
    assert ends == [(False, False)] * 4 + [(False, True)]
    with pytest.raises(RuntimeError, match='reset'):
        env.step(FORWARD)
    assert EpisodeBatch(1, 'penalty').max_steps == 300
    assert EpisodeBatch(1, 'attack').max_steps == 900


def test_a_row_can_be_reset_alone():
    env = SoccerVectorEnv(2)
    env.reset(seed=0)
    for _ in range(3):
        env.step(np.zeros((2, 3)))
    before = env.episodes.world_states()
    start = fixed_starts('validation', 1, env.episodes.contract.field)
    mask = np.array([False, True])
    observations, _ = env.reset(options={'reset_mask': mask, 'starts': start})
    after = env.episodes.world_states()
    np.testing.assert_array_equal(after[0], before[0])
    np.testing.assert_array_equal(after[1, :5], start[0])
    np.testing.assert_array_equal(observations, env.episodes.contract.observe(after))


def test_what_was_returned_is_not_written_to_again():
    env = SoccerVectorEnv(2, time_limit=0.2)
    kept, copies = [], []
    observations, _ = env.reset(seed=0)
    for _ in range(6):
        kept.append(observations)
        copies.append(observations.copy())
        observations = env.step(np.tile(FORWARD, (2, 1)))[0]
    for value, copy in zip(kept, copies):
        np.testing.assert_array_equal(value, copy)


def test_wrong_arguments_are_named():
    with pytest.raises(GudaError, match='nowhere'):
        SoccerEnv(scenario='nowhere')
    with pytest.raises(ValueError, match='render_mode'):
        SoccerEnv(render_mode='human')
    with pytest.raises(ValueError, match='reset_mask'):
        SoccerVectorEnv(2).reset(options={'reset_mask': np.zeros(2, bool)})
    with pytest.raises(ValueError, match='2 seeds'):
        SoccerVectorEnv(2).reset(seed=[1, 2, 3])
    with pytest.raises(GudaError, match='goals: no reward term; known: goal'):
        SoccerEnv(rewards={'goals': 1.0})
    with pytest.raises(GudaError, match='rewards: goal: nan'):
        SoccerEnv(rewards={'goal': float('nan')})
    with pytest.raises(GudaError, match='time limit above 0 s is expected, not 0'):
        SoccerEnv(time_limit=0)


def test_wrong_actions_are_named_and_change_nothing():
    env = SoccerVectorEnv(2)
    with pytest.raises(RuntimeError, match='reset'):
        env.step(np.zeros((2, 3)))
    env.reset(seed=0)
    before = env.episodes.world_states()
    for wrong, problem in (
        (np.zeros((2, 2)), 'shape'),
        (np.zeros((2, 4)), 'shape'),
        (np.zeros(3), 'shape'),
        (np.full((2, 3), np.nan), 'not finite'),
    ):
        with pytest.raises(ValueError, match=problem):
            env.step(wrong)
    np.testing.assert_array_equal(env.episodes.world_states(), before)
    np.testing.assert_array_equal(env.episodes.simulation.world_states(), before)


def test_wrong_states_pushes_and_looks_are_named():
    contract = Contract.load()
    robot = RobotProfile.load(contract.robot)
    batch = BatchSimulation(contract, robot, 2)
    single = SoccerSimulation(contract, robot, visual=False)
    wrong = np.zeros(10)
    wrong[3] = np.nan
    with pytest.raises(ValueError, match='not finite'):
        batch.set_world_states(np.stack([np.zeros(10), wrong]))
    with pytest.raises(ValueError, match='not finite'):
        single.set_world_state(wrong)
    with pytest.raises(ValueError, match=r'\(10,\)'):
        single.set_world_state(np.zeros(9))
    for push in ([np.nan, 0], [1.0]):
        with pytest.raises(ValueError, match='push'):
            single.push(push)
    with pytest.raises(ValueError, match='push'):
        batch.push(np.zeros((3, 2)))
    with pytest.raises(ValueError, match='pan'):
        single.look(0.0, np.inf)


@pytest.mark.parametrize('scenario', ['obstacles', 'goalkeeper'])
def test_obstacles_are_on_the_field_and_in_the_observation(scenario):
    env = SoccerVectorEnv(2, scenario=scenario, contract='soccer_obstacles')
    observations, _ = env.reset(seed=3)
    contract, simulation = env.episodes.contract, env.episodes.simulation
    places = simulation.obstacle_states()[..., :2]
    assert places.shape == (2, 3 if scenario == 'obstacles' else 1, 2)
    assert (np.linalg.norm(places[0] - places[1], axis=1).max() > 0.1) == (scenario == 'obstacles')
    state = env.episodes.world_states()
    nearest = np.sort(np.linalg.norm(places - state[:, None, :2], axis=2), axis=1)[:, 0]
    column = contract.observation_names.index('obstacle_1_x')
    seen = np.linalg.norm(observations[:, column : column + 2], axis=1)
    np.testing.assert_allclose(seen, nearest, atol=1e-5)
    for _ in range(30):
        observations = env.step(np.zeros((2, 3)))[0]
    moved = np.linalg.norm(simulation.obstacle_states()[..., :2] - places, axis=2)
    # Walkers walk, the keeper follows the ball, the others stand.
    assert moved[:, -1].max() > 0.3 and moved[:, :-1].sum() == 0
    assert (np.abs(observations) <= env.single_observation_space.high).all()


def test_a_row_with_obstacles_and_randomisation_is_a_single_environment_to_the_bit():
    arguments = {
        'scenario': 'obstacles',
        'contract': 'soccer_obstacles',
        'time_limit': 1.0,
        'randomisation': 'default',
    }
    actions = np.random.default_rng(2).uniform(-1, 1, (25, 2, 3)).astype(np.float32)
    vector = SoccerVectorEnv(2, autoreset_mode='SameStep', **arguments)
    rows = [vector.reset(seed=4)[0]]
    infos = []
    for action in actions:
        row, *_, info = vector.step(action)
        rows.append(row)
        infos += [info['final_info']] if info else []
    for k in range(2):
        single = SoccerEnv(**arguments)
        trace = [single.reset(seed=4 + k)[0]]
        mine = []
        for action in actions[:, k]:
            observation, _, terminated, truncated, info = single.step(action)
            if terminated or truncated:
                mine.append(info)
                observation, _ = single.reset()
            trace.append(observation)
        assert np.array(trace).tobytes() == np.array(rows)[:, k].tobytes()
        name = 'randomisation/ball.mass'
        assert [info[name] for info in mine] == [info[name][k] for info in infos]
        assert len(mine) == 2 and 0.9 <= mine[0][name] <= 1.1 and mine[0][name] != mine[1][name]


def vector_pair(mode, count=3, **arguments):
    """Return our batch and Gymnasium's own loop over single environments."""
    arguments = {'scenario': 'penalty', 'rewards': 'shaped', 'time_limit': 1.5, **arguments}
    loop = SyncVectorEnv([lambda: SoccerEnv(**arguments)] * count, autoreset_mode=mode)
    return SoccerVectorEnv(count, autoreset_mode=mode, **arguments), loop


def assert_same_infos(mine, other):
    assert mine.keys() == other.keys()
    for key, value in mine.items():
        if isinstance(value, dict):
            assert_same_infos(value, other[key])
        elif key == 'final_obs':
            for one, two in zip(value, other[key], strict=True):
                np.testing.assert_array_equal(one, two)
        else:
            np.testing.assert_array_equal(value, other[key])


@pytest.mark.parametrize('mode', list(AutoresetMode))
@pytest.mark.parametrize('randomisation', [None, 'default'])
def test_every_autoreset_mode_is_that_of_gymnasium_to_the_bit(mode, randomisation):
    ours, loop = vector_pair(mode, randomisation=randomisation)
    assert ours.metadata['autoreset_mode'] == mode
    traces = [list(env.reset(seed=5)) for env in (ours, loop)]
    np.testing.assert_array_equal(traces[0][0], traces[1][0])
    rng, ends = np.random.default_rng(0), 0
    for _ in range(60):
        action = rng.uniform([-0.2, -1, -1], 1, (3, 3)).astype(np.float32)
        found = [env.step(action) for env in (ours, loop)]
        for mine, other in zip(found[0][:4], found[1][:4]):
            np.testing.assert_array_equal(mine, other)
        assert_same_infos(found[0][4], found[1][4])
        over = found[0][2] | found[0][3]
        ends += over.sum()
        if mode == AutoresetMode.DISABLED and over.any():
            with pytest.raises(RuntimeError, match='are over: reset them'):
                ours.step(action)
            again = [env.reset(options={'reset_mask': over.copy()})[0] for env in (ours, loop)]
            np.testing.assert_array_equal(*again)
    assert ends > 6


def test_episodes_begin_anew_in_the_next_step_unless_it_is_said_otherwise():
    assert SoccerVectorEnv(1).metadata['autoreset_mode'] == AutoresetMode.NEXT_STEP
    named = SoccerVectorEnv(1, autoreset_mode='SameStep')
    assert named.metadata['autoreset_mode'] == AutoresetMode.SAME_STEP
    made = gymnasium.make_vec('guda_ros/Soccer-v0', 2, vectorization_mode='vector_entry_point')
    assert made.metadata['autoreset_mode'] == AutoresetMode.NEXT_STEP
    with pytest.raises(ValueError, match='one of NextStep, SameStep, Disabled is expected'):
        SoccerVectorEnv(1, autoreset_mode='never')


def half(value):
    return value / 2


OURS = {
    'TransformObservation': lambda env: wrappers.TransformObservation(env, half),
    'VectorizeTransformObservation': lambda env: wrappers.VectorizeTransformObservation(
        env, gymnasium.wrappers.RescaleObservation, min_obs=-1.0, max_obs=1.0
    ),
    'FlattenObservation': wrappers.FlattenObservation,
    'ReshapeObservation': lambda env: wrappers.ReshapeObservation(
        env, (1, *env.single_observation_space.shape)
    ),
    'RescaleObservation': lambda env: wrappers.RescaleObservation(env, -1.0, 1.0),
    'DtypeObservation': lambda env: wrappers.DtypeObservation(env, np.float64),
    'NormalizeObservation': wrappers.NormalizeObservation,
    'TransformAction': lambda env: wrappers.TransformAction(env, half),
    'VectorizeTransformAction': lambda env: wrappers.VectorizeTransformAction(
        env, gymnasium.wrappers.RescaleAction, min_action=-2.0, max_action=2.0
    ),
    'ClipAction': wrappers.ClipAction,
    'RescaleAction': lambda env: wrappers.RescaleAction(env, -2.0, 2.0),
    'TransformReward': lambda env: wrappers.TransformReward(env, half),
    'VectorizeTransformReward': lambda env: wrappers.VectorizeTransformReward(
        env, gymnasium.wrappers.ClipReward, min_reward=-0.1, max_reward=0.1
    ),
    'ClipReward': lambda env: wrappers.ClipReward(env, -0.1, 0.1),
    'NormalizeReward': wrappers.NormalizeReward,
    'RecordEpisodeStatistics': wrappers.RecordEpisodeStatistics,
    'DictInfoToList': wrappers.DictInfoToList,
    'ArrayConversion': lambda env: wrappers.ArrayConversion(env, np, np),
    'NumpyToTorch': lambda env: wrappers.NumpyToTorch(env),
}
#: Those for pictures or dictionaries, those that need a display, a film encoder or JAX.
OTHERS = {
    'FilterObservation',
    'GrayscaleObservation',
    'ResizeObservation',
    'RecordVideo',
    'HumanRendering',
    'JaxToNumpy',
    'JaxToTorch',
}


def test_every_vector_wrapper_of_gymnasium_is_tried_or_cannot_fit():
    assert set(OURS) | OTHERS == set(wrappers.__all__)


@pytest.mark.parametrize('name', OURS)
def test_a_vector_wrapper_gives_what_it_gives_around_single_environments(name):
    if name in ('ArrayConversion', 'NumpyToTorch'):
        pytest.importorskip('array_api_compat', reason='an extra of Gymnasium brings it')
    pair = [OURS[name](env) for env in vector_pair(AutoresetMode.NEXT_STEP)]
    observations = [env.reset(seed=3)[0] for env in pair]
    np.testing.assert_array_equal(*map(np.asarray, observations))
    rng, ends = np.random.default_rng(1), 0
    for _ in range(40):
        action = rng.uniform(-1, 1, (3, 3)).astype(np.float32)
        if name == 'NumpyToTorch':
            action = torch.from_numpy(action)
        ours, theirs = [env.step(action) for env in pair]
        for mine, other in zip(ours[:4], theirs[:4]):
            np.testing.assert_array_equal(np.asarray(mine), np.asarray(other))
        ends += int(np.sum(np.asarray(ours[2]) | np.asarray(ours[3])))
        if name == 'RecordEpisodeStatistics' and 'episode' in ours[4]:
            for key in ('r', 'l'):
                np.testing.assert_array_equal(ours[4]['episode'][key], theirs[4]['episode'][key])
            over = ours[4]['_episode']
            np.testing.assert_allclose(
                ours[4]['episode']['r'][over], ours[4]['episode_reward'][over], rtol=1e-5
            )
    assert ends > 3
