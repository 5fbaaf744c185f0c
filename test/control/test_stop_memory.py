"""What a safety node remembers of the one before."""

import os

import pytest

from guda_ros.control.stop_memory import StopMemory


def test_nobody_was_there_before(tmp_path):
    assert StopMemory(tmp_path / 'new' / 'safety.json').begin() == ''


def test_a_node_that_ended_by_itself_leaves_no_stop(tmp_path):
    memory = StopMemory(tmp_path / 'safety.json')
    memory.begin()
    memory.end('')
    assert StopMemory(tmp_path / 'safety.json').begin() == ''


def test_a_node_that_was_killed_leaves_a_stop(tmp_path):
    StopMemory(tmp_path / 'safety.json').begin()
    assert 'killed or crashed' in StopMemory(tmp_path / 'safety.json').begin()
    # Nobody released it: whoever is next is stopped as well, for the same reason.
    assert 'killed or crashed' in StopMemory(tmp_path / 'safety.json').begin()


@pytest.mark.parametrize('ends', [True, False])
def test_an_emergency_stop_outlives_every_end_until_it_is_released(tmp_path, ends):
    memory = StopMemory(tmp_path / 'safety.json')
    memory.begin()
    memory.note('joystick')
    if ends:
        memory.end('joystick')
    after = StopMemory(tmp_path / 'safety.json')
    assert after.begin() == 'joystick'
    after.note('')
    after.end('')
    assert StopMemory(tmp_path / 'safety.json').begin() == ''


@pytest.mark.parametrize(
    'content', [b'', b'{', b'[1]', b'{"cause": ""}', b'\xff\xfe', b'null', b'{"watched": 1}']
)
def test_a_memory_that_cannot_be_read_is_a_stop(tmp_path, content):
    (tmp_path / 'safety.json').write_bytes(content)
    assert 'cannot be read' in StopMemory(tmp_path / 'safety.json').begin()


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / 'file').write_text('no folder')
    memory = StopMemory(tmp_path / 'file' / 'safety.json')
    memory.begin()
    assert 'cannot be written' in memory.problem
    assert os.listdir(tmp_path) == ['file']
