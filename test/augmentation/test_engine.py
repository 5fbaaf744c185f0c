"""The engine for any task: segments, the rule `move`, guides, streaming, seeds, entry points."""

import os
from pathlib import Path
import subprocess
import sys

import h5py
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
from push_ball_scene import (
    assert_same,
    CONTRACT,
    guide_file,
    source_rows,
    transition_set,
    walk_and_push,
)
import pytest

from guda_ros.augmentation import segments
from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import (
    augment,
    augment_to_file,
    AugmentationError,
    Augmenter,
)
from guda_ros.augmentation.registry import load_task, UnknownTask
from guda_ros.augmentation.rules.base import change_of
from guda_ros.augmentation.task import PHASES
from guda_ros.augmentation.verify import verify
from guda_ros.cli.main import main
from guda_ros.config.files import ConfigError
from guda_ros.data.transitions import DataSetError, TransitionSet
from guda_ros.tasks.push_ball.model import PushBallModel
from guda_ros.tasks.push_ball.task import PushBallToGoal

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = ROOT / 'test' / 'support'
GUIDES = ('push_ball_transitions', 'push_ball_trajectories', 'push_ball_random')


@pytest.fixture(scope='module')
def recorded():
    return walk_and_push()


def test_phases_are_found_by_contact(recorded):
    task = PushBallToGoal(CONTRACT)
    phase = task.phase(recorded)
    names = [PHASES[index] for index in phase[:150]]
    # The ball is 1.5 m away, the contact at .15 m: it rests for 33 steps of .04 m.
    assert names[:33] == ['approach'] * 33
    moved = np.linalg.norm(recorded.next_states[:, 2:4] - recorded.states[:, 2:4], axis=1) > 0.1
    assert set(phase[moved & ~CONTRACT.in_goal(recorded.states)]) == {1}
    np.testing.assert_array_equal(phase == 3, CONTRACT.in_goal(recorded.states))
    assert np.any(phase == 3)


def test_runs_end_at_episodes_gaps_and_labels():
    steps = transition_set(
        np.zeros((10, 5)) + [0, 0, 2, 2, 0], np.zeros((10, 3)), [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]
    )
    label = np.array([0, 0, 1, 1, -1, 1, 1, 1, 1, 1])
    found = segments.runs(steps, label)
    np.testing.assert_array_equal(found.start, [0, 2, 5, 6])
    np.testing.assert_array_equal(found.length, [2, 2, 1, 4])
    gap = steps.select(np.arange(10) != 8)
    np.testing.assert_array_equal(segments.runs(gap, np.zeros(9, dtype=int)).length, [6, 2, 1])


def test_fixed_segments_overlap_and_stay_inside():
    steps = transition_set(
        np.zeros((9, 5)) + [0, 0, 2, 2, 0], np.zeros((9, 3)), [0, 0, 0, 0, 1, 1, 1, 1, 1]
    )
    wanted = np.ones(9, dtype=bool)
    wanted[8] = False
    found = segments.fixed(steps, wanted, 3)
    np.testing.assert_array_equal(found.start, [0, 1, 4, 5])


def test_behaviours_are_ranges_of_steps():
    steps = transition_set(
        np.zeros((8, 5)) + [0, 0, 2, 2, 0], np.zeros((8, 3)), [0, 0, 0, 0, 1, 1, 1, 1]
    )
    found = segments.behaviours(
        steps, np.ones(8, dtype=bool), {'walk': [(0, 1, 3)], 'kick': [(1, 2, 9), (0, 0, 1)]}
    )
    np.testing.assert_array_equal(found.start, [1, 6, 0])
    np.testing.assert_array_equal(found.length, [2, 2, 1])


def test_long_segments_are_chopped():
    found = segments.chop(segments.Segments(np.array([0, 20]), np.array([7, 3])), 3)
    np.testing.assert_array_equal(found.start, [0, 3, 6, 20])
    np.testing.assert_array_equal(found.length, [3, 3, 1, 3])


