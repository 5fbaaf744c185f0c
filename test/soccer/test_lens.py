"""The lens model against OpenCV's, its inverse, and the camera that uses it."""

import cv2
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from guda_ros.perception.ball_detector import BallDetector
from guda_ros.perception.camera import Calibration, CameraModel
from guda_ros.soccer import lens
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import CameraMount, RobotProfile

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
    k = (focal, 0, 159.5, 0, focal, 119.5, 0, 0, 1)
    wire = Calibration(k, 320, 240, distortion).camera(
        CameraMount(320, 240, 1.0, (0.06, 0.0, 0.48), 0.6)
    )
    np.testing.assert_allclose(wire.project(points)[0][inside], pixels[inside], atol=1e-9)


@st.composite
def lenses(draw):
    """Return the model's name and coefficients of any lens of OpenCV's that is not absurd."""
    length = draw(st.sampled_from([4, 5, 8, 12, 14, 'equidistant']))
    size = [0.1, 0.05, 0.003, 0.003, 0.02, 0.1, 0.05, 0.02, *[0.003] * 4, 0.03, 0.03]
    size = [0.03] * 4 if length == 'equidistant' else size[:length]
    numbers = tuple(draw(st.floats(-2 * s, 2 * s)) for s in size)
    if length == 'equidistant':
        return 'equidistant', numbers
    return ('plumb_bob' if length <= 5 else 'rational_polynomial'), numbers


@settings(max_examples=80)
@given(lenses(), st.integers(0, 1000))
def test_every_lens_of_opencv_shows_points_where_opencv_does_and_back(drawn, seed):
    model, numbers = drawn
    coefficients = lens.coefficients_of(model, numbers)
    if coefficients is None:
        return
    points = np.random.default_rng(seed).uniform(-0.9, 0.9, (100, 2))
    points = points[np.linalg.norm(points, axis=1) < 0.9 * lens.fold(coefficients)]
    ahead = np.c_[points, np.ones(len(points))].reshape(-1, 1, 3)
    project = cv2.fisheye.projectPoints if model == 'equidistant' else cv2.projectPoints
    if not len(points):
        return
    expected, _ = project(ahead, np.zeros(3), np.zeros(3), np.eye(3), np.array(numbers))
    shown = lens.distort(points, coefficients)
    np.testing.assert_allclose(shown, expected.reshape(-1, 2), atol=1e-12)
    np.testing.assert_allclose(lens.undistort(shown, coefficients), points, atol=1e-8)
    step = 1e-6
    for axis in range(2):
        beside = np.eye(2)[axis] * step
        slope = (
            lens.distort(points + beside, coefficients)
            - lens.distort(points - beside, coefficients)
        ) / (2 * step)
        np.testing.assert_allclose(
            lens.jacobian(points, coefficients)[..., axis], slope, atol=1e-6
        )


@settings(max_examples=50)
@given(st.lists(st.floats(-0.1, 0.1), max_size=5), st.integers(0, 14))
def test_zeros_behind_the_coefficients_change_nothing(numbers, more):
    short = lens.coefficients_of('plumb_bob', numbers)
    filled = [*numbers, *[0.0] * more]
    for model in ('plumb_bob', 'rational_polynomial', ''):
        assert lens.coefficients_of(model, filled) == short


def test_a_point_of_a_rational_lens_is_where_it_was_worked_out_to_be():
    # The camera of nao_v6's profile, (1.5, .6, .05) in base_link.
    mount = RobotProfile.load('nao_v6').camera
    k, d = (220.0, 0, 200, 0, 220, 150, 0, 0, 1), (-0.05, 0.04, 0.001, -0.001, -0.01, 0, 0, 0)
    own = Calibration(k, 400, 300, d, 'rational_polynomial').camera(mount)
    pixel = own.project([1.5, 0.6, 0.05])[0]
    np.testing.assert_allclose(pixel, (104.85, 51.82), atol=0.005)


def test_a_fisheye_without_coefficients_still_bends():
    mount = CameraMount(320, 240, 1.0, (0.0, 0.0, 0.5), 0.0)
    k = (100, 0, 160, 0, 100, 120, 0, 0, 1)
    own = Calibration(k, 320, 240, (0.0,) * 4, 'equidistant').camera(mount)
    # Half a right angle to the left: 100 pixels an angle of one.
    np.testing.assert_allclose(own.project([1.0, 1.0, 0.5])[0], (160 - 100 * np.pi / 4, 120))


