"""The lens model against OpenCV's, its inverse, and the camera that uses it."""

import cv2
import numpy as np
import pytest

from guda_ros.perception.ball_detector import BallDetector
from guda_ros.perception.camera import CameraModel
from guda_ros.soccer import lens
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import CameraMount

BARREL = (-0.30, 0.10, 0.001, -0.002, -0.01)
PINCUSHION = (0.20, -0.05, 0.0, 0.0, 0.02)
BALL = Field.load('spl').ball


def camera(distortion):
    return CameraModel.from_mount(CameraMount(320, 240, 1.0, (0.06, 0.0, 0.48), 0.6, distortion))


@pytest.mark.parametrize('coefficients', [BARREL, PINCUSHION, lens.NONE])
def test_it_distorts_as_opencv_does_and_back(coefficients):
    points = np.random.default_rng(0).uniform(-0.8, 0.8, (500, 2))
    shown = lens.distort(points, coefficients)
    expected, _ = cv2.projectPoints(
        np.c_[points, np.ones(500)], np.zeros(3), np.zeros(3), np.eye(3), np.array(coefficients)
    )
    np.testing.assert_allclose(shown, expected[:, 0], atol=1e-12)
    np.testing.assert_allclose(lens.undistort(shown, coefficients), points, atol=1e-9)


def test_the_jacobian_is_the_slope():
    points, step = np.random.default_rng(1).uniform(-0.6, 0.6, (50, 2)), 1e-6
    for axis in range(2):
        ahead = np.eye(2)[axis] * step
        slope = (lens.distort(points + ahead, BARREL) - lens.distort(points - ahead, BARREL)) / (
            2 * step
        )
        np.testing.assert_allclose(lens.jacobian(points, BARREL)[..., axis], slope, atol=1e-8)


def test_nothing_is_shown_from_beyond_the_fold():
    # 1 + 3 k1 r^2 = 0 at r = 1 for k1 = -1/3, where the lens shows 1 - 1/3.
    folding = (-1 / 3, 0.0, 0.0, 0.0, 0.0)
    assert lens.fold(folding) == pytest.approx(1.0)
    assert np.isnan(lens.distort([1.1, 0.0], folding)).all()
    assert np.isnan(lens.undistort([0.7, 0.0], folding)).all()
    np.testing.assert_allclose(
        lens.undistort([0.6, 0.0], folding)[0] - lens.undistort([0.6, 0.0], folding)[0] ** 3 / 3,
        0.6,
        atol=1e-9,
    )


@pytest.mark.parametrize('distortion', [BARREL, PINCUSHION])
def test_a_ray_of_a_distorting_camera_meets_the_ground_where_the_point_was(distortion):
    own = camera(distortion)
    points = np.column_stack(
        [np.linspace(0.4, 2.5, 60), np.tile([-0.3, 0.0, 0.3], 20), np.zeros(60)]
    )
    pixels, inside = own.project(points)
    assert inside.sum() > 30
    np.testing.assert_allclose(
        own.ray_to_plane(pixels[inside], 0.0), points[inside, :2], atol=1e-8
    )
    # The same calibration from the wire.
    focal = 120 / np.tan(0.5)
    wire = CameraModel.from_camera_info(
        [focal, 0, 159.5, 0, focal, 119.5, 0, 0, 1],
        320,
        240,
        CameraMount(320, 240, 1.0, (0.06, 0.0, 0.48), 0.6),
        distortion,
    )
    np.testing.assert_allclose(wire.project(points)[0][inside], pixels[inside], atol=1e-9)


def test_another_lens_model_is_refused_and_zeros_are_none():
    mount = CameraMount(320, 240, 1.0, (0.0, 0.0, 0.5), 0.6)
    k = [200, 0, 160, 0, 200, 120, 0, 0, 1]
    with pytest.raises(ValueError, match='equidistant'):
        CameraModel.from_camera_info(k, 320, 240, mount, [0.1, 0, 0, 0], 'equidistant')
    assert CameraModel.from_camera_info(k, 320, 240, mount, [0.0] * 4, 'x').distortion is None


@pytest.mark.parametrize('place', [(0.8, 0.45), (1.2, -0.6), (1.8, 0.8)])
def test_a_ball_seen_through_a_lens_is_found_where_it_is(place):
    own = camera(BARREL)
    # Each pixel of the picture looks for itself whether it meets the ball.
    columns, rows = np.meshgrid(np.arange(320), np.arange(240))
    rays = own.rays(np.stack([columns, rows], axis=-1).astype(float))
    to_ball = np.array([*place, BALL.radius]) - own.position
    hits = rays @ to_ball >= np.sqrt(to_ball @ to_ball - BALL.radius**2)
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[:] = (40, 110, 40)
    picture[hits] = np.round(np.array(BALL.colour[::-1]) * 255)
    assert hits.sum() > 60
    found = BallDetector(own, BALL).detect(picture)
    np.testing.assert_allclose(found.position, place, atol=0.02)
    # Taken for a pinhole, the same picture is centimetres off.
    naive = BallDetector(camera(lens.NONE), BALL).detect(picture)
    assert naive is None or np.linalg.norm(naive.position - place) > 0.03