@pytest.mark.parametrize(
    'of',
    [
        '{of: whole, max_steps: 40}',
        '{of: fixed, steps: 7}',
        '{of: phase, min_steps: 2}',
        '{of: behaviour, behaviours: {go: [[0, 3, 20], [2, 0, 9]]}}',
    ],
)
def test_within_a_segment_every_successor_is_the_next_state(tmp_path, recorded, of):
    guide = load_guide(
        guide_file(
            tmp_path, of, 'last', '{place: goal}', 'rotate: {degrees: [-20, 20]}\n    reflect: 0.5'
        )
    )
    made, _ = augment(recorded, guide, 3000, 0)
    follows = (np.diff(made.source_episode) == 0) & (np.diff(made.source_step) == 1)
    follows &= np.all(made.parameters[1:] == made.parameters[:-1], axis=1)
    assert follows.mean() > 0.3
    np.testing.assert_array_equal(made.next_states[:-1][follows], made.states[1:][follows])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**31),
    turn=st.floats(0, 360),
    reflect=st.floats(0, 1),
    of=st.sampled_from(['{of: step}', '{of: fixed, steps: 5}']),
)
def test_made_steps_keep_dynamics_rewards_and_sources(tmp_path, recorded, seed, turn, reflect, of):
    more = f'rotate: {{degrees: [{-turn:.6f}, {turn:.6f}]}}\n    reflect: {reflect:.6f}'
    guide = load_guide(guide_file(tmp_path, of, more=more))
    made, _ = augment(recorded, guide, 400, seed)
    task = PushBallToGoal(CONTRACT)
    found = verify(task, made, 400)
    assert max(found.position[1], found.heading[1], found.reward[1]) < 1e-6
    np.testing.assert_allclose(made.rewards, CONTRACT.reward(made.next_states), atol=1e-7)
    assert not task.check(made.states, made.actions, made.next_states).any()
    # Episode, step, parameters and seed say where every row came from.
    rows = source_rows(made, recorded)
    change = change_of(task.layout, made.parameters)
    np.testing.assert_allclose(
        change.states(recorded.states[rows])[:, :4], made.states[:, :4], atol=1e-4
    )
    np.testing.assert_allclose(change.actions(recorded.actions[rows]), made.actions, atol=1e-6)
    assert set(made.seed) == {seed}


def test_each_paper_rule_does_what_it_is_for(recorded):
    made, _ = augment(recorded, load_guide('push_ball_transitions'), 20_000, 0)
    names = np.array(made.rule_names)[made.rule]
    kick, walk, goal = (names == name for name in ('kick', 'walk', 'in_goal'))
    way = made.next_states - made.states
    to_goal = CONTRACT.goal - made.states[kick, 2:4]
    cosine = np.sum(way[kick, 2:4] * to_goal, axis=1) / (
        np.linalg.norm(way[kick, 2:4], axis=1) * np.linalg.norm(to_goal, axis=1)
    )
    np.testing.assert_allclose(cosine, 1.0, atol=1e-6)
    to_ball = made.states[walk, 2:4] - made.states[walk, 0:2]
    cosine = np.sum(way[walk, 0:2] * to_ball, axis=1) / (
        np.linalg.norm(way[walk, 0:2], axis=1) * np.linalg.norm(to_ball, axis=1)
    )
    np.testing.assert_allclose(cosine, 1.0, atol=1e-6)
    assert CONTRACT.in_goal(made.states[goal]).all()
    # Shares are those of the recorded steps.
    phase = PushBallToGoal(CONTRACT).phase(recorded)
    assert goal.mean() == pytest.approx(np.mean(phase == 3), abs=0.01)
    # The bias doubles the mean share of the attacking half.
    assert np.mean(made.states[walk, 2] > 0) == pytest.approx(0.75, abs=0.02)


def test_whole_trajectories_end_in_the_goal(recorded):
    made, _ = augment(recorded, load_guide('push_ball_trajectories'), 5000, 0)
    ends = np.flatnonzero(np.any(made.parameters[1:] != made.parameters[:-1], axis=1))
    assert len(ends) > 20
    assert CONTRACT.in_goal(made.next_states[ends]).all()


def test_predicates_refuse_and_are_counted(tmp_path, recorded):
    guide = load_guide(
        guide_file(
            tmp_path,
            '{of: fixed, steps: 20}',
            more='rotate: {degrees: [-180, 180]}\n    '
            'accept: {progress: 0.1, facing: 30, clearance: 0.1}',
        )
    )
    made, report = augment(recorded, guide, 2000, 0)
    counts = report.rejected['only']
    assert counts['no_progress'] > 0 and counts['robot_off_field'] > 0
    assert report.proposed['only'] == 2000 + sum(counts.values())
    first, last = made.states[::20], made.next_states[19::20]
    gained = np.linalg.norm(first[:, 2:4] - CONTRACT.goal, axis=1) - np.linalg.norm(
        last[:, 2:4] - CONTRACT.goal, axis=1
    )
    assert gained.min() >= 0.1
    bearing = np.arctan2(last[:, 3] - last[:, 1], last[:, 2] - last[:, 0]) - last[:, 4]
    assert np.cos(bearing).min() >= np.cos(np.radians(30)) - 1e-9


