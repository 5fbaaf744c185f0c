"""The paper's physical task: its rules, its environments, and the augmentation of real steps."""

from gymnasium.utils.env_checker import check_env
import numpy as np
import pytest

from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import augment
from guda_ros.augmentation.registry import task_names
from guda_ros.augmentation.verify import verify
from guda_ros.cli.main import main
from guda_ros.data.contract import Contract
from guda_ros.data.exchange.nao_demonstrations import demonstrations
from guda_ros.data.exchange.nao_logs import NaoLog
from guda_ros.data.sets.minari import write_minari
from guda_ros.data.transitions import TransitionSet
from guda_ros.soccer import world
from guda_ros.tasks.environments import PhysicalPushEnv, PhysicalPushVectorEnv
from guda_ros.tasks.physical_push.model import PhysicalPushModel
from guda_ros.tasks.physical_push.task import PhysicalPush

CONTRACT = PhysicalPushModel()
PLACES = [0, 1, 3, 4, 2]


def rows(*states):
    """Return world states (n, 10) of rows robot x, y, ball x, y, robot heading."""
    found = np.zeros((len(states), world.SIZE))
    found[:, PLACES] = states
    return found


def step(state, action, rng=None):
    return CONTRACT.step_states(rows(state), np.array([action], float), rng)[0, PLACES]


def test_full_action_walks_twelve_millimetres_and_turns_a_quarter():
    np.testing.assert_allclose(step([0, 0, 2, 2, 0], [1, 1, 0, 0]), [0.012, 0, 2, 2, 0.25])
    # Back at 30 %, to a side at half of it; more than 1 is 1; a kick does nothing.
    np.testing.assert_allclose(step([0, 0, 2, 2, 0], [0, -9, 0, 1]), [-0.0036, 0, 2, 2, 0])
    np.testing.assert_allclose(
        step([0, 0, 2, 2, np.pi / 2], [0, 0, 1, 0]), [-0.006, 0, 2, 2, np.pi / 2], atol=1e-12
    )


def test_a_ball_that_is_near_jumps_on_along_the_heading():
    after = step([0, 0, 0.17, 0, 0.5], [0, 0, 0, 0])
    np.testing.assert_allclose(after[2:4], [0.17 + 0.287 * np.cos(0.5), 0.287 * np.sin(0.5)])
    assert step([0, 0, 0.19, 0, 0], [0, 0, 0, 0])[2] == 0.19
    # In the goal it lies.
    assert step([4.35, 0, 4.45, 0, 0], [0, 0, 0, 0])[2] == 4.45


def test_noise_of_the_ball_is_fifteen_degrees_and_never_more_than_thirty():
    states = np.repeat(rows([0.0, 0.0, 0.1, 0.0, 0.3]), 20_000, axis=0)
    after = CONTRACT.step_states(states, np.zeros((20_000, 4)), np.random.default_rng(0))
    angle = np.degrees(np.arctan2(after[:, 4], after[:, 3] - 0.1) - 0.3)
    # A standard normal deviate that is clipped at two has a standard deviation of .9595.
    assert np.std(angle) == pytest.approx(15 * 0.9595, rel=0.02)
    assert np.abs(angle).max() == pytest.approx(30)
    assert np.mean(angle) == pytest.approx(0, abs=0.4)


def test_reward_is_sparse_and_the_episode_ends_outside():
    def judged(x, y):
        state = rows([0, 0, x, y, 0])[0]
        return float(CONTRACT.reward(state)), bool(CONTRACT.out(state))

    assert judged(4.3, 0) == (0, False) and judged(4.41, 0.49) == (1, False)
    # The goal goes on behind the line; beside it the ball is out, as over the side lines.
    assert judged(4.9, 0) == (1, False) and judged(4.45, 0.6) == (0, False)
    assert judged(4.55, 0.6) == (-10, True) and judged(0, -3.51) == (-10, True)


