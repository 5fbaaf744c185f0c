"""`guda game`: what a person types is on the wire."""

import os
import socket
import struct
import subprocess
import sys
import time

import pytest

from guda_ros.cli.main import main


@pytest.fixture
def robot():
    """Return the UDP socket of a robot."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(('127.0.0.1', 0))
        found.settimeout(20)
        yield found


def test_what_is_typed_is_sent_and_the_robots_are_told_of(robot):
    port = robot.getsockname()[1]
    command = ['game', '--team', '5', '--against', '6', '--status-port', '0', '--port', str(port)]
    process = subprocess.Popen(
        [sys.executable, '-m', 'guda_ros', *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, 'PYTHONUNBUFFERED': '1'},
    )
    try:
        data, _ = robot.recvfrom(2048)
        # The offsets of the published header: state, then the teams.
        assert len(data) == 198 and data[:5] == b'RGme\x13'
        assert (data[10], data[18], data[108]) == (0, 5, 6)
        told = process.stdout.readline()
        answers = int(told.rpartition(' ')[2])
        process.stdin.write('play\npenalise 2 pushing team 6\nnonsense\n')
        process.stdin.flush()
        deadline = time.monotonic() + 20
        while not (data[10] == 3 and data[108 + 10 + 4] == 9):
            assert time.monotonic() < deadline
            data, _ = robot.recvfrom(2048)
        first = data[5]
        # It goes on by itself.
        assert robot.recvfrom(2048)[0][5] == (first + 1) % 256
        status = b'RGrt' + bytes([4, 3, 5, 0]) + struct.pack('<6f', 1500, 0, 0, -1, 0, 0)
        for _ in range(3):
            robot.sendto(status, ('127.0.0.1', answers))
        robot.sendto(b'nonsense', ('127.0.0.1', answers))
        lines = []
        while not any('5.3 is there' in line for line in lines):
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        process.stdin.write('quit\n')
        process.stdin.flush()
        lines += process.stdout.readlines()
        text = ''.join(lines)
        assert process.wait(20) == 0 and 'Traceback' not in text
        assert "'nonsense' is no rule; known: initial, ready" in text
        assert '5.3 is there, stands, at 1.5, 0.0 m, no ball' in text
        assert text.count('5.3 is there') == 1 and 'not understood' in text
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    'words, said',
    [
        (['--team', '3', '--against', '3'], 'two different teams are needed'),
        (['--to', 'no.such.host.invalid'], 'no.such.host.invalid:3838'),
    ],
)
def test_what_cannot_be_is_told_in_a_line(words, said, capsys):
    assert main(['game', '--status-port', '0', *words]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count('\n') == 1


def test_numbers_that_no_packet_holds_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(['game', '--team', '255'])
    assert 'a number from 1 to 254 is expected' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(['up', 'robot', '--team', '5', '--player', '21'])
    assert 'a number from 1 to 20 is expected' in capsys.readouterr().err