def test_steps_that_a_line_changed_are_not_moved(tmp_path):
    # The second robot is held by the side line.
    states = np.array([[0, 0, 2, 2, np.pi / 2], [0, 2.99, 2, -2, np.pi / 2]], dtype=float)
    steps = transition_set(states, np.array([[0, 1.0, 0], [0, 1.0, 0]]), [0, 1])
    made, _ = augment(steps, load_guide(guide_file(tmp_path)), 200, 0)
    assert set(made.source_episode) == {0}


@pytest.mark.parametrize('name', GUIDES)
def test_streaming_threads_and_memory_make_the_same(tmp_path, recorded, name):
    guide = load_guide(name)
    made, _ = augment(recorded, guide, 70_000, 5)
    threaded, _ = augment(recorded, guide, 70_000, 5, threads=3)
    augment_to_file(recorded, guide, 70_000, 5, tmp_path / 'made.h5')
    read = TransitionSet.load(tmp_path / 'made.h5', PushBallModel.from_json)
    assert_same(made, threaded)
    assert_same(made, read)
    assert read.info == made.info
    assert (
        read.parameter_names
        == made.parameter_names
        == ('mirrored', 'robot_turn', 'robot_x', 'robot_y', 'ball_turn', 'ball_x', 'ball_y')
    )
    assert made.info['guide_hash'] == guide.hash and made.info['seed'] == 5
    assert read.contract == CONTRACT


def test_same_seed_same_file(tmp_path, recorded):
    guide = load_guide('push_ball_transitions')
    files = []
    for name, seed in (('a', 1), ('b', 1), ('c', 2)):
        augment_to_file(recorded, guide, 3000, seed, tmp_path / name)
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1] != files[2]


def test_part_of_a_file_can_be_read(tmp_path, recorded):
    augment_to_file(recorded, load_guide('push_ball_random'), 1000, 0, tmp_path / 'made.h5')
    whole = TransitionSet.load(tmp_path / 'made.h5', PushBallModel.from_json)
    part = TransitionSet.load(tmp_path / 'made.h5', PushBallModel.from_json, slice(100, 200))
    assert_same(part, whole.select(slice(100, 200)))


def test_a_file_that_is_not_finished_leaves_nothing(tmp_path, recorded):
    def stop(made, wanted):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        augment_to_file(
            recorded, load_guide('push_ball_random'), 1000, 0, tmp_path / 'made.h5', stop
        )
    assert not list(tmp_path.iterdir())


def test_too_small_a_disk_is_an_error_before_the_work(tmp_path, recorded):
    with pytest.raises(DataSetError, match='made.h5: cannot be written.*MB are needed'):
        augment_to_file(recorded, load_guide('push_ball_random'), 10**13, 0, tmp_path / 'made.h5')


def test_streaming_needs_the_memory_of_a_block(tmp_path, recorded):
    """Peak memory of ten times as many transitions is the same, measured in fresh processes."""
    code = (
        'import sys, resource\n'
        'sys.path.insert(0, sys.argv[1])\n'
        'from push_ball_scene import *\n'
        'from guda_ros.augmentation.pipeline import augment, augment_to_file\n'
        'from guda_ros.augmentation.guides import load_guide\n'
        'augment_to_file(walk_and_push(), load_guide("push_ball_random"), int(sys.argv[2]), 0,'
        ' sys.argv[3])\n'
        'print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n'
    )
    peaks = []
    for count in (200_000, 1_500_000):
        path = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
        result = subprocess.run(
            [
                sys.executable,
                '-c',
                code,
                str(ROOT / 'test' / 'support'),
                str(count),
                str(tmp_path / 'm.h5'),
            ],
            env={**os.environ, 'PYTHONPATH': path},
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(result.stdout) / 1024)
    # The larger file alone has 200 MB.
    assert peaks[1] < peaks[0] + 40


def test_shares_that_nobody_can_use_go_to_the_others(tmp_path, recorded):
    text = guide_file(tmp_path).read_text().replace('share: 1.0', 'share: 0.25')
    other = (
        text[text.index('  only:') :]
        .replace('only', 'never')
        .replace('0.25', '0.75')
        .replace('to: {place: field}', 'to: {box: {x: [90, 91], y: [0, 1]}}')
    )
    (tmp_path / 'two.yaml').write_text(text + other)
    made, report = augment(recorded, load_guide(tmp_path / 'two.yaml'), 2000, 0)
    assert made.rule_counts() == {'only': 2000, 'never': 0}
    assert any(note.startswith('rule never: given up') for note in report.notes)