@pytest.mark.parametrize(
    'model, numbers, problem',
    [
        ('division', [0.1], "'division'.*plumb_bob, rational_polynomial and equidistant are"),
        ('plumb_bob', [0.1] * 15, '4, 5, 8, 12 or 14 numbers, not 15'),
        ('equidistant', [0.1] * 5, 'equidistant has four numbers'),
        ('plumb_bob', [float('nan')] * 5, 'holds what is no number'),
    ],
)
def test_a_lens_that_is_not_understood_is_refused_by_name(model, numbers, problem):
    mount = CameraMount(320, 240, 1.0, (0.0, 0.0, 0.5), 0.6)
    k = (200, 0, 160, 0, 200, 120, 0, 0, 1)
    with pytest.raises(ValueError, match=problem):
        Calibration(k, 320, 240, tuple(numbers), model).camera(mount)
    assert Calibration(k, 320, 240, (0.0,) * 4, 'x').camera(mount).distortion is None


@settings(max_examples=60)
@given(
    st.integers(0, 4),
    st.integers(0, 4),
    st.tuples(st.integers(0, 200), st.integers(0, 150)),
    st.booleans(),
)
def test_a_binned_or_cropped_camera_sees_the_ground_where_the_whole_one_does(
    across, down, corner, cropped
):
    mount = CameraMount(800, 600, 1.0, (0.06, 0.0, 0.48), 0.6)
    k = (500.0, 0, 390, 0, 510, 310, 0, 0, 1)
    whole = Calibration(k, 800, 600).camera(mount)
    roi = (*corner, 400, 300) if cropped else (0, 0, 0, 0)
    part = Calibration(k, 800, 600, (), '', (across, down), roi).camera(mount)
    steps = np.maximum([across, down], 1)
    assert (part.width, part.height) == tuple(
        np.array((400, 300) if cropped else (800, 600)) // steps
    )
    # The middle of a binned pixel is the middle of the sensor pixels it is made of.
    pixel = np.array([part.width // 2, part.height // 2])
    first = pixel * steps + (corner if cropped else (0, 0))
    middle = first + (steps - 1) / 2
    np.testing.assert_allclose(
        part.ray_to_plane(pixel, 0.0), whole.ray_to_plane(middle, 0.0), rtol=1e-9
    )


def test_a_region_without_pixels_is_refused():
    mount = CameraMount(320, 240, 1.0, (0.0, 0.0, 0.5), 0.6)
    k = (200, 0, 160, 0, 200, 120, 0, 0, 1)
    with pytest.raises(ValueError, match='leaves no pixels'):
        Calibration(k, 320, 240, binning=(8, 8), roi=(0, 0, 4, 4)).camera(mount)


@pytest.mark.parametrize(
    'model, numbers',
    [
        ('plumb_bob', (0.09, -0.17, 0.0008, -0.0011, 0.0)),
        ('plumb_bob', BARREL),
        ('rational_polynomial', (5.0, -2.0, 0.001, -0.001, 0.3, 5.2, -1.5, 0.1)),
        ('equidistant', (-0.02, 0.003, 0.0, 0.0)),
        ('plumb_bob', (-0.9, 0.0, 0.0, 0.0, 0.0)),
    ],
)
@pytest.mark.filterwarnings('error')
def test_what_the_border_cuts_is_a_ball_or_none_whatever_the_lens(model, numbers):
    k = (176.0, 0, 200, 0, 176, 150, 0, 0, 1)
    own = Calibration(k, 400, 300, numbers, model).camera(RobotProfile.load('nao_v6').camera)
    detector, rng = BallDetector(own, BALL), np.random.default_rng(3)
    colour = tuple(round(value * 255) for value in BALL.colour[::-1])
    for _ in range(150):
        picture = np.full((300, 400, 3), (40, 110, 40), np.uint8)
        centre = rng.uniform((-30, -30), (430, 330))
        centre[rng.integers(2)] = rng.choice([-10, 5, 300, 395]) + rng.uniform(-10, 10)
        half = rng.uniform(1, 90, 2).astype(int).tolist()
        cv2.ellipse(
            picture, centre.astype(int).tolist(), half, rng.uniform(0, 180), 0, 360, colour, -1
        )
        found = detector.detect(picture)
        if found is not None:
            assert np.isfinite(found.position).all() and np.isfinite(found.covariance).all()


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
