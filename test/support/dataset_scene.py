"""Small episodes and sets of transitions of the soccer task."""

from __future__ import annotations

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode
from guda_ros.data.transitions import TransitionSet

CONTRACT = Contract.load()


ARRAYS = ('stamps', 'world_states', 'commands', 'valid', 'truth_states')


COLUMNS = (
    'states',
    'actions',
    'next_states',
    'rewards',
    'terminations',
    'source_episode',
    'source_step',
    'rule',
)


def make_episode(name='a', verdict='scored', steps=5, seed=1):
    """Return an episode in which the ball rolls .1 m a step along x, from (1, 0)."""
    random = np.random.default_rng(seed)
    states = random.normal(size=(steps + 1, 10))
    states[:, 3] = 1.0 + 0.1 * np.arange(steps + 1)
    states[:, 4] = 0.0
    return Episode(
        name,
        'attack',
        seed,
        4,
        verdict,
        'scripted',
        CONTRACT.hash,
        np.arange(steps + 1) * 100_000_000,
        states,
        random.uniform(-0.1, 0.1, (steps, 3)),
        np.ones(steps + 1),
        states + 1,
        ('one thing',),
    )


def make_transitions(count=1000):
    random = np.random.default_rng(0)
    return TransitionSet(
        CONTRACT,
        random.normal(size=(count, 10)),
        random.uniform(-1, 1, (count, 3)),
        random.normal(size=(count, 10)),
        random.normal(size=count),
        random.random(count) < 0.1,
        random.integers(0, 2, count),
        np.arange(count),
        random.integers(0, 3, count),
        rule_names=('raw', 'guided', 'hindsight'),
        episode_ids=('a', 'b'),
        episode_success=(True, False),
        info={'seed': 3},
    )


def assert_same(one, other):
    assert one.contract == other.contract
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), strict=True)
    for name in ('rule_names', 'episode_ids', 'episode_success', 'info'):
        assert getattr(one, name) == getattr(other, name)
