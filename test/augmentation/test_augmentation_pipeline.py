"""Guides, validity and the pipeline from recorded to augmented transitions."""

from dataclasses import fields

import numpy as np
import pytest
import yaml

from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import augment, AugmentationError
from guda_ros.cli.main import main
from guda_ros.config.files import ConfigError, find_config
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode
from guda_ros.data.sets.minari import TransitionSet, write_minari
from guda_ros.data.sets.selection import choose_demonstrations
from guda_ros.soccer import world
from guda_ros.soccer.rewards import push_reward, push_terminated
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.starts import fixed_starts
from guda_ros.tasks.soccer.demonstrator import Demonstrator, DemonstratorStyle
from guda_ros.tasks.soccer.rules import _PushWindow, push_directions, push_poses
from guda_ros.tasks.soccer.validity import check_steps, REASONS

CONTRACT = Contract.load()
WINDOW = _PushWindow(0.3, 0.1, 60)


def transition_set(states, actions, next_states, episode=None, step=None):
    count = len(states)
    episode = np.zeros(count, dtype=int) if episode is None else episode
    return TransitionSet(
        contract=CONTRACT,
        states=states,
        actions=actions,
        next_states=next_states,
        rewards=push_reward(states, next_states, CONTRACT.field),
        terminations=push_terminated(next_states, CONTRACT.field),
        source_episode=episode,
        source_step=np.arange(count) if step is None else step,
        rule=np.zeros(count),
        episode_ids=[f'episode_{i}' for i in range(max(episode) + 1)],
        episode_success=[i != 1 for i in range(max(episode) + 1)],
    )


def straight_push(approach=30, push=30, speed=0.021, ball=(1.0, -1.0)):
    """Walk along +y to a ball and push it on, .021 m a step; feet and ball touch at .16 m."""
    count = approach + push
    robot_y = ball[1] - 0.16 - speed * (approach - np.arange(count + 1))
    rows = np.zeros((count + 1, world.SIZE))
    rows[:, 0], rows[:, 1], rows[:, 2] = ball[0], robot_y, np.pi / 2
    rows[:, 3], rows[:, 4] = ball[0], np.maximum(ball[1], robot_y + 0.16)
    actions = np.tile([0.8, 0.0, 0.0], (count, 1))
    return transition_set(rows[:-1], actions, rows[1:])


@pytest.fixture(scope='module')
def simulated():
    """Three demonstrations; every step is made from its world state and nothing else."""
    from guda_ros.sim.physics.batch import BatchSimulation

    robot = RobotProfile.load('nao_v6')
    starts = fixed_starts('demonstration', 3, CONTRACT.field)
    simulation = BatchSimulation(CONTRACT, robot, 3)
    simulation.reset(starts)
    demonstrator = Demonstrator(
        CONTRACT.limits,
        CONTRACT.field,
        np.random.default_rng(0),
        [DemonstratorStyle.imperfect(seed) for seed in (1, 2, 3)],
    )
    steps = []
    states = simulation.world_states()
    while not simulation.done.all() and len(steps) < 500:
        before, running = states, ~simulation.done
        commands = CONTRACT.limits.clip(demonstrator(before))
        simulation.set_world_states(before)
        simulation.step(commands)
        states = simulation.world_states()
        steps.append((before, CONTRACT.to_action(commands), states, running))
    rows = [
        (before[i], action[i], after[i], i, k)
        for i in range(3)
        for k, (before, action, after, running) in enumerate(steps)
        if running[i]
    ]
    columns = [np.array(column) for column in zip(*rows)]
    return transition_set(*columns)


def test_push_direction_is_where_the_ball_goes_next():
    recorded = straight_push()
    direction, known, steps = push_directions(recorded, WINDOW)
    # At the start the ball lies still for 30 steps and then needs 15 to move .3 m.
    assert known[0] and steps[0] == 45
    assert direction[0] == pytest.approx(np.pi / 2)
    # In the last 4 steps it moves .084 m or less before the recording ends.
    np.testing.assert_array_equal(np.flatnonzero(~known), [56, 57, 58, 59])


