"""Augmented replay: ratios, true transitions, and the interface of stable-baselines3."""

import gymnasium
import numpy as np
import pytest
from stable_baselines3 import DDPG, SAC, TD3
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from guda_ros.augmentation.verify import verify
from guda_ros.data.transitions import TransitionSet
from guda_ros.learning.compiler import leave_compiler_out
from guda_ros.online.augmented_replay import AugmentedReplayBuffer, scheduled
from guda_ros.online.dafs import DAFError, GoalDAF, GuideDAF, SwapDAF, World
from guda_ros.online.replay_log import AugmentationLog, bellman_error
from guda_ros.online.vec_env import BatchVecEnv
from guda_ros.sim.episodes import EpisodeBatch
from guda_ros.tasks.environments import PhysicalPushEnv, PushBallToGoalEnv
from guda_ros.tasks.push_ball.task import PushBallToGoal
from guda_ros.tasks.soccer.task import SoccerPush


def tiny():
    # Anew each time: stable-baselines3 writes to policy_kwargs.
    return {
        'policy': 'MlpPolicy',
        'policy_kwargs': {'net_arch': [8]},
        'learning_starts': 40,
        'batch_size': 16,
        'buffer_size': 600,
        'device': 'cpu',
    }


WAY = 0.25
leave_compiler_out()


def goal_reward(observations, actions, next_observations):
    way = next_observations[..., :2] - next_observations[..., 2:]
    return (np.linalg.norm(way, axis=-1) < 0.3).astype(np.float32)


