"""Merging, splitting and trimming data sets, and the command line for it, on real files."""

from dataclasses import replace

from dataset_scene import CONTRACT, make_episode, make_transitions
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from guda_ros.cli.main import main
from guda_ros.data.contract import Contract
from guda_ros.data.sets.editing import (
    cut,
    driven_steps,
    merge,
    related,
    seconds_to_steps,
    split,
)
from guda_ros.data.sets.minari import read_minari, write_minari
from guda_ros.data.transitions import DataSetError, transitions, TransitionSet


def guda(*arguments):
    return main(['data', *map(str, arguments)])


def test_an_episode_in_two_sets_is_taken_once_and_a_namesake_is_renamed():
    a, b, other = make_episode('a'), make_episode('b', seed=2), make_episode('a', seed=3)
    joined, notes = merge([[a, b], [a, other]])
    assert [episode.id for episode in joined] == ['a', 'b', 'a-2']
    np.testing.assert_array_equal(joined[2].world_states, other.world_states)
    assert 'taken once' in notes[0] and 'now a-2' in notes[1]


def test_a_split_divides_scored_and_failed_alike_and_by_its_seed():
    episodes = [make_episode(str(n), 'scored' if n < 12 else 'timeout', seed=n) for n in range(16)]
    first, second = split(episodes, 0.75, 0)
    assert (len(first), sum(e.success for e in first)) == (12, 9)
    assert {e.id for e in first} | {e.id for e in second} == {e.id for e in episodes}
    assert not {e.id for e in first} & {e.id for e in second}
    assert [e.id for e in first] == sorted([e.id for e in first], key=int)
    assert [e.id for e in split(episodes, 0.75, 0)[0]] == [e.id for e in first]
    assert any(
        [e.id for e in split(episodes, 0.75, seed)[0]] != [e.id for e in first]
        for seed in range(1, 4)
    )


@pytest.mark.parametrize('count, share', [(1, 0.5), (3, 0.1), (0, 0.5)])
def test_a_split_with_nothing_on_one_side_is_refused(count, share):
    with pytest.raises(DataSetError, match='one of the sets would be empty'):
        split([make_episode(str(n), seed=n) for n in range(count)], share, 0)


def test_a_set_of_copies_only_cannot_be_divided():
    with pytest.raises(DataSetError, match='of which some hold the same steps'):
        split([make_episode(str(n)) for n in range(4)], 0.5, 0)


@settings(max_examples=100, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(['new', 'copy', 'head', 'tail', 'most']), min_size=6),
    share=st.floats(0.2, 0.8),
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_a_split_never_parts_twins(kinds, share, seed, data):
    """Copies under any id, trimmed ones and recovered ones stay with what they were made of."""
    episodes, family = [], []
    for number, kind in enumerate(['new', 'new', *kinds]):
        name, verdict = f'e{number}', data.draw(st.sampled_from(['scored', 'timeout']))
        if kind == 'new':
            episodes.append(make_episode(name, verdict, steps=12, seed=number))
            family.append(number)
            continue
        source = data.draw(st.integers(0, number - 1))
        span = {'copy': (0, 12), 'head': (0, 8), 'tail': (4, 12), 'most': (1, 11)}[kind]
        origin = family[source]
        episodes.append(replace(cut(episodes[origin], *span), id=name))
        family.append(origin)
    try:
        first, second = split(episodes, share, seed)
    except DataSetError:
        return
    assert sorted(e.id for e in (*first, *second)) == sorted(e.id for e in episodes)
    of = {episode.id: origin for episode, origin in zip(episodes, family)}
    assert not {of[e.id] for e in first} & {of[e.id] for e in second}


def test_episodes_that_only_begin_alike_are_not_twins():
    one, other = make_episode('a', steps=10), make_episode('b', steps=10, seed=2)
    other.world_states[:4], other.commands[:4] = one.world_states[:4], one.commands[:4]
    assert related([one, other]) == [[0], [1]]
    assert related([one, other, replace(one, id='c'), cut(other, 5, 10)]) == [[0, 2], [1, 3]]


def test_a_cut_keeps_states_and_commands_together():
    episode = make_episode(steps=10)
    part = cut(episode, 2, 10)
    assert (len(part), part.verdict, part.stamps[0]) == (8, 'scored', 200_000_000)
    np.testing.assert_array_equal(part.world_states, episode.world_states[2:])
    np.testing.assert_array_equal(part.commands, episode.commands[2:])
    assert part.problems == ('one thing', 'steps 2 to 9 of 10 were kept')


