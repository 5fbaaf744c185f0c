"""Exports in the documented structure of other libraries, read back by plain readers."""

import json
import os
import subprocess
import sys

from dataset_scene import CONTRACT, make_episode, make_transitions
import h5py
import minari
import numpy as np
import pytest

from guda_ros.cli.main import main
from guda_ros.data.sets.minari import write_minari
from guda_ros.data.sets.trajectories import interrupted, trajectories
from guda_ros.data.transitions import DataSetError, transitions


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
        assert env.keys() == {'env_name', 'env_type', 'env_kwargs'}
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


def test_npz_has_the_arrays_of_d4rl(dataset, tmp_path):
    out = tmp_path / 'data.npz'
    assert guda('export', dataset, '--format', 'npz', '--out', out) == 0
    with np.load(out) as data:
        assert data['observations'].shape == (17, len(CONTRACT.observation_names))
        assert data['actions'].shape == (17, 3)
        ends = np.flatnonzero(data['terminals'] | data['timeouts'])
        np.testing.assert_array_equal(ends, [1, 5, 11, 16])
        np.testing.assert_array_equal(np.flatnonzero(data['terminals']), [5, 16])
        inside = np.setdiff1d(np.arange(17), ends)
        np.testing.assert_array_equal(
            data['observations'][inside + 1], data['next_observations'][inside]
        )
        assert list(data['infos/episode'][[0, 5, 6, 16]]) == ['a', 'a', 'b', 'c']
        np.testing.assert_array_equal(data['infos/step'][:6], [0, 1, 4, 5, 6, 7])
        assert list(data['infos/commanded_by'][10:13]) == ['policy', 'intervention', 'unknown']
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
        assert len(data['rewards']) == 50 and set(data['infos/rule']) <= {
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
    assert 'may you write there?' in capsys.readouterr().err


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


@pytest.mark.long
def test_d3rlpy_opens_the_export_in_an_environment_of_its_own(dataset, tmp_path):
    python = os.environ.get('GUDA_D3RLPY_PYTHON', '')
    if not python:
        pytest.skip(
            'GUDA_D3RLPY_PYTHON does not name a Python that has d3rlpy (docs/data_sets.md)'
        )
    out = tmp_path / 'data.npz'
    assert guda('export', dataset, '--format', 'npz', '--out', out) == 0
    program = (
        'import sys, numpy as np, d3rlpy\n'
        'data = np.load(sys.argv[1])\n'
        'opened = d3rlpy.dataset.MDPDataset(data["observations"], data["actions"],\n'
        '    data["rewards"], data["terminals"].astype(float), data["timeouts"].astype(float))\n'
        'print([episode.size() for episode in opened.episodes],\n'
        '      [bool(episode.terminated) for episode in opened.episodes])\n'
        'algorithm = d3rlpy.algos.BCConfig(batch_size=8).create()\n'
        'algorithm.fit(opened, n_steps=5, n_steps_per_epoch=5, show_progress=False,\n'
        '              logger_adapter=d3rlpy.logging.NoopAdapterFactory())\n'
    )
    environment = {key: value for key, value in os.environ.items() if key != 'PYTHONPATH'}
    result = subprocess.run(
        [python, '-c', program, str(out)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert '[2, 4, 6, 5] [False, True, False, True]' in result.stdout
    assert sys.executable != python
