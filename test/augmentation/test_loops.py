"""Compiled loops make the bytes that NumPy makes, and nobody waits for them in vain."""

import os
from pathlib import Path
import subprocess
import sys

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
import numba
import numpy as np
import pytest

from guda_ros.augmentation import compiled
from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import augment, Augmenter
from guda_ros.augmentation.rules.sampling import uniform
from guda_ros.augmentation.rules.source import Source
from guda_ros.augmentation.transforms import Body, Change, Layout, Move
from guda_ros.data.transitions import TransitionSet
from guda_ros.tasks.push_ball.model import LOOPS, PushBallModel
from guda_ros.tasks.push_ball.task import PushBallToGoal

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = PushBallModel()
#: Everything that a layout can have: two bodies with headings and velocities, one without, columns
#: in a frame that moves along, scalars, and actions of all kinds.
LAYOUT = Layout(
    15,
    {'one': Body((3, 0), 7, (5, 4)), 'other': Body((1, 2), 8, (9, 6)), 'third': Body((10, 11))},
    'one',
    lateral=(12,),
    action_lateral=(3,),
    action_vectors=((2, 0),),
)
STEPS, ROWS = 6, 9
number = st.floats(-20, 20, width=32)


@pytest.fixture
def paths(monkeypatch):
    """Return a function that calls another one twice: with NumPy, and with compiled loops."""
    compiled.prepare(compiled.ENGINE, LOOPS)
    ready = dict(compiled._ready)

    def call(function):
        made = []
        for modules in ({}, ready):
            monkeypatch.setattr(compiled, '_ready', dict(modules))
            made.append(function())
        return made

    return call