class Goal2D(gymnasium.Env):
    """A point that walks to a goal; the observation is position and goal."""

    observation_space = gymnasium.spaces.Box(-1, 1, (4,), np.float32)
    action_space = gymnasium.spaces.Box(-2, 2, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.seen = self.np_random.uniform(-1, 1, 4).astype(np.float32)
        self.steps = 0
        return self.seen.copy(), {}

    def step(self, action):
        before = self.seen.copy()
        self.seen[:2] = np.clip(self.seen[:2] + WAY * action, -1, 1)
        self.steps += 1
        reward = float(goal_reward(before, action, self.seen))
        return self.seen.copy(), reward, False, self.steps == 12, {}


def goals():
    return GoalDAF(desired=[2, 3], achieved=[0, 1], reward=goal_reward)


def push_world():
    return World(PushBallToGoal())


def walked(env, count, buffer):
    """Fill a buffer with random steps of an environment of stable-baselines3."""
    env.seed(5)
    rng, seen = np.random.default_rng(3), env.reset()
    space = env.action_space
    for _ in range(count):
        scaled = rng.uniform(-1, 1, (env.num_envs, *space.shape)).astype(np.float32)
        after, rewards, dones, infos = env.step(
            space.low + 0.5 * (scaled + 1) * (space.high - space.low)
        )
        last = after.copy()
        for row in np.flatnonzero(dones):
            last[row] = infos[row]['terminal_observation']
        buffer.add(seen, last, scaled, rewards, dones, infos)
        seen = after


def filled(env, daf, steps, **arguments):
    arguments = {'chunk': 64, 'seed': 0, **arguments}
    buffer = AugmentedReplayBuffer(
        1000, env.observation_space, env.action_space, 'cpu', env.num_envs, daf=daf, **arguments
    )
    walked(env, steps, buffer)
    return buffer


@pytest.mark.parametrize(('m', 'alpha'), [(0.5, 0.25), (2, 1), (3.25, 1 / 3)])
def test_ratios_are_those_that_were_asked_for(m, alpha):
    env = DummyVecEnv([PushBallToGoalEnv] * 4)
    buffer = filled(env, GuideDAF('push_ball_random', push_world()), 96, m=m, alpha=alpha)
    for _ in range(300):
        batch = buffer.sample(10)
        extra = len(batch.rewards) - 10
        assert extra in (int(np.floor(10 * alpha)), int(np.ceil(10 * alpha)))
    counts = buffer.counts
    assert counts.observed == 384
    # Four standard deviations of what is drawn.
    assert abs(counts.augmented - 384 * m) <= 4 * np.sqrt(384 / 4)
    assert abs(counts.augmented_rows / counts.observed_rows - alpha) <= 4 * 0.5 / np.sqrt(300) / 10
    assert buffer.replay_ratio == 300 / counts.augmented
    assert buffer.augmented.size() == min(counts.augmented, buffer.augmented.buffer_size)


def test_a_schedule_is_a_number_points_or_a_function():
    points = ((0, 2.0), (100, 1.0), (200, 0.0))
    assert [scheduled(points, at) for at in (0, 50, 100, 150, 900)] == [2, 1.5, 1, 0.5, 0]
    assert scheduled(0.5, 7) == 0.5
    assert scheduled(lambda steps: steps / 4, 6) == 1.5
    env = DummyVecEnv([Goal2D])
    buffer = filled(env, goals(), 200, m=((0, 2), (100, 2), (101, 0)), chunk=50)
    assert buffer.counts.augmented == 200


def test_relabelled_steps_are_true_and_reach_their_goals_more_often():
    env = DummyVecEnv([Goal2D] * 3)
    buffer = filled(env, goals(), 200, m=2, chunk=60)
    kept = buffer.augmented
    rows = kept.size()
    assert rows == buffer.counts.augmented == 1200
    before, after = kept.observations[:rows, 0], kept.next_observations[:rows, 0]
    step = WAY * 2 * kept.actions[:rows, 0]
    np.testing.assert_allclose(after[:, :2], np.clip(before[:, :2] + step, -1, 1), atol=1e-5)
    np.testing.assert_array_equal(after[:, 2:], before[:, 2:])
    np.testing.assert_array_equal(kept.rewards[:rows, 0], goal_reward(None, None, after))
    observed, augmented = buffer.reward_density()
    assert augmented > 2 * observed > 0
    alone, together = buffer.coverage(0.5)
    assert 1 < alone < together
    # Each new goal was reached in the same episode, at this step or later.
    starts = {tuple(np.round(row, 4)) for row in kept.next_observations[:rows, 0, 2:]}
    reached = {tuple(np.round(row, 4)) for row in buffer.next_observations.reshape(-1, 4)[:, :2]}
    assert starts <= reached


class Kept:
    """Keeps the steps that a buffer gives its DAF."""

    def __init__(self, daf):
        self.daf, self.steps = daf, []

    def take(self, env, count):
        call = type(self.daf).__call__
        found = []

        class Spy(type(self.daf)):
            def __call__(inner, steps, copies, rng):
                found.append((steps, call(inner, steps, copies, rng)))
                return found[-1][1]

        self.daf.__class__ = Spy
        filled(env, self.daf, count, m=2)
        return found


@pytest.mark.parametrize(
    'make',
    [
        lambda: GuideDAF('push_ball_random', push_world()),
        lambda: GuideDAF('push_ball_guided', push_world()),
        lambda: SwapDAF(push_world(), apart=0.3),
    ],
)
def test_augmented_steps_are_what_the_environment_does(make):
    world = push_world()
    found = Kept(make()).take(DummyVecEnv([PushBallToGoalEnv] * 8), 32)
    assert len(found) == 4
    for steps, made in found:
        assert len(made) > len(steps) / 2
        after = world.task.step(made.states, made.actions)
        np.testing.assert_allclose(after[:, :4], made.next_states[:, :4], atol=1e-6)
        np.testing.assert_allclose(np.cos(after[:, 4] - made.next_states[:, 4]), 1, atol=1e-9)
        np.testing.assert_allclose(made.observations, world.task.contract.observe(made.states))
        np.testing.assert_allclose(
            made.rewards, world.task.reward(made.states, made.actions, made.next_states)
        )
        # They are others than the observed ones.
        seen = {row.tobytes() for row in steps.states}
        assert not any(row.tobytes() in seen for row in made.states)
        # Steps with the same episode follow each other.
        same = (np.diff(steps.episode) == 0) & (np.diff(steps.step) == 1)
        np.testing.assert_array_equal(steps.next_states[:-1][same], steps.states[1:][same])
        assert same.sum() == len(steps) - 8


def soccer(**arguments):
    episodes = EpisodeBatch(8, 'attack', rewards='shaped', **arguments)
    return episodes, SoccerPush(episodes.contract)


def test_augmented_steps_of_the_robot_are_what_its_simulator_does():
    episodes, task = soccer()
    env = BatchVecEnv(episodes, world_states=True)
    env.seed(0)
    found = Kept(GuideDAF('random', World.of(episodes))).take(env, 32)
    steps, made = found[-1]
    errors = [
        verify(
            task,
            TransitionSet(
                task.contract, one.states, one.actions, one.next_states,
                task.reward(one.states, one.actions, one.next_states), one.terminations,
                np.zeros(len(one)), np.arange(len(one)), np.zeros(len(one)),
                episode_ids=['one'], episode_success=[False],
            ),
            len(one),
        )
        for one in (steps, made)
    ]  # fmt: skip
    # World states tell not all of the simulator, so that observed steps have an error, too; the
    # sources of the augmented ones are drawn, so that theirs is not quite the same.
    for name in ('position', 'heading', 'reward'):
        observed, augmented = (getattr(one, name)[0] for one in errors)
        assert augmented <= 1.25 * observed + 1e-3, name


def parameters(model):
    return np.concatenate([p.detach().numpy().ravel() for p in model.policy.parameters()])


def test_without_copies_it_is_the_replay_buffer_of_stable_baselines3():
    models = []
    for arguments in (
        {},
        {
            'replay_buffer_class': AugmentedReplayBuffer,
            'replay_buffer_kwargs': {'daf': goals(), 'm': 0, 'alpha': 0, 'chunk': 8},
        },
    ):
        model = SAC(env=DummyVecEnv([Goal2D]), seed=1, **tiny(), **arguments)
        models.append(model.learn(80))
    np.testing.assert_array_equal(*map(parameters, models))


@pytest.mark.parametrize('algorithm', [SAC, TD3, DDPG])
def test_learning_tells_what_augmentation_does(algorithm, tmp_path):
    env = VecNormalize(DummyVecEnv([Goal2D] * 2))
    model = algorithm(
        env=env,
        seed=0,
        replay_buffer_class=AugmentedReplayBuffer,
        replay_buffer_kwargs={'daf': goals(), 'm': 1.5, 'chunk': 20},
        **tiny(),
    )
    model.set_logger(configure(str(tmp_path), ['csv']))
    callback = AugmentationLog(every=100)
    before = parameters(model)
    model.learn(240, callback=callback, log_interval=1)
    assert np.abs(parameters(model) - before).max() > 0
    head = (tmp_path / 'progress.csv').read_text().splitlines()[0].split(',')
    told = {name.removeprefix('augmentation/') for name in head if 'augmentation/' in name}
    state = np.random.get_state()[1].copy()
    now = callback.measure()
    np.testing.assert_array_equal(state, np.random.get_state()[1])
    assert told == set(now) and len(told) == 10
    assert now['coverage'] > now['coverage_observed'] > 0
    assert now['bellman_error_observed'] > 0 and now['bellman_error_augmented'] > 0
    assert now['m'] == pytest.approx(1.5, abs=0.2) and now['batch_share'] == pytest.approx(0.5)
    batch = model.replay_buffer.sample_observed(8, env)
    assert bellman_error(model, batch) == bellman_error(model, batch)


def test_a_saved_model_and_buffer_go_on_as_if_nothing_was(tmp_path):
    daf = GuideDAF('push_ball_random', push_world())
    env = DummyVecEnv([PushBallToGoalEnv] * 2)
    model = SAC(
        env=env, seed=0, replay_buffer_class=AugmentedReplayBuffer,
        replay_buffer_kwargs={'daf': daf, 'm': 0.5, 'chunk': 32, 'alpha': 0.3}, **tiny(),
    )  # fmt: skip
    model.learn(90)
    model.save(tmp_path / 'model')
    model.save_replay_buffer(tmp_path / 'buffer')
    again = SAC.load(tmp_path / 'model', env=env, device='cpu')
    assert type(again.replay_buffer) is AugmentedReplayBuffer
    again.load_replay_buffer(tmp_path / 'buffer')
    for one in (model, again):
        walked(DummyVecEnv([PushBallToGoalEnv] * 2), 20, one.replay_buffer)
    assert model.replay_buffer.counts == again.replay_buffer.counts
    assert model.replay_buffer.counts.augmented > 0
    for _ in range(3):
        state = np.random.get_state()
        first = model.replay_buffer.sample(16)
        np.random.set_state(state)
        for one, two in zip(first[:5], again.replay_buffer.sample(16)[:5]):
            np.testing.assert_array_equal(one.numpy(), two.numpy())


def test_a_daf_that_does_not_fit_the_environment_says_so():
    episodes, task = soccer()
    with pytest.raises(DAFError, match='for the task push_ball_to_goal'):
        GuideDAF('push_ball_random', World(task))
    blind, telling = BatchVecEnv(episodes), BatchVecEnv(episodes, world_states=True)
    daf = GuideDAF('random', World.of(episodes))
    with pytest.raises(DAFError, match='world_states=True'):
        filled(blind, daf, 8)
    with pytest.raises(DAFError, match='give its World the weights'):
        filled(telling, GuideDAF('random', World(task)), 8)
    with pytest.raises(DAFError, match='observations of 14 numbers'):
        filled(DummyVecEnv([PushBallToGoalEnv]), daf, 8)
    with pytest.raises(DAFError, match='observations of 8 numbers'):
        filled(DummyVecEnv([PhysicalPushEnv]), GuideDAF('push_ball_random', push_world()), 8)
    with pytest.raises(DAFError, match='reward function'):
        filled(DummyVecEnv([Goal2D]), GoalDAF([2, 3], [0, 1], lambda *rows: 7.0), 64)
    with pytest.raises(DAFError, match='column 9'):
        filled(DummyVecEnv([Goal2D]), GoalDAF([9], [0], goal_reward), 64)
    for wrong in (-1, 'often', float('nan'), ((0, 'many'),)):
        with pytest.raises(DAFError, match=r'm: a number'):
            filled(DummyVecEnv([Goal2D]), goals(), 1, m=wrong)
