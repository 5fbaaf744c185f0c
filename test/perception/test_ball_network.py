"""The shipped ball networks find balls of any print, and measure them as well as they say."""

from dataclasses import replace
import math

import cv2
import foam_ball
import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.errors import GudaError
from guda_ros.perception.ball_detector import BallDetector
from guda_ros.perception.ball_detectors import detector_of, kind_of
from guda_ros.perception.ball_network import (
    BallNetwork,
    load_network,
    overlap,
    PROPOSER,
    Pyramid,
    REFINER,
    shrunk,
    WEIGHTS,
)
from guda_ros.perception.camera import CameraModel
from guda_ros.perception.network_ball_detector import NetworkBallDetector
from guda_ros.perception.pipeline import Perception
from guda_ros.soccer.field import Ball, Field
from guda_ros.soccer.robot import RobotProfile

FOAM = Ball.load('spl_foam')
MOUNT = RobotProfile.load('nao_v6').lower_camera
CAMERA = CameraModel.from_mount(MOUNT)


def turf(seed=0):
    return foam_ball.turf(CAMERA, seed)


def draw_ball(image, place, radius=FOAM.radius):
    return foam_ball.draw_ball(CAMERA, image, place, radius)


@pytest.fixture(scope='module')
def detector():
    return NetworkBallDetector(CAMERA, FOAM)


def test_the_networks_are_small_and_say_of_what_they_are_made():
    size = sum((WEIGHTS / name).stat().st_size for name in (PROPOSER, REFINER))
    assert size < 2_000_000
    about = load_network().about
    assert 'guda perceive train' in about['command']
    assert 'robocup_msl' in about['data'] and 'humanoid_ball' in about['data']
    text = (WEIGHTS / 'README.md').read_text(encoding='utf-8')
    assert 'Copyright (c) 2017 Aref Moqadam Mehr' in text and 'Apache-2.0' in text
    for series in about['left_out'].split(', '):
        assert series in text


@pytest.mark.parametrize('place', [(0.5, 0.05), (0.6, -0.15), (0.8, 0.2), (0.7, 0.0)])
@pytest.mark.parametrize('radius', [0.05, 0.08, 0.11])
def test_a_white_and_black_ball_is_found_where_it_is(place, radius):
    image = turf()
    draw_ball(image, place, radius)
    found = NetworkBallDetector(CAMERA, replace(FOAM, radius=radius)).detect(image)
    assert found is not None
    error = np.array(found.position) - place
    assert np.hypot(*error) < 0.04 * np.hypot(*place) + 0.01
    assert not found.cut and found.score > 0.5


def test_nothing_is_found_on_bare_turf_and_lines(detector):
    for seed in range(6):
        image = turf(seed)
        rng = np.random.default_rng(seed)
        for _ in range(3):
            ends = rng.integers(0, [CAMERA.width, CAMERA.height], (2, 2))
            start, end = (tuple(int(v) for v in point) for point in ends)
            cv2.line(image, start, end, (235, 235, 235), 9)
        assert detector.detect(cv2.GaussianBlur(image, (0, 0), 0.8)) is None


@pytest.mark.parametrize('grey', [0, 128, 255])
def test_black_grey_and_over_exposed_frames_show_no_ball(detector, grey):
    assert detector.detect(np.full((480, 640, 3), grey, np.uint8)) is None


def test_what_looks_like_a_ball_of_another_size_is_none(detector):
    image = turf()
    # As large as a ball of three times the radius would be here.
    draw_ball(image, (0.8, 0.0), 0.15)
    assert detector.detect(image) is None


def test_above_the_horizon_there_is_no_ball_on_the_ground():
    level = CameraModel.from_mount(replace(MOUNT, pitch=0.0))
    detector = NetworkBallDetector(level, FOAM)
    above = np.array([[320.0, 100.0], [320.0, 460.0]])
    sizes = detector.sizes(above, np.array([12.0, 12.0]))
    assert np.isnan(sizes[0]) and sizes[1] > 8


def test_expected_sizes_are_those_of_outlines(detector):
    for place in ((0.3, 0.05), (0.6, -0.2), (1.1, 0.1)):
        outline = CAMERA.sphere_outline(np.append(place, FOAM.radius), FOAM.radius)
        radius = math.sqrt(outline.area / math.pi)
        (size,) = detector.sizes(outline.centre[None], np.array([radius]))
        assert size == pytest.approx(radius, rel=0.03)
    # What is proposed to be far from that size is none, where no border cuts it.
    outline = CAMERA.sphere_outline(np.array([0.75, 0.0, FOAM.radius]), FOAM.radius)
    radius = math.sqrt(outline.area / math.pi)
    for ratio in (0.3, 3.2):
        assert np.isnan(detector.sizes(outline.centre[None], np.array([ratio * radius]))[0])