def test_a_guide_that_accepts_nothing_ends_with_words(tmp_path, recorded):
    guide = load_guide(guide_file(tmp_path, to='{box: {x: [90, 91], y: [0, 1]}}'))
    with pytest.raises(AugmentationError, match='given up'):
        augment(recorded, guide, 100, 0)
    with pytest.raises(AugmentationError, match='at least one'):
        augment(recorded, guide, 0, 0)


def test_blocks_hold_what_was_asked_for(recorded):
    augmenter = Augmenter(recorded, load_guide('push_ball_transitions'), 0)
    blocks = list(augmenter.blocks(2500, observe=True, block=1000))
    assert [len(block['rewards']) for block in blocks] == [1000, 1000, 500]
    for block in blocks:
        np.testing.assert_array_equal(block['observations'], CONTRACT.observe(block['states']))
        np.testing.assert_array_equal(
            block['next_observations'], CONTRACT.observe(block['next_states'])
        )


@pytest.mark.parametrize(
    'change, line, message',
    [
        (('share: 1.0', 'share: 2'), 6, 'rules.only.share: 2 is outside'),
        (('kind: move', 'kind: jump'), 5, 'rules.only.kind'),
        (('{of: step}', '{of: dance}'), 7, 'rules.only.segments.of'),
        (('{of: step}', '{of: step, phases: [nap]}'), 7, 'rules.only.segments.phases'),
        (('body: ball', 'body: bat'), 8, 'rules.only.anchor.body'),
        (('{place: field}', '{box: {x: [3, 1], y: [0, 1]}}'), 9, 'rules.only.to.box.x'),
        (('{place: field}', '{place: field}\n    colour: 3'), 10, 'rules.only.colour'),
        (
            ('{place: field}', '{place: field}\n    rotate: {aim: robot, at: ball}'),
            10,
            'rules.only.rotate.at',
        ),
        (
            ('{place: field}', '{place: field}\n    put: {robot: {place: current}}'),
            10,
            'rules.only.put.robot',
        ),
        (('task: push_ball_to_goal', 'task: chess'), None, 'chess'),
        (('{of: step}', '{of: behaviour, behaviours: {a: [[0, 5, 5]]}}'), 7, 'behaviours.a'),
    ],
)
def test_errors_of_a_guide_name_file_line_and_field(tmp_path, change, line, message):
    path = guide_file(tmp_path)
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    with pytest.raises((ConfigError, UnknownTask)) as error:
        load_guide(path)
    assert message in str(error.value)
    if line:
        assert str(error.value).startswith(f'{path}:{line}: ')


def test_shipped_guides_can_be_read():
    for path in sorted((ROOT / 'config' / 'guides').glob('*.yaml')):
        guide = load_guide(path)
        assert guide.name == path.stem
        for rule in guide.rules.values():
            assert rule.explain()


OTHER_TASK = '''
from dataclasses import asdict, dataclass
import json

import numpy as np

from guda_ros.augmentation.task import Task
from guda_ros.augmentation.transforms import Body, Layout
from guda_ros.data.contract_base import ContractBase
from guda_ros.data.transitions import TransitionSet


@dataclass(frozen=True)
class PointContract(ContractBase):
    size: float = 10.0
    state_size = 4
    action_size = 2

    def to_json(self):
        return json.dumps(asdict(self))

    def observe(self, states):
        return np.asarray(states, dtype=np.float32)


class PointToGoal(Task):
    """A point that walks to a goal of its own: actions are displacements in map."""

    name = 'point_to_goal'
    layout = Layout(4, {'point': Body((0, 1)), 'goal': Body((2, 3))}, 'point',
                    action_vectors=((0, 1),))
    actor = object = 'point'
    reasons = ('valid', 'off_field')
    phases = ('walk',)
    goal = np.zeros(2)
    bounds = ((-5.0, 5.0), (-5.0, 5.0))
    mouth = ((-0.1, 0.1), (-0.1, 0.1))

    def reward(self, states, actions, next_states):
        return -np.linalg.norm(next_states[:, :2] - next_states[:, 2:], axis=1)

    def terminated(self, next_states):
        return self.reward(None, None, next_states) > -0.1

    def check(self, states, actions, next_states):
        return (np.abs(next_states) > 5).any(axis=1).astype(np.int8)

    def phase(self, recorded):
        return np.zeros(len(recorded), dtype=np.int8)

    def simulate(self, states, actions):
        return np.concatenate([states[:, :2] + actions, states[:, 2:]], axis=1)

    @classmethod
    def read(cls, path):
        rng = np.random.default_rng(0)
        states = rng.uniform(-3, 3, (50, 4))
        actions = rng.uniform(-0.5, 0.5, (50, 2)).astype(np.float32)
        task = cls(PointContract())
        after = task.simulate(states, actions)
        return TransitionSet(
            contract=task.contract, states=states, actions=actions, next_states=after,
            rewards=task.reward(states, actions, after), terminations=task.terminated(after),
            source_episode=np.zeros(50), source_step=np.arange(50), rule=np.zeros(50),
            episode_ids=['made'], episode_success=[True])
'''
OTHER_GUIDE = """\
name: relabel
task: point_to_goal
rules:
  relabel:                  # the goal is put anywhere, the step turned until it leads there
    kind: move
    share: 1.0
    segments: {of: step}
    anchor: {body: point, step: first}
    to: {place: field}
    put: {goal: {place: field}}
    rotate: {aim: point, at: goal}
"""


