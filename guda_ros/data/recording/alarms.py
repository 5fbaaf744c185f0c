"""Watch the streams of a recording and say at once what is wrong with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from guda_ros.data.odometry_join import MAX_GAP
from guda_ros.data.pairing import IMAGE_ROLES

#: Roles that come at regular intervals, so that a gap means that something was lost.
REGULAR_ROLES = (
    'image',
    'camera_info',
    'odom',
    'pose',
    'ball',
    'ground_truth_robot',
    'ground_truth_ball',
    'imu',
    'joint_states',
)
#: What makes data useless for learning rather than shorter or incomplete.
SPOILING = ('clock', 'order', 'stale', 'frame')
#: Seconds over which a rate is measured, and the share of the wanted rate that is enough.
_WINDOW, ENOUGH = 2.0, 0.8
#: An interval of so many typical ones is a gap.
_GAP = 1.5
#: Intervals of which the typical one is the middle, and how many are needed to know it; those of
#: this share of their mean do not count: messages that were held up come in bursts.
_INTERVALS, _FEW, _BURST = 30, 5, 0.3
#: Seconds that a stamp may be older or newer than its reception.
_STALE = 0.5
#: Seconds that the system's clock may move against a steady one between two looks.
_JUMP = 0.1
#: A sync that takes longer [s] leaves more to lose than is promised.
_SLOW_SYNC = 0.5
#: Seconds of real time that ROS time may stand still.
_STILL = 2.0
#: Seconds that an alarm about a single message stays on the screen.
_SHOWN = 2.0
#: Stamps of a stream that are remembered, to tell a repeated message from one out of order.
_REMEMBERED = 400


@dataclass
class Alarm:
    """
    Something that is wrong, or was.

    kind: rate, gap, stale, order, frame, clock, still, disk or sync; role: of the contract, empty
    if of no stream; first: seconds after the start; count: how often, for a gap how many messages
    are missing; worst: Hz for a rate, otherwise seconds; active: whether it lasts.
    """

    kind: str
    role: str
    text: str
    first: float
    count: int = 0
    worst: float = 0.0
    active: bool = True


@dataclass
class _Stream:
    received: deque[int]
    stamps: deque[int]
    messages: int = 0
    first: int = 0
    period: float = 0.0
    widest: float = 0.0
    oldest: float = 0.0
    intervals: deque[float] = field(default_factory=lambda: deque(maxlen=_INTERVALS))


class StreamAlarms:
    """
    Judge the streams of one episode.

    :param start: ROS time [ns] of its start.
    :param rates: role -> messages a second [Hz] that are wanted.
    :param system_clock: ROS time is the system's; a simulator's goes at a pace of its own.
    :param lockstep: a simulator waits in every step for those who answer it, but not for the
        recorder. Its stamps are true, and their age tells only how far the recorder is behind.
    """

    def __init__(
        self,
        start: int,
        rates: Mapping[str, float],
        system_clock: bool = False,
        lockstep: bool = False,
    ) -> None:
        self._start = start
        self._rates = dict(rates)
        self._system_clock = system_clock
        self._lockstep = lockstep
        self._streams: dict[str, _Stream] = {}
        self._alarms: dict[tuple[str, str], Alarm] = {}
        self._until: dict[tuple[str, str], float] = {}
        self._news: list[str] = []
        self._slowest_sync = 0.0
        self._clock: tuple[int, float] | None = None
        self._moved = 0.0
        self._measured: int | None = None

    def take(self, role: str, received: int, stamp: int) -> None:
        """Look at a message: when it was received and its stamp, ROS time [ns]."""
        stream = self._streams.get(role)
        if stream is None:
            stream = self._streams[role] = _Stream(deque(), deque(maxlen=_REMEMBERED))
        stream.messages += 1
        stream.received.append(received)
        while received - stream.received[0] > _WINDOW * 1e9:
            stream.received.popleft()
        if role not in REGULAR_ROLES:
            return
        # Without a clock there is nothing to compare a stamp with.
        age = (received - stamp) * 1e-9 if received else 0.0
        stream.oldest = max(stream.oldest, age)
        if abs(age) > _STALE and not self._lockstep:
            word = 'old' if age > 0 else 'in the future'
            self._happened('stale', role, stamp, f'stamps are {abs(age):.1f} s {word}', abs(age))
        if stream.stamps:
            self._follow(role, stream, stamp)
        else:
            stream.first = stream.first or stamp
            stream.stamps.append(stamp)

    def frame(self, role: str, stamp: int, text: str) -> None:
        """Take note of a message [ns] that comes in a frame in which nobody can read it."""
        self._happened('frame', role, stamp, text, 0.0)

    def reaches(self, role: str, end: int) -> bool:
        """Tell whether a stream, if there is one, has come to its last message, `end` in ns."""
        stream = self._streams.get(role)
        if stream is None or not stream.period or not stream.stamps:
            return True
        return (end - stream.stamps[-1]) * 1e-9 < 0.95 * stream.period

    def finish(self, end: int) -> None:
        """Count what is missing at the start and before the end [ns], which leaves no gap."""
        for role, stream in self._streams.items():
            if not stream.period or not stream.stamps:
                continue
            period = self._period(role, stream)
            for last, first in ((self._start, stream.first), (stream.stamps[-1], end)):
                interval = (first - last) * 1e-9
                # The first image waits for an odometry of the episode before it.
                lead = MAX_GAP if role in IMAGE_ROLES and last == self._start else 0.0
                if interval > _GAP * period + lead:
                    lost = int(interval / period + 0.1)
                    self._happened(
                        'gap',
                        role,
                        last,
                        f'{lost} lost in {interval:.2f} s at the '
                        f'{"start" if last == self._start else "end"}',
                        interval,
                        lost,
                    )

    def _follow(self, role: str, stream: _Stream, stamp: int) -> None:
        interval = (stamp - stream.stamps[-1]) * 1e-9
        if interval <= 0:
            # A message that a simulator repeats is none that came late.
            if stamp not in stream.stamps:
                self._happened(
                    'order',
                    role,
                    stamp,
                    f'a stamp is {-interval:.3f} s before the last one',
                    -interval,
                )
                stream.stamps.append(stamp)
            return
        stream.stamps.append(stamp)
        stream.widest = max(stream.widest, interval)
        period = self._period(role, stream)
        if interval > _GAP * period and len(stream.intervals) >= _FEW:
            lost = max(1, round(interval / period) - 1)
            self._happened(
                'gap', role, stamp, f'{lost} lost in a gap of {interval:.2f} s', interval, lost
            )
        stream.intervals.append(interval)
        least = _BURST * sum(stream.intervals) / len(stream.intervals)
        usual = sorted(each for each in stream.intervals if each > least)
        stream.period = usual[(len(usual) - 1) // 2]

    def _period(self, role: str, stream: _Stream) -> float:
        """Return the typical interval [s] of a stream, 0 before one is known."""
        wanted = self._rates.get(role)
        if role in IMAGE_ROLES and wanted and stream.period:
            # Of the images of 15 Hz every second and every one are answered in turn.
            return max(stream.period, 1.0 / wanted)
        return stream.period

    def tick(self, now: int, steady: float) -> None:
        """
        Look at the clock and at the rates; call it several times a second.

        :param now: ROS time [ns]. :param steady: a steady clock [s].
        """
        if self._clock is None:
            self._clock, self._moved = (now, steady), steady
        advance = (now - self._clock[0]) * 1e-9
        passed = steady - self._clock[1]
        self._clock = now, steady
        if advance:
            self._moved = steady
        if advance < 0 or (self._system_clock and abs(advance - passed) > _JUMP):
            self._measured = None
            self._happened(
                'clock',
                '',
                now,
                f'the clock jumped by {advance - passed:+.1f} s',
                abs(advance - passed),
            )
            for stream in self._streams.values():
                stream.received.clear()
                stream.stamps.clear()
        still = steady - self._moved
        self._set(
            'still',
            '',
            still > _STILL,
            now,
            f'ROS time stands still for {still:.0f} s; is the simulator running?',
            still,
        )
        for key, until in list(self._until.items()):
            if steady > until:
                self._alarms[key].active = False
                del self._until[key]
        self._measure(now)

    def _measure(self, now: int) -> None:
        if self._measured is None:
            self._measured = now
        begin = now - int(_WINDOW * 1e9)
        if begin < max(self._start, self._measured):
            return
        for role, wanted in self._rates.items():
            stream = self._streams.get(role)
            rate = (sum(when > begin for when in stream.received) / _WINDOW) if stream else 0.0
            text = f'{rate:.1f} Hz instead of {wanted:g} Hz'
            if not rate:
                text = f'silent for {_WINDOW:g} s'
            alarm = self._alarms.get(('rate', role))
            if alarm is not None and alarm.active and not rate and alarm.worst:
                # It was slow before.
                self._news.append(_name(role) + text)
            self._set('rate', role, rate < ENOUGH * wanted, now, text, rate, least=True)

    def disk(self, problem: str, slowest_sync: float, now: int) -> None:
        """
        Say how the disk is.

        :param problem: in words; empty for none. :param slowest_sync: of the episode so far [s].
        """
        self._set('disk', '', bool(problem), now, problem, 0.0)
        if slowest_sync > max(_SLOW_SYNC, self._slowest_sync):
            self._slowest_sync = slowest_sync
            self._happened(
                'sync',
                '',
                now,
                f'the disk is slow: it took {slowest_sync:.1f} s for a sync',
                slowest_sync,
            )

    def _set(
        self,
        kind: str,
        role: str,
        wrong: bool,
        now: int,
        text: str,
        worst: float,
        least: bool = False,
    ) -> None:
        alarm = self._alarms.get((kind, role))
        if not wrong:
            if alarm is not None and alarm.active:
                alarm.active = False
                self._news.append(f'{_name(role)}is well again ({kind})')
            return
        if alarm is None or not alarm.active:
            alarm = self._raise(kind, role, now, text)
            alarm.count += 1
            alarm.worst = worst if alarm.count == 1 else alarm.worst
        alarm.text = text
        alarm.worst = min(alarm.worst, worst) if least else max(alarm.worst, worst)

    def _happened(
        self, kind: str, role: str, now: int, text: str, worst: float, count: int = 1
    ) -> None:
        alarm = self._alarms.get((kind, role))
        if alarm is None or not alarm.active:
            alarm = self._raise(kind, role, now, text)
        alarm.text = text
        alarm.count += count
        alarm.worst = max(alarm.worst, worst)
        # The first look at the clock sets the time from which it counts.
        self._until[kind, role] = (self._clock[1] if self._clock else float('-inf')) + _SHOWN

    def _raise(self, kind: str, role: str, now: int, text: str) -> Alarm:
        alarm = self._alarms.get((kind, role))
        if alarm is None:
            first = round(max(0.0, (now - self._start) * 1e-9), 3)
            alarm = self._alarms[kind, role] = Alarm(kind, role, text, first)
        alarm.active = True
        self._news.append(_name(role) + text)
        return alarm

    def news(self) -> list[str]:
        """Return what has changed since the last call, as sentences."""
        news, self._news = self._news, []
        return news

    @property
    def active(self) -> list[str]:
        """What is wrong now, as sentences."""
        return [_name(alarm.role) + alarm.text for alarm in self._alarms.values() if alarm.active]

    def total(self, kinds: Collection[str]) -> list[Alarm]:
        """Return the alarms of some kinds that there were."""
        return [alarm for alarm in self._alarms.values() if alarm.kind in kinds]

    def rate(self, role: str) -> float:
        """Return the present rate [Hz] of a stream."""
        stream = self._streams.get(role)
        if stream is None or self._clock is None:
            return 0.0
        now = self._clock[0]
        seconds = min(_WINDOW, (now - self._start) * 1e-9)
        count = sum(when > now - seconds * 1e9 for when in stream.received)
        return count / seconds if seconds > 0 else 0.0

    def report(self) -> dict[str, Any]:
        """Return alarms and streams as plain values, for the quality report."""
        streams = {}
        seconds = (self._clock[0] - self._start) * 1e-9 if self._clock else 0.0
        for role in sorted(self._streams.keys() | self._rates.keys()):
            stream = self._streams.get(role) or _Stream(deque(), deque())
            lost = self._alarms.get(('gap', role))
            streams[role] = {
                'messages': stream.messages,
                'wanted_rate': self._rates.get(role),
                'rate': round(stream.messages / seconds, 3) if seconds > _WINDOW else None,
                'period': round(stream.period, 6),
                'widest_gap': round(stream.widest, 6),
                'oldest': round(stream.oldest, 6),
                'lost': lost.count if lost else 0,
            }
        alarms = [
            {key: value for key, value in asdict(alarm).items() if key != 'active'}
            for alarm in self._alarms.values()
        ]
        return {'alarms': alarms, 'streams': streams}


def _name(role: str) -> str:
    return f'{role}: ' if role else ''