def test_a_ball_that_the_border_cuts_is_found_where_it_is(detector):
    image, place = turf(), (0.29, 0.06)
    outline = draw_ball(image, place)
    assert outline.centre[1] + outline.half_size[1] > CAMERA.height + 2
    found = detector.detect(image)
    assert found is not None and found.cut
    np.testing.assert_allclose(found.position, place, atol=0.03)


def test_covariance_grows_with_the_distance_and_with_a_doubtful_pose():
    image = turf()
    draw_ball(image, (1.1, 0.0))
    near = turf()
    draw_ball(near, (0.4, 0.0))
    sure = NetworkBallDetector(CAMERA, FOAM, pose_deviation=0.0)
    doubtful = NetworkBallDetector(CAMERA, FOAM, pose_deviation=0.02)
    trace = [np.trace(d.detect(i).covariance) for d, i in ((sure, near), (sure, image))]
    assert trace[0] < trace[1] < np.trace(doubtful.detect(image).covariance)


def test_errors_of_drawn_balls_are_no_larger_than_the_covariance_says():
    rng = np.random.default_rng(8)
    detector, squared = NetworkBallDetector(CAMERA, FOAM, pose_deviation=0.0), []
    for number in range(16):
        place = rng.uniform([0.45, -0.2], [1.05, 0.2])
        image = turf(number)
        draw_ball(image, place)
        image = cv2.GaussianBlur(image, (0, 0), 0.8)
        found = detector.detect(image)
        assert found is not None, f'a ball at {place} was not found'
        away = found.position - place
        squared.append(away @ np.linalg.solve(found.covariance, away))
    # Of a chi-square with two degrees of freedom .99 are below 9.2; these balls are easy ones, but
    # the covariance is not so large that nothing could contradict it.
    assert np.mean(np.array(squared) < 9.2) > 0.8
    assert np.median(squared) > 0.02


def test_an_image_of_another_size_is_refused(detector):
    with pytest.raises(ValueError, match='640x480'):
        detector.detect(np.zeros((240, 320, 3), np.uint8))


def test_a_ball_too_grey_for_its_hue_selects_the_networks_and_an_orange_one_its_colour():
    orange = Ball.load('spl')
    assert (kind_of(orange), kind_of(FOAM)) == ('colour', 'network')
    assert kind_of(replace(orange, detector='network')) == 'network'
    assert isinstance(detector_of(CAMERA, orange), BallDetector)
    assert isinstance(detector_of(CAMERA, FOAM), NetworkBallDetector)
    with pytest.raises(ValueError, match='too grey'):
        detector_of(CAMERA, replace(FOAM, detector='colour'))


def test_the_key_of_a_ball_is_read_and_does_not_change_the_hash_of_others(tmp_path):
    text = 'radius: 0.05\nmass: 0.044\ndeceleration: 0.3\ncolour: [1, 1, 1]\n'
    path = tmp_path / 'ball.yaml'
    path.write_text(text + 'detector: network\n')
    assert Ball.load(path).detector == 'network'
    path.write_text(text + 'detector: nose\n')
    with pytest.raises(GudaError, match='detector'):
        Ball.load(path)
    assert 'detector' not in Field.load('spl').as_dict()['ball']


def test_perception_with_the_white_ball_tracks_it_by_the_networks():
    contract = Contract.load()
    contract = replace(contract, field=replace(contract.field, ball=FOAM))
    perception = Perception(contract, replace(RobotProfile.load('nao_v6'), camera=MOUNT))
    image = turf()
    draw_ball(image, (0.6, 0.1))
    for step in range(4):
        percept = perception.process(image, np.zeros(3), 0.1 * step)
    assert percept.used and not percept.ball.lost
    np.testing.assert_allclose(percept.ball.position, (0.6, 0.1), atol=0.03)
    perception.look(0.1, 0.0)
    assert isinstance(perception.detector, NetworkBallDetector)


