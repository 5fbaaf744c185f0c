"""Exports in the documented structure of other libraries, read back by plain readers."""

import importlib.util
import json
from pathlib import Path
import tempfile

from dataset_scene import CONTRACT, make_episode, make_transitions
from export_readers import assert_all_arrived
import h5py
from hypothesis import given, settings
from hypothesis import strategies as st
import minari
import numpy as np
import pytest

from guda_ros.cli.main import main
from guda_ros.data.exchange.d4rl import write_transitions_npz
from guda_ros.data.sets.minari import write_minari
from guda_ros.data.sets.trajectories import interrupted, trajectories
from guda_ros.data.transitions import DataSetError, transitions

HAS_PYARROW = importlib.util.find_spec('pyarrow') is not None


def guda(*arguments):
    return main(['data', *map(str, arguments)])


@pytest.fixture
def episodes():
    """Three episodes of 8, 6 and 5 steps; the ball is lost at stamp 3 of the first."""
    lost = make_episode('a', steps=8)
    lost.valid[3] = False
    # A person corrects a policy in the last step of the second.
    corrected = make_episode('b', 'timeout', 6, seed=2)
    corrected.commanded_by[:] = [2, 2, 2, 2, 2, 4]
    return [lost, corrected, make_episode('c', 'out', 5, seed=3)]


@pytest.fixture
def dataset(tmp_path, episodes):
    write_minari(tmp_path / 'set', episodes, CONTRACT)
    return tmp_path / 'set'


def test_a_lost_ball_cuts_a_trajectory_and_only_the_last_part_ends(episodes):
    parts = trajectories(episodes, CONTRACT)
    # Steps 2 and 3 touch the stamp at which the ball was lost.
    assert [(part.episode.id, part.first, len(part)) for part in parts] == [
        ('a', 0, 2),
        ('a', 4, 4),
        ('b', 0, 6),
        ('c', 0, 5),
    ]
    assert [part.terminations[-1] for part in parts] == [False, True, False, True]
    assert [part.timeouts[-1] for part in parts] == [True, False, True, False]
    assert [part.success for part in parts] == [False, True, False, False]
    together = transitions(episodes, CONTRACT)
    np.testing.assert_array_equal(
        np.concatenate([part.rewards for part in parts]), together.rewards
    )


def test_robomimic_gets_the_structure_that_it_documents(dataset, episodes, tmp_path):
    out = tmp_path / 'demo.hdf5'
    assert (
        guda('export', dataset, '--format', 'robomimic', '--validation', '0.34', '--out', out) == 0
    )
    with h5py.File(out) as file:
        data = file['data']
        assert data.attrs['total'] == 17
        env = json.loads(data.attrs['env_args'])
        assert env.keys() == {'env_name', 'type', 'env_type', 'env_kwargs'}
        assert env['type'] == env['env_type'] == 2
        assert set(data) == {'demo_0', 'demo_1', 'demo_2', 'demo_3'}
        for name, length in zip(sorted(data), (2, 4, 6, 5)):
            demo = data[name]
            assert demo.attrs['num_samples'] == length
            assert set(demo) == {
                'states',
                'actions',
                'rewards',
                'dones',
                'obs',
                'next_obs',
                'interventions',
            }
            for key in ('states', 'actions', 'rewards', 'dones'):
                assert len(demo[key]) == length and np.isfinite(demo[key][:]).all()
            assert demo['actions'].shape == (length, 3)
            assert np.abs(demo['actions'][:]).max() <= 1
            assert set(demo['obs']) == set(demo['next_obs']) == {'observation', 'world_state'}
            for key in demo['obs']:
                np.testing.assert_array_equal(demo['obs'][key][1:], demo['next_obs'][key][:-1])
        np.testing.assert_array_equal(data['demo_1/dones'], [0, 0, 0, 1])
        np.testing.assert_array_equal(
            data['demo_2/obs/observation'], CONTRACT.observe(episodes[1].world_states[:-1])
        )
        mask = {name: {item.decode() for item in file['mask'][name]} for name in file['mask']}
        assert mask['scored'] == {'demo_0', 'demo_1'}
        assert mask['failed'] == {'demo_2', 'demo_3'}
        assert mask['interventions'] == {'demo_2'}
        np.testing.assert_array_equal(data['demo_2/interventions'], [0, 0, 0, 0, 0, 1])
        assert mask['train'] | mask['valid'] == set(data) and not mask['train'] & mask['valid']
        # The two parts of an episode are never divided.
        assert ('demo_0' in mask['valid']) == ('demo_1' in mask['valid'])


