"""What perception does with one image: detect, track, localise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.perception.ball_detector import BallDetection
from guda_ros.perception.ball_detectors import detector_of
from guda_ros.perception.ball_tracker import BallState, BallTracker
from guda_ros.perception.camera import CameraModel
from guda_ros.perception.line_localiser import LineLocaliser
from guda_ros.perception.line_points import LineFinder
from guda_ros.perception.localisation import START_DEVIATION, StartAnchoredLocaliser
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile


@dataclass(frozen=True)
class Percept:
    """
    What is known at an image's stamp.

    :param pose: (3,) of the robot in `map`, with `pose_covariance` (3, 3).
    :param detection: the ball as seen in this image, in base_link, or None.
    :param used: whether the tracker took the detection in.
    :param ball: the filtered ball in `odom`.
    """

    pose: np.ndarray
    pose_covariance: np.ndarray
    detection: BallDetection | None
    used: bool
    ball: BallState


class Perception:
    """
    Detector, tracker and localiser of one robot; time and odometry are arguments.

    :param contract: gives the ball and how long it is held.
    :param robot: gives camera, feet and odometry noise.
    :param localiser: None for dead reckoning from a known start.
    """

    #: Standard deviation of unknown accelerations of the ball [m/s^2]: alone, and near the robot's
    #: feet.
    ALONE, TOUCHED = 0.2, 2.0
    #: A ball farther away is not expected to be seen every time [m], nor one this near to the
    #: border [pixels].
    SURE_DISTANCE, SURE_MARGIN = 4.5, 5.0

    def __init__(
        self,
        contract: Contract,
        robot: RobotProfile,
        localiser: LineLocaliser | StartAnchoredLocaliser | None = None,
    ) -> None:
        self._robot = robot
        self.period, self.limits = contract.period, robot.limits
        self._ball = contract.field.ball
        self.localiser = localiser or StartAnchoredLocaliser(robot.odometry)
        self._line_width = contract.field.line_width
        self.set_camera(CameraModel.from_mount(robot.camera))
        self.tracker = BallTracker(self._ball.deceleration, contract.ball_hold)
        # The ball may be touched where the feet get in two control periods.
        self._touch_distance = (
            robot.body.foot_front
            + self._ball.radius
            + 2 * contract.period * robot.limits.forward
            + 0.1
        )
        self._start: np.ndarray | None = None
        self._deviations: Sequence[float] = START_DEVIATION
        self._last_stamp: float | None = None

    @property
    def camera(self) -> CameraModel:
        """The camera that images come from."""
        return self.detector.camera

    def set_camera(self, camera: CameraModel) -> None:
        """Use a calibrated camera instead of the profile's; mounted as with the head at zero."""
        self._mounted, self._head = camera, (0.0, 0.0)
        self._use(camera)

    def look(self, pan: float, tilt: float) -> None:
        """Say where the head looks in the next image [rad]."""
        if (pan, tilt) != self._head:
            self._head = pan, tilt
            self._use(self._mounted.turned(self._robot.head, pan, tilt))

    def _use(self, camera: CameraModel) -> None:
        self.detector = detector_of(camera, self._ball)
        if isinstance(self.localiser, LineLocaliser):
            self._lines = LineFinder(camera, self._line_width)

    def place(
        self, pose: np.ndarray | None, deviations: Sequence[float] = START_DEVIATION
    ) -> None:
        """
        Take the robot to stand at a pose (3,) in `map` at the next image.

        :param pose: None for an unknown one.
        :param deviations: (3,), standard deviations of it [m, m, rad].
        """
        self.localiser.forget()
        self._start = None if pose is None else np.asarray(pose, dtype=np.float64)
        self._deviations = deviations

    def reset(self, start: np.ndarray | None) -> None:
        """
        Forget the ball, and take the robot to stand at `start` (3,) in `map` at the next image.

        :param start: None for an unknown start.
        """
        self.tracker.reset()
        self.place(start)
        self._last_stamp = None

    def process(self, bgr: np.ndarray, odom_pose: np.ndarray, stamp: float) -> Percept:
        """
        Take in an image (height, width, 3) and the odometry pose (3,) of the same time.

        :param stamp: [s]; time that runs backwards starts the tracker anew.
        """
        odom_pose = np.asarray(odom_pose, dtype=np.float64)
        if self._last_stamp is not None and stamp < self._last_stamp:
            self.tracker.reset()
            self._last_stamp = None
        if self._last_stamp is None:
            self._last_stamp = stamp
        if self._start is not None and not self.localiser.anchored:
            self.localiser.reset(self._start, odom_pose, self._deviations)
            # A start is where the robot was once; whoever is lost later is not there.
            self._start = None
        dt, self._last_stamp = round(stamp - self._last_stamp, 6), stamp
        pose, pose_covariance = self.localiser.update(odom_pose, dt)
        if isinstance(self.localiser, LineLocaliser):
            self.localiser.see(self._lines.find(bgr))
            pose, pose_covariance = self.localiser.state
        self.tracker.predict(dt, self._acceleration(odom_pose))
        detection = self.detector.detect(bgr)
        used = False
        if detection is not None:
            turn = world.rotate(np.eye(2), odom_pose[2]).T
            used = self.tracker.update(
                world.from_frame(detection.position, odom_pose),
                turn @ detection.covariance @ turn.T,
            )
        elif self._should_be_seen(odom_pose):
            self.tracker.miss()
        return Percept(pose, pose_covariance, detection, used, self.tracker.state)

    def _acceleration(self, odom_pose: np.ndarray) -> float:
        ball = self.tracker.state
        near = not ball.lost and np.hypot(*(ball.position - odom_pose[:2])) < self._touch_distance
        return self.TOUCHED if near else self.ALONE

    def _should_be_seen(self, odom_pose: np.ndarray) -> bool:
        """Tell whether the ball would be in full view at every place where it may well be."""
        ball = self.tracker.state
        if ball.lost:
            return False
        position = world.to_frame(ball.position, odom_pose)
        spread = 2 * np.sqrt(np.linalg.eigvalsh(ball.covariance[:2, :2])[-1])
        positions = position + spread * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
        if np.hypot(*position) + spread > self.SURE_DISTANCE:
            return False
        camera, radius = self.camera, self._ball.radius
        for x, y in positions:
            outline = camera.sphere_outline(np.array([x, y, radius]), radius)
            reach = outline.half_size + self.SURE_MARGIN
            high = np.array([camera.width, camera.height]) - 1 - reach
            if not ((outline.centre > reach) & (outline.centre < high)).all():
                return False
        return True
