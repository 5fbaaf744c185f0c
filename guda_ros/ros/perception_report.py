"""What perception tells /diagnostics."""

from __future__ import annotations

from guda_ros.perception.observer import Observer
from guda_ros.perception.pipeline import Perception
from guda_ros.ros import diagnostics
from guda_ros.ros.robot_check.watch import DriverWatch


class PerceptionReport:
    """
    Say how perception stands.

    :param odom: the topic of the odometry. :param driver: what is noticed of the driver.
    """

    def __init__(
        self, observer: Observer, perception: Perception, odom: str, driver: DriverWatch
    ) -> None:
        self._odom, self._driver = odom, driver
        self._observer, self._perception = observer, perception
        self._answered = self._images = 0

    def __call__(
        self, problem: str, warnings: list[str], calibration: str, episode: str
    ) -> tuple[bytes, str, dict]:
        """
        Return level, text and values.

        :param problem: why the last image was not answered. :param warnings: what lasts.
        """
        observer, answered = self._observer, self._observer.answered
        warnings = [*warnings, *self._driver.warnings(), *self._cameras()]
        values = {
            'images': observer.images,
            'answered': answered,
            'between_steps': observer.between,
            'ball_seen': observer.seen,
            'milliseconds_an_image': f'{observer.milliseconds / max(answered, 1):.2f}',
            'calibration': calibration,
            'episode': episode,
        }
        fresh, self._answered = answered > self._answered, answered
        coming, self._images = observer.images > self._images, observer.images
        if problem:
            return diagnostics.ERROR, problem, values
        if not fresh:
            return diagnostics.WARN, '; '.join([self._why_nothing(coming), *warnings]), values
        if not self._perception.localiser.anchored:
            why = observer.astray or 'no episode told the start'
            return diagnostics.WARN, '; '.join([f'the pose is unknown: {why}', *warnings]), values
        if warnings:
            return diagnostics.WARN, '; '.join(warnings), values
        lost = observer.latest is None or observer.latest.percept.ball.lost
        return diagnostics.OK, 'ball lost' if lost else 'ball known', values

    def _cameras(self) -> list[str]:
        """Return what is wrong with one of several cameras, which the others do without."""
        observer = self._observer
        if not observer.answered:
            return []
        faults = [f'camera {name}: {why}' for name, why in observer.faults.items()]
        return faults + [f'camera {name} sends no images' for name in observer.silent]

    def _why_nothing(self, coming: bool) -> str:
        lack = self._observer.lack
        if not coming and not lack:
            return self._driver.nobody('image') or 'no new images'
        if self._driver.nobody('odom'):
            return f'images, but {self._driver.nobody("odom")}'
        return f'no {self._odom} for the images: {lack or "none has the stamp of an image"}'
