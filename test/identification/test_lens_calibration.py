"""A lens is found from pictures of a board, with deviations that hold; bad ones are refused."""

from dataclasses import replace
from functools import cache

from board_scene import Studio
import cv2
import numpy as np
import pytest

from guda_ros.errors import GudaError
from guda_ros.identification.cameras.boards import Board, corners_of
from guda_ros.identification.cameras.intrinsics import CalibrationError, fit_lens
from guda_ros.identification.cameras.views import Collection

STUDIO, BOARD = Studio(), Board()
CHECKERS = Board('checkerboard')
#: A checkerboard has to be in view as a whole.
WHOLE = {'size': (0.45, 0.75), 'reach': 0.55}


@cache
def pictures(seed=1, count=14, board=BOARD, **more):
    held = {key: more.pop(key) for key in ('tilt', 'size', 'reach') if key in more}
    return STUDIO.pictures(board, count, seed, held, **more)


def collected(seen, board=BOARD):
    collection = Collection(board)
    for number, bgr in enumerate(seen):
        collection.add(str(number), bgr)
    return collection


def errors(fit, studio=STUDIO):
    """Return how far focal length, principal point and distortion (8,) are from the truth."""
    return np.array([fit.focal, *fit.centre, *fit.distortion]) - studio.truth


def test_the_lens_that_took_the_pictures_is_found():
    fit = fit_lens(collected(pictures()))
    np.testing.assert_array_less(np.abs(errors(fit)), 4 * fit.deviations)
    assert fit.rms < 0.15 and 0 < fit.deviations[0] < 2 and fit.deviations[1:3].max() < 2
    assert fit.vertical_fov == pytest.approx(STUDIO.mount.vertical_fov, abs=4 * fit.fov_deviation)
    assert abs(fit.bulge[0]) < 3e-4


def test_a_checkerboard_serves_as_well():
    fit = fit_lens(collected(pictures(3, board=CHECKERS, **WHOLE), CHECKERS))
    np.testing.assert_array_less(np.abs(errors(fit)), 4 * fit.deviations)


@pytest.mark.long
@pytest.mark.parametrize(
    'board, distortion, noise',
    [
        (BOARD, (-0.28, 0.09, 0.001, -0.0008, 0.0), 2.0),
        (BOARD, (-0.3, 0.12, 0.0, 0.0, -0.05), 6.0),
        (CHECKERS, (-0.28, 0.09, 0.001, -0.0008, 0.0), 2.0),
    ],
)
def test_the_errors_are_as_large_as_the_deviations_say(board, distortion, noise):
    studio = Studio(distortion=distortion)
    held = WHOLE if board is CHECKERS else None
    ratios = []
    for seed in range(16):
        seen = studio.pictures(board, 16, 100 + seed, held, noise=noise)
        fit = fit_lens(collected(seen, board))
        ratios.append(errors(fit, studio) / fit.deviations)
    ratios = np.array(ratios)
    # Of 16 draws of a normal distribution, all of this holds but once in some thousand times.
    assert (np.abs(ratios) < 2).mean() > 0.85
    spread = np.sqrt((ratios**2).mean(axis=0))
    assert (spread > 0.4).all() and (spread < 1.75).all()


def test_the_third_coefficient_can_be_taken_for_nought():
    collection = collected(pictures())
    usual, wide = fit_lens(collection, wide=False), fit_lens(collection)
    assert usual.distortion[4] == 0 == usual.deviations[7] and wide.deviations[7] > 0
    np.testing.assert_array_less(np.abs(errors(usual)[:7]), 4 * usual.deviations[:7])
    # Who knows more is surer.
    assert usual.deviations[3] < wide.deviations[3]