def test_observation_is_what_the_robot_sees():
    seen = CONTRACT.observe(rows([1, 2, 1, 5, np.pi / 2])[0])
    goal = np.array([-2.0, -3.8])  # 3.8 m to +x is to the right, 2 m to -y behind
    far = np.hypot(*goal)
    np.testing.assert_allclose(
        seen,
        [
            -0.2,
            0.1,
            1 / np.sqrt(5),
            -2 / np.sqrt(5),
            -0.2,
            -0.38,
            goal[1] / far,
            goal[0] / far,
            0.3,
            0,
            0,
            1,
        ],
        atol=1e-6,
    )


@pytest.mark.parametrize(
    'start, low, high',
    [
        ('easy', [-0.2, -0.5, 0.1, -3.0], [0.0, 0.0, 1.0, 3.0]),
        ('hard', [1.8, -2.7, 4.3, -2.7], [2.2, -2.3, 4.4, -2.3]),
    ],
)
def test_starts_are_those_of_the_paper(start, low, high):
    starts = PhysicalPushModel(start=start).reset(5000, np.random.default_rng(0))
    np.testing.assert_allclose(starts[:, PLACES[:4]].min(axis=0), low, atol=0.01)
    np.testing.assert_allclose(starts[:, PLACES[:4]].max(axis=0), high, atol=0.01)
    assert np.ptp(starts[:, 2]) > 6.2
    with pytest.raises(ValueError, match='one of easy, hard'):
        PhysicalPushModel(start='medium')


def test_environment_follows_gymnasium():
    check_env(PhysicalPushEnv(), skip_render_check=True)


def test_many_environments_are_single_ones_until_one_ends():
    quiet = PhysicalPushModel(noise=0.0, max_steps=60)
    many = PhysicalPushVectorEnv(6, quiet)
    seen, info = many.reset(seed=3)
    single = [PhysicalPushEnv(quiet) for _ in range(6)]
    for env, start in zip(single, info['world_state']):
        env.reset(options={'world_state': start})
    rng = np.random.default_rng(0)
    for _ in range(60):
        actions = rng.uniform(-1, 1, (6, 4))
        seen, rewards, terminated, truncated, _ = many.step(actions)
        for row, env in enumerate(single):
            alone, reward, over, cut, _ = env.step(actions[row])
            np.testing.assert_allclose(seen[row], alone, atol=1e-6)
            assert (rewards[row], terminated[row], truncated[row]) == (reward, over, cut)
    assert truncated.all()
    before = many._states
    _, rewards, terminated, truncated, info = many.step(actions)
    assert not (terminated | truncated).any() and not rewards.any()
    assert not np.isclose(info['world_state'], before).all(axis=1).any()


def test_a_robot_that_walks_at_the_ball_from_behind_scores():
    task = PhysicalPush(PhysicalPushModel(noise=0.0))
    env = task.environments(3)
    env.reset(
        seed=0,
        options={
            'world_states': rows(
                [2.0, 0, 2.4, 0, 0], [2.0, 1.5, 2.4, 1.5, 0], [2.0, 0, 2.4, 0, np.pi]
            )
        },
    )
    scored, out = np.zeros(3, bool), np.zeros(3, bool)
    for _ in range(260):
        _, _, terminated, _, info = env.step(np.tile([0.0, 1.0, 0.0, 0.0], (3, 1)))
        scored |= info['is_success'] & ~out
        out |= terminated
    # The second goes out beside the goal, the third walks away.
    assert scored.tolist() == [True, False, False] and out.tolist() == [False, True, False]


def test_contract_travels_as_json():
    contract = PhysicalPushModel(start='hard', push=0.2)
    assert PhysicalPushModel.from_json(contract.to_json()) == contract
    assert any('push' in line for line in contract.differences(CONTRACT))
    for text in ('{"colour": 1}', '[]', '{', '{"reach": 3}'):
        with pytest.raises(ValueError, match='physical_push'):
            PhysicalPushModel.from_json(text)


