"""Which recordings of an interrupted job are kept, and which are made again."""

from dataclasses import replace

import pytest
from recording_scene import write_recording

from guda_ros.data.contract import Contract
from guda_ros.data.contract_base import ContractMismatch
from guda_ros.data.recording.reader import list_recordings
from guda_ros.errors import GudaError
from guda_ros.evaluation.start_sets import load_start_set
from guda_ros.workflows.evaluate_ros import claim_recordings
from guda_ros.workflows.record import recorded_outcomes

CONTRACT = Contract.load()
NAMES = ['demonstration_000', 'demonstration_001', 'demonstration_002']


def outcomes(folder, scenario='attack', contract=CONTRACT):
    return recorded_outcomes(folder, NAMES, scenario, contract, say=lambda line: None)


def test_finished_episodes_are_kept_with_their_outcome(tmp_path):
    write_recording(tmp_path, steps=10, name=NAMES[0], verdict='scored')
    write_recording(tmp_path, steps=20, name=NAMES[2], verdict='timeout')
    found = outcomes(tmp_path)
    assert {index: outcome.verdict for index, outcome in found.items()} == {
        0: 'scored',
        2: 'timeout',
    }
    # Ten and twenty control steps of .1 s.
    assert [found[index].seconds for index in (0, 2)] == pytest.approx([1.0, 2.0])


@pytest.mark.parametrize('verdict', ['error', 'aborted'])
def test_an_episode_that_was_broken_off_is_set_aside_and_not_taken_for_done(tmp_path, verdict):
    write_recording(tmp_path, name=NAMES[0], verdict='out')
    write_recording(tmp_path, name=NAMES[1], verdict=verdict)
    assert list(outcomes(tmp_path)) == [0]
    aside = tmp_path / f'{NAMES[1]}.interrupted'
    assert aside.is_dir() and not (tmp_path / NAMES[1]).exists()
    assert [path.name for path in list_recordings(tmp_path)] == [NAMES[0]]


def test_what_kill_left_is_set_aside(tmp_path):
    (tmp_path / f'{NAMES[0]}.partial').mkdir()
    assert outcomes(tmp_path) == {}
    assert [path.name for path in tmp_path.iterdir()] == [f'{NAMES[0]}.interrupted']


def test_recordings_of_something_else_are_refused(tmp_path):
    write_recording(tmp_path, name=NAMES[0])
    with pytest.raises(GudaError, match="scenario 'attack', not 'centre'; choose another folder"):
        outcomes(tmp_path, scenario='centre')
    with pytest.raises(ContractMismatch, match='time_limit'):
        outcomes(tmp_path, contract=replace(CONTRACT, time_limit=60.0))
    assert (tmp_path / NAMES[0]).is_dir()


def test_episodes_of_one_policy_are_not_taken_for_those_of_another(tmp_path):
    first, second, folder = tmp_path / 'a.onnx', tmp_path / 'b.onnx', tmp_path / 'judged'
    first.write_bytes(b'first')
    second.write_bytes(b'second')
    starts = load_start_set('attack-ros-v1', CONTRACT.field)
    claim_recordings(folder, first, starts)
    write_recording(folder, name='attack-ros-v1_000')
    claim_recordings(folder, first, starts)
    with pytest.raises(GudaError, match='episodes of another policy or other starts; choose'):
        claim_recordings(folder, second, starts)
    with pytest.raises(GudaError, match='other starts'):
        claim_recordings(folder, first, replace(starts, hash='0'))
    (folder / 'policy.json').unlink()
    with pytest.raises(GudaError, match='episodes of another policy'):
        claim_recordings(folder, first, starts)
