import io
import json
import tarfile

from nao_log_scene import closed_loop_log, STEP_ROWS
import numpy as np
import pytest

from guda_ros.data.exchange.nao_logs import read_nao_logs
from guda_ros.errors import GudaError
from guda_ros.identification.nao_findings import find


def content(rows=20):
    seen = np.column_stack(
        [
            np.arange(rows) * 10.0,
            np.zeros(rows),
            np.full(rows, 0.5),
            np.full(rows, 500.0),
            np.full(rows, -250.0),
        ]
    )
    raw = np.tile([0.3, 35.0, -20.0, 2.0], (rows, 1))
    return {'observations': seen.tolist(), 'actions': raw.tolist()}


def test_logs_are_read_in_metres_with_the_actions_that_were_sent(tmp_path):
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a' / 'one.log').write_text(json.dumps(content()))
    (log,) = read_nao_logs([tmp_path / 'a'])
    assert log.pose[3].tolist() == pytest.approx([0.03, 0.0, 0.5])
    assert log.ball[0].tolist() == [0.5, -0.25]
    assert log.actions[0].tolist() == [1.0, -1.0, 0.3]
    data = json.dumps(content()).encode()
    with tarfile.open(tmp_path / 'logs.tar.gz', 'w:gz') as archive:
        info = tarfile.TarInfo('x/two.log')
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    (archived,) = read_nao_logs([tmp_path / 'logs.tar.gz'])
    np.testing.assert_array_equal(archived.pose, log.pose)


@pytest.mark.parametrize(
    'text, message',
    [
        ('{', 'not a log of the NAO experiment'),
        ('{"observations": [[1, 2]], "actions": [[1]]}', 'were expected to be'),
        ('{"actions": []}', 'observations'),
    ],
)
def test_a_file_that_is_something_else_is_named(tmp_path, text, message):
    (tmp_path / 'bad.log').write_text(text)
    with pytest.raises(GudaError, match=message) as error:
        read_nao_logs([tmp_path])
    assert 'bad.log' in str(error.value)


def test_missing_and_empty_places_are_refused(tmp_path):
    with pytest.raises(GudaError, match='holds no .log file'):
        read_nao_logs([tmp_path])
    with pytest.raises(GudaError, match='no such file'):
        read_nao_logs([tmp_path / 'nowhere'])
    (tmp_path / 'x.tar.gz').write_bytes(b'no archive')
    with pytest.raises(GudaError, match='not a tar archive'):
        read_nao_logs([tmp_path / 'x.tar.gz'])


@pytest.mark.parametrize('response, delay', [((15, 15, 15), 0), ((30, 24, 14), 6)])
def test_steps_lag_and_noise_of_a_closed_loop_are_found(response, delay):
    found = find([closed_loop_log(str(seed), seed, response, delay) for seed in range(25)]).values
    assert found['rows a step'].value == pytest.approx(STEP_ROWS, rel=0.02)
    # The network answers the noise of localisation, so that the split into response and delay
    # is not to be had; the sum is, to half a walking step.
    for axis, name in enumerate(('forward', 'left', 'turn')):
        assert found[f'lag in all {name}'].value == pytest.approx(response[axis] + delay, abs=8)
    # 3 mm of noise and the alternation of two cameras by 2 and 1 mm.
    assert 2.5 < found['jitter of position'].value < 6
    assert found['jitter of heading'].value == pytest.approx(0.009, rel=0.15)
    assert 1 < found['jumps of position'].value < 4
