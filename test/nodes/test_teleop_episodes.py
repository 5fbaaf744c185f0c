"""A person at a terminal records episodes of a simulated robot: everything real but the person."""

import json
import signal

import numpy as np
from pty_command import PtyCommand
import pytest

from guda_ros.data.episodes import read_episode
from guda_ros.data.recording.reader import list_recordings, RecordingReader
from guda_ros.data.verdicts import COMMANDERS

pytestmark = [
    pytest.mark.long,
    pytest.mark.needs('drawing'),
]


class Times:
    """Counts the calls; true from the n-th on."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_episodes_are_driven_kept_set_aside_and_recorded_again(tmp_path):
    folder = tmp_path / 'recordings'
    person = PtyCommand(
        'teleop',
        '--device',
        'keyboard',
        '--recordings',
        str(folder),
        '--operator',
        'tester',
        '--log-dir',
        str(tmp_path / 'log'),
        size=(80, 24),
    )
    try:
        person.wait_for('no episode yet: n begins one', 120)
        # Nothing is recorded before somebody says so.
        assert list_recordings(folder) == [] if folder.exists() else True
        person.press('n')
        person.wait_for('RUNNING')
        person.hold('w', Times(60))
        person.wait_for('hold a key to drive')
        person.hold('a', Times(30))
        person.press('y')
        person.wait_for('SCORED')
        person.wait_for('keep, discard or record again')
        person.press('\r')
        person.wait_for('kept 1 ')
        person.press('n')
        person.wait_for('RUNNING')
        person.hold('W', Times(20))
        person.press('\x7f')
        person.wait_for('set aside 1 ')
        person.press('n')
        person.wait_for('RUNNING')
        person.hold('w', Times(20))
        person.press('x')
        person.wait_for('FAILED')
        person.press('r')
        person.wait_for('set aside 2 ')
        person.wait_for('RUNNING')
        person.hold('s', Times(20))
        person.press('x')
        person.wait_for('FAILED')
        person.press('\r')
        person.wait_for('kept 2 ')
        person.wait_for('recorded')
        person.process.send_signal(signal.SIGINT)
        person.must_end(0)
        assert 'episodes kept: 2, set aside: 2' in person.text
    finally:
        person.close()
    kept = list_recordings(folder)
    aside = [path for path in folder.iterdir() if path.suffix == '.discarded']
    assert len(kept) == len(aside) == 2
    first, second = (read_episode(path) for path in kept)
    assert (first.verdict, second.verdict) == ('scored', 'failed')
    # What was set aside comes again: the same start, in an episode of another name.
    assert (first.start_index, second.start_index) == (0, 1)
    assert first.operator == 'tester'
    # A machine that is too busy for real time loses steps, and says so.
    known = np.isfinite(first.commands).all(axis=1)
    assert known.sum() > 20 and (known.all() or first.problems)
    names = [COMMANDERS[who] for who in first.commanded_by[known]]
    assert set(names) <= {'teleop', 'safety'} and names.count('teleop') > 0.8 * len(names)
    commands = {tuple(np.round(row, 4)) for row in first.commands[known]}
    # 60 % of .25 m/s, half of 60 % of 120 degrees a second, and standing.
    assert {(0.15, 0, 0), (0, 0, 0.6283), (0, 0, 0)} >= commands and len(commands) == 3
    moved = np.linalg.norm(np.diff(first.truth_states[[0, -1], :2], axis=0))
    assert 0.2 < moved < 0.6
    with RecordingReader(kept[0]) as reader:
        state = [json.loads(message.data) for _, _, message in reader.messages(['/safety/state'])]
        assert reader.topics['/joy'] > 50
    assert not any(entry['stopped'] for entry in state)