def recording(seed=0, count=600):
    """Return steps from anywhere on the field, in pieces of six, with many at the ball."""
    rng = np.random.default_rng(seed)
    rows = []
    for begin in CONTRACT.reset(count // 6, rng):
        if rng.random() < 0.5:
            begin[2:4] = begin[:2] + rng.uniform(-0.3, 0.3, 2)
        state = begin[None]
        for _ in range(6):
            action = rng.uniform(-1, 1, (1, 3)).astype(np.float32)
            after = CONTRACT.step_states(state, action)
            rows.append((state[0], action[0], after[0]))
            state = after
    states, actions, after = (np.array(part) for part in zip(*rows))
    return TransitionSet(
        contract=CONTRACT,
        states=states,
        actions=actions,
        next_states=after,
        rewards=CONTRACT.reward(after),
        terminations=np.zeros(len(states), dtype=bool),
        source_episode=np.repeat(np.arange(count // 6), 6),
        source_step=np.tile(np.arange(6), count // 6),
        rule=np.zeros(len(states)),
        episode_ids=[f'episode_{index}' for index in range(count // 6)],
        episode_success=[True] * (count // 6),
    )


def assert_same_bytes(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype and one[name].shape == other[name].shape
        assert one[name].tobytes() == other[name].tobytes(), name


@pytest.mark.parametrize('guide', ['push_ball_transitions', 'push_ball_random'])
@pytest.mark.parametrize('threads', [1, 3])
def test_compiled_loops_make_the_same_bytes(paths, guide, threads):
    def make():
        augmenter = Augmenter(recording(), load_guide(guide), 5, threads)
        columns = augmenter.allocate(50_000, observe=True)
        assert sum(1 for _ in augmenter.blocks(50_000, observe=True, into=columns)) == 1
        return columns, {**augmenter.report.as_dict(), 'seconds': 0}

    (columns, report), (compiled_columns, compiled_report) = paths(make)
    assert_same_bytes(columns, compiled_columns)
    assert report == compiled_report


def test_loops_are_for_large_sets(monkeypatch):
    monkeypatch.setattr(compiled, '_ready', {})
    monkeypatch.setattr('guda_ros.augmentation.pipeline._COMPILED', 1000)
    augmenter = Augmenter(recording(), load_guide('push_ball_random'), 0)
    list(augmenter.blocks(999))
    assert not compiled.loops(compiled.ENGINE)
    monkeypatch.setattr(augmenter.task, 'loops', (), raising=False)
    list(augmenter.blocks(4999))
    assert not compiled.loops(compiled.ENGINE)
    list(augmenter.blocks(5000))
    assert compiled.loops(compiled.ENGINE) and not compiled.loops(LOOPS)
    monkeypatch.setattr(augmenter.task, 'loops', (LOOPS,))
    list(augmenter.blocks(1000))
    assert compiled.loops(LOOPS)


RULES = """\
name: mine
task: push_ball_to_goal
rules:
  spread:
    kind: move
    share: 0.5
    segments: {of: step}
    anchor: {body: robot, step: last}
    to: {place: field, bias: 3}
    put: {ball: {box: {x: [-1, 2], y: [0, 1]}}}
    rotate: {aim: robot, at: ball, spread: 20}
    accept: {clearance: 0.3, facing: 90}
  stretches:
    kind: move
    share: 0.5
    segments: {of: fixed, steps: 3}
    anchor: {body: ball, step: last}
    to: {place: current}
    rotate: {aim: ball, at: goal}
    reflect: 0.3
    accept: {clearance: 0.1, progress: -1}
"""


def test_all_keys_of_a_rule_make_the_same_bytes(paths, tmp_path):
    (tmp_path / 'mine.yaml').write_text(RULES)
    recorded = recording(1)

    def make():
        made, _ = augment(recorded, load_guide(tmp_path / 'mine.yaml'), 3000, 7)
        return {name: getattr(made, name) for name in made._columns()}

    assert_same_bytes(*paths(make))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_steps_of_any_layout_are_changed_alike(paths, data):
    def draw(*shape, of=number, dtype=float):
        return data.draw(arrays(dtype, shape, elements=of))

    class Steps:
        states, next_states = draw(STEPS, LAYOUT.size), draw(STEPS, LAYOUT.size)
        actions = draw(STEPS, 4).astype(np.float32)

    mirrored = draw(ROWS, of=st.booleans(), dtype=bool)
    moves = {'one': Move(mirrored, draw(ROWS), draw(ROWS, 2))}
    kind = data.draw(st.sampled_from(['same', 'own', 'stays', 'one for all']))
    if kind == 'same':
        moves['other'] = moves['one']
    elif kind == 'own':
        moves['other'] = Move.carry(draw(ROWS, 2), draw(ROWS, 2), draw(ROWS), mirrored)
    elif kind == 'one for all':
        moves['other'] = Move(np.asarray(False), np.asarray(0.3), np.array([1.0, -2.0]))
    put = {name: draw(ROWS, 2) for name in data.draw(st.sets(st.sampled_from(['other', 'third'])))}
    rows = draw(ROWS, of=st.integers(0, STEPS - 1), dtype=int)
    kept = {name: getattr(Steps, name).copy() for name in ('states', 'next_states', 'actions')}
    source = Source(Steps, LAYOUT)
    made, looped = paths(lambda: source.changed(rows, Change(LAYOUT, moves, put)))
    for one, other in zip(made, looped):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(other, one)
        np.testing.assert_array_equal(np.signbit(other), np.signbit(one))
    for name, values in kept.items():
        np.testing.assert_array_equal(getattr(Steps, name), values)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    states=arrays(
        float,
        (2, 12, 5),
        elements=st.one_of(
            st.floats(-6, 6), st.sampled_from([0.0, -0.0, 3.0, 4.5, -4.5, 4.8, 0.75, 0.15])
        ),
    )
)
def test_reward_check_and_observation_are_those_of_numpy(paths, states):
    task = PushBallToGoal(CONTRACT)
    # Some balls rest, some robots are on the spot of the ball.
    states[1, ::2, 2:4] = states[0, ::2, 2:4]
    states[1, ::3, :2] = states[1, ::3, 2:4]

    def make():
        seen = np.empty((2, 12, 8), dtype=np.float32)
        task.observe(states, seen)
        return {
            'reward': task.reward(states[0], None, states[1]),
            'check': task.check(states[0], None, states[1]),
            'observed': seen,
        }

    one, other = paths(make)
    assert_same_bytes(one, other)
    np.testing.assert_array_equal(one['observed'], CONTRACT.observe(states))


class Begins:
    """A generator whose next raw number is known."""

    def __init__(self, number):
        self.bit_generator, self._number = self, number

    def random_raw(self):
        return self._number


@pytest.mark.parametrize('shape', [(5,), (4,), (2, 3), (0,)])
def test_uniform_numbers_are_those_of_splitmix64(paths, shape):
    # The first outputs for the seed 1234567, as the authors' C code has them.
    words = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    count = int(np.prod(shape))
    words = words[: -(-count // 2)]
    expected = [word % 2**32 / 2**32 for word in words] + [word // 2**32 / 2**32 for word in words]
    for made in paths(lambda: uniform(Begins(1234567), *shape)):
        np.testing.assert_array_equal(made, np.reshape(expected[:count], shape))


def test_uniform_numbers_are_even():
    numbers = uniform(np.random.default_rng(0), 2, 100_000)
    assert numbers.min() >= 0 and numbers.max() < 1
    # Of a chi-squared distribution with 99 degrees of freedom, .01 % is beyond 161.
    counts = np.histogram(numbers, 100, (0, 1))[0]
    assert np.sum((counts - 2000) ** 2 / 2000) < 161
    assert abs(np.corrcoef(numbers)[0, 1]) < 4 / np.sqrt(100_000)


def test_loops_work_where_nothing_can_be_kept(monkeypatch):
    monkeypatch.setattr('numba.core.caching.CacheImpl._locator_classes', [])
    with pytest.raises(RuntimeError, match='cannot cache'):
        numba.njit(cache=True)(assert_same_bytes)
    double = compiled.loop('void(f8[::1])')(_double)
    numbers = np.arange(3.0)
    double(numbers)
    np.testing.assert_array_equal(numbers, [0.0, 2.0, 4.0])


def _double(numbers):
    for index in range(len(numbers)):
        numbers[index] *= 2


def test_a_small_set_compiles_nothing():
    code = (
        'import sys\n'
        'sys.path.insert(0, sys.argv[1])\n'
        'from push_ball_scene import *\n'
        'from guda_ros.augmentation.pipeline import augment, augment_to_file\n'
        'from guda_ros.augmentation.guides import load_guide\n'
        'augment(walk_and_push(), load_guide("push_ball_random"), 5000, 0)\n'
        'assert "numba" not in sys.modules\n'
    )
    path = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    subprocess.run(
        [sys.executable, '-c', code, str(ROOT / 'test' / 'support')],
        env={**os.environ, 'PYTHONPATH': path},
        check=True,
    )


def test_a_damaged_cache_costs_time_only(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, 'CACHE_DIR', str(tmp_path))
    twice = compiled.loop('f8(f8)')(_twice)
    assert twice(2.0) == 4.0
    kept = [path for path in tmp_path.rglob('*') if path.suffix in ('.nbi', '.nbc')]
    assert kept
    for path in kept:
        path.write_bytes(b'')
    assert compiled.loop('f8(f8)')(_twice)(2.0) == 4.0


def _twice(x):
    return 2 * x


def test_without_numba_there_are_no_loops(monkeypatch):
    monkeypatch.setitem(sys.modules, 'numba', None)
    monkeypatch.setattr(compiled, '_ready', {})
    compiled.prepare(compiled.ENGINE)
    assert compiled.loops(compiled.ENGINE) is None
