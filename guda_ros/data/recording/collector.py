"""Collect messages into one recording an episode; what the data collector node wires up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import os
from pathlib import Path
import time
from typing import Any, TypedDict

from guda_ros.data.contract import Contract
from guda_ros.data.recording.alarms import StreamAlarms
from guda_ros.data.recording.completeness import SampleCheck
from guda_ros.data.recording.folder import DiskSpace
from guda_ros.data.recording.frames import FrameCheck
from guda_ros.data.recording.preroll import PreRoll
from guda_ros.data.recording.quality import quality_report
from guda_ros.data.recording.reader import (
    DISCARDED,
    load_definitions,
    RecordingError,
    RecordingInfo,
    RecordingWriter,
    set_aside,
)
from guda_ros.data.recording.serialization import header_stamp

WAITING, RECORDING, CLOSED, FAILED = 'waiting', 'recording', 'closed', 'failed'
#: Seconds between two looks at the disk's room, and between two tries to complete a recording.
_LOOK = 1.0
#: A look at both clocks that took longer [s] tells nothing of how far they are apart.
_SURE = 0.02
_UNANNOUNCED = 'the next episode began before the end was announced'


@dataclass(frozen=True)
class RecorderSettings:
    """
    What a recorder is told beside folder, contract and topics.

    drain: seconds for which the last samples are waited for after the end. pre_roll: seconds
    before the start that are recorded too. rates: role -> messages a second that are wanted.
    unstamped: roles whose messages have no header. system_clock: ROS time is the system's.
    lockstep: see StreamAlarms. reserve: bytes that shall stay free on the disk. documents: name ->
    text, see RecordingWriter.
    """

    drain: float = 1.0
    pre_roll: float = 2.0
    rates: Mapping[str, float] = field(default_factory=dict)
    unstamped: frozenset[str] = frozenset(('episode',))
    system_clock: bool = False
    lockstep: bool = False
    reserve: int = 0
    documents: Mapping[str, str] = field(default_factory=dict)


class _End(TypedDict):
    verdict: str
    message: str
    end_stamp: int


class _Outcome(_End, total=False):
    """How an episode ended, as fields of RecordingInfo; its close tells the problems."""

    problems: tuple[str, ...]


class EpisodeCollector:
    """
    Record what is taken between `begin` and `end` of an episode, and what came shortly before.

    After `end` the recording stays open until the last samples have arrived or `drain` seconds
    have passed. No method raises for a full disk or an existing recording: `status` says so and
    collecting goes on where it can. A recording that a full disk does not let complete is held,
    and completed by `tick` when there is room.

    :param folder: where recordings go.
    :param topics: role -> (topic name in the bag, message type); roles are keys of the contract's
        topics or new.
    :param clock: a steady clock [s].
    :param ros_time: ROS time [ns].
    :param on_change: called whenever the status has changed in more than its count of messages.
    :raises RecordingError: for a message type that is not of a common ROS package.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        contract: Contract,
        topics: Mapping[str, tuple[str, str]],
        settings: RecorderSettings = RecorderSettings(),
        *,
        clock: Callable[[], float] = time.monotonic,
        ros_time: Callable[[], int] = lambda: 0,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = Path(folder)
        self._contract = contract
        self._topics = dict(topics)
        # Now rather than when the first episode begins: this takes a moment.
        known = load_definitions().fielddefs
        for topic, message_type in self._topics.values():
            if message_type not in known:
                raise RecordingError(f'{topic}: the definition of {message_type} is not known')
        self._settings = settings
        self._clock = clock
        self._ros_time = ros_time
        self._on_change = on_change
        self._preroll = PreRoll(settings.pre_roll, settings.unstamped, clock)
        self._writer: RecordingWriter | None = None
        self._held: list[tuple[RecordingWriter, dict[str, Any], _Outcome]] = []
        self._disk = DiskSpace(folder, settings.reserve)
        self._outcome: _Outcome | None = None
        self._deadline = self._looked = 0.0
        self._last_time = 0
        self._expected = ''
        self._full, self._refused = '', 0
        self._frames = FrameCheck(contract)
        self._samples = SampleCheck(0, contract.period, contract.inputs)
        self._alarms = StreamAlarms(0, {})
        self._status = _status('', WAITING)

    @property
    def status(self) -> dict[str, Any]:
        """
        Return how the present or latest recording stands, as plain values.

        id, path, state ('waiting', 'recording', 'closed', 'failed'), messages, verdict, complete
        (closed, and no sample of any step is missing), problems (sentences), good (None until it
        is closed: whether it is good enough to learn from), reasons (why not) and alarms (what is
        wrong at this moment).
        """
        status = {**self._status, 'problems': list(self._status['problems'])}
        if self._writer is not None:
            status['messages'] = self._writer.messages
            status['alarms'] = self._alarms.active
        if self._full:
            status['problems'].append(self._full)
        return status

    @property
    def recording(self) -> bool:
        """Tell whether a recording is open."""
        return self._writer is not None

    @property
    def seconds(self) -> float:
        """How long the present episode has lasted [s]."""
        return max(
            0.0,
            (self._last_time - self._writer.info.start_stamp) * 1e-9
            if self._writer is not None
            else 0.0,
        )

    @property
    def free(self) -> int:
        """Bytes that are free on the disk."""
        return self._disk.free

    def rate(self, role: str) -> float:
        """Return the present rate [Hz] of a stream of the present episode."""
        return self._alarms.rate(role) if self._writer is not None else 0.0

    def news(self) -> list[str]:
        """Return the alarms that went up or ended since the last call."""
        return self._alarms.news() if self._writer is not None else []

    @property
    def unfit(self) -> list[str]:
        """What comes in a frame in which a recording of it cannot be read, as sentences."""
        return [f'{role} {text}' for role, text in self._frames.problems.items()]

    def expect(self, episode: str, stamp: int) -> None:
        """
        Take note that an episode was reset: what bears an earlier stamp is none of it.

        Another one that is still open has come to its end.
        """
        self._expected = episode
        self._preroll.reset(episode, stamp)
        if self._writer is not None and self._writer.info.id != episode:
            self.end('aborted', message=_UNANNOUNCED)

    def begin(self, info: RecordingInfo) -> None:
        """
        Open the recording of an episode; one that is still open is closed as aborted.

        The same announcement again changes nothing.
        """
        self._expected = info.id
        if self._writer is not None:
            present = self._writer.info
            if (info.id, info.start_stamp) == (present.id, present.start_stamp):
                return
            self.end('aborted', message=_UNANNOUNCED)
            self.close()
        self._outcome, self._full, self._refused = None, '', 0
        self._status = _status(info.id, RECORDING)
        try:
            lack = self._disk.lack()
            if any(writer.info.id == info.id for writer, _, _ in self._held):
                lack = f'{info.id}: was recorded when the disk was full and is not complete yet'
            if lack:
                raise RecordingError(lack)
            aside = set_aside(self._folder, info.id)
            if aside is not None:
                self._status['problems'].append(
                    f'what an interrupted recording had left is now in {aside}'
                )
            self._writer = writer = RecordingWriter(
                self._folder,
                self._contract,
                info,
                clock=self._clock,
                documents=self._settings.documents,
            )
        except (RecordingError, OSError) as error:
            self._fail(str(error))
            return
        for role, (topic, message_type) in self._topics.items():
            writer.add_topic(topic, message_type, role)
        self._status['path'] = str(writer.partial)
        self._samples = SampleCheck(info.start_stamp, self._contract.period, self._contract.inputs)
        self._alarms = StreamAlarms(
            info.start_stamp,
            self._settings.rates,
            self._settings.system_clock,
            self._settings.lockstep,
        )
        for role, received, data in self._preroll.of(info.id, info.start_stamp):
            self._write(writer, role, received, data)
        self._on_change()

    def take(self, role: str, received: int, data: bytes) -> None:
        """Take a serialized message that was received at a ROS time [ns]."""
        if self._writer is None:
            self._frames.look(role, data)
        if self._writer is None or not self._belongs(role, data):
            # Also while an episode is closed: the next may begin at any moment.
            self._preroll.add(role, received, data)
        if self._writer is not None:
            self._write(self._writer, role, received, data)

    def _belongs(self, role: str, data: bytes) -> bool:
        """Tell whether a message is of the open episode for sure, be it late or not."""
        if self._outcome is None:
            return True
        return role not in self._settings.unstamped and (
            header_stamp(data) <= self._outcome['end_stamp']
        )

    def _write(self, writer: RecordingWriter, role: str, received: int, data: bytes) -> None:
        if role not in self._settings.unstamped:
            stamp = header_stamp(data)
            self._samples.add(role, stamp)
            end = self._outcome['end_stamp'] if self._outcome is not None else 2**63 - 1
            if writer.info.start_stamp <= stamp <= end:
                self._alarms.take(role, received, stamp)
                problem = self._frames.look(role, data)
                if problem:
                    self._alarms.frame(role, stamp, problem)
        messages = writer.messages
        self._guard(writer, lambda: writer.write(self._topics[role][0], received, data))
        # With memory full as well as the disk the writer takes no more.
        self._refused += writer.messages == messages

    def end(self, verdict: str, stamp: int = 0, message: str = '') -> None:
        """
        Note how the episode ended; `tick` closes the recording once the last samples are in.

        :param stamp: ROS time [ns] of the last observation.
        """
        if self._writer is None or self._outcome is not None:
            return
        self._outcome = {'verdict': verdict, 'message': message, 'end_stamp': stamp}
        self._deadline = self._clock() + self._settings.drain
        self.tick()

    def tick(self) -> None:
        """
        Look at clock, rates and disk; bring messages to the disk; close what has ended.

        Call it several times a second.
        """
        now = self._look_at_clock()
        look = self._clock() - self._looked >= _LOOK
        if look:
            self._looked = self._clock()
            self._complete_held()
        if self._writer is None:
            return
        if self._outcome is not None and (
            self._settled(self._outcome['end_stamp']) or self._clock() >= self._deadline
        ):
            self.close()
            return
        self._guard(self._writer, self._writer.flush_if_due)
        if self._outcome is None and look:
            self._alarms.disk(
                self._disk.forecast(self._looked, self._writer.bytes),
                self._writer.slowest_sync,
                now,
            )

    def _look_at_clock(self) -> int:
        before = self._clock()
        now = self._ros_time()
        after = self._clock()
        if now < self._last_time:
            # What came before bears stamps of another time.
            self._preroll.clear()
        self._last_time = now
        if self._writer is not None and self._outcome is None and after - before < _SURE:
            self._alarms.tick(now, after)
        return now

    def close(self) -> None:
        """Close an open recording now; one whose end was not announced is aborted."""
        if self._writer is None:
            return
        if self._outcome is None:
            self._outcome = {
                'verdict': 'aborted',
                'end_stamp': 0,
                'message': 'recording stopped before the episode had ended',
            }
        writer, outcome = self._writer, self._outcome
        if outcome['end_stamp']:
            self._alarms.finish(outcome['end_stamp'])
        quality = quality_report(
            outcome['verdict'],
            self._samples.finish(outcome['end_stamp']),
            self._alarms,
            self._refused,
            writer.slowest_sync,
        )
        outcome['problems'] = tuple(quality['problems'])
        self._status.update(
            messages=writer.messages, good=quality['good'], reasons=quality['reasons']
        )
        self._writer, self._full = None, ''
        try:
            writer.close(quality, **outcome)
        except RecordingError as error:
            if writer.behind:
                self._held.append((writer, quality, outcome))
            else:
                writer.abandon()
            self._fail(str(error))
            return
        self._closed(writer, quality, outcome)

    def _closed(self, writer: RecordingWriter, quality: dict[str, Any], outcome: _Outcome) -> None:
        self._status.update(
            path=str(writer.path),
            state=CLOSED,
            verdict=outcome['verdict'],
            complete=not quality['problems'],
        )
        self._status['problems'] += quality['problems']
        self._on_change()

    def _complete_held(self) -> None:
        held, self._held = self._held, []
        for writer, quality, outcome in held:
            try:
                writer.close()
            except RecordingError:
                self._held.append((writer, quality, outcome))
                continue
            if self._status['id'] == writer.info.id:
                self._status['problems'] = ['the disk was full for a while']
                self._closed(writer, quality, outcome)

    def shut_down(self) -> None:
        """Close an open recording and let go of what could not be completed."""
        self.close()
        self._complete_held()
        for writer, _, _ in self._held:
            writer.abandon()
        self._held = []

    def discard(self) -> Path:
        """
        Put the present or latest recording aside as one that its operator does not want.

        :return: where it is now: nothing is deleted.
        :raises RecordingError: if there is none, or another episode was reset since.
        """
        if self._expected not in ('', self._status['id']):
            raise RecordingError(
                f'{self._expected} has not begun, there is nothing of it to '
                f'discard; {self._status["id"] or "what was before"} is kept'
            )
        if self._writer is not None:
            # How it ended stays true of an episode that nobody wants.
            self.end('aborted', message='discarded by the operator')
            self.close()
        if self._status['state'] != CLOSED:
            raise RecordingError('there is no recording to discard')
        aside = set_aside(self._folder, self._status['id'], finished=True, suffix=DISCARDED)
        if aside is None:
            raise RecordingError(f'{self._status["path"]}: is not there any more')
        self._status.update(path=str(aside), state=WAITING)
        self._on_change()
        return aside

    def refuse(self, episode: str, problem: str) -> None:
        """Report that an episode is not recorded, and why; one that is still open is closed."""
        self.end('aborted', message=_UNANNOUNCED)
        self.close()
        self._expected = episode
        self._status = _status(episode, FAILED)
        self._status['problems'].append(problem)
        self._on_change()

    def _settled(self, end: int) -> bool:
        return bool(end) and self._samples.settled(end) and self._alarms.reaches('image', end)

    def _guard(self, writer: RecordingWriter, write: Callable[[], None]) -> None:
        # A full disk is no reason to stop: the writer holds what is missing and tries again.
        try:
            write()
        except RecordingError as error:
            changed, self._full = not self._full, str(error)
        else:
            changed = False
            if self._full and not writer.behind:
                self._full, changed = '', True
        if changed:
            self._on_change()

    def _fail(self, problem: str) -> None:
        self._status['state'] = FAILED
        self._status['problems'].append(problem)
        self._on_change()


def _status(episode: str, state: str) -> dict[str, Any]:
    return {
        'id': episode,
        'path': '',
        'state': state,
        'messages': 0,
        'complete': False,
        'verdict': '',
        'problems': [],
        'good': None,
        'reasons': [],
        'alarms': [],
    }