def test_npz_has_the_arrays_of_d4rl(dataset, episodes, tmp_path):
    out = tmp_path / 'data.npz'
    assert guda('export', dataset, '--format', 'npz', '--out', out) == 0
    with np.load(out) as data:
        # A row more where the ball was lost, where time was up, and at the end of all.
        assert data['observations'].shape == (20, len(CONTRACT.observation_names))
        assert data['actions'].shape == (20, 3)
        np.testing.assert_array_equal(np.flatnonzero(data['timeouts']), [2, 13, 19])
        np.testing.assert_array_equal(np.flatnonzero(data['terminals']), [6, 18])
        steps = np.flatnonzero(~data['timeouts'] & ~data['terminals'])
        np.testing.assert_array_equal(
            data['observations'][steps + 1], data['next_observations'][steps]
        )
        np.testing.assert_array_equal(data['infos/world_states'][2], episodes[0].world_states[2])
        assert data['infos/stamps'][13] == episodes[1].stamps[-1]
        assert list(data['infos/episode'][[0, 6, 7, 19]]) == ['a', 'a', 'b', 'c']
        np.testing.assert_array_equal(data['infos/step'][:7], [0, 1, 2, 4, 5, 6, 7])
        commanders = list(data['infos/commanded_by'][11:15])
        assert commanders == ['policy', 'intervention', 'unknown', 'unknown']
        assert str(data['metadata/contract_hash']) == CONTRACT.hash


def test_transitions_are_interrupted_where_the_next_row_does_not_continue():
    # Three of 'a', two of 'b'; the second row does not end where the third begins.
    steps = make_transitions(5)
    steps.terminations[:] = False
    steps.source_episode[:] = [0, 0, 0, 1, 1]
    steps.source_step[:] = [0, 1, 2, 3, 4]
    steps.rule[:] = 0
    steps.states[1], steps.states[4] = steps.next_states[0], steps.next_states[3]
    np.testing.assert_array_equal(interrupted(steps), [False, True, True, False, True])
    steps.terminations[4] = True
    assert not interrupted(steps)[4]


def test_augmented_transitions_go_to_npz_only(tmp_path, capsys):
    make_transitions(50).save(tmp_path / 'set.h5')
    assert guda('export', tmp_path / 'set.h5', '--format', 'npz', '--out', tmp_path / 'x.npz') == 0
    with np.load(tmp_path / 'x.npz') as data:
        assert (~data['timeouts']).sum() == 50 and set(data['infos/rule']) <= {
            'raw',
            'guided',
            'hindsight',
        }
    assert (
        guda('export', tmp_path / 'set.h5', '--format', 'robomimic', '--out', tmp_path / 'x.hdf5')
        == 1
    )
    assert 'takes whole trajectories' in capsys.readouterr().err


def test_nothing_usable_is_an_error_and_leaves_no_file(tmp_path, episodes, capsys):
    for episode in episodes:
        episode.valid[:] = False
    with pytest.raises(DataSetError, match='no usable step'):
        trajectories(episodes, CONTRACT)
    write_minari(tmp_path / 'set', episodes, CONTRACT)
    assert guda('export', tmp_path / 'set', '--format', 'npz', '--out', tmp_path / 'x.npz') == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ['set']


@pytest.mark.parametrize('kind', ['robomimic', 'npz'])
def test_a_place_that_cannot_be_written_is_one_error(dataset, tmp_path, capsys, kind):
    (tmp_path / 'file').write_text('x')
    assert guda('export', dataset, '--format', kind, '--out', tmp_path / 'file' / 'x') == 1
    assert f'{tmp_path / "file"} is a file, not a folder' in capsys.readouterr().err


