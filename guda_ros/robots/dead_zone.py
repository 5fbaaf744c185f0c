"""Speeds within the limits that a robot does not follow: dropped, or raised to what it does."""

from __future__ import annotations

import numpy as np

from guda_ros.soccer.driver import Driver
from guda_ros.soccer.robot import VelocityLimits


def to_robot(command: np.ndarray, limits: VelocityLimits, driver: Driver) -> np.ndarray:
    """
    Return what a robot is told of a command (3,): forward, left [m/s], turn [rad/s], base_link.

    It is clipped to the limits; then each axis whose speed is below its dead zone becomes, by
    `driver.small`:

    - `drop`: zero;
    - `nearest`: zero below half of the dead zone, else the dead zone, with its sign;
    - `raise`: the dead zone, with its sign, unless it is zero.

    The same command always becomes the same (no hysteresis), and none becomes faster than the
    limits: an axis whose limit is below its dead zone stands still. At last comes the scale. A
    command that is not three finite numbers is zero.
    """
    command = np.asarray(command, dtype=np.float64)
    if command.shape != (3,) or not np.isfinite(command).all():
        return np.zeros(3)
    command, zone = limits.clip(command), np.array(driver.dead_zone)
    speed = np.abs(command)
    if driver.small == 'drop':
        raised = np.zeros(3, dtype=bool)
    elif driver.small == 'nearest':
        raised = speed >= zone / 2
    else:
        raised = speed > 0
    lifted = np.where(raised, np.copysign(zone, command), 0.0)
    # Nothing is lifted over a limit.
    lifted = np.where(np.abs(limits.clip(lifted)) < zone, 0.0, lifted)
    told = np.where((speed < zone) & (speed > 0), lifted, command)
    return told * np.array(driver.scale)
