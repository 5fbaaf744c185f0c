from dataclasses import replace
import json
import os
from pathlib import Path
import subprocess
import sys
import time

from dataset_scene import ARRAYS, assert_same, CONTRACT, make_episode, make_transitions
import h5py
import minari
import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.data.contract_base import ContractMismatch
from guda_ros.data.files import atomic_target
from guda_ros.data.sets.checkup import check_data_set
from guda_ros.data.sets.minari import read_minari, write_minari
from guda_ros.data.transitions import DataSetError, transitions, TransitionSet
from guda_ros.errors import GudaError

SUPPORT = Path(__file__).resolve().parents[1] / 'support'


def test_usable_steps_become_transitions():
    episode = make_episode()
    episode.valid[2] = False
    found = transitions([episode, make_episode('b', 'timeout', seed=2)], CONTRACT)
    np.testing.assert_array_equal(found.source_step, [0, 3, 4, 0, 1, 2, 3, 4])
    np.testing.assert_array_equal(found.source_episode, [0, 0, 0, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(found.states[:3], episode.world_states[[0, 3, 4]])
    np.testing.assert_array_equal(found.next_states[:3], episode.world_states[[1, 4, 5]])
    np.testing.assert_allclose(
        CONTRACT.to_command(found.actions[1]), episode.commands[3], atol=1e-7
    )
    assert found.episode_ids == ('a', 'b')
    np.testing.assert_array_equal(found.success(), [True] * 3 + [False] * 5)
    assert found.rule_counts() == {'raw': 8}


@pytest.mark.parametrize(
    'verdict, last, terminated',
    [
        ('scored', 10.1, True),
        ('out', -0.9, True),
        ('timeout', 0.1, False),
        ('aborted', 0.1, False),
    ],
)
def test_rewards_are_progress_and_the_end_is_the_verdict(verdict, last, terminated):
    found = transitions([make_episode(verdict=verdict)], CONTRACT)
    np.testing.assert_allclose(found.rewards, [0.1] * 4 + [last], rtol=1e-5)
    np.testing.assert_array_equal(found.terminations, [False] * 4 + [terminated])


def test_a_goal_that_only_the_robot_believed_in_ends_nothing():
    episode = make_episode(verdict='timeout')
    episode.world_states[2, 3:5] = 4.65, 0.0
    found = transitions([episode], CONTRACT)
    # 3.6 m to the goal point, then .05 m, then 3.4 m.
    np.testing.assert_allclose(found.rewards[1:3], [3.55, -3.35], rtol=1e-5)
    assert not found.terminations.any()


def test_no_usable_step_gives_an_empty_set():
    episode = make_episode()
    episode.valid[:] = False
    assert len(transitions([episode], CONTRACT)) == 0
    assert len(transitions([], CONTRACT)) == 0


def test_transitions_come_back_from_the_file_as_they_were(tmp_path):
    written = make_transitions()
    written.save(tmp_path / 'new' / 'set.h5')
    assert_same(written, TransitionSet.load(tmp_path / 'new' / 'set.h5'))
    assert [item.name for item in (tmp_path / 'new').iterdir()] == ['set.h5']


def test_an_empty_set_comes_back_too(tmp_path):
    make_transitions(0).save(tmp_path / 'set.h5')
    assert len(TransitionSet.load(tmp_path / 'set.h5')) == 0


def test_200k_transitions_load_within_a_second(tmp_path):
    make_transitions(200_000).save(tmp_path / 'set.h5')
    started = time.perf_counter()
    TransitionSet.load(tmp_path / 'set.h5')
    assert time.perf_counter() - started < 1.0


def test_observations_follow_the_contract():
    found = make_transitions(7)
    np.testing.assert_array_equal(found.observations(), CONTRACT.observe(found.states))
    np.testing.assert_array_equal(found.next_observations(), CONTRACT.observe(found.next_states))


def test_a_selection_keeps_names_and_contract():
    found = make_transitions()
    chosen = found.select(found.rule == 2)
    assert set(chosen.rule) == {2}
    assert chosen.rule_names == found.rule_names
    assert chosen.rule_counts()['hindsight'] == len(chosen)


def test_joined_sets_agree_on_rules_and_episodes():
    one = make_transitions(10)
    other = replace(
        make_transitions(10),
        rule_names=('hindsight', 'random', 'raw'),
        episode_ids=('b', 'c'),
        episode_success=(False, True),
    )
    joined = TransitionSet.concatenate([one, other])
    assert joined.rule_names == ('raw', 'guided', 'hindsight', 'random')
    assert joined.episode_ids == ('a', 'b', 'c')
    assert joined.episode_success == (True, False, True)
    names = [joined.rule_names[rule] for rule in joined.rule[10:]]
    assert names == [other.rule_names[rule] for rule in other.rule]
    np.testing.assert_array_equal(joined.success()[10:], other.success())


def test_sets_of_different_contracts_are_not_joined():
    one = make_transitions(3)
    with pytest.raises(ContractMismatch, match='rate: 10.0 != 20.0'):
        TransitionSet.concatenate([one, replace(one, contract=replace(CONTRACT, rate=20.0))])


@pytest.mark.parametrize(
    'change, problem',
    [
        ({'actions': np.zeros((5, 2))}, 'actions: shape'),
        ({'rule': np.full(5, 9)}, 'rule: an index is outside'),
        ({'source_episode': np.full(5, -1)}, 'source_episode: an index is outside'),
        ({'episode_success': (True,)}, 'episode_success: 2 values'),
    ],
)
def test_inconsistent_transitions_are_refused(change, problem):
    with pytest.raises(ValueError, match=problem):
        replace(make_transitions(5), **change)


def test_a_missing_file_is_named_with_its_remedy(tmp_path):
    with pytest.raises(DataSetError, match='set.h5: no such file; make it with `guda augment`'):
        TransitionSet.load(tmp_path / 'set.h5')


@pytest.mark.parametrize('keep', [0, 100, 2000, -1000, -1])
def test_a_truncated_file_is_named_with_its_remedy(tmp_path, keep):
    path = tmp_path / 'set.h5'
    make_transitions().save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataSetError, match='set.h5: damaged or incomplete.*make it again'):
        TransitionSet.load(path)


def test_damaged_numbers_are_found_by_the_checksum(tmp_path):
    path = tmp_path / 'set.h5'
    written = make_transitions()
    written.save(path)
    content = path.read_bytes()
    place = content.index(written.states[500].tobytes())
    path.write_bytes(content[:place] + b'\xff' + content[place + 1 :])
    with pytest.raises(DataSetError, match='set.h5: damaged'):
        TransitionSet.load(path)


def test_another_hdf5_file_is_told_apart(tmp_path):
    with h5py.File(tmp_path / 'set.h5', 'w') as file:
        file['states'] = np.zeros(3)
    with pytest.raises(DataSetError, match='set.h5: not a set of transitions'):
        TransitionSet.load(tmp_path / 'set.h5')


def test_a_file_of_a_later_format_is_refused(tmp_path):
    make_transitions(3).save(tmp_path / 'set.h5')
    with h5py.File(tmp_path / 'set.h5', 'a') as file:
        file.attrs['version'] = 99
    with pytest.raises(DataSetError, match='format version 99'):
        TransitionSet.load(tmp_path / 'set.h5')


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / 'set.h5'
    make_transitions(10).save(path)
    program = (
        'import resource, sys; sys.path.insert(0, sys.argv[2])\n'
        'from dataset_scene import make_transitions\n'
        'found = make_transitions(100000)\n'
        'hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]\n'
        'resource.setrlimit(resource.RLIMIT_FSIZE, (1000000, hard))\n'
        'found.save(sys.argv[1])\n'
    )
    result = subprocess.run(
        [sys.executable, '-c', program, str(path), str(SUPPORT)],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert 'DataSetError' in result.stderr and 'room on the disk' in result.stderr
    assert len(TransitionSet.load(path)) == 10
    assert [item.name for item in tmp_path.iterdir()] == ['set.h5']


def test_episodes_come_back_from_a_minari_data_set_as_they_were(tmp_path):
    written = [make_episode(), make_episode('b', 'out', steps=8, seed=2)]
    write_minari(tmp_path / 'data', written, CONTRACT)
    found = read_minari(tmp_path / 'data', CONTRACT)
    for one, other in zip(written, found, strict=True):
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), strict=True)
        for name in (
            'id',
            'scenario',
            'seed',
            'start_index',
            'verdict',
            'operator',
            'contract_hash',
            'problems',
        ):
            assert getattr(one, name) == getattr(other, name)
    assert [item.name for item in tmp_path.iterdir()] == ['data']