def test_push_direction_is_unknown_long_before_the_ball_moves():
    _, known, _ = push_directions(straight_push(approach=100), WINDOW)
    # 100 - k steps to the ball and 15 more must be 60 at most.
    assert np.flatnonzero(known)[0] == 55


def test_push_direction_does_not_look_over_a_gap():
    recorded = straight_push()
    step = np.arange(60)
    step[40:] += 5
    broken = transition_set(recorded.states, recorded.actions, recorded.next_states, step=step)
    _, known, _ = push_directions(broken, WINDOW)
    # Before the gap the ball moves .21 m at most: enough (.1 m) up to step 35.
    np.testing.assert_array_equal(np.flatnonzero(~known), [36, 37, 38, 39, 56, 57, 58, 59])


def test_push_pose_is_behind_the_ball():
    poses = push_poses(straight_push(), WINDOW, onset=2)
    assert len(poses) == 1
    # The ball moves .05 m within six steps from step 27 on, at the earliest; two steps before
    # that.
    np.testing.assert_allclose(poses[0], [-0.16 - 0.021 * 5, 0.0, 0.0], atol=0.022)


def test_guided_pushes_send_the_ball_to_the_goal(simulated):
    made, _ = augment(simulated, load_guide('guided'), 5000, 0)
    before, after = made.states[:, world.BALL], made.next_states[:, world.BALL]
    moved = np.linalg.norm(after - before, axis=1) > 0.01
    goal = CONTRACT.field.goal - before
    angle = world.wrap_angle(np.arctan2(*(after - before).T[::-1]) - np.arctan2(*goal.T[::-1]))
    assert moved.mean() > 0.3
    assert np.median(np.abs(angle[moved])) < 0.2
    assert np.mean(made.rewards[moved] > 0) > 0.95


def test_approaches_end_where_demonstrations_push(simulated):
    guide = load_guide('guided')
    guide.rules.pop('push')
    guide.shares['approach'] = 1.0
    made, report = augment(simulated, guide, 3000, 0)
    assert report.accepted == {'approach': 3000}
    np.testing.assert_array_equal(made.states[:, world.BALL_VELOCITY], 0.0)
    np.testing.assert_array_equal(made.states[:, world.BALL], made.next_states[:, world.BALL])
    near = np.linalg.norm(
        made.states[:, world.BALL] - made.states[:, world.ROBOT_POSITION], axis=1
    )
    assert near.min() >= 0.19
    # The last step of a stretch is the one whose successor is not the next row.
    last = np.abs(made.next_states[:-1, 0] - made.states[1:, 0]) > 1e-6
    place = made.next_states[:-1][last]
    direction = np.arctan2(*(CONTRACT.field.goal - place[:, world.BALL]).T[::-1])
    pose = np.concatenate(
        [
            world.rotate(place[:, :2] - place[:, world.BALL], -direction),
            world.wrap_angle(place[:, 2] - direction)[:, None],
        ],
        axis=1,
    )
    poses = push_poses(simulated, _PushWindow(0.3, 0.1, 60), onset=2)
    poses = np.concatenate([poses, poses * [1, -1, -1]])
    nearest = np.abs(pose[:, None] - poses[None]).max(axis=2).min(axis=1)
    assert nearest.max() < 1e-6


@pytest.mark.parametrize('name', ['guided', 'random'])
def test_simulator_confirms_augmented_steps(simulated, name):
    from guda_ros.sim.physics.batch import BatchSimulation

    made, _ = augment(simulated, load_guide(name), 1500, 1)
    simulation = BatchSimulation(CONTRACT, RobotProfile.load('nao_v6'), len(made))
    simulation.set_world_states(made.states)
    simulation.step(CONTRACT.to_command(made.actions))
    difference = simulation.world_states() - made.next_states
    difference[:, world.ROBOT_YAW] = world.wrap_angle(difference[:, world.ROBOT_YAW])
    # Positions to .1 mm; contact that begins within a step is resolved a little differently at
    # another place.
    assert np.quantile(np.abs(difference).max(axis=1), 0.99) < 1e-4
    assert np.abs(difference[:, :5]).max() < 5e-3
    np.testing.assert_allclose(
        made.rewards,
        push_reward(made.states, simulation.world_states(), CONTRACT.field),
        atol=5e-3,
    )