def test_minari_opens_what_was_edited(dataset, tmp_path):
    assert guda('trim', dataset, '--from', '0.1', '--out', tmp_path / 'cut') == 0
    opened = minari.MinariDataset(tmp_path / 'cut')
    assert opened.total_episodes == 3 and opened.total_steps == 16
    episode = next(opened.iterate_episodes())
    assert len(episode.observations) == len(episode.actions) + 1 == 8


def test_lerobot_needs_its_extra_and_says_so(dataset, tmp_path, capsys):
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError:
        pass
    else:
        pytest.skip('pyarrow is installed')
    assert guda('export', dataset, '--format', 'lerobot', '--out', tmp_path / 'lr') == 1
    assert 'install the extra [lerobot]' in capsys.readouterr().err
    assert not (tmp_path / 'lr').exists()


def test_lerobot_gets_a_folder_of_its_format_3(dataset, tmp_path):
    pq = pytest.importorskip('pyarrow.parquet', reason='the extra [lerobot] is not installed')
    out = tmp_path / 'lr'
    assert guda('export', dataset, '--format', 'lerobot', '--out', out) == 0
    info = json.loads((out / 'meta' / 'info.json').read_text())
    assert (info['codebase_version'], info['fps']) == ('v3.0', 10)
    assert (info['total_episodes'], info['total_frames']) == (4, 17)
    data = pq.read_table(out / info['data_path'].format(chunk_index=0, file_index=0))
    assert set(data.column_names) == set(info['features'])
    for name, feature in info['features'].items():
        width = getattr(data.schema.field(name).type, 'list_size', 1)
        assert [width] == feature['shape']
    assert data['episode_index'].to_pylist() == [0] * 2 + [1] * 4 + [2] * 6 + [3] * 5
    assert data['index'].to_pylist() == list(range(17))
    assert data['next.success'].to_pylist() == [n == 5 for n in range(17)]
    np.testing.assert_allclose(
        data['timestamp'].to_pylist()[:6], [0, 0.1, 0, 0.1, 0.2, 0.3], atol=1e-6
    )
    episodes = pq.read_table(
        out / 'meta' / 'episodes' / 'chunk-000' / 'file-000.parquet'
    ).to_pylist()
    assert [(row['dataset_from_index'], row['dataset_to_index']) for row in episodes] == [
        (0, 2),
        (2, 6),
        (6, 12),
        (12, 17),
    ]
    stats = json.loads((out / 'meta' / 'stats.json').read_text())
    actions = np.array(data['action'].to_pylist())
    np.testing.assert_allclose(stats['action']['mean'], actions.mean(axis=0), rtol=1e-6)


def read_by_d4rl(data):
    """Return observations, actions, next observations and ends as d4rl.qlearning_dataset does."""
    rows = [row for row in range(len(data['rewards']) - 1) if not data['timeouts'][row]]
    following = data['observations'][np.array(rows, dtype=int) + 1]
    return data['observations'][rows], data['actions'][rows], following, data['terminals'][rows]


def read_by_d3rlpy(data):
    """Return the same as d3rlpy's EpisodeGenerator and BasicTransitionPicker do."""
    assert not (data['terminals'] & data['timeouts']).any()
    rows, following, start = [], [], 0
    for end in np.flatnonzero(data['terminals'] | data['timeouts']) + 1:
        terminated = data['terminals'][end - 1]
        rows += range(start, end if terminated else end - 1)
        following += list(data['observations'][start + 1 : end])
        if terminated:
            following.append(np.zeros_like(data['observations'][0]))
        start = end
    return data['observations'][rows], data['actions'][rows], following, data['terminals'][rows]


@st.composite
def sets_of_steps(draw):
    """Draw transitions that are cut anywhere, as augmentation leaves them."""
    count = draw(st.integers(1, 40))
    steps = make_transitions(count)
    steps.terminations[:] = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    continued = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    steps.source_episode[:] = 0
    steps.rule[:] = 0
    for row in range(1, count):
        if continued[row]:
            steps.states[row] = steps.next_states[row - 1]
    return steps


