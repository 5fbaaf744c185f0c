"""Draw what perception saw into an image, for people."""

from __future__ import annotations

import cv2
import numpy as np

from guda_ros.perception.ball_detector import BallDetection
from guda_ros.perception.ball_tracker import BallState
from guda_ros.perception.camera import CameraModel, Ellipse
from guda_ros.soccer import world

DETECTED, TRACKED, TEXT = (255, 0, 255), (255, 200, 0), (255, 255, 255)


def draw_percept(
    bgr: np.ndarray,
    camera: CameraModel,
    radius: float,
    detection: BallDetection | None,
    ball: BallState,
    odom_pose: np.ndarray,
) -> np.ndarray:
    """
    Return a copy of an image (height, width, 3) with outlines of the seen and the filtered ball.

    :param radius: of the ball [m].
    :param odom_pose: (3,), the robot in the frame of `ball`.
    """
    drawn = bgr.copy()
    lines = []
    if not ball.lost:
        position = world.to_frame(ball.position, odom_pose)
        _draw_ellipse(drawn, camera.sphere_outline(np.append(position, radius), radius), TRACKED)
        lines.append(
            f'ball {position[0]:+.2f} {position[1]:+.2f} m  {np.hypot(*ball.velocity):.2f} m/s'
            f'  {ball.time_since_seen:.1f} s ago'
        )
    else:
        lines.append('ball lost')
    if detection is not None:
        position = np.append(detection.position, radius)
        _draw_ellipse(drawn, camera.sphere_outline(position, radius), DETECTED)
        lines.append(
            f'seen {detection.position[0]:+.2f} {detection.position[1]:+.2f} m'
            f'  score {detection.score:.2f}{" cut" if detection.cut else ""}'
        )
    # At the top, where the sky is: the ball may be anywhere below.
    drawn[: 14 * len(lines) + 4] //= 2
    for row, text in enumerate(lines, start=1):
        cv2.putText(
            drawn, text, (4, 14 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.4, TEXT, 1, cv2.LINE_AA
        )
    return drawn


def _draw_ellipse(image: np.ndarray, ellipse: Ellipse, colour: tuple[int, int, int]) -> None:
    if not np.isfinite(ellipse.centre).all() or np.abs(ellipse.centre).max() > 1e4:
        return
    lengths, axes = np.linalg.eigh(ellipse.shape)
    # A little wider than the ball, so that its rim stays visible.
    half = np.sqrt(lengths) + 2
    angle = float(np.degrees(np.arctan2(axes[1, 0], axes[0, 0])))
    cv2.ellipse(
        image,
        (tuple(map(float, ellipse.centre)), tuple(map(float, 2 * half)), angle),
        colour,
        1,
        cv2.LINE_AA,
    )
