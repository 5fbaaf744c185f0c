"""`guda convert` of recordings; that of logs is in test_nao_demonstrations."""

import pytest
import recording_scene as scene

from guda_ros.cli.main import main
from guda_ros.config.files import find_config
from guda_ros.data.contract import Contract
from guda_ros.data.recording.reader import RecordingInfo, RecordingWriter
from guda_ros.data.sets.minari import read_minari, read_minari_contract


@pytest.fixture
def recordings(tmp_path):
    scene.write_recording(tmp_path / 'recordings')
    return tmp_path / 'recordings'


def test_a_set_may_have_another_observation_than_the_recordings(recordings, tmp_path):
    with open(find_config('tasks', 'soccer_push'), encoding='utf-8') as file:
        lines = [line for line in file if not line.startswith('observation:')]
    task = tmp_path / 'simple.yaml'
    task.write_text(''.join(lines) + 'observation: [ball, goal]\n')
    out = tmp_path / 'set'
    assert main(['convert', str(recordings), '--contract', str(task), '--out', str(out)]) == 0
    assert read_minari_contract(out).observation == ('ball', 'goal')
    assert len(read_minari(out)[0]) == 10


@pytest.mark.parametrize('arguments', [(), ('--skip-damaged',)])
def test_another_robot_than_that_of_the_recordings_is_refused(
    recordings, tmp_path, capsys, arguments
):
    out = tmp_path / 'set'
    assert (
        main(['convert', str(recordings), '--robot', 'booster_t1', '--out', str(out), *arguments])
        == 1
    )
    assert 'robot: booster_t1 != nao_v6' in capsys.readouterr().err
    assert not out.exists()


def test_what_the_recorder_had_against_an_episode_is_told(recordings, tmp_path, capsys):
    writer = RecordingWriter(
        recordings, Contract.load(), RecordingInfo('jumped', start_stamp=scene.START)
    )
    for role, (topic, kind) in scene.TOPICS.items():
        writer.add_topic(topic, kind, role)
    for step in range(3):
        for role, data in scene.samples(step).items():
            writer.write(scene.TOPICS[role][0], scene.START, data)
    writer.close(
        {'good': False, 'reasons': ['the clock jumped by -3.0 s']},
        verdict='scored',
        end_stamp=scene.START + 2 * scene.PERIOD,
    )
    assert main(['convert', str(recordings), '--out', str(tmp_path / 'set')]) == 0
    told = capsys.readouterr().out
    assert told.count('not good enough: the clock jumped by -3.0 s') == 1


def test_what_is_not_complete_is_left_out_and_told(recordings, tmp_path, capsys):
    scene.write_recording(recordings, name='b').rename(recordings / 'b.partial')
    assert main(['convert', str(recordings), '--out', str(tmp_path / 'set')]) == 0
    assert f'left out: {recordings / "b.partial"}: is being recorded, or was interrupted' in (
        capsys.readouterr().out
    )
    assert [episode.id for episode in read_minari(tmp_path / 'set')] == ['episode_0']