@settings(max_examples=60, deadline=None)
@given(sets_of_steps())
def test_every_transition_of_any_set_arrives_with_its_successor(steps):
    with tempfile.TemporaryDirectory() as folder:
        write_transitions_npz(f'{folder}/x.npz', steps)
        with np.load(f'{folder}/x.npz') as data:
            for reader in (read_by_d4rl, read_by_d3rlpy):
                assert_all_arrived(reader(data), steps)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_usable_step_of_any_episodes_arrives_in_every_format(data):
    episodes = []
    for number in range(data.draw(st.integers(1, 4))):
        verdict = data.draw(st.sampled_from(['scored', 'out', 'timeout', 'aborted']))
        episode = make_episode(str(number), verdict, data.draw(st.integers(1, 9)), seed=number)
        known = data.draw(
            st.lists(st.booleans(), min_size=len(episode) + 1, max_size=len(episode) + 1)
        )
        episode.valid[:] = known
        episodes.append(episode)
    steps = transitions(episodes, CONTRACT)
    if not len(steps):
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / 'set'
        write_minari(source, episodes, CONTRACT)
        for kind in ('npz', 'robomimic', 'lerobot' if HAS_PYARROW else 'npz'):
            if not (Path(folder) / kind).exists():
                assert guda('export', source, '--format', kind, '--out', source.parent / kind) == 0
        with np.load(source.parent / 'npz') as arrays:
            for reader in (read_by_d4rl, read_by_d3rlpy):
                assert_all_arrived(reader(arrays), steps)
        with h5py.File(source.parent / 'robomimic') as file:
            demos = [file['data'][f'demo_{number}'] for number in range(len(file['data']))]
            columns = ('obs/observation', 'actions', 'next_obs/observation', 'dones')
            assert_all_arrived(
                [np.concatenate([demo[name][:] for demo in demos]) for name in columns], steps
            )
        opened = list(minari.MinariDataset(source).iterate_episodes())
        masks = [
            one.infos['valid'][:-1] & one.infos['valid'][1:] & np.isfinite(one.actions).all(1)
            for one in opened
        ]
        for one, mask in zip(opened, masks):
            # What is not usable cannot be learned from by accident.
            assert np.isnan(one.rewards[~mask]).all() and np.isfinite(one.rewards[mask]).all()
        assert_all_arrived(
            [
                np.concatenate([choose(one)[mask] for one, mask in zip(opened, masks)])
                for choose in (
                    lambda one: one.observations[:-1],
                    lambda one: one.actions,
                    lambda one: one.observations[1:],
                    lambda one: one.terminations,
                )
            ],
            steps,
        )
        if HAS_PYARROW:
            import pyarrow.parquet as pq

            table = pq.read_table(next((source.parent / 'lerobot' / 'data').rglob('*.parquet')))
            names = ('observation.state', 'action', 'next.observation.state')
            assert_all_arrived(
                [
                    *(np.array(table[name].to_pylist(), dtype=np.float32) for name in names),
                    steps.terminations,
                ],
                steps,
            )
            # A successor that is the next frame of the same episode is the same.
            number = np.array(table['episode_index'].to_pylist())
            inside = number[1:] == number[:-1]
            state, following = (
                np.array(table[name].to_pylist(), dtype=np.float32) for name in names[::2]
            )
            np.testing.assert_array_equal(state[1:][inside], following[:-1][inside])


@pytest.mark.parametrize('kind', ['npz', 'robomimic', 'lerobot'])
def test_an_export_tells_what_its_readers_make_of_it(dataset, tmp_path, capsys, kind):
    if kind == 'lerobot' and not HAS_PYARROW:
        pytest.skip('the extra [lerobot] is not installed')
    assert guda('export', dataset, '--format', kind, '--out', tmp_path / 'x') == 0
    told = capsys.readouterr().out
    assert '17 of 19 steps' in told and 'successor' in told
