"""`guda check robot` looks for the ball as perception does, whatever finds that ball."""

from dataclasses import replace

import cv2
import foam_ball
import numpy as np
import pytest

from guda_ros.perception.camera import Calibration, CameraModel
from guda_ros.ros.robot_check.ball_search import search_ball
from guda_ros.soccer.field import Ball
from guda_ros.soccer.robot import RobotProfile

#: The lower camera sees the ground before the feet with the head straight.
NAO = RobotProfile.load('nao_v6')
ROBOT = replace(NAO, camera=NAO.lower_camera)
CAMERA = CameraModel.from_mount(ROBOT.camera)
ORANGE, FOAM = Ball.load('spl'), Ball.load('spl_foam')
PLACE = (0.6, 0.1)


def picture(ball):
    image = foam_ball.turf(CAMERA)
    if ball is FOAM:
        foam_ball.draw_ball(CAMERA, image, PLACE, ball.radius)
    else:
        outline = CAMERA.sphere_outline([*PLACE, ball.radius], ball.radius)
        axes = [round(half) for half in outline.half_size]
        centre = [round(value) for value in outline.centre]
        cv2.ellipse(image, centre, axes, 0, 0, 360, (15, 97, 237), -1)
    return image


@pytest.mark.parametrize('ball', [ORANGE, FOAM], ids=['by colour', 'by networks'])
def test_a_ball_is_found_where_it_lies_by_the_detector_of_its_profile(ball):
    images = [foam_ball.turf(CAMERA), picture(ball)]
    seen = search_ball(images, None, {}, ROBOT, ball)
    assert (seen.searched, seen.seen, seen.problem) == (2, 1, '')
    np.testing.assert_allclose(seen.place, PLACE, atol=0.04)


def test_a_ball_that_no_detector_can_find_is_told_with_the_reason():
    seen = search_ball([picture(FOAM)], None, {}, ROBOT, replace(FOAM, detector='colour'))
    assert (seen.searched, seen.seen) == (0, 0) and 'too grey' in seen.problem


def test_the_camera_is_the_one_that_the_driver_calibrated_turned_as_the_head_is():
    image = picture(ORANGE)
    k = (CAMERA.focal[0], 0, CAMERA.centre[0], 0, CAMERA.focal[1], CAMERA.centre[1], 0, 0, 1)
    told = Calibration(k, CAMERA.width, CAMERA.height)
    pan = 0.4
    seen = search_ball([image], told, {'HeadYaw': pan, 'HeadPitch': 0.0}, ROBOT, ORANGE)
    # The neck is above base_link's origin, about which the place turns with the head.
    neck = np.array(ROBOT.head.neck[:2])
    turn = np.array([[np.cos(pan), -np.sin(pan)], [np.sin(pan), np.cos(pan)]])
    np.testing.assert_allclose(seen.place, neck + turn @ (PLACE - neck), atol=0.04)


def test_calibrations_without_use_and_images_of_another_size_do_not_stop_the_search():
    unusable = Calibration((0.0,) * 9, 640, 480)
    small = np.zeros((60, 80, 3), np.uint8)
    seen = search_ball([picture(ORANGE), small], unusable, {}, ROBOT, ORANGE)
    assert (seen.searched, seen.seen) == (2, 1)