@pytest.mark.parametrize(
    'seen, told',
    [
        (tuple, 'no picture'),
        (lambda: pictures()[:6], '6 different views .* 10 are needed.*take more'),
        (lambda: [pictures()[0]] * 14, '1 different views.*like another view: 13.*all alike'),
        (lambda: pictures(tilt=(0.0, 4.0), count=11), 'all alike: the board is tilted in'),
        (lambda: pictures(reach=0.1, size=(0.3, 0.4)), 'corners are in .* of the picture.*none'),
        (lambda: pictures(size=(0.08, 0.12), count=3), 'too far away: hold it nearer'),
        (lambda: pictures(blur=5.0, count=3), 'the pictures are blurred: hold the board still'),
        (lambda: pictures(bulge=0.003, count=11), r'not flat: it bulges by (2\.[89]|3\.[01]) '),
        (lambda: [np.full((480, 640, 3), 90, np.uint8)] * 3, 'no board: 3.*charuco of 9x6'),
        (lambda: [cv2.resize(one, (640, 400)) for one in pictures()], r'square \(1.[12]'),
    ],
    ids=[
        'none', 'few', 'alike', 'not tilted', 'in the middle', 'far', 'blurred', 'bent',
        'no board', 'stretched',
    ],
)  # fmt: skip
def test_pictures_that_do_not_tell_the_lens_are_refused_with_what_to_do(seen, told):
    with pytest.raises(CalibrationError, match=told):
        fit_lens(collected(seen()))


@pytest.mark.parametrize(
    'shown, board, told',
    [
        (BOARD, replace(BOARD, columns=8), 'not as they lie on a board of 8x6'),
        (BOARD, replace(BOARD, columns=6, rows=9), 'it has 9x6 squares'),
        (BOARD, replace(BOARD, dictionary='4X4_100'), 'the markers are 5X5, not 4X4_100'),
        (BOARD, CHECKERS, r'there are markers \(5X5\) on the board'),
        (CHECKERS, BOARD, r'a checkerboard of 9x6 squares \(8x5 inner corners\)'),
        (CHECKERS, replace(CHECKERS, columns=8, rows=5), 'a checkerboard of 9x6 squares'),
    ],
)
def test_another_board_than_was_told_is_named(shown, board, told):
    seen = pictures(3, board=shown, **(WHOLE if shown is CHECKERS else {}))[:4]
    with pytest.raises(CalibrationError, match=told):
        fit_lens(collected(seen, board))


def test_a_picture_of_another_size_is_refused():
    collection = collected(pictures()[:1])
    with pytest.raises(ValueError, match='has 320x240 pixels, the pictures before it 640x480'):
        collection.add('small', np.zeros((240, 320, 3), np.uint8))


def test_a_view_that_does_not_fit_is_left_out():
    rng = np.random.default_rng(9)
    # As if somebody had bent the board by his grip.
    held = STUDIO.picture(BOARD, *STUDIO.pose(BOARD, rng), rng, bulge=0.012)
    fit = fit_lens(collected([*pictures(), held]))
    assert fit.left_out == ('14',) and len(fit.views) == 14
    assert abs(errors(fit)[0]) < 4 * fit.deviations[0]


@pytest.mark.parametrize(
    'values, told',
    [
        ({'kind': 'dots'}, "a charuco or a checkerboard, not 'dots'"),
        ({'columns': 2}, '2x6 squares is none'),
        ({'square': 30.0}, 'metres are meant'),
        ({'marker': 0.03}, 'do not fit into squares'),
        ({'dictionary': '9X9'}, "called '9X9'; there are"),
        ({'dictionary': '5X5_50', 'columns': 20}, 'need 60 markers, 5X5_50 has 50'),
    ],
)
def test_a_board_that_cannot_be_is_refused(values, told):
    with pytest.raises(GudaError, match=told):
        Board(**values)


@pytest.mark.parametrize('legacy', [False, True])
@pytest.mark.parametrize('size', [(9, 6), (6, 9), (7, 5)])
def test_a_board_is_drawn_as_opencv_has_it(size, legacy):
    board = Board(columns=size[0], rows=size[1], legacy=legacy)
    drawn = board.picture(60)
    wanted = board.charuco.generateImage((60 * size[0], 60 * size[1]), marginSize=0)
    np.testing.assert_array_equal(drawn, wanted)
    framed = cv2.copyMakeBorder(drawn, *[40] * 4, borderType=cv2.BORDER_CONSTANT, value=255)
    numbers, pixels = corners_of(board, framed)
    expected = board.corners[numbers][:, :2] / board.square * 60 + 39.5
    assert len(numbers) == (size[0] - 1) * (size[1] - 1)
    np.testing.assert_allclose(pixels, expected, atol=0.6)
