"""What dead processes left in shared memory is removed, and nothing that somebody may use."""

import fcntl

import pytest

from guda_ros.ros.graph import shared_memory


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shared_memory, 'SHARED_MEMORY', tmp_path)
    return tmp_path


def leave(folder, name):
    """Make a segment or port with its lock file; return that."""
    (folder / name).write_bytes(b'0' * 100)
    lock = folder / f'{name}_el'
    lock.touch()
    return lock


def test_segments_without_an_owner_are_removed_and_others_are_kept(folder):
    leave(folder, 'fastdds_0123456789abcdef')
    with open(leave(folder, 'fastdds_fedcba9876543210')) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        removed = shared_memory.clean_shared_memory(min_age=0.01)
    assert {path.name for path in removed} == {
        'fastdds_0123456789abcdef',
        'fastdds_0123456789abcdef_el',
    }
    assert {path.name for path in folder.iterdir()} == {
        'fastdds_fedcba9876543210',
        'fastdds_fedcba9876543210_el',
    }


def test_ports_are_neither_removed_nor_locked_for_a_moment(folder, monkeypatch):
    lock = leave(folder, 'fastdds_port7002')
    leave(folder, 'fastdds_0123456789abcdef')
    tried, flock = [], fcntl.flock

    def watched(file, operation):
        tried.append(file.name)
        flock(file, operation)

    monkeypatch.setattr(fcntl, 'flock', watched)
    shared_memory.clean_shared_memory(min_age=0.01)
    assert tried and str(lock) not in tried
    assert {path.name for path in folder.iterdir()} == {'fastdds_port7002', 'fastdds_port7002_el'}
    assert set(shared_memory.shared_memory_files()) == {'fastdds_port7002'}


def test_whoever_looks_at_the_same_time_is_taken_for_no_owner(folder):
    with open(leave(folder, 'fastdds_0123456789abcdef')) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        shared_memory.clean_shared_memory(min_age=0.01)
    assert list(folder.iterdir()) == []