def test_minari_itself_reads_the_data_set(tmp_path):
    episode = make_episode()
    write_minari(tmp_path / 'data', [episode, make_episode('b', 'timeout', steps=8)], CONTRACT)
    dataset = minari.MinariDataset(tmp_path / 'data')
    assert (dataset.total_episodes, dataset.total_steps) == (2, 13)
    assert dataset.observation_space.shape == (len(CONTRACT.observation_names),)
    assert dataset.action_space.shape == (3,)
    assert dataset.storage.metadata['contract_hash'] == CONTRACT.hash
    assert dataset.storage.metadata['observation_names'] == list(CONTRACT.observation_names)
    scored, timeout = dataset.iterate_episodes()
    np.testing.assert_array_equal(scored.observations, CONTRACT.observe(episode.world_states))
    assert dataset.observation_space.contains(scored.observations[0])
    assert dataset.action_space.contains(scored.actions[0])
    np.testing.assert_allclose(CONTRACT.to_command(scored.actions), episode.commands, atol=1e-7)
    np.testing.assert_allclose(scored.rewards, [0.1] * 4 + [10.1])
    assert scored.terminations.tolist() == [False] * 4 + [True]
    assert not scored.truncations.any()
    assert timeout.truncations.tolist() == [False] * 7 + [True]
    assert not timeout.terminations.any()
    assert scored.infos['success'].tolist() == [False] * 5 + [True]
    np.testing.assert_array_equal(scored.infos['truth_states'], episode.truth_states)