def test_a_window_is_cut_out_where_it_is_at_every_scale():
    centre = np.array([301.5, 203.25])
    across, down = np.meshgrid(np.arange(640) - centre[0], np.arange(480) - centre[1])
    for side in (24.0, 32.0, 90.0, 300.0):
        disc = (side / 4 - np.hypot(across, down) + 0.5).clip(0, 1)
        image = np.repeat(np.round(255 * disc).astype(np.uint8)[..., None], 3, axis=2)
        (patch,) = Pyramid(image).patches(centre[None], np.array([side]))
        weight = patch[..., 0].astype(float)
        rows, columns = np.mgrid[:32, :32]
        middle = [(weight * axis).sum() / weight.sum() for axis in (columns, rows)]
        np.testing.assert_allclose(middle, [15.5, 15.5], atol=0.25)
        # A disc of half the side: an eighth of pi of the area.
        assert weight.sum() / 255 == pytest.approx(32**2 * math.pi / 16, rel=0.05)


@pytest.mark.parametrize('size', [(480, 640), (800, 608), (300, 400), (120, 77)])
def test_the_first_network_sees_every_shape_in_whole_multiples(size):
    small, scale = shrunk(np.zeros((*size, 3), np.uint8), 0.4)
    assert small.shape[1] % 16 == 0 and small.shape[2] % 16 == 0
    shown = np.array(size[::-1]) * scale
    np.testing.assert_allclose(shown, np.round(shown))
    assert load_network().find(np.zeros((*size, 3), np.uint8)) == []


@pytest.mark.parametrize('pitch', [0.0, 0.2, 0.7])
def test_every_place_on_the_ground_is_in_a_band_and_far_ones_are_looked_at_closely(pitch):
    camera = CameraModel.from_mount(replace(MOUNT, pitch=pitch))
    detector = NetworkBallDetector(camera, FOAM)
    for distance in (0.3, 0.5, 1.0, 2.0, 4.0, 6.0, 7.5):
        outline = camera.sphere_outline(np.array([distance, 0.0, FOAM.radius]), FOAM.radius)
        column, row = outline.centre
        if not (0 <= row < camera.height):
            continue
        scales = [band.scale for band in detector.bands if band.top <= row < band.bottom]
        radius = math.sqrt(outline.area / math.pi)
        assert max(scales) == (0.75 if radius < detector.SMALL else max(scales))
        assert max(scales) * radius > 1.5


def test_overlap_of_boxes():
    assert overlap([0, 0, 2, 2], [1, 0, 3, 2]) == pytest.approx(1 / 3)
    assert overlap([0, 0, 1, 1], [2, 2, 3, 3]) == 0


def test_files_that_are_no_networks_are_refused_by_name(tmp_path):
    with pytest.raises(GudaError, match='ball_proposer.onnx: there is no such file'):
        BallNetwork(tmp_path)
    (tmp_path / PROPOSER).write_bytes(b'nonsense')
    with pytest.raises(GudaError, match='ball_proposer.onnx: no network'):
        BallNetwork(tmp_path)


@pytest.mark.parametrize(
    'place', [(0.05, 0.0), (0.07, -0.05), (0.11, 0.07), (0.05, 0.18), (0.06, -0.21)]
)
def test_what_looks_like_a_ball_where_the_robot_itself_is_is_none(place):
    robot = RobotProfile.load('nao_v6_real')
    # A hand is where a head that looks aside would see a ball beside the feet.
    pan = np.arctan2(place[1], place[0]) if abs(place[1]) > 0.1 else 0.0
    camera = CameraModel.from_mount(robot.cameras['bottom']).turned(robot.head, pan, 0.51)
    image = foam_ball.turf(camera)
    foam_ball.draw_ball(camera, image, np.array(place), FOAM.radius)
    anywhere = NetworkBallDetector(camera, FOAM).detect(image)
    assert anywhere is not None
    np.testing.assert_allclose(anywhere.position, place, atol=0.02)
    assert NetworkBallDetector(camera, FOAM, body=robot.body).detect(image) is None


@pytest.mark.parametrize(
    'place', [(0.15, 0.0), (0.14, 0.06), (0.11, 0.16), (0.3, -0.1), (0.1, -0.3)]
)
def test_a_ball_that_touches_the_feet_is_found(place):
    robot = RobotProfile.load('nao_v6_real')
    mounted = CameraModel.from_mount(robot.cameras['bottom'])
    camera = mounted.turned(robot.head, np.arctan2(place[1], place[0]), 0.51)
    image = foam_ball.turf(camera)
    foam_ball.draw_ball(camera, image, np.array(place), FOAM.radius)
    found = detector_of(camera, FOAM, robot.body).detect(image)
    assert found is not None
    np.testing.assert_allclose(found.position, place, atol=0.02)