def test_rewards_and_ends_are_computed_anew(simulated):
    made, _ = augment(simulated, load_guide('guided'), 20000, 2)
    np.testing.assert_allclose(
        made.rewards, push_reward(made.states, made.next_states, CONTRACT.field), atol=1e-6
    )
    scored = CONTRACT.field.scored(made.next_states[:, world.BALL])
    assert scored.any()
    np.testing.assert_array_equal(
        made.terminations, push_terminated(made.next_states, CONTRACT.field)
    )
    assert made.rewards[scored].min() > 9.0
    assert not push_terminated(made.states, CONTRACT.field).any()


def test_input_is_not_changed(simulated):
    before = {
        column.name: np.copy(getattr(simulated, column.name))
        for column in fields(simulated)
        if isinstance(getattr(simulated, column.name), np.ndarray)
    }
    for name in ('guided', 'random'):
        augment(simulated, load_guide(name), 1000, 3)
    for name, values in before.items():
        np.testing.assert_array_equal(getattr(simulated, name), values)


def test_provenance_names_source_and_rule(simulated):
    made, _ = augment(simulated, load_guide('guided'), 2000, 4)
    assert made.rule_names == ('push', 'approach')
    assert made.rule_counts() == {'push': 1600, 'approach': 400}
    assert made.episode_ids == simulated.episode_ids
    source = {
        (episode, step): row
        for row, (episode, step) in enumerate(zip(simulated.source_episode, simulated.source_step))
    }
    rows = [source[key] for key in zip(made.source_episode, made.source_step)]
    np.testing.assert_allclose(np.abs(made.actions), np.abs(simulated.actions[rows]), atol=1e-6)
    # Episode 1 is marked as failed; its steps take part.
    np.testing.assert_array_equal(made.success(), made.source_episode != 1)
    assert not made.success().all()


def test_same_seed_makes_the_same_transitions(simulated):
    sets = [augment(simulated, load_guide('guided'), 500, seed)[0] for seed in (5, 5, 6)]
    np.testing.assert_array_equal(sets[0].states, sets[1].states)
    assert not np.array_equal(sets[0].states, sets[2].states)


def test_report_accounts_for_every_proposal(simulated):
    made, report = augment(simulated, load_guide('random'), 3000, 7)
    assert len(made) == 3000 and report.accepted == {'random': 3000}
    assert report.proposed['random'] == 3000 + sum(report.rejected['random'].values())
    assert set(report.rejected['random']) <= set(REASONS)
    assert report.acceptance == pytest.approx(3000 / report.proposed['random'])
    assert report.as_dict()['seconds'] > 0


def test_many_transitions_take_little_time(simulated):
    made, report = augment(simulated, load_guide('guided'), 200_000, 8)
    assert len(made) == 200_000
    assert report.seconds < 10, (
        'far above what a busy machine explains (about .5 s on a quiet one)'
    )


def test_command_line_augments_and_verifies_a_data_set(simulated, tmp_path, capsys):
    episodes = []
    for index, name in enumerate(simulated.episode_ids):
        steps = simulated.select(simulated.source_episode == index)
        states = np.concatenate([steps.states, steps.next_states[-1:]])
        episodes.append(
            Episode(
                name,
                'demonstration',
                0,
                index,
                'scored' if index != 1 else 'timeout',
                'scripted',
                CONTRACT.hash,
                np.arange(len(states)) * 100_000_000,
                states,
                CONTRACT.to_command(steps.actions),
                np.ones(len(states)),
                states,
                (),
            )
        )
    write_minari(tmp_path / 'dataset', episodes, CONTRACT)
    target = tmp_path / 'guided.h5'
    assert (
        main(
            [
                'augment',
                str(tmp_path / 'dataset'),
                '--count',
                '4000',
                '--demonstrations',
                '2',
                '--seed',
                '3',
                '--out',
                str(target),
                '--verify',
                '500',
            ]
        )
        == 0
    )
    printed = capsys.readouterr().out
    made = TransitionSet.load(target)
    kept = choose_demonstrations(simulated.episode_ids, 2, 3)
    assert list(made.episode_ids) == kept
    assert f'4000 transitions from 2 episodes ({sum(made.episode_success)} scored)' in printed
    augmented = next(line.split() for line in printed.splitlines() if line.startswith('augmented'))
    # 99 of 100 positions within .1 mm of the simulator's.
    assert int(augmented[1]) == 500 and float(augmented[3]) < 1e-4