@pytest.fixture(scope='module')
def real(tmp_path_factory):
    """Return a data set of a robot that walks to a ball, pushes it along, and walks on."""
    contract = Contract.load()
    x = 0.003 * np.arange(1800) - 1.0
    pose = np.column_stack([x, np.zeros_like(x), np.zeros_like(x)])
    ball = np.column_stack([np.clip(x + 0.2, 0.5, 2.5), np.zeros_like(x)])
    pose[:, 1] += np.where(x > 2.0, np.clip(x - 2.0, 0, 0.5), 0)  # turns off before the ball stops
    log = NaoLog('run_1.log', pose, ball, np.tile([1.0, 0.25, 0.5], (1800, 1)))
    episodes, _ = demonstrations([log], contract)
    path = tmp_path_factory.mktemp('real') / 'set'
    write_minari(path, episodes, contract)
    return path


def test_recorded_steps_keep_places_and_get_the_order_of_this_tasks_actions(real):
    recorded = PhysicalPush.read(real)
    np.testing.assert_allclose(
        recorded.actions, np.tile([0.5, 1.0, 0.25, 0.0], (len(recorded), 1)), atol=1e-6
    )
    np.testing.assert_allclose(recorded.states[0, :2], [-1.0 + 2.5 * 0.003, 0], atol=1e-9)
    assert recorded.rewards.sum() == 0 and not recorded.terminations.any()
    phase = PhysicalPush().phase(recorded)
    far = recorded.states[:, 0] < 0.0
    assert (phase[far] == 0).all()
    pushed = (recorded.states[:, 3] > 0.8) & (recorded.states[:, 3] < 2.2)
    assert (phase[pushed] == 1).all()


@pytest.mark.parametrize('guide', ['physical_random', 'physical_behaviours'])
def test_guides_keep_successors_and_rewards_true(real, guide):
    recorded = PhysicalPush.read(real)
    task = PhysicalPush()
    made, report = augment(recorded, load_guide(guide), 5000, 1)
    assert len(made) == 5000
    np.testing.assert_allclose(made.rewards, task.reward(None, None, made.next_states))
    np.testing.assert_array_equal(made.terminations, task.terminated(made.next_states))
    # Ways of robot and ball keep their lengths, unless the ball was put apart at rest.
    way = made.next_states - made.states
    source = {
        (e, s): row
        for row, (e, s) in enumerate(zip(recorded.source_episode, recorded.source_step))
    }
    taken = [source[key] for key in zip(made.source_episode, made.source_step)]
    was = (recorded.next_states - recorded.states)[taken]
    np.testing.assert_allclose(np.hypot(*way[:, :2].T), np.hypot(*was[:, :2].T), atol=1e-9)
    moved = np.hypot(*way[:, world.BALL].T)
    assert np.all(np.isclose(moved, np.hypot(*was[:, world.BALL].T)) | (moved == 0))
    assert not task.check(made.states, made.actions, made.next_states).any()


def test_the_environments_own_steps_replay_exactly_after_augmentation():
    task = PhysicalPush(PhysicalPushModel(noise=0.0))
    rng = np.random.default_rng(0)
    states = task.contract.reset(1500, rng)
    states[:, 4] = rng.uniform(-0.4, 0.0, 1500)
    actions = rng.uniform(-1, 1, (1500, 4)).astype(np.float32)
    after = task.simulate(states, actions)
    kept = task.check(states, actions, after) == 0
    count = int(kept.sum())
    recorded = TransitionSet(
        contract=task.contract,
        states=states[kept],
        actions=actions[kept],
        next_states=after[kept],
        rewards=task.contract.reward(after[kept]),
        terminations=task.contract.out(after[kept]),
        source_episode=np.zeros(count),
        source_step=2 * np.arange(count),
        rule=np.zeros(count),
        episode_ids=['e'],
        episode_success=[False],
    )
    made, _ = augment(recorded, load_guide('physical_random'), 5000, 0)
    found = verify(task, made, 5000)
    assert found.position[1] < 1e-6 and found.heading[1] < 1e-6 and found.reward[1] == 0


def test_the_task_is_known_by_name_and_its_guides_are_right(real, capsys):
    assert 'physical_push' in task_names()
    assert main(['guide', 'check', 'physical_behaviours', '--data', str(real)]) == 0
    assert 'walk_to_ball' in capsys.readouterr().out
