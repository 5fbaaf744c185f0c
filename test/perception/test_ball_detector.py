"""The ball detector on images of the simulated camera, and on drawn ones."""

from dataclasses import replace

import cv2
import numpy as np
from perception_scenes import CAMERA, CONTRACT, open_scenes, RADIUS
import pytest

from guda_ros.perception.ball_detector import BallDetector

BALL = CONTRACT.field.ball
GREEN = (45, 110, 35)


@pytest.fixture(scope='module')
def scenes():
    yield from open_scenes()


@pytest.fixture
def detector():
    return BallDetector(CAMERA, BALL)


def carpet():
    return np.full((CAMERA.height, CAMERA.width, 3), GREEN, np.uint8)


def draw_ball(image, place, colour):
    """Draw the outline of a ball at a place in base_link, RGB in [0, 1]."""
    outline = CAMERA.sphere_outline(np.append(place, RADIUS), RADIUS)
    columns, rows = np.meshgrid(np.arange(CAMERA.width), np.arange(CAMERA.height))
    inside = outline.contains(np.stack([columns, rows], axis=-1))
    image[inside] = np.round(np.array(colour[::-1]) * 255)
    return outline


@pytest.mark.parametrize(
    'low, high, median, worst',
    [
        (0.16, 0.5, 0.001, 0.003),
        (0.5, 1.5, 0.002, 0.01),
        (1.5, 3.0, 0.008, 0.03),
        (3.0, 5.0, 0.03, 0.12),
    ],
)
def test_ball_in_view_is_found_where_it_is(scenes, detector, low, high, median, worst):
    rng = np.random.default_rng([5, int(10 * low)])
    errors = []
    for _ in range(12):
        image, place = scenes.random_image(rng, low, high)
        found = detector.detect(image)
        assert found is not None, f'a ball at {place} was not found'
        errors.append(np.hypot(*(found.position - place)))
    assert np.median(errors) < median
    assert max(errors) < worst


def test_nothing_is_found_where_no_ball_is(scenes, detector):
    rng = np.random.default_rng(6)
    for _ in range(40):
        assert detector.detect(scenes.image_without_ball(rng)) is None


@pytest.mark.parametrize(
    'name, change',
    [
        ('dark', lambda image: image * 0.45),
        ('bright', lambda image: image * 1.5),
        ('warm', lambda image: image * [0.8, 1.0, 1.15]),
        ('cold', lambda image: image * [1.2, 1.0, 0.85]),
        ('unsharp', lambda image: cv2.GaussianBlur(image, (0, 0), 0.8)),
        ('noisy', lambda image: image + np.random.default_rng(0).normal(0, 6, image.shape)),
    ],
)
def test_light_and_noise_do_not_matter(scenes, detector, name, change):
    rng = np.random.default_rng(7)
    for distance in (0.2, 0.6, 1.5, 3.0, 4.5):
        image, place = scenes.random_image(rng, distance - 0.03, distance + 0.03)
        image = change(image.astype(np.float64)).clip(0, 255).astype(np.uint8)
        found = detector.detect(image)
        assert found is not None, f'{name}: a ball at {place} was not found'
        assert np.hypot(*(found.position - place)) < 0.002 + 0.006 * distance**2
    assert (
        detector.detect(
            change(scenes.image_without_ball(rng).astype(np.float64)).clip(0, 255).astype(np.uint8)
        )
        is None
    )


@pytest.mark.parametrize(
    'place', [(0.07, 0.2), (0.3, 0.56), (0.55, -0.75), (0.1, -0.25), (1.0, 1.23)]
)
def test_ball_that_the_border_cuts_is_found_where_it_is(scenes, detector, place):
    outline = CAMERA.sphere_outline(np.append(place, RADIUS), RADIUS)
    overhang = np.maximum(
        outline.half_size - outline.centre,
        outline.centre + outline.half_size - [CAMERA.width - 1, CAMERA.height - 1],
    )
    assert overhang.max() > 1, 'the scene is meant to have a cut ball'
    # At the map's origin and heading, base_link is map.
    found = detector.detect(scenes.image(np.zeros(3), np.array(place)))
    assert found is not None and found.cut
    np.testing.assert_allclose(found.position, place, atol=0.012)


def test_patch_of_the_right_colour_and_wrong_size_is_no_ball(detector):
    for centre, half in [
        ((200, 30), (40, 15)),
        ((200, 200), (3, 3)),
        ((100, 150), (40, 4)),
        ((380, 120), (19, 60)),
    ]:
        image = carpet()
        low, high = np.subtract(centre, half), np.add(centre, half)
        image[low[1] : high[1], low[0] : high[0]] = np.round(np.array(BALL.colour[::-1]) * 255)
        assert detector.detect(image) is None, f'patch at {centre}'


