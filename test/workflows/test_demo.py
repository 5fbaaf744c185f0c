import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.needs('rclpy', 'mujoco', 'torch', 'drawing')


def guda(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, '-m', 'guda_ros', *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )


def nodes_of(folder):
    found = []
    for path in Path('/proc').glob('[0-9]*/cmdline'):
        try:
            words = path.read_bytes().decode(errors='replace')
        except OSError:
            continue
        if 'guda_ros.nodes' in words and str(folder) in words:
            found.append(words)
    return found


def test_demo_survives_ctrl_c_and_continues_to_a_report(tmp_path):
    folder = tmp_path / 'run'
    first = guda('demo', '--quick', '--out', str(folder))
    deadline = time.monotonic() + 180
    # Stopped in the middle of the second episode: the first one is kept.
    while not (folder / 'record' / 'demonstration_000').exists():
        assert first.poll() is None, first.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1.0)
    os.killpg(first.pid, signal.SIGINT)
    output = first.communicate(timeout=60)[0]
    assert first.returncode == 130, output
    assert 'stopped by Ctrl-C' in output and 'Traceback' not in output
    assert not nodes_of(folder)

    second = guda('demo', '--quick', '--out', str(folder))
    output = second.communicate(timeout=500)[0]
    assert second.returncode == 0, output
    assert 'were recorded before and are kept' in output
    assert not nodes_of(folder)

    report = json.loads((folder / 'report.json').read_text())
    for arm in ('demonstrator', 'raw', 'random', 'guided'):
        numbers = report['success'][arm]
        assert 0 <= numbers['low'] <= numbers['rate'] <= numbers['high'] <= 1
        assert numbers['episodes'] == numbers['seeds'] * 10
    assert report['ros_episodes']['total'] == 2
    assert report['augmentation']['transitions'] == 5000
    assert 0 < report['perception']['ball_error_m_median'] < 0.05
    assert {'record', 'train', 'ros', 'evaluate'} <= report['wall_seconds'].keys()
    page = (folder / 'report.html').read_text()
    assert 'data:video/webm' in page and 'src="http' not in page

    again = guda('demo', '--quick', '--out', str(folder))
    output = again.communicate(timeout=60)[0]
    assert again.returncode == 0 and output.count('finished before, kept') == 7, output


def test_second_demo_in_the_same_folder_is_refused(tmp_path):
    import fcntl

    with open(tmp_path / '.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = guda('demo', '--quick', '--out', str(tmp_path))
        output = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert 'another run is working here' in output
