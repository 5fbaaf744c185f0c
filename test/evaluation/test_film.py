import struct

import cv2
import numpy as np
from PIL import Image
import pytest

from guda_ros.data.contract import Contract
from guda_ros.evaluation.pages import film
from guda_ros.evaluation.pages.webm import is_key_frame, read_ivf, webm
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

KEY, INTER = b'\x10' + b'k' * 50, b'\x11' + b'i' * 20


@pytest.fixture(scope='module')
def contract():
    return Contract.load()


@pytest.fixture(scope='module')
def robot(contract):
    return RobotProfile.load(contract.robot)


def walk(count):
    """Return states of a robot that follows a ball along the x axis at .2 m/s."""
    states = np.zeros((count, world.SIZE))
    states[:, 0] = 1.0 + 0.02 * np.arange(count)
    states[:, 3] = states[:, 0] + 0.3
    return states


def ball_crossing(count, width=160, height=96):
    frames = []
    for number in range(count):
        frame = np.full((height, width, 3), (40, 110, 30), np.uint8)
        cv2.circle(frame, (20 + 4 * number, height // 2), 10, (20, 100, 240), -1)
        frames.append(frame)
    return frames


def decoded(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        more, frame = capture.read()
        if not more:
            return frames, capture.get(cv2.CAP_PROP_FPS)
        frames.append(frame)


def test_encoded_film_gives_the_frames_back_at_the_rate_asked_for(tmp_path):
    frames = ball_crossing(25)
    path = film.encode(frames, tmp_path / 'film.webm', rate=10.0, hold=5)
    assert path == tmp_path / 'film.webm'
    back, rate = decoded(path)
    assert len(back) == 25
    assert rate == pytest.approx(10.0)
    for frame, original in zip(back, frames):
        assert np.mean(np.abs(frame.astype(int) - original)) < 6
    assert [file.name for file in tmp_path.iterdir()] == ['film.webm']


def test_film_that_is_too_large_in_any_form_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(film.FilmError, match='within 300 bytes'):
        film.encode(ball_crossing(10), tmp_path / 'film.webm', rate=10.0, max_bytes=300)
    assert not list(tmp_path.iterdir())


def test_film_becomes_an_animated_webp_where_vp8_cannot_be_encoded(tmp_path, monkeypatch):
    class NoEncoder:
        def __init__(self, *_):
            pass

        def isOpened(self):
            return False

    monkeypatch.setattr(cv2, 'VideoWriter', NoEncoder)
    path = film.encode(ball_crossing(20), tmp_path / 'film.webm', rate=10.0)
    assert path == tmp_path / 'film.webp'
    with Image.open(path) as picture:
        assert picture.is_animated
        assert picture.n_frames == 20


def test_webm_tells_the_times_and_marks_the_key_frames():
    content = webm([KEY, INTER, KEY], [0, 80, 5000], 6000, (64, 48))
    assert content[:4] == b'\x1aE\xdf\xa3'
    # Two clusters: the second begins with the key frame that comes after more than 4 s.
    assert content.count(b'\x1fC\xb6u') == 2
    assert b'\x81' + struct.pack('>hB', 0, 0x80) + KEY in content
    assert b'\x81' + struct.pack('>hB', 80, 0) + INTER in content
    # Every cue names the place of a cluster, counted from the beginning of the segment's content.
    segment = content.index(b'\x18S\x80g') + 12
    cue = content.rindex(b'\xf1\x01' + b'\0' * 6 + b'\x08') + 9
    place = int.from_bytes(content[cue:][:8], 'big')
    cluster = content[segment:][place:]
    assert cluster.startswith(b'\x1fC\xb6u')
    assert cluster.count(KEY) == 1


def test_webm_begins_with_a_key_frame():
    assert is_key_frame(KEY) and not is_key_frame(INTER)
    with pytest.raises(ValueError, match='begins with a key frame'):
        webm([INTER, KEY], [0, 80], 160, (64, 48))


def test_ivf_that_is_cut_short_is_refused():
    head = b'DKIF' + struct.pack('<HH', 0, 32) + bytes(24)
    whole = head + struct.pack('<IQ', len(KEY), 0) + KEY
    assert read_ivf(whole) == [KEY]
    with pytest.raises(ValueError, match='cut short'):
        read_ivf(whole[:-1])
    with pytest.raises(ValueError, match='not an IVF'):
        read_ivf(b'something else entirely')


def test_ball_turns_once_on_a_way_of_its_circumference():
    radius = 0.05
    states = np.zeros((41, world.SIZE))
    states[:, 3] = np.linspace(0, np.pi * radius, 41)
    half = film._rolled(states, radius)[-1]
    # Half a turn about +y: w = cos(90 deg) = 0, y = sin(90 deg) = 1.
    assert half == pytest.approx([0, 0, 1, 0], abs=1e-6)


@pytest.mark.needs('drawing')
def test_film_of_an_episode_shows_three_views_and_the_verdict(tmp_path, contract, robot):
    states = walk(9)
    states[4] = np.nan
    drawn = []
    files = film.make_film(
        states,
        contract,
        robot,
        tmp_path / 'film.webm',
        verdict='scored',
        title='start 3',
        progress=lambda done, total: drawn.append((done, total)),
    )
    # Every second state of nine, without the one that is not known.
    assert drawn == [(number, 4) for number in range(1, 5)]
    frames, rate = decoded(files.film)
    assert len(frames) == 4
    assert rate == pytest.approx(12.5)
    assert files.film.stat().st_size < film.MAX_BYTES
    poster = cv2.imread(str(files.poster))
    height, width = poster.shape[:2]
    assert (height, width) == frames[0].shape[:2]
    for left, right in ((0, 0.33), (0.37, 0.66), (0.7, 1)):
        columns = slice(int(left * width), int(right * width))
        assert poster[: int(0.8 * height), columns].std() > 15
    strip = slice(int(0.93 * height), None), slice(int(0.9 * width), None)
    assert frames[-1][strip].max() > 150
    assert frames[0][strip].max() < 100


def test_episode_without_a_known_state_cannot_be_filmed(tmp_path, contract, robot):
    with pytest.raises(film.FilmError, match='no state that is known'):
        film.make_film(np.full((5, world.SIZE), np.nan), contract, robot, tmp_path / 'film.webm')
    assert not list(tmp_path.iterdir())