def test_ball_is_chosen_beside_a_larger_patch_of_its_colour(detector):
    image = carpet()
    draw_ball(image, (1.0, 0.3), BALL.colour)
    image[180:290, 250:390] = np.round(np.array(BALL.colour[::-1]) * 255)
    found = detector.detect(image)
    np.testing.assert_allclose(found.position, [1.0, 0.3], atol=0.01)


def test_ball_is_found_behind_a_white_line_and_patches_of_its_own(detector):
    image = carpet()
    cv2.line(image, (0, 112), (399, 112), (255, 255, 255), 5)
    outline = draw_ball(image, (0.8, 0.0), BALL.colour)
    column, row = np.round(outline.centre).astype(int)
    image[row - 2 : row + 3, column - 9 : column - 3] = (20, 20, 20)
    found = detector.detect(image)
    np.testing.assert_allclose(found.position, [0.8, 0.0], atol=0.01)


@pytest.mark.parametrize('colour', [(0.85, 0.05, 0.12), (0.9, 0.85, 0.1), (0.1, 0.2, 0.9)])
def test_ball_of_another_colour_is_found_and_the_orange_one_is_not(colour):
    detector = BallDetector(CAMERA, replace(BALL, colour=colour))
    image = carpet()
    draw_ball(image, (0.6, -0.1), BALL.colour)
    assert detector.detect(image) is None
    draw_ball(image, (1.2, 0.2), colour)
    np.testing.assert_allclose(detector.detect(image).position, [1.2, 0.2], atol=0.01)


def test_grey_ball_is_refused():
    with pytest.raises(ValueError, match='too grey'):
        BallDetector(CAMERA, replace(BALL, colour=(0.8, 0.8, 0.75)))


def test_image_of_another_size_is_refused(detector):
    with pytest.raises(ValueError, match='400x300'):
        detector.detect(np.zeros((240, 320, 3), np.uint8))


def test_covariance_grows_with_the_distance_and_mostly_along_the_view(detector):
    deviations = []
    for distance in (0.3, 1.0, 2.0, 4.0):
        image = carpet()
        draw_ball(image, (distance, 0.0), BALL.colour)
        covariance = detector.detect(image).covariance
        deviations.append(np.sqrt(np.diag(covariance)))
    along, across = np.transpose(deviations)
    assert (np.diff(along) > 0).all() and (np.diff(across) > 0).all()
    assert along[-1] > 3 * across[-1]


def detections(scenes, change, count=40):
    """Return how far detections in changed images are from the ball, and from those before."""
    rng, camera = np.random.default_rng(11), BallDetector(CAMERA, BALL)
    from_ball, from_live = [], []
    for _ in range(count):
        image, place = scenes.random_image(rng, 0.3, 3.0)
        live, found = camera.detect(image), camera.detect(change(image))
        assert live is not None and found is not None
        from_ball.append(np.hypot(*(found.position - place)))
        from_live.append(np.hypot(*(found.position - live.position)))
    return np.array(from_ball), np.array(from_live)


@pytest.mark.needs('rclpy')
@pytest.mark.parametrize('quality, median, most', [(80, 0.0015, 0.015), (95, 0.001, 0.008)])
def test_what_is_measured_on_recorded_images_is_what_was_measured_live(
    scenes, quality, median, most
):
    """The recorder's own JPEG; the bounds are those of docs/recording.md."""
    from rclpy.serialization import deserialize_message
    from sensor_msgs.msg import CompressedImage, Image

    from guda_ros.ros.conversions import bgr_from_message
    from guda_ros.ros.recorder.jpeg import JpegEncoder

    encoder = JpegEncoder(quality)

    def recorded(bgr):
        message = Image(height=bgr.shape[0], width=bgr.shape[1], step=3 * bgr.shape[1])
        message.encoding, message.data = 'bgr8', bgr.tobytes()
        return bgr_from_message(deserialize_message(encoder.encode(message), CompressedImage))

    from_ball, from_live = detections(scenes, recorded)
    assert np.median(from_live) < median and np.quantile(from_live, 0.95) < most
    live, _ = detections(scenes, lambda image: image)
    assert np.median(from_ball) < np.median(live) + median


@pytest.mark.parametrize(
    'sampling, median, most', [('420', 0.012, 0.06), ('422', 0.006, 0.04), ('444', 0.004, 0.03)]
)
def test_images_that_others_compressed_are_measured_within_bounds(scenes, sampling, median, most):
    """Bags of others halve the colour; the ball is found in all of them."""
    factor = getattr(cv2, f'IMWRITE_JPEG_SAMPLING_FACTOR_{sampling}')
    options = [cv2.IMWRITE_JPEG_QUALITY, 80, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]

    def compressed(bgr):
        return cv2.imdecode(cv2.imencode('.jpg', bgr, options)[1], cv2.IMREAD_COLOR)

    from_ball, _ = detections(scenes, compressed)
    assert np.median(from_ball) < median and from_ball.max() < most
