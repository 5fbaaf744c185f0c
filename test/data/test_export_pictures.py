"""What the camera saw, as it leaves recordings for other libraries."""

import cv2
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
from pictures import jpeg_of, picture
import pytest
from recording_scene import write_recording

from guda_ros.data.exchange.lerobot_statistics import (
    column_statistics,
    joined,
    picture_statistics,
    sampled_rows,
    smaller,
)
from guda_ros.data.exchange.pictures import FilmWriter, RecordedPictures
from guda_ros.data.sets.sources import read_source
from guda_ros.data.sets.trajectories import trajectories
from guda_ros.data.transitions import DataSetError
from guda_ros.perception.encodings import decode_compressed
from guda_ros.workflows.data.exchange import export_data


def pictures_in(folder):
    source = read_source(folder)
    return source, RecordedPictures(source.recordings, source.episodes, decode_compressed)


def test_each_step_gets_the_picture_of_its_own_stamp(tmp_path):
    write_recording(tmp_path, 12, 'a', jpeg=jpeg_of)
    write_recording(tmp_path, 7, 'b', seed=8, jpeg=lambda k: jpeg_of(k + 20))
    source, found = pictures_in(tmp_path)
    assert found and found.size == (160, 120)
    for first, part in zip((0, 20), trajectories(source.episodes, source.contract, found.seen)):
        seen = list(found.of(part.episode, part.stamps))
        assert len(seen) == len(part)
        for step, image in enumerate(seen):
            distances = [np.abs(image.astype(int) - picture(k)).mean() for k in range(30)]
            assert int(np.argmin(distances)) == first + step


def test_an_episode_is_cut_where_a_picture_is_missing_or_torn(tmp_path):
    write_recording(
        tmp_path,
        10,
        'a',
        jpeg=lambda k: None if k == 3 else jpeg_of(k)[:40] if k == 6 else jpeg_of(k),
    )
    source, found = pictures_in(tmp_path)
    parts = trajectories(source.episodes, source.contract, found.seen)
    assert [(part.first, len(part)) for part in parts] == [(0, 3), (4, 2), (7, 3)]
    assert [part.success for part in parts] == [False, False, True]


def test_pictures_of_an_odd_size_lose_a_row_or_a_column(tmp_path):
    write_recording(tmp_path, 4, 'a', jpeg=lambda k: jpeg_of(k, 161, 121))
    source, found = pictures_in(tmp_path)
    assert found.size == (160, 120)
    assert next(found.of(source.episodes[0], source.episodes[0].stamps[:1])).shape == (120, 160, 3)


@pytest.mark.parametrize('other', [None, lambda k: jpeg_of(k, 320, 240)])
def test_recordings_that_do_not_belong_together_are_refused_by_name(tmp_path, other):
    write_recording(tmp_path, 4, 'a', jpeg=jpeg_of)
    write_recording(tmp_path, 4, 'b', seed=8, jpeg=other)
    with pytest.raises(DataSetError, match=r'b.*without|of several sizes.*320x240'):
        pictures_in(tmp_path)
    with pytest.raises(DataSetError):
        export_data(tmp_path, 'lerobot', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_recordings_without_a_camera_have_no_pictures(tmp_path):
    write_recording(tmp_path, 4, 'a')
    assert not pictures_in(tmp_path)[1]


def test_a_film_has_every_picture_at_its_time(tmp_path):
    with FilmWriter(tmp_path / 'x' / 'film.mp4', 10, (160, 120)) as film:
        for step in range(25):
            film.write(picture(step))
    assert film.frames == 25 and film.codec in ('vp9', 'mpeg4')
    read = cv2.VideoCapture(str(film.path))
    assert read.get(cv2.CAP_PROP_FPS) == 10
    for step in range(25):
        kept, image = read.read()
        distances = [np.abs(image.astype(int) - picture(k)).mean() for k in range(25)]
        assert kept and int(np.argmin(distances)) == step
    assert not read.read()[0]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_statistics_of_columns_are_what_they_are_called(data):
    count, width = data.draw(st.integers(1, 300)), data.draw(st.integers(1, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    column = rng.normal(scale=2, size=(count, width)).astype(np.float32)
    found = column_statistics(column)
    assert found['count'].tolist() == [count]
    np.testing.assert_array_equal(found['min'], column.min(axis=0))
    np.testing.assert_array_equal(found['max'], column.max(axis=0))
    np.testing.assert_allclose(found['mean'], column.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found['std'], column.astype(float).std(axis=0), atol=2e-3)
    if count == 1:
        return
    width_of_a_bin = np.ptp(column, axis=0) / 5000
    for name, share in (('q01', 0.01), ('q10', 0.1), ('q50', 0.5), ('q90', 0.9), ('q99', 0.99)):
        # A quantile: no more than that share lies clearly below it, the rest clearly above.
        below = (column < found[name] - 2 * width_of_a_bin).mean(axis=0)
        above = (column > found[name] + 2 * width_of_a_bin).mean(axis=0)
        assert (below <= share + 1e-9).all() and (above <= 1 - share + 1e-9).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=4), st.integers(0, 99))
def test_joined_statistics_are_those_of_all_rows(counts, seed):
    rng = np.random.default_rng(seed)
    parts = [rng.normal(loc=rng.normal(), size=(count, 2)) for count in counts]
    found = column_statistics(parts[0])
    for part in parts[1:]:
        found = joined(found, column_statistics(part))
    rows = np.concatenate(parts)
    assert found['count'].tolist() == [len(rows)]
    np.testing.assert_array_equal(found['min'], rows.min(axis=0))
    np.testing.assert_allclose(found['mean'], rows.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(found['std'], rows.std(axis=0), atol=1e-7)


def test_statistics_of_pictures_are_those_of_their_pixels_between_0_and_1():
    seen = [picture(step) for step in range(12)]
    pixels = np.concatenate([one.reshape(-1, 3) for one in seen]) / 255.0
    found = picture_statistics(seen)
    assert {value.shape for name, value in found.items() if name != 'count'} == {(3, 1, 1)}
    for name in ('min', 'max', 'mean', 'std'):
        np.testing.assert_allclose(
            found[name].ravel(), getattr(pixels, name)(axis=0), rtol=0, atol=1e-9
        )
    for name, share in (('q01', 0.01), ('q50', 0.5), ('q99', 0.99)):
        np.testing.assert_allclose(
            found[name].ravel(), np.quantile(pixels, share, axis=0), atol=1 / 255
        )


def test_long_episodes_are_sampled_and_large_pictures_made_smaller():
    assert sampled_rows(3) == [0, 1, 2]
    assert len(sampled_rows(500)) == 105 and sampled_rows(500)[-1] == 499
    assert smaller(np.zeros((299, 299, 3))).shape == (299, 299, 3)
    assert smaller(np.zeros((480, 640, 3))).shape == (120, 160, 3)