def test_nothing_is_written_to_the_home_folder(tmp_path):
    home = tmp_path / 'home'
    home.mkdir()
    program = (
        'import sys; sys.path.insert(0, sys.argv[2]); import dataset_scene as t\n'
        'from guda_ros.data.sets.minari import read_minari, write_minari\n'
        'write_minari(sys.argv[1], [t.make_episode()], t.CONTRACT)\n'
        'assert len(read_minari(sys.argv[1])) == 1\n'
    )
    subprocess.run(
        [sys.executable, '-c', program, str(tmp_path / 'data'), str(SUPPORT)],
        check=True,
        env={**os.environ, 'HOME': str(home)},
    )
    assert list(home.iterdir()) == []


def test_a_minari_data_set_is_never_overwritten(tmp_path):
    write_minari(tmp_path / 'data', [make_episode()], CONTRACT)
    with pytest.raises(DataSetError, match='data: exists already'):
        write_minari(tmp_path / 'data', [make_episode()], CONTRACT)


def test_what_appears_while_something_is_written_is_kept_and_told(tmp_path):
    def write(folder, text):
        folder.mkdir()
        (folder / 'file').write_text(text)

    def write_both():
        with atomic_target(tmp_path / 'data') as temporary:
            write(temporary, 'mine')
            with atomic_target(tmp_path / 'data') as other:
                write(other, 'theirs')

    with pytest.raises(GudaError, match='another command wrote there at the same time'):
        write_both()
    assert [path.name for path in tmp_path.iterdir()] == ['data']
    assert (tmp_path / 'data' / 'file').read_text() == 'theirs'


def test_a_data_set_without_episodes_is_refused(tmp_path):
    with pytest.raises(DataSetError, match='no episode to write'):
        write_minari(tmp_path / 'data', [], CONTRACT)
    assert list(tmp_path.iterdir()) == []


def test_a_data_set_of_another_contract_is_refused_with_the_difference(tmp_path):
    write_minari(tmp_path / 'data', [make_episode()], CONTRACT)
    with pytest.raises(ContractMismatch, match='time_limit: 60.0 != 90.0'):
        read_minari(tmp_path / 'data', replace(CONTRACT, time_limit=60.0))


