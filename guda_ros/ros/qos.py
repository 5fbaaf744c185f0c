"""
Quality of service by purpose.

Sensor drivers publish with DEFAULT (reliable), consumers subscribe with SENSOR_DATA (best effort),
REP-2003.
"""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


def _profile(depth: int, reliable: bool = True, latched: bool = False) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


#: Small messages that nobody may miss: odometry, poses, detections, joysticks.
DEFAULT = _profile(10)
#: Odometry, IMU and joint states: a second of them, for who is busy for a moment.
STREAM = _profile(100)
#: Subscriptions to images and other sensor data: a late one is worthless.
SENSOR_DATA = _profile(5, reliable=False)
#: Velocity commands: only the newest counts.
COMMAND = _profile(1)
#: Signs of life: a late one says nothing, and nobody waits for one that was lost.
HEARTBEAT = _profile(1, reliable=False)
#: Publishers of state (`~/state`, locks): a late subscriber learns what is, and not what was.
STATE = _profile(1, latched=True)
#: Every subscription to state that a late one must learn (`episode`, `~/state`). The depth keeps
#: `reset` readable while `start` arrives behind it.
LATCHED = _profile(10, latched=True)
#: The publisher of `episode` only: a late subscriber learns the present phase and not those of old
#: episodes. It waits for acknowledgement before each next event, because this depth overwrites.
EPISODE = _profile(1, latched=True)
#: Subscriptions of a recorder.
RECORD = _profile(1000)
#: Subscription of a recorder to images: best effort as SENSOR_DATA, half a second of them.
RECORD_IMAGES = _profile(16, reliable=False)
#: Subscription of a recorder to latched topics.
RECORD_LATCHED = _profile(100, latched=True)
#: Subscription of who only looks for some seconds, at whatever somebody publishes.
LOOK = _profile(100, reliable=False)