def test_a_new_task_needs_no_change_of_the_engine(tmp_path, monkeypatch):
    (tmp_path / 'point_to_goal.py').write_text(OTHER_TASK)
    metadata = tmp_path / 'point_to_goal-1.0.dist-info'
    metadata.mkdir()
    (metadata / 'METADATA').write_text(
        'Metadata-Version: 2.1\nName: point-to-goal\nVersion: 1.0\n'
    )
    (metadata / 'entry_points.txt').write_text(
        '[guda_ros.tasks]\npoint_to_goal = point_to_goal:PointToGoal\n'
    )
    guide_path = tmp_path / 'relabel.yaml'
    guide_path.write_text(OTHER_GUIDE)
    with pytest.raises(UnknownTask, match='relabel.yaml:2: task: .*known: .*push_ball_to_goal'):
        load_guide(guide_path)
    monkeypatch.syspath_prepend(tmp_path)
    guide = load_guide(guide_path)
    # The point is at rest nowhere: it alone moves, so that only its goal can be put apart.
    guide.task.rest = 10.0
    recorded = load_task('point_to_goal').read(None)
    made, _ = augment(recorded, guide, 2000, 0)
    way, to_goal = made.actions, made.states[:, 2:] - made.states[:, :2]
    cosine = np.sum(way * to_goal, axis=1) / (
        np.linalg.norm(way, axis=1) * np.linalg.norm(to_goal, axis=1)
    )
    np.testing.assert_allclose(cosine, 1.0, atol=1e-6)
    found = verify(guide.task(recorded.contract), made, 2000)
    assert found.position[1] < 1e-6 and found.reward[1] < 1e-6


def test_command_line_makes_verifies_and_explains(tmp_path, recorded, capsys):
    data = tmp_path / 'recording.npz'
    states, next_states = recorded.states.copy(), recorded.next_states.copy()
    states[:, :4] *= 1000
    next_states[:, :4] *= 1000
    np.savez(
        data,
        world_states=states,
        next_world_states=next_states,
        actions=recorded.actions,
        rewards=recorded.rewards,
        episode=recorded.source_episode,
    )
    target = tmp_path / 'made.h5'
    assert (
        main(
            [
                'augment',
                str(data),
                '--guide',
                'push_ball_transitions',
                '--count',
                '3000',
                '--out',
                str(target),
                '--verify',
                '500',
                '--threads',
                '2',
            ]
        )
        == 0
    )
    printed = capsys.readouterr().out
    assert 'recorded' in printed and 'augmented' in printed and 'reward p99' in printed
    with h5py.File(target) as file:
        assert len(file['states']) == 3000
    picture = tmp_path / 'guide.svg'
    assert (
        main(
            [
                'guide',
                'check',
                'push_ball_transitions',
                '--data',
                str(data),
                '--count',
                '500',
                '--out',
                str(picture),
            ]
        )
        == 0
    )
    printed = capsys.readouterr().out
    assert 'turns it until the way of the ball points at the goal' in printed
    assert 'state-action cells' in printed
    assert '<svg' in picture.read_text()[:1000]
    assert main(['guide', 'check', str(guide_file(tmp_path, step='middle'))]) == 1
    assert 'mine.yaml:8: rules.only.anchor.step' in capsys.readouterr().err


def test_guide_without_a_recording_is_drawn(tmp_path):
    for name in ('guided', 'push_ball_transitions'):
        assert main(['guide', 'check', name, '--out', str(tmp_path / f'{name}.png')]) == 0
        assert (tmp_path / f'{name}.png').stat().st_size > 5000