def test_a_missing_data_set_is_named(tmp_path):
    with pytest.raises(DataSetError, match='nowhere: no data set there; make it with'):
        read_minari(tmp_path / 'nowhere')


@pytest.mark.parametrize(
    'file, keep', [('metadata.json', 50), ('main_data.hdf5', 3000), ('main_data.hdf5', 0)]
)
def test_a_damaged_data_set_is_named(tmp_path, file, keep):
    write_minari(tmp_path / 'data', [make_episode()], CONTRACT)
    path = tmp_path / 'data' / file
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataSetError, match='data: damaged, incomplete or not a data set'):
        read_minari(tmp_path / 'data')


def test_a_data_set_of_someone_else_is_told_apart(tmp_path):
    write_minari(tmp_path / 'data', [make_episode()], CONTRACT)
    path = tmp_path / 'data' / 'metadata.json'
    content = json.loads(path.read_text())
    del content['contract']
    path.write_text(json.dumps(content))
    with pytest.raises(DataSetError, match='not a data set of guda_ros'):
        read_minari(tmp_path / 'data')


def test_a_ball_that_was_not_known_is_nan_in_what_others_train_on(tmp_path):
    """What the docs say: no row looks usable that is not, and what was recorded is kept."""
    lost = make_episode(steps=8)
    lost.valid[[0, 3, 4]] = False
    lost.world_states[3:5, 3:7] = 0.0
    write_minari(tmp_path / 'data', [lost], CONTRACT)
    (read,) = minari.MinariDataset(tmp_path / 'data').iterate_episodes()
    names = np.array(CONTRACT.observation_names)
    of_ball = np.array([name.startswith(('ball', 'push')) for name in names])
    assert of_ball.any() and not of_ball.all()
    assert np.isnan(read.observations[[0, 3, 4]][:, of_ball]).all()
    known = [1, 2, 5, 6, 7, 8]
    np.testing.assert_array_equal(
        read.observations[known], CONTRACT.observe(lost.world_states)[known]
    )
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(read.rewards)), [0, 2, 3, 4])
    np.testing.assert_array_equal(read.infos['world_states'], lost.world_states)
    assert check_data_set(tmp_path / 'data') != []
    assert not [one for one in check_data_set(tmp_path / 'data') if 'numbers where' in one.text]


def test_a_set_of_an_earlier_version_is_told_to_have_numbers_there(tmp_path):
    lost = make_episode(steps=8)
    lost.valid[3] = False
    write_minari(tmp_path / 'data', [lost], CONTRACT)
    with h5py.File(tmp_path / 'data' / 'main_data.hdf5', 'r+') as file:
        file['episode_0/observations'][:] = CONTRACT.observe(lost.world_states)
    told = [(one.level, one.text) for one in check_data_set(tmp_path / 'data')]
    assert any(
        level == 'warning' and text.startswith('observations are numbers where')
        for level, text in told
    )
    assert not [text for level, text in told if level == 'error']


@pytest.mark.parametrize('robot, scenario', [('nao_v6', 'penalty'), ('booster_t1', 'attack')])
def test_minari_recovers_the_environment_of_a_set(tmp_path, robot, scenario):
    """In a process that has not imported guda_ros, as another library has it."""
    contract = replace(Contract.load(robot=robot), observation=('ball', 'goal'), time_limit=7.0)
    episodes = [replace(make_episode(str(n), seed=n), scenario=scenario) for n in range(2)]
    write_minari(tmp_path / 'data', episodes, contract)
    program = (
        'import minari, sys\n'
        'opened = minari.MinariDataset(sys.argv[1])\n'
        'env = opened.recover_environment()\n'
        'observation, _ = env.reset(seed=1)\n'
        'env.step(env.action_space.sample())\n'
        'own = env.unwrapped.episodes\n'
        'print(observation.shape == opened.observation_space.shape, env.spec.id,\n'
        '      own.contract.hash, own.scenario, own.robot.name)\n'
    )
    result = subprocess.run(
        [sys.executable, '-c', program, str(tmp_path / 'data')], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr[-2000:]
    expected = ['True', 'guda_ros/Soccer-v0', contract.hash, scenario, robot]
    assert result.stdout.split() == expected