def test_idle_steps_are_no_guidance():
    recorded = straight_push()
    actions = recorded.actions.copy()
    actions[20] = 0.0
    recorded = transition_set(recorded.states, actions, recorded.next_states)
    made, _ = augment(recorded, load_guide('guided'), 2000, 9)
    assert 20 not in made.source_step[made.rule == 0]


@pytest.mark.parametrize(
    'change, reason',
    [
        ({}, 'valid'),
        ({0: np.nan}, 'not_finite'),
        ({3: 4.6}, 'ball_not_in_play'),
        ({1: 3.6}, 'robot_off_field'),
        ({3: 4.47, 4: 0.73}, 'ball_at_post'),
        ({0: 4.45, 1: 0.7}, 'robot_at_goal'),
    ],
)
def test_validity_names_the_reason(change, reason):
    state = np.zeros((1, world.SIZE))
    state[0, :5] = (2.0, 0.0, 0.0, 2.5, 0.0)
    for column, value in change.items():
        state[0, column] = value
    assert REASONS[check_steps(state, state, CONTRACT)[0]] == reason


def test_ball_may_go_into_the_goal():
    state = np.zeros((1, world.SIZE))
    state[0, :5] = (4.38, 0.0, 0.0, 4.54, 0.0)
    after = state.copy()
    after[0, 3] = 4.56
    assert check_steps(state, after, CONTRACT)[0] == 0


def test_nothing_to_augment_is_an_error():
    recorded = straight_push()
    with pytest.raises(AugmentationError, match='no recorded transitions'):
        augment(recorded.select(slice(0, 0)), load_guide('guided'), 100, 0)
    with pytest.raises(AugmentationError, match='no rule can use'):
        augment(recorded.select(slice(0, 20)), load_guide('guided'), 100, 0)
    with pytest.raises(AugmentationError, match='at least one'):
        augment(recorded, load_guide('guided'), 0, 0)


def test_share_of_a_rule_without_material_goes_to_the_others():
    recorded = straight_push(approach=3)
    made, report = augment(recorded, load_guide('guided'), 1000, 0)
    assert made.rule_counts() == {'push': 1000, 'approach': 0}
    assert any('approach' in note for note in report.notes)


@pytest.mark.parametrize(
    'keys, value, message',
    [
        (('rules', 'push', 'reflect'), 1.5, 'rules.push.reflect'),
        (('rules', 'push', 'kind'), 'pull', 'is not one of move, auto, push'),
        (('rules', 'push', 'to', 'box', 'x'), [3, 1], 'to.box.x: .*lower bound is above'),
        (('rules', 'push', 'to', 'box', 'x'), [3], 'to.box.x: a list of 2 numbers'),
        (('rules', 'push', 'to', 'bias'), 2.0, 'to.bias: is not a known key'),
        (
            ('rules', 'push', 'mirror'),
            0.5,
            'guide.yaml:[0-9]+: rules.push.mirror: .*`reflect` now',
        ),
        (('rules', 'approach', 'ball_x'), [0, 1], 'rules.approach.ball_x: .*`to: {box: '),
        (('rules', 'push', 'share'), 0.5, 'add up'),
        (('rules', 'push', 'speed'), 1.0, 'rules.push.speed'),
        (('rules',), {}, 'at least one rule'),
    ],
)
def test_wrong_guide_is_refused(tmp_path, keys, value, message):
    content = yaml.safe_load(find_config('guides', 'guided').read_text())
    part = content
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    path = tmp_path / 'guide.yaml'
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=message) as error:
        load_guide(path)
    assert str(path) in str(error.value)
