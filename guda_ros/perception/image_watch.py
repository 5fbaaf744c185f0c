"""Whether the images of a camera show anything, and anything new."""

from __future__ import annotations

import zlib

import numpy as np

from guda_ros.soccer.world import wrap_angle

#: Every so many rows and columns are looked at for what a picture shows.
STRIDE = 8
#: All but a hundredth of a picture is darker, or brighter, than this of 255: it shows nothing.
BLACK, WHITE = 10, 245
#: A picture that varies less than this (standard deviation, of 255) looks the same elsewhere.
PLAIN = 3.0
#: A robot that went this far [m], or turned this far [rad], sees something else.
MOVED = 0.3, 1.0


class ImageWatch:
    """Notice a covered, blinded or frozen camera, by its pictures and the robot's odometry."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Take the next picture for a new one."""
        self._sum: int | None = None
        self._odom = np.zeros(3)

    def fault(self, image: np.ndarray, odom: np.ndarray) -> str:
        """
        Return what is wrong with a picture, empty if nothing is.

        :param image: (height, width, 3), uint8. :param odom: (3,) of the robot in `odom` then.
        """
        looked_at = image[::STRIDE, ::STRIDE]
        mean = looked_at.mean()
        # A hundredth of the pixels moves the mean by 2.55 at most; the rest is rarely asked.
        if mean < BLACK + 3 and np.percentile(looked_at, 99) < BLACK:
            return 'the picture is black: is the lens covered, or the light off?'
        if mean > WHITE - 3 and np.percentile(looked_at, 1) > WHITE:
            return 'the picture is white: is the exposure right?'
        # A checksum of all of it: one pixel of noise makes another picture.
        number = zlib.adler32(np.ascontiguousarray(image))
        if number != self._sum:
            self._sum, self._odom = number, np.array(odom)
            return ''
        moved = float(np.hypot(*(odom - self._odom)[:2]))
        turned = abs(float(wrap_angle(odom[2] - self._odom[2])))
        if (moved > MOVED[0] or turned > MOVED[1]) and looked_at.std(axis=(0, 1)).max() > PLAIN:
            return (
                f'the camera is frozen: the same picture while the robot went {moved:.1f} m and '
                f'turned {turned:.1f} rad'
            )
        return ''
