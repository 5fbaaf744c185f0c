"""
Where the robot is in `map`, from odometry and the lines of the field.

A mixture of Kalman filters: each hypothesis is carried along by the odometry and corrected by the
points that are seen of lines. As long as one explains what is seen, it is the pose. When none
does any more (the robot was carried away, or slipped), the pose is unknown; poses are then sought
on the whole carpet from which all that was seen since lies on lines, and the robot knows where
it is when one of them is left.

Lines look the same from the mirror image of a pose. No camera can tell the two apart, so the rule
is said (MirrorRule): a robot that was lost is on the half on which it was last known to be, or on
its own half, as the league's rules have it for robots that come back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
import enum

import numpy as np

from guda_ros.perception.line_fit import Fit, fit_lines, mirrored, search_poses, seen_share
from guda_ros.perception.line_points import LinePoints, spread
from guda_ros.perception.localisation import checked_start, START_DEVIATION, UNKNOWN
from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.soccer.field_lines import LineMap
from guda_ros.soccer.robot import OdometryNoise

#: Fewer points than this say nothing.
LEAST_POINTS = 12
#: Points of one image that are used to correct a hypothesis, that are kept for a search, and
#: points of all images with which is searched.
USED, KEPT, SOUGHT = 60, 30, 90
#: A share of explained points, averaged over some images, below which a hypothesis is wrong, and
#: above which a new one is right.
WRONG, RIGHT = 0.6, 0.8
#: How much one image counts in that average.
RATE = 0.15
#: Time [s] between searches, also while there are poses to choose from, and how long what was
#: seen is kept for them.
PAUSE, PATIENCE, MEMORY = 0.6, 3.0, 6.0
#: How many poses a search begins with, and how many of those that fit may be left to choose from.
SEEDS, CHOICE = 24, 6
#: A pose fits as well as the best if it explains nearly as many points; it is dropped if it
#: explains, or shows, that much less from image to image.
AS_WELL, WORSE = 0.06, 0.15
#: Directions of which the points say less than this (standard deviation [m, rad]) are not known.
SURE = 0.25
#: Poses nearer to each other than this [m and rad] are one.
SAME = 0.3
#: How many images a new pose must explain before it is believed.
CONFIRMATIONS = 10


class MirrorRule(enum.Enum):
    """Which of two poses that look alike a lost robot takes."""

    SAME_HALF = 'same_half'
    OWN_HALF = 'own_half'


@dataclass(eq=False)
class _Hypothesis:
    """
    A pose (3,) with its covariance (3, 3).

    explains: the share of points that it explains. shows: the share of what it expects that is
    seen. images: how many it was corrected by.
    """

    pose: np.ndarray
    covariance: np.ndarray
    explains: float
    shows: float = 1.0
    images: int = 0

    def move(self, step: np.ndarray, noise: np.ndarray) -> None:
        """Follow a step (3,) of the odometry with a covariance (3, 3), in base_link."""
        moved = world.rotate(step[:2], self.pose[2])
        growth = np.eye(3)
        growth[:2, 2] = -moved[1], moved[0]
        turn = np.eye(3)
        turn[:2, :2] = world.rotate(np.eye(2), self.pose[2]).T
        self.covariance = growth @ self.covariance @ growth.T + turn @ noise @ turn.T
        self.pose = world.compose(self.pose, step)

    def correct(self, lines: LineMap, points: LinePoints) -> None:
        """Take in the points of one image."""
        chosen = spread(len(points), USED)
        prior = np.linalg.inv(self.covariance)
        fit = fit_lines(lines, points.places[chosen], points.deviations[chosen], self.pose, prior)
        self.pose = fit.pose
        self.covariance = np.linalg.inv(prior + fit.information)
        self.explains += RATE * (fit.explained - self.explains)
        self.images += 1

    def compare(self, lines: LineMap, points: LinePoints) -> None:
        """Look whether what it expects in an image is there."""
        share = seen_share(lines, points, self.pose)
        if share is not None:
            self.shows += RATE * (share - self.shows)


class LineLocaliser:
    """
    The robot's pose by the field's lines; the same interface as StartAnchoredLocaliser.

    :param noise: the odometry's errors from the robot profile.
    :param rule: which of two mirrored poses a lost robot takes.
    """

    def __init__(
        self, field: Field, noise: OdometryNoise, rule: MirrorRule = MirrorRule.SAME_HALF
    ) -> None:
        self._lines, self._noise, self._rule = LineMap(field), noise, rule
        self._symmetric = field.goals == 2
        self._known: np.ndarray | None = None
        self.forget()

    def forget(self) -> None:
        """Drop the pose: the robot may be anywhere, but for the mirror rule."""
        self._hypotheses: list[_Hypothesis] = []
        self._believed: _Hypothesis | None = None
        self._odom: np.ndarray | None = None
        self._seen: deque[tuple[float, np.ndarray, np.ndarray]] = deque()
        self._time, self._searched = 0.0, -np.inf
        #: How often the pose was found again.
        self.recoveries = 0

    @property
    def anchored(self) -> bool:
        """Tell whether the pose is known."""
        return self._believed is not None

    def reset(
        self,
        start_pose_in_map: np.ndarray,
        odom_pose: np.ndarray,
        deviations: Sequence[float] = START_DEVIATION,
    ) -> None:
        """
        Take the robot to stand at a pose.

        :param start_pose_in_map: (3,), x, y [m], yaw [rad]. :param odom_pose: (3,) at that time.
        :param deviations: (3,), standard deviations of the pose [m, m, rad].
        :raises ValueError: if a pose is not three finite numbers.
        """
        start, odom = checked_start(start_pose_in_map, odom_pose)
        self.forget()
        self._odom = odom
        self._believe(_Hypothesis(start, np.diag(np.square(deviations)), 1.0))

    def update(self, odom_pose: np.ndarray, dt: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """
        Return the pose (3,) in `map` and its covariance (3, 3) for an odometry pose (3,).

        :param dt: time since the last update [s].
        :return: a covariance of UNKNOWN if the pose is not known.
        """
        odom = np.asarray(odom_pose, dtype=np.float64)
        before = odom if self._odom is None else self._odom
        step = world.relative_pose(odom, before)
        self._odom, self._time = odom, self._time + dt
        noise = self._step_noise(step, dt)
        for hypothesis in self._hypotheses:
            hypothesis.move(step, noise)
        return self.state

    @property
    def state(self) -> tuple[np.ndarray, np.ndarray]:
        """Pose (3,) and covariance (3, 3) now; as `update` returns them."""
        if self._believed is None:
            pose = np.zeros(3) if self._odom is None else self._odom
            return pose.copy(), np.eye(3) * UNKNOWN
        return self._believed.pose.copy(), self._believed.covariance.copy()

    def see(self, points: LinePoints) -> None:
        """Take in what is seen of lines where `update` was told the robot is."""
        if len(points) < LEAST_POINTS or self._odom is None:
            return
        self._remember(points)
        for hypothesis in self._hypotheses:
            hypothesis.correct(self._lines, points)
            hypothesis.compare(self._lines, points)
        if self._believed is not None:
            if min(self._believed.explains, self._believed.shows) >= WRONG:
                self._known = self._believed.pose.copy()
                return
            # What was seen while it was right says nothing of where the robot is now.
            self._believed, self._hypotheses = None, []
            self._seen.clear()
            self._searched = self._time
            self._remember(points)
            return
        self._hypotheses = [
            one for one in self._hypotheses if min(one.explains, one.shows) >= WRONG
        ]
        self._choose()
        pause = PATIENCE if self._hypotheses else PAUSE
        if self._believed is None and self._time - self._searched >= pause:
            self._searched = self._time
            self._search()

    def _believe(self, hypothesis: _Hypothesis) -> None:
        self._believed, self._hypotheses = hypothesis, [hypothesis]
        self._known = hypothesis.pose.copy()

    def _step_noise(self, step: np.ndarray, dt: float) -> np.ndarray:
        noise, way, turn = self._noise, float(np.hypot(*step[:2])), abs(float(step[2]))
        # The scales' errors are constant: half a metre, or a radian, of them counts as one.
        along = (noise.translation_noise**2 + 0.5 * noise.translation_scale**2) * way
        yaw = (noise.yaw_noise**2 + noise.yaw_scale**2) * turn + 10 * noise.yaw_bias**2 * dt
        return np.diag([along + 1e-7, along + 1e-7, yaw + 1e-7])

    def _remember(self, points: LinePoints) -> None:
        assert self._odom is not None
        chosen = spread(len(points), KEPT)
        places = world.from_frame(points.places[chosen], self._odom)
        self._seen.append((self._time, places, points.deviations[chosen]))
        while self._time - self._seen[0][0] > MEMORY:
            self._seen.popleft()

    def _remembered(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what was seen of late, (n, 2) in base_link [m], and its deviations (n,)."""
        assert self._odom is not None
        places = np.concatenate([places for _, places, _ in self._seen])
        deviations = np.concatenate([deviations for _, _, deviations in self._seen])
        chosen = spread(len(places), SOUGHT)
        return world.to_frame(places[chosen], self._odom), deviations[chosen]

    def _search(self) -> None:
        places, deviations = self._remembered()
        fits = []
        for seed in search_poses(self._lines, places[::2], SEEDS):
            fit = fit_lines(self._lines, places, deviations, seed, rounds=6, looseness=4.0)
            if fit.explained >= RIGHT and self._on_carpet(fit.pose):
                fits.append(fit)
        best = max((fit.explained for fit in fits), default=0.0)
        found: list[Fit] = []
        for fit in sorted(fits, key=lambda one: one.misfit):
            if fit.explained >= best - AS_WELL and not any(
                self._alike(fit.pose, other.pose) for other in found
            ):
                found.append(fit)
        # Too many places look alike, or one line alone leaves a direction open: look on.
        if not found or len(found) > CHOICE or not all(map(_is_sure, found)):
            return
        self._hypotheses = [
            _Hypothesis(self._unmirrored(fit.pose), np.diag([0.04, 0.04, 0.02]), fit.explained)
            for fit in found
        ]

    def _choose(self) -> None:
        """Believe the only hypothesis that is left, once it has explained some images."""
        kept: list[_Hypothesis] = []
        for one in sorted(self._hypotheses, key=lambda one: -one.explains):
            if not any(self._alike(one.pose, other.pose) for other in kept):
                kept.append(one)
        self._hypotheses = kept
        if len(self._hypotheses) > 1:
            explains = max(one.explains for one in self._hypotheses)
            shows = max(one.shows for one in self._hypotheses)
            self._hypotheses = [
                one
                for one in self._hypotheses
                if one.explains >= explains - WORSE and one.shows >= shows - WORSE
            ]
        if len(self._hypotheses) == 1:
            (left,) = self._hypotheses
            if left.images >= CONFIRMATIONS and min(left.explains, left.shows) >= RIGHT:
                self._believe(left)
                self.recoveries += 1
                self._seen.clear()

    def _alike(self, pose: np.ndarray, other: np.ndarray) -> bool:
        """Tell whether two poses are one, or cannot be told apart."""
        return any(
            np.hypot(*(pose - one)[:2]) < SAME and abs(world.wrap_angle(pose[2] - one[2])) < SAME
            for one in ((other, mirrored(other)) if self._symmetric else (other,))
        )

    def _on_carpet(self, pose: np.ndarray) -> bool:
        field = self._lines.field
        reach = np.array([field.length / 2, field.width / 2]) + field.border
        return bool((np.abs(pose[:2]) <= reach).all())

    def _unmirrored(self, pose: np.ndarray) -> np.ndarray:
        """Return the pose or its mirror image, as the rule says."""
        if not self._symmetric:
            return pose
        other = mirrored(pose)
        if self._rule is MirrorRule.OWN_HALF or self._known is None:
            return pose if pose[0] <= other[0] else other
        return pose if pose[0] * self._known[0] >= 0 else other


def _is_sure(fit: Fit) -> bool:
    """Tell whether the points leave no direction open."""
    return bool(np.linalg.eigvalsh(fit.information)[0] > 1 / SURE**2)
