"""Batches: what samplers draw, what comes next, and random numbers without a state."""

from dataclasses import replace

from learning_data import learner, random_set, transition_set
import numpy as np
import pytest
import torch

from guda_ros.learning.batches import (
    BLOCK,
    chunks,
    continues_next,
    data_hash,
    data_problems,
    Draws,
    return_weights,
    Sampler,
    Table,
)
from guda_ros.learning.networks import TrainingError


def mixed_set(original=10, guided=60, random=30):
    """Return transitions of three sources, in this order."""
    rule = np.repeat([0, 1, 2], [original, guided, random])
    return random_set(len(rule), rule=rule, rule_names=('raw', 'push', 'random'))


def drawn(data, count=200, size=60, **arguments):
    return Sampler(data, **arguments).draw(np.random.default_rng(0), count, size)


def test_uniform_reaches_every_row_equally():
    counts = np.bincount(drawn(mixed_set(), 500, 40).ravel(), minlength=100)
    # 200 expected of each, deviation 14.
    assert counts.min() > 130 and counts.max() < 270


def test_balanced_fills_each_batch_with_equal_parts():
    rows = drawn(mixed_set(), kind='balanced')
    parts = [rows < 10, (rows >= 10) & (rows < 70), rows >= 70]
    for part in parts:
        np.testing.assert_array_equal(part.sum(axis=1), 20)


def test_a_share_of_originals_is_kept():
    rows = drawn(mixed_set(), original_share=0.25)
    np.testing.assert_array_equal((rows < 10).sum(axis=1), 15)
    # The rest is drawn from all that is augmented.
    assert set(np.unique(rows)) == set(range(100))
    rows = drawn(mixed_set(), original_share=0.5, kind='balanced')
    np.testing.assert_array_equal((rows < 10).sum(axis=1), 30)
    np.testing.assert_array_equal((rows >= 70).sum(axis=1), 15)
    assert (drawn(mixed_set(), original_share=1.0) < 10).all()


@pytest.mark.parametrize('counts', [(0, 5, 5), (10, 0, 0)])
def test_a_share_that_the_data_lacks_is_refused(counts):
    with pytest.raises(TrainingError, match='original_share 0.5: the data needs'):
        Sampler(mixed_set(*counts), original_share=0.5)


def three_runs():
    """Return three recordings of two steps each with the returns 2, 1 and 0."""
    return random_set(
        6,
        rewards=[1, 1, 1, 0, 0, 0],
        source_episode=[0, 0, 1, 1, 2, 2],
        source_step=[0, 1] * 3,
        episode_ids=['a', 'b', 'c'],
        episode_success=[True, True, False],
    )


def test_trajectories_count_by_their_return():
    # exp((G - 2) / (.5 * 2)) = 1, 1/e, 1/e^2.
    expected = np.exp([0, 0, -1, -1, -2, -2])
    np.testing.assert_allclose(return_weights(three_runs(), 0.5), expected)
    rows = drawn(three_runs(), 500, 100, kind='return', temperature=0.5)
    shares = np.bincount(rows.ravel(), minlength=6) / rows.size
    np.testing.assert_allclose(shares, expected / expected.sum(), atol=0.01)
    np.testing.assert_array_equal(return_weights(random_set(5), 0.1), 1.0)


def test_what_comes_next():
    data = three_runs()
    np.testing.assert_array_equal(continues_next(data), [1, 0, 1, 0, 1, 0])
    ended = replace(data, terminations=np.array([1, 0, 0, 0, 0, 0], dtype=bool))
    np.testing.assert_array_equal(continues_next(ended), [0, 0, 1, 0, 1, 0])
    # Steps that were moved by themselves do not follow each other.
    moved = data.next_states.copy()
    moved[2] += 0.01
    np.testing.assert_array_equal(
        continues_next(replace(data, next_states=moved)), [1, 0, 0, 0, 1, 0]
    )
    actions, known = chunks(data, 3)
    np.testing.assert_array_equal(known, [[1, 1, 0], [1, 0, 0]] * 3)
    np.testing.assert_array_equal(actions[0], data.actions[[0, 1, 1]])
    np.testing.assert_array_equal(actions[1], data.actions[[1, 1, 1]])


def test_a_table_gives_the_columns_of_rows():
    columns = {
        'observations': torch.arange(6.0).reshape(3, 2),
        'actions': 10 + torch.arange(3.0)[:, None],
        'rewards': torch.tensor([7.0, 8.0, 9.0]),
    }
    parts = [
        {name: column[rows] for name, column in columns.items()}
        for rows in (slice(2), slice(2, 3))
    ]
    batch = Table('cpu', parts).rows(torch.tensor([[2, 0]]))
    np.testing.assert_array_equal(batch.observations, [[[4, 5], [0, 1]]])
    np.testing.assert_array_equal(batch.state_actions, [[[4, 5, 12], [0, 1, 10]]])
    np.testing.assert_array_equal(batch.rewards, [[9, 7]])


def test_draws_depend_on_seed_and_update_alone():
    noise = {'a': ('normal', (4, 2)), 'b': ('uniform', (3,))}
    sampler = Sampler(random_set(50))
    both = Draws([sampler] * 2, (3, 5), 8, noise, 'cpu', [0, 0])
    later = Draws([sampler], (5,), 8, noise, 'cpu', [0])
    for update in (BLOCK + 3, 1, BLOCK, BLOCK + 1, 5 * BLOCK):
        rows, values = both.at(update)
        own, alone = later.at(update)
        assert rows.shape == (2, 8) and values.a.shape == (2, 4, 2)
        assert torch.equal(rows[1:], own) and torch.equal(values.a[1:], alone.a)
        assert torch.equal(values.b[1:], alone.b) and values.b.abs().max() <= 1
        assert not torch.equal(rows[0], rows[1])
    many = torch.stack([both.at(update)[1].a for update in range(1, 500)])
    assert abs(many.mean()) < 0.05 and abs(many.std() - 1) < 0.05


def test_the_hash_of_the_data_changes_with_any_of_it():
    data = random_set(20)
    assert data_hash(data) == data_hash(random_set(20))
    for name in ('states', 'actions', 'next_states', 'rewards', 'terminations', 'source_step'):
        values = getattr(data, name).copy()
        values.flat[-1] = 1 - values.flat[-1]
        assert data_hash(replace(data, **{name: values})) != data_hash(data)


def test_problems_of_the_data_are_told():
    assert data_problems(random_set(20)) != data_problems(random_set(20, episode_success=[False]))
    told = data_problems(random_set(20, episode_success=[False]))
    assert any('none of the 1 episodes scored' in line for line in told)
    told = data_problems(transition_set(np.ones((5, 10)), np.zeros((5, 3))))
    assert any('constant in all of the data' in line and 'ball_x' in line for line in told)
    assert any('never changes: forward, left, turn' in line for line in told)


def test_next_actions_are_those_recorded_next():
    data = three_runs()
    trained = learner('rebrac', data, batch_size=2)
    batch = trained._table.rows(torch.arange(6)[None])
    np.testing.assert_array_equal(batch.next_known[0], [1, 0, 1, 0, 1, 0])
    np.testing.assert_array_equal(batch.next_actions[0, 0], data.actions[1])
    np.testing.assert_array_equal(batch.continues[0], 1)