def test_an_episode_without_its_end_earns_no_goal():
    part = cut(make_episode(steps=10), 0, 6)
    assert part.verdict == 'aborted' and not part.success
    assert 'the verdict of the whole was scored' in part.problems[-1]
    # .1 m of progress in each step, and nothing for the goal.
    np.testing.assert_allclose(transitions([part], CONTRACT).rewards, 0.1, rtol=1e-5)


def test_times_choose_whole_steps():
    episode = make_episode(steps=10)
    assert seconds_to_steps(episode, 0.2, 0.7) == (2, 7)
    assert seconds_to_steps(episode, 0.15, 0.75) == (2, 7)
    assert seconds_to_steps(episode, 0.0, None) == (0, 10)


def test_idle_ends_are_those_without_a_command():
    episode = make_episode(steps=10)
    episode.commands[:3] = 0
    episode.commands[8:] = np.nan
    assert driven_steps(episode, 0) == (3, 8)
    assert driven_steps(episode, 1) == (2, 9)
    assert driven_steps(episode, 99) == (0, 10)


@pytest.fixture
def dataset(tmp_path):
    write_minari(
        tmp_path / 'set',
        [
            make_episode('a'),
            make_episode('b', 'timeout', seed=2),
            make_episode('c', 'out', seed=3),
        ],
        CONTRACT,
    )
    return tmp_path / 'set'


def test_the_command_line_merges_splits_and_trims(dataset, tmp_path):
    assert guda('split', dataset, '--share', '0.67', '--out', tmp_path / 'two') == 0
    train, validation = tmp_path / 'two' / 'train', tmp_path / 'two' / 'validation'
    assert (len(read_minari(train)), len(read_minari(validation))) == (2, 1)
    assert guda('merge', train, validation, dataset, '--out', tmp_path / 'all') == 0
    assert {e.id for e in read_minari(tmp_path / 'all')} == {'a', 'b', 'c'}
    assert (
        guda(
            'trim',
            dataset,
            '--from',
            '0.1',
            '--drop',
            'b',
            '--verdicts',
            'scored',
            'out',
            '--out',
            tmp_path / 'cut',
        )
        == 0
    )
    kept = read_minari(tmp_path / 'cut')
    assert [(e.id, len(e), e.verdict) for e in kept] == [('a', 4, 'scored'), ('c', 4, 'out')]


def test_sets_of_transitions_are_joined(tmp_path):
    make_transitions(10).save(tmp_path / 'one.h5')
    make_transitions(20).save(tmp_path / 'two.h5')
    out = tmp_path / 'both.h5'
    assert guda('merge', tmp_path / 'one.h5', tmp_path / 'two.h5', '--out', out) == 0
    assert len(TransitionSet.load(out)) == 30


def test_sets_of_another_contract_are_refused_with_the_difference(dataset, tmp_path, capsys):
    other = Contract.load(robot='generic_walker')
    write_minari(tmp_path / 'other', [make_episode('z')], other)
    assert guda('merge', dataset, tmp_path / 'other', '--out', tmp_path / 'all') == 1
    assert 'robot: nao_v6 != generic_walker' in capsys.readouterr().err
    assert not (tmp_path / 'all').exists()


@pytest.mark.parametrize(
    'arguments, message',
    [
        (('trim', '--drop', 'zz'), 'no episode zz; there are a, b, c'),
        (('trim', '--verdicts', 'won'), "'won' is none of scored"),
        (('trim', '--verdicts', 'fall'), 'no episode is left; nothing was written'),
        (('trim', '--from', '9'), 'a: nothing is left of its 5 steps'),
        (('split', '--names', 'x', 'x'), 'two names that differ'),
    ],
)
def test_what_cannot_be_done_writes_nothing(dataset, tmp_path, capsys, arguments, message):
    action, *options = arguments
    assert guda(action, dataset, *options, '--out', tmp_path / 'new') == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'new').exists()


@pytest.mark.parametrize('action', ['merge', 'split', 'trim'])
def test_nothing_is_overwritten(dataset, tmp_path, capsys, action):
    target = tmp_path / 'there' / 'train'
    target.mkdir(parents=True)
    (target / 'precious').write_text('x')
    out = target.parent if action == 'split' else target
    assert guda(action, dataset, '--out', out) == 1
    assert 'is not overwritten' in capsys.readouterr().err
    assert [path.name for path in target.iterdir()] == ['precious']
