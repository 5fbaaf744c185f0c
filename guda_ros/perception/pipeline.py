"""What perception does with one image: detect, track, localise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.perception.ball_detector import BallDetection, BallDetector
from guda_ros.perception.ball_detectors import detector_of
from guda_ros.perception.ball_tracker import BallState, BallTracker
from guda_ros.perception.camera import CameraModel
from guda_ros.perception.line_localiser import LineLocaliser
from guda_ros.perception.line_points import LineFinder
from guda_ros.perception.localisation import START_DEVIATION, StartAnchoredLocaliser
from guda_ros.perception.network_ball_detector import NetworkBallDetector
from guda_ros.soccer import world
from guda_ros.soccer.field import Ball
from guda_ros.soccer.robot import Body, RobotProfile


@dataclass(frozen=True, eq=False)
class View:
    """
    What one camera sees of a moment.

    camera: its name in the robot profile. bgr: (height, width, 3) in OpenCV's order. odom_pose:
    (3,) of the robot in `odom` when it was taken.
    """

    camera: str
    bgr: np.ndarray
    odom_pose: np.ndarray


class _Eye:
    """A camera with what finds things in its images."""

    def __init__(
        self, mounted: CameraModel, ball: Ball, body: Body, line_width: float | None
    ) -> None:
        self.mounted, self._ball, self._body = mounted, ball, body
        self._line_width = line_width
        self.use(mounted)

    def use(self, camera: CameraModel) -> None:
        self.detector = detector_of(camera, self._ball, self._body)
        if self._line_width is not None:
            self.lines = LineFinder(camera, self._line_width)


@dataclass(frozen=True)
class Percept:
    """
    What is known at an image's stamp.

    :param pose: (3,) of the robot in `map`, with `pose_covariance` (3, 3).
    :param detection: the ball as seen in this image, in base_link, or None.
    :param used: whether the tracker took the detection in.
    :param ball: the filtered ball in `odom`.
    :param camera: name of the camera whose image has the detection; without one, of the first.
    """

    pose: np.ndarray
    pose_covariance: np.ndarray
    detection: BallDetection | None
    used: bool
    ball: BallState
    camera: str = ''


class Perception:
    """
    Detectors, tracker and localiser of one robot; time and odometry are arguments.

    Of several cameras that see a ball the one that is most certain of its place is believed.

    :param contract: gives the ball and how long it is held.
    :param robot: gives cameras, feet and odometry noise.
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
        lines = isinstance(self.localiser, LineLocaliser)
        self._line_width = contract.field.line_width if lines else None
        self._head = (0.0, 0.0)
        self._eyes: dict[str, _Eye] = {}
        for name, mount in robot.eyes.items():
            self.set_camera(CameraModel.from_mount(mount), name)
        self.first = next(iter(self._eyes))
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
        """The first camera, as it looks now."""
        return self.camera_of(self.first)

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras that images come from, the first one first."""
        return tuple(self._eyes)

    @property
    def detector(self) -> BallDetector | NetworkBallDetector:
        """What finds the ball in the images of the first camera."""
        return self._eyes[self.first].detector

    def camera_of(self, name: str) -> CameraModel:
        """Return a camera by name, as it looks now."""
        return self._eyes[name].detector.camera

    def set_camera(self, camera: CameraModel, name: str = '') -> None:
        """
        Use a calibrated camera instead of the profile's; mounted as with the head at zero.

        :param name: of the camera; without one, the first.
        """
        eye = self._eyes[name or self.first] = _Eye(
            camera, self._ball, self._robot.body, self._line_width
        )
        if any(self._head):
            eye.use(camera.turned(self._robot.head, *self._head))

    def look(self, pan: float, tilt: float) -> None:
        """Say where the head looks in the next image [rad]."""
        if (pan, tilt) != self._head:
            self._head = pan, tilt
            for eye in self._eyes.values():
                eye.use(eye.mounted.turned(self._robot.head, pan, tilt))

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
        Take in an image (height, width, 3) of the first camera and the odometry pose (3,) then.

        :param stamp: [s]; time that runs backwards starts the tracker anew.
        """
        return self.see([View(self.first, bgr, odom_pose)], odom_pose, stamp)

    def see(self, views: Sequence[View], odom_pose: np.ndarray, stamp: float) -> Percept:
        """
        Take in what several cameras see of one moment, or one of them.

        :param odom_pose: (3,) in `odom` at the moment. :param stamp: of it [s], as for `process`.
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
            # Of the camera that shows most of them: what two show is not twice as sure.
            found = (self._eyes[view.camera].lines.find(view.bgr) for view in views)
            self.localiser.see(max(found, key=len))
            pose, pose_covariance = self.localiser.state
        self.tracker.predict(dt, self._acceleration(odom_pose))
        seen = [(self._eyes[view.camera].detector.detect(view.bgr), view) for view in views]
        detection, view, used = None, views[0], False
        finds = [(found, view) for found, view in seen if found is not None]
        if finds:
            detection, view = min(finds, key=lambda find: np.trace(find[0].covariance))
            there = np.asarray(view.odom_pose, dtype=np.float64)
            turn = world.rotate(np.eye(2), there[2]).T
            place = world.from_frame(detection.position, there)
            covariance = turn @ detection.covariance @ turn.T
            used = self.tracker.update(place, covariance)
            if not np.array_equal(there, odom_pose):
                # Seen a moment before or after: where it is for the robot of this moment.
                back = world.rotate(np.eye(2), odom_pose[2])
                detection = replace(
                    detection,
                    position=world.to_frame(place, odom_pose),
                    covariance=back @ covariance @ back.T,
                )
        elif any(self._should_be_seen(odom_pose, view.camera) for view in views):
            self.tracker.miss()
        return Percept(pose, pose_covariance, detection, used, self.tracker.state, view.camera)

    def _acceleration(self, odom_pose: np.ndarray) -> float:
        ball = self.tracker.state
        near = not ball.lost and np.hypot(*(ball.position - odom_pose[:2])) < self._touch_distance
        return self.TOUCHED if near else self.ALONE

    def _should_be_seen(self, odom_pose: np.ndarray, name: str) -> bool:
        """Tell whether a camera has the ball in full view wherever it may well be."""
        ball = self.tracker.state
        if ball.lost:
            return False
        position = world.to_frame(ball.position, odom_pose)
        spread = 2 * np.sqrt(np.linalg.eigvalsh(ball.covariance[:2, :2])[-1])
        positions = position + spread * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
        if np.hypot(*position) + spread > self.SURE_DISTANCE:
            return False
        camera, radius = self.camera_of(name), self._ball.radius
        for x, y in positions:
            outline = camera.sphere_outline(np.array([x, y, radius]), radius)
            reach = outline.half_size + self.SURE_MARGIN
            high = np.array([camera.width, camera.height]) - 1 - reach
            if not ((outline.centre > reach) & (outline.centre < high)).all():
                return False
        return True
