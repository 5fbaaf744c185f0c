"""Collect messages into one recording an episode; what the data collector node wires up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
import os
import struct
import time

from guda_ros.data.contract import Contract
from guda_ros.data.pairing import control_steps, missing_samples, OBSERVATION_ROLES, TRUTH_ROLES
from guda_ros.data.recording import (
    load_definitions,
    RecordingError,
    RecordingInfo,
    RecordingWriter,
    set_aside,
)

WAITING, RECORDING, CLOSED, FAILED = 'waiting', 'recording', 'closed', 'failed'
#: Roles whose messages carry no header.
_STAMPLESS = ('episode',)
#: Messages kept while no episode runs: those of the first step can arrive before the word that it
#: began.
_PREROLL = 500
_PREROLL_SECONDS = 2.0


def header_stamp(data: bytes) -> int:
    """
    Return the stamp [ns] of a serialized message that begins with std_msgs/Header.

    :raises ValueError: if it is too short for one.
    """
    if len(data) < 12:
        raise ValueError('a serialized message with a header is expected')
    # CDR: the second byte of the encapsulation header tells the byte order.
    seconds, nanoseconds = struct.unpack_from('<iI' if data[1] & 1 else '>iI', data, 4)
    return seconds * 1_000_000_000 + nanoseconds


class EpisodeCollector:
    """
    Record what is taken between `begin` and `end` of an episode.

    After `end` the recording stays open until the last samples have arrived or `drain` seconds
    have passed. No method raises for a full disk or an existing recording: `status` says so and
    collecting goes on where it can.

    :param folder: where recordings go.
    :param topics: role -> (topic name in the bag, message type); roles are keys of the contract's
        topics or new.
    :param clock: a steady clock [s].
    :param on_change: called whenever the status has changed in more than its count of messages.
    """

    def __init__(self, folder: str | os.PathLike, contract: Contract,
                 topics: Mapping[str, tuple[str, str]], *, drain: float = 1.0,
                 clock: Callable[[], float] = time.monotonic,
                 on_change: Callable[[], None] = lambda: None) -> None:
        self._folder = folder
        self._contract = contract
        self._topics = dict(topics)
        # Now rather than when the first episode begins: this takes a moment.
        load_definitions()
        self._drain = drain
        self._clock = clock
        self._on_change = on_change
        self._preroll: deque[tuple[float, str, int, bytes]] = deque(maxlen=_PREROLL)
        self._writer: RecordingWriter | None = None
        self._stamps: dict[str, set[int]] = {}
        self._outcome: dict | None = None
        self._deadline = 0.0
        self._disk = ''
        self._status = _status('', WAITING)

    @property
    def status(self) -> dict:
        """
        Return how the present or latest recording stands, as plain values.

        id, path, state ('waiting', 'recording', 'closed', 'failed'), messages, verdict, complete
        (closed, and no sample of any step is missing) and problems (sentences).
        """
        status = {**self._status, 'problems': list(self._status['problems'])}
        if self._writer is not None:
            status['messages'] = self._writer.messages
        if self._disk:
            status['problems'].append(self._disk)
        return status

    @property
    def recording(self) -> bool:
        """Tell whether a recording is open."""
        return self._writer is not None

    def begin(self, info: RecordingInfo) -> None:
        """Open the recording of an episode; one that is still open is closed as aborted."""
        if self._writer is not None:
            if info.id == self._writer.info.id:
                return
            self.end('aborted', message='the next episode began before the end was announced')
            self.close()
        self._outcome, self._disk = None, ''
        self._stamps = {role: set() for role in (*OBSERVATION_ROLES, *TRUTH_ROLES, 'command')}
        self._status = _status(info.id, RECORDING)
        try:
            aside = set_aside(self._folder, info.id)
            if aside is not None:
                self._status['problems'].append(
                    f'what an interrupted recording had left is now in {aside}')
            self._writer = RecordingWriter(self._folder, self._contract, info, clock=self._clock)
            self._status['path'] = str(self._writer.partial)
            for role, (topic, message_type) in self._topics.items():
                self._writer.add_topic(topic, message_type, role)
        except (RecordingError, OSError) as error:
            self._fail(str(error))
            return
        early, self._preroll = self._preroll, deque(maxlen=_PREROLL)
        for when, role, received, data in early:
            if self._clock() - when > _PREROLL_SECONDS:
                continue
            if role in _STAMPLESS or header_stamp(data) >= info.start_stamp:
                self.take(role, received, data)
        self._on_change()

    def take(self, role: str, received: int, data: bytes) -> None:
        """Take a serialized message that was received at a ROS time [ns]."""
        if self._writer is None:
            self._preroll.append((self._clock(), role, received, data))
            return
        if role in self._stamps:
            self._stamps[role].add(header_stamp(data))
        self._guard(lambda: self._writer.write(self._topics[role][0], received, data))

    def end(self, verdict: str, stamp: int = 0, message: str = '') -> None:
        """
        Note how the episode ended; `tick` closes the recording once the last samples are in.

        :param stamp: ROS time [ns] of the last observation.
        """
        if self._writer is None or self._outcome is not None:
            return
        self._outcome = {'verdict': verdict, 'message': message, 'end_stamp': stamp}
        self._deadline = self._clock() + self._drain
        self.tick()

    def tick(self) -> None:
        """Bring messages to the disk; close an ended recording that is whole or waited enough."""
        if self._writer is None:
            return
        if self._outcome is not None and (self._settled() or self._clock() >= self._deadline):
            self.close()
        else:
            self._guard(self._writer.flush_if_due)

    def close(self) -> None:
        """Close an open recording now; one whose end was not announced is aborted."""
        if self._writer is None:
            return
        if self._outcome is None:
            self._outcome = {'verdict': 'aborted', 'end_stamp': 0,
                             'message': 'recording stopped before the episode had ended'}
        info, outcome = self._writer.info, self._outcome
        steps = control_steps(self._stamps, info.start_stamp, outcome['end_stamp'] or 2**63 - 1)
        problems = missing_samples(self._stamps, steps, info.start_stamp, self._contract.period)
        self._status['messages'] = self._writer.messages
        try:
            path = self._writer.close(**outcome, problems=tuple(problems))
        except RecordingError as error:
            self._writer.abandon()
            self._fail(str(error))
            return
        self._writer, self._disk = None, ''
        self._status.update(path=str(path), state=CLOSED, verdict=outcome['verdict'],
                            complete=not problems)
        self._status['problems'] += problems
        self._on_change()

    def refuse(self, episode: str, problem: str) -> None:
        """Report that an episode is not recorded, and why."""
        self._status = _status(episode, FAILED)
        self._status['problems'].append(problem)
        self._on_change()

    def _settled(self) -> bool:
        end = self._outcome['end_stamp']
        return bool(end) and all(end in self._stamps[role] for role in OBSERVATION_ROLES) and all(
            not self._stamps[role] or end in self._stamps[role] for role in TRUTH_ROLES)

    def _guard(self, write: Callable[[], None]) -> None:
        # A full disk is no reason to stop: the writer holds what is missing and tries again.
        try:
            write()
        except RecordingError as error:
            changed, self._disk = not self._disk, str(error)
        else:
            changed = False
            if self._disk and not self._writer.behind:
                self._disk, changed = '', True
        if changed:
            self._on_change()

    def _fail(self, problem: str) -> None:
        self._writer, self._disk = None, ''
        self._status['state'] = FAILED
        self._status['problems'].append(problem)
        self._on_change()


def _status(episode: str, state: str) -> dict:
    return {'id': episode, 'path': '', 'state': state, 'messages': 0, 'complete': False,
            'verdict': '', 'problems': []}
