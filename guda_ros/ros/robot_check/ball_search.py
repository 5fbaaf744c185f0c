"""Search images of a driver for the ball, with the camera and detector perception would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from guda_ros.control.head_joints import from_driver
from guda_ros.control.kick_and_head import HEAD_JOINTS
from guda_ros.perception.ball_detectors import detector_of
from guda_ros.perception.camera import Calibration, CameraModel
from guda_ros.ros.robot_check.snapshot import BallSeen
from guda_ros.soccer.field import Ball
from guda_ros.soccer.robot import RobotProfile


def search_ball(
    images: Sequence[np.ndarray],
    told: Calibration | None,
    joints: Mapping[str, float],
    robot: RobotProfile,
    ball: Ball,
) -> BallSeen:
    """
    Look for the ball in each of some images.

    :param images: (height, width, 3) each, uint8 in OpenCV's order of colours.
    :param told: None, or one that cannot be used, stands for the camera of the profile.
    :param joints: name, as the driver has it -> angle [rad] of the head's joints.
    :return: what was seen, or why no detector finds such a ball.
    """
    camera = CameraModel.from_mount(robot.camera)
    if told is not None:
        try:
            camera = told.camera(robot.camera)
        except ValueError:
            # Which is told elsewhere.
            pass
    angles = from_driver(joints.keys(), joints.values(), robot.head.joints)
    camera = camera.turned(robot.head, *(angles.get(joint, 0.0) for joint in HEAD_JOINTS))
    try:
        detector = detector_of(camera, ball, robot.body)
    except ValueError as error:
        return BallSeen(0, 0, problem=str(error))
    places = []
    for image in images:
        try:
            detection = detector.detect(image)
        except ValueError:
            # Of another size than its calibration, which is told elsewhere.
            continue
        if detection is not None:
            places.append(detection.position)
    place = (float(places[-1][0]), float(places[-1][1])) if places else None
    return BallSeen(len(images), len(places), place)
