"""What a simulated robot's sensors make of the truth, and how late their messages arrive."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from guda_ros.errors import GudaError
from guda_ros.sim.physics.mjcf import GRAVITY
from guda_ros.soccer import lens, world
from guda_ros.soccer.robot import CameraMount, Delivery, ImuNoise

#: Farthest place on the image plane at distance one that is drawn for a lens: 80 degrees aside.
_WIDEST = 5.67


class Courier:
    """
    When the messages of one sensor arrive: each is lost, or comes late, as its delivery says.

    They arrive in the order in which they were sent. Times are integers in nanoseconds.
    """

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self.reset(np.random.default_rng(0))

    def reset(self, rng: np.random.Generator) -> None:
        """Forget the messages before, and draw from this generator."""
        self._rng = rng
        self._last = 0

    def arrival(self, now: int) -> int | None:
        """Return when a message that is sent now arrives, None for one that is lost."""
        delivery = self._delivery
        if not (delivery.latency or delivery.jitter or delivery.dropout):
            return now
        # Two numbers for each message, so that one that is lost changes nothing for the others.
        chance, spread = self._rng.random(), self._rng.normal()
        if chance < delivery.dropout:
            return None
        latency = max(0.0, delivery.latency + delivery.jitter * spread)
        self._last = max(self._last, now + round(1e9 * latency))
        return self._last


class Mail:
    """What is on its way from one sensor."""

    def __init__(self, delivery: Delivery) -> None:
        self._courier = Courier(delivery)
        self._waiting: deque[tuple[int, object]] = deque()

    def reset(self, rng: np.random.Generator) -> None:
        """Drop what is on its way, and draw from this generator."""
        self._courier.reset(rng)
        self._waiting.clear()

    def send(self, now: int, message: object) -> None:
        """Send a message that was measured at `now` [ns]."""
        arrival = self._courier.arrival(now)
        if arrival is not None:
            self._waiting.append((arrival, message))

    def arrived(self, now: int) -> list:
        """Return the messages that have arrived by `now` [ns], and forget them."""
        found = []
        while self._waiting and self._waiting[0][0] <= now:
            found.append(self._waiting.popleft()[1])
        return found


class ImuModel:
    """
    Gyroscope and accelerometer of the trunk, by differences of what it does between two samples.

    :param noise: of the profile; the bias is drawn at each reset.
    """

    def __init__(self, noise: ImuNoise) -> None:
        self._noise = noise
        self.reset(np.random.default_rng(0))

    def reset(self, rng: np.random.Generator) -> None:
        """Draw a new bias and forget the last sample."""
        self._rng = rng
        self._bias = rng.normal(size=3) * self._noise.gyroscope_bias
        self._last: tuple | None = None

    def sample(
        self,
        time: float,
        yaw: float,
        velocity: np.ndarray,
        sway: tuple[float, float, float],
        fall: tuple[float, float] = (0.0, 0.0),
    ) -> tuple[np.ndarray, np.ndarray]:
        """
        Return gyroscope (3,) [rad/s] and accelerometer (3,) [m/s^2] in base_link axes.

        :param time: of the sample [s].
        :param velocity: (3,) of the robot in base_link [m/s, m/s, rad/s].
        :param sway: the trunk's lateral displacement [m], roll and pitch [rad].
        :param fall: how a fall has turned it besides, about base_link's x and y [rad], as one
        turn about an axis in between.
        """
        lateral, roll, pitch = map(float, sway)
        # In the axes of the map, where a turning robot's velocity can be differentiated.
        moving = world.rotate(np.asarray(velocity[:2], dtype=np.float64), yaw)
        fall = np.append(fall, 0.0)
        before, self._last = self._last, (time, moving, lateral, roll, pitch, 0.0, fall)
        roll_rate = pitch_rate = 0.0
        fall_rate = np.zeros(3)
        acceleration = np.zeros(2)
        if before is not None and time > before[0]:
            dt = time - before[0]
            roll_rate, pitch_rate = (roll - before[3]) / dt, (pitch - before[4]) / dt
            swing = (lateral - before[2]) / dt
            fall_rate = (fall - before[6]) / dt
            self._last = (time, moving, lateral, roll, pitch, swing, fall)
            acceleration = world.rotate((moving - before[1]) / dt, -yaw)
            acceleration[1] += (swing - before[5]) / dt
        noise = self._rng.normal(size=(2, 3))
        tilt = _tilt(roll, pitch)
        turned = tilt @ cv2.Rodrigues(fall)[0].T
        rates = (
            turned @ [0.0, 0.0, velocity[2]]
            + tilt @ fall_rate
            + [roll_rate, pitch_rate * np.cos(roll), -pitch_rate * np.sin(roll)]
        )
        force = turned @ np.append(acceleration, GRAVITY)
        return (
            rates + self._bias + noise[0] * self._noise.gyroscope,
            force + noise[1] * self._noise.accelerometer,
        )


def _tilt(roll: float, pitch: float) -> np.ndarray:
    """Return the rotation (3, 3) from level axes into those of a trunk with roll and pitch."""
    cr, sr, cp, sp = np.cos(roll), np.sin(roll), np.cos(pitch), np.sin(pitch)
    return np.array([[cp, 0.0, -sp], [sr * sp, cr, sr * cp], [cr * sp, -sr, cr * cp]])


class LensModel:
    """
    How a camera's lens and sensor change an ideal picture.

    Distortion, a principal point that is not in the middle, and noise of the pixels.

    `size` and `vertical_fov` are what has to be drawn: a pinhole picture that holds all that the
    lens shows.
    """

    def __init__(self, mount: CameraMount) -> None:
        """
        Work out the map of the pixels, once.

        :raises GudaError: if the lens shows more than a picture can hold.
        """
        self._mount = mount
        self.size = mount.width, mount.height
        self.vertical_fov = mount.vertical_fov
        middle = (mount.width - 1) / 2, (mount.height - 1) / 2
        self._map = self._lens() if any(mount.distortion) or mount.centre != middle else None
        # Noise is cut out of a strip at random places: drawing it for each picture would take as
        # long as drawing the picture.
        self._pixels = 3 * mount.width * mount.height
        self._strip = (
            np.rint(np.random.default_rng(0).normal(size=2 * self._pixels) * mount.noise).astype(
                np.int16
            )
            if mount.noise
            else None
        )

    def _lens(self) -> tuple:
        mount = self._mount
        width, height = self.size
        focal = height / 2 / np.tan(mount.vertical_fov / 2)
        columns, rows = np.meshgrid(np.arange(width), np.arange(height))
        shown = np.stack([columns - mount.centre[0], rows - mount.centre[1]], axis=-1) / focal
        points = lens.undistort(shown, mount.distortion) if any(mount.distortion) else shown
        reach = np.abs(points).reshape(-1, 2).max(axis=0)
        if not (reach < _WIDEST).all():
            raise GudaError(
                f'distortion {list(mount.distortion)} with the principal point '
                f'{list(mount.centre)} and a vertical_fov of '
                f'{mount.vertical_fov} rad: the lens would show what is beside or behind the '
                'camera; correct these numbers in the robot profile'
            )
        # An even number of pixels more keeps the middle where it is.
        wide, high = (
            size + 2 * max(0, int(np.ceil(limit * focal - (size - 1) / 2)) + 1)
            for size, limit in zip(self.size, reach)
        )
        self.size = wide, high
        self.vertical_fov = float(2 * np.arctan(high / 2 / focal))
        source = (points * focal + [(wide - 1) / 2, (high - 1) / 2]).astype(np.float32)
        return cv2.convertMaps(source, None, cv2.CV_16SC2)

    def bend(self, picture: np.ndarray, between: int = cv2.INTER_LINEAR) -> np.ndarray:
        """Return a picture of `size` as the lens shows it; `between` is OpenCV's interpolation."""
        return picture if self._map is None else cv2.remap(picture, *self._map, between)

    def apply(self, picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return what the camera sends (height, width, 3) for a picture of `size`, uint8."""
        picture = self.bend(picture)
        if self._strip is not None:
            place = rng.integers(self._pixels)
            noise = self._strip[place : place + self._pixels].reshape(picture.shape)
            picture = cv2.add(picture, noise, dtype=cv2.CV_8U)
        return picture
