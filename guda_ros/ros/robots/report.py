"""What an adapter says of the robot that it speaks to: its state, and its diagnostics."""

from __future__ import annotations

import json

import numpy as np

from guda_ros.robots import motion
from guda_ros.robots.motion import Motion
from guda_ros.ros.diagnostics import ERROR, OK, WARN
from guda_ros.ros.robots.link import Link

#: Share of the battery below which diagnostics warn.
LOW_BATTERY = 0.2


class AdapterReport:
    """Describe a link to a robot and why the robot moves or stands."""

    def __init__(self, link: Link, moves: Motion) -> None:
        self._link, self._motion = link, moves

    def state(self, reason: str) -> str:
        """Return the JSON of `~/state`; null is not known."""
        status = self._motion.status
        return json.dumps(
            {
                'adapter': self._link.NAME,
                'reason': reason,
                'connected': self._link.heard(),
                'mode': status.mode,
                'walks': status.walks,
                'fall': status.fall,
                'battery': None if status.battery is None else round(status.battery, 2),
                'problem': status.problem,
            }
        )

    def words(self, reason: str) -> str:
        """Return a reason for people."""
        status = self._motion.status
        return {
            motion.STARTING: 'no command came yet',
            motion.SILENT: 'no command and no heartbeat of the safety node for '
            f'{self._motion.watchdog:g} s',
            motion.FALLEN: f'it is {status.fall}',
            motion.NOT_WALKING: f'it does not walk in mode {status.mode}: call adapter/walk',
        }.get(reason, reason)

    def kick_refused(self, reason: str) -> str:
        """Return why the robot cannot kick now, empty if it can."""
        able = reason in (motion.DRIVING, motion.STANDING)
        return '' if able else self.words(reason)

    def diagnostics(self, reason: str, told: np.ndarray) -> tuple[bytes, str, dict]:
        """Return level, message and values of /diagnostics; `told` (3,) is what was sent last."""
        link, status = self._link, self._motion.status
        values = {
            'adapter': link.NAME,
            'channel': link.channel,
            'told': ', '.join(f'{value:.3f}' for value in told),
            'mode': status.mode or 'unknown',
            'fall': {None: 'unknown', '': 'none'}.get(status.fall, status.fall),
            'battery': 'unknown' if status.battery is None else f'{status.battery:.0%}',
            'silences': self._motion.silences,
            'lack': link.lack or 'none',
        }
        if not link.heard():
            return ERROR, f'the robot does not listen on {link.channel}', values
        if status.fall:
            return ERROR, self.words(motion.FALLEN), values
        if status.problem:
            return WARN, status.problem, values
        if reason in (motion.SILENT, motion.STARTING, motion.NOT_WALKING):
            return WARN, self.words(reason), values
        if status.battery is not None and status.battery < LOW_BATTERY:
            return WARN, f'the battery is at {status.battery:.0%}', values
        return OK, reason, values
