"""Say what is wrong with recordings, and recover what an interrupted or damaged one holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
import json
import os
from pathlib import Path
from typing import Any

from guda_ros.data.contract import Contract
from guda_ros.data.files import PARTIAL, remove, sync
from guda_ros.data.messages import FARTHEST, is_place
from guda_ros.data.recording.alarms import StreamAlarms
from guda_ros.data.recording.completeness import SampleCheck
from guda_ros.data.recording.folder import FolderClaim
from guda_ros.data.recording.found import find_recordings, FoundRecording
from guda_ros.data.recording.mcap_scan import McapScan
from guda_ros.data.recording.quality import quality_report
from guda_ros.data.recording.reader import (
    DISCARDED,
    INTERRUPTED,
    METADATA_FILE,
    RecordingError,
    RecordingInfo,
    RecordingReader,
    RecordingWriter,
    set_aside,
)
from guda_ros.data.recording.serialization import event_of, header_stamp, place_of
from guda_ros.data.recording.writer import QUALITY, RECORD
from guda_ros.data.registry import UnknownTask
from guda_ros.data.world_states import LOST_VARIANCE

WHOLE, UNNAMED, CUT, DAMAGED, LOST = 'whole', 'unnamed', 'interrupted', 'damaged', 'lost'
LOOSE, FOREIGN = 'loose', 'foreign'
#: Messages with a place -> names of frames before it.
_PLACES = {'nav_msgs/msg/Odometry': 2, 'geometry_msgs/msg/PoseWithCovarianceStamped': 1}
#: Seconds of a recording between two looks at its rates.
_TICK = 0.25
#: Where a repaired recording is written; what a killed repair left there is copied anew.
_WORK = '.repair'


@dataclass(frozen=True)
class Diagnosis:
    """
    What `doctor` and `repair` found out about one recording.

    state: 'whole'; 'unnamed': whole, but the recorder ended before it had renamed the folder;
    'interrupted': it lacks its end; 'damaged': something before the end cannot be read or a
    checksum does not fit; 'lost': nothing can be recovered; 'loose': the files are whole, but in
    no folder of their own; 'foreign': a bag that guda_ros did not record. seconds: from the first
    to the last message that can be read. lost_bytes: that cannot be read. problems: sentences.
    good, reasons: what the quality report says, None without one. repaired: the folder that
    `repair` wrote, original: where the unrepaired one is now.
    """

    path: str
    state: str
    id: str = ''
    verdict: str = ''
    messages: int = 0
    seconds: float = 0.0
    topics: dict[str, int] = field(default_factory=dict)
    lost_bytes: int = 0
    problems: tuple[str, ...] = ()
    good: bool | None = None
    reasons: tuple[str, ...] = ()
    repaired: str = ''
    original: str = ''


def doctor(path: str | os.PathLike[str]) -> list[Diagnosis]:
    """
    Examine a recording, or all in a folder; every checksum is verified and nothing is changed.

    A file stands for itself and its further parts, see find_recordings.

    :raises RecordingError: if there is no recording.
    """
    return [_examine(found)[0] for found in find_recordings(path)]


def repair(path: str | os.PathLike[str]) -> list[Diagnosis]:
    """
    Recover a recording, or all in a folder that are not whole.

        for found in guda_ros.repair('runs/mine/recordings'):
            print(found.path, found.state, found.repaired)

    What can be read goes to a new recording under the episode's name (with `_repaired` if that
    name is taken). A folder that holds nothing but the original is kept as `<id>.interrupted`;
    files beside other things stay where they are. A whole recording is left alone, or gets its
    name.

    :raises RecordingError: if there is no recording, if a recorder writes to the folder, or if the
        disk is full.
    """
    repaired = []
    with ExitStack() as claims:
        claimed = set()
        for one in find_recordings(path):
            diagnosis, salvage = _examine(one)
            if diagnosis.state in (UNNAMED, CUT, DAMAGED, LOOSE) and one.place not in claimed:
                claims.enter_context(FolderClaim(one.place))
                claimed.add(one.place)
                # A recorder may have ended it meanwhile.
                diagnosis, salvage = _examine(one)
            if diagnosis.state == UNNAMED and one.own and not _name(one.path).exists():
                diagnosis = _rename(one.path, diagnosis)
            elif diagnosis.state in (UNNAMED, CUT, DAMAGED, LOOSE):
                diagnosis = _rewrite(one, diagnosis, salvage)
            repaired.append(diagnosis)
    return repaired


class _Salvage:
    """What can be read of a recording; complete once `messages` was gone through."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.scans = [McapScan(file) for file in files]
        self.contract: Contract | None = None
        self.info: RecordingInfo | None = None
        self._ends: dict[str, dict[str, Any]] = {}

    def messages(self) -> Iterator[tuple[McapScan, str, int, bytes]]:
        for scan in self.scans:
            for topic, received, data in scan.messages():
                if scan.roles.get(topic) == 'episode' or topic.endswith('/episode'):
                    event = event_of(data)
                    if event.get('phase') == 'end':
                        self._ends[str(event.get('id'))] = event
                yield scan, topic, received, data
        self._describe()

    def _describe(self) -> None:
        for scan in self.scans:
            for record in scan.metadata.get(RECORD, ()):
                try:
                    contract = Contract.from_json(record['contract'])
                    info = RecordingInfo.from_json(record['episode'])
                except UnknownTask:
                    raise
                except (KeyError, ValueError):
                    scan.damage.append('the description of the episode is damaged')
                    continue
                if contract.hash != record.get('contract_hash'):
                    scan.damage.append('the contract does not fit its hash')
                    continue
                self.contract, self.info = contract, info

    @property
    def described(self) -> tuple[Contract, RecordingInfo]:
        """Contract and episode of what is known to tell them."""
        assert self.contract is not None and self.info is not None
        return self.contract, self.info

    @property
    def end(self) -> dict[str, Any]:
        """The event that announced the end of the episode, empty if none did."""
        return self._ends.get(self.info.id, {}) if self.info else {}

    @property
    def reasons(self) -> list[str]:
        """What the recorder itself had against the episode: more than messages can tell."""
        for scan in self.scans:
            try:
                return list(json.loads(scan.attachments[QUALITY])['reasons'])
            except (KeyError, TypeError, ValueError):
                continue
        return []

    @property
    def documents(self) -> dict[str, str]:
        return {
            name: content.decode(errors='replace')
            for scan in self.scans
            for name, content in scan.attachments.items()
            if name != QUALITY
        }


def _examine(found: FoundRecording) -> tuple[Diagnosis, _Salvage]:
    if any(file.suffix != '.mcap' for file in found.files):
        return _foreign(found, ()), _Salvage(())
    salvage = _Salvage(found.files)
    topics: dict[str, int] = {}
    far: dict[str, int] = {}
    first, last = 2**63 - 1, 0
    try:
        for scan, topic, received, data in salvage.messages():
            topics[topic] = topics.get(topic, 0) + 1
            if _is_far(scan.types.get(topic, ''), data):
                far[topic] = far.get(topic, 0) + 1
            first, last = min(first, received), max(last, received)
    except FileNotFoundError as error:
        raise RecordingError(
            f'{found.path}: was moved or renamed meanwhile; look at it again'
        ) from error
    if salvage.contract is None and any(
        scan.library is not None and not scan.library.startswith('guda_ros')
        for scan in salvage.scans
    ):
        return _foreign(found, salvage.scans, sum(topics.values()), max(0, last - first)), salvage
    path = found.path
    problems = [f'{scan.path.name}: {text}' for scan in salvage.scans for text in scan.damage]
    cut = [scan for scan in salvage.scans if not scan.complete]
    problems += [f'{scan.path.name}: the end is missing' for scan in cut]
    problems += [
        f'{topic}: {count} of {topics[topic]} messages tell of a place farther than '
        f'{FARTHEST / 1000:g} km or of none; their steps are not used'
        for topic, count in far.items()
    ]
    state = WHOLE
    if any(scan.damage for scan in salvage.scans) or any(
        scan is not salvage.scans[-1] for scan in cut
    ):
        state = DAMAGED
    elif cut:
        state = CUT
    quality = None
    if state == WHOLE and not found.bag:
        state = LOOSE
        problems.append(
            'the files are whole, but not in a folder of their own: `guda data repair` makes one'
        )
    elif state == WHOLE:
        try:
            with RecordingReader(path) as reader:
                quality = reader.quality
                if dict(reader.topics) != {**dict.fromkeys(reader.topics, 0), **topics}:
                    raise RecordingError(f'{path}: {METADATA_FILE} counts other messages')
        except RecordingError as error:
            state = DAMAGED if (path / METADATA_FILE).exists() else CUT
            problems.append(str(error).removeprefix(f'{path}: '))
        else:
            if path.suffix == PARTIAL:
                state = UNNAMED
                problems.append('all of it is there, only the folder was not renamed')
    if salvage.contract is None:
        state = LOST
        problems.append(
            'no readable contract and episode are in it: it holds less than the first '
            'moment, or guda_ros did not record it'
        )
    info = salvage.info
    return Diagnosis(
        path=str(path),
        state=state,
        id=info.id if info else '',
        verdict=_verdict(salvage) if info else '',
        messages=sum(topics.values()),
        seconds=max(0, last - first) * 1e-9,
        topics=topics,
        lost_bytes=sum(scan.size - scan.whole for scan in salvage.scans),
        problems=tuple(problems),
        good=quality['good'] if quality else None,
        reasons=tuple(quality['reasons']) if quality else (),
    ), salvage


def _is_far(kind: str, data: bytes) -> bool:
    """Tell whether a message is of a place that is none; of a lost ball nothing is expected."""
    if kind not in _PLACES:
        return False
    try:
        x, y, variance = place_of(data, _PLACES[kind])
    except ValueError:
        return False
    return variance < LOST_VARIANCE and not is_place((x, y))


def _foreign(
    found: FoundRecording, scans: Sequence[McapScan], messages: int = 0, nanoseconds: int = 0
) -> Diagnosis:
    """Say that a bag is somebody else's, and what makes it whole."""
    writers = sorted({scan.library for scan in scans if scan.library})
    by = f'{", ".join(writers)} wrote it' if writers else 'it has no contract and no episode'
    problems = [
        f'this bag is not a recording of guda_ros ({by}); `guda data import` makes a data set '
        'of it'
    ]
    for scan in scans:
        if not scan.complete or scan.damage:
            problems.append(
                f'{scan.path.name} is not whole: `mcap recover {scan.path}` saves what can be read'
            )
    if not (found.folder / METADATA_FILE).is_file():
        problems.append(
            f'{METADATA_FILE} is missing: `ros2 bag reindex {found.folder}` makes it for a folder '
            'that holds this bag only'
        )
    return Diagnosis(
        path=str(found.path),
        state=FOREIGN,
        messages=messages,
        seconds=nanoseconds * 1e-9,
        lost_bytes=sum(scan.size - scan.whole for scan in scans),
        problems=tuple(problems),
    )


def _verdict(salvage: _Salvage) -> str:
    _, info = salvage.described
    return info.verdict or salvage.end.get('verdict') or 'aborted'


def _name(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(PARTIAL))


def _rename(path: Path, diagnosis: Diagnosis) -> Diagnosis:
    """Do what the recorder did not come to, the last thing of all."""
    target = _name(path)
    try:
        os.rename(path, target)
        sync(target.parent)
    except OSError as error:
        raise RecordingError(f'{path}: cannot be renamed: {error.strerror}') from error
    return replace(diagnosis, repaired=str(target))


def _rewrite(found: FoundRecording, diagnosis: Diagnosis, source: _Salvage) -> Diagnosis:
    path, folder = found.path, found.place
    _, info = source.described
    aside = not found.own or path.suffix in (INTERRUPTED, DISCARDED)
    # Whoever gave a folder another name keeps it.
    wanted = info.id if aside else _name(path).name
    name, number = wanted, 1
    while (folder / name).exists() and (aside or folder / name != path):
        name = f'{wanted}_repaired' + (f'_{number}' if number > 1 else '')
        number += 1
    info = info if name == wanted else replace(info, id=name)
    work = folder / _WORK
    try:
        remove(work)
        quality = _copy(found.files, work, source, info, diagnosis)
        original: Path | None = path
        if not aside:
            original = set_aside(
                folder, path.name.removesuffix(PARTIAL), path.suffix != PARTIAL, INTERRUPTED
            )
        os.rename(work / info.id, folder / name)
        sync(folder)
    except OSError as error:
        raise RecordingError(
            f'{path}: cannot be repaired: {error.strerror}; the original is kept'
        ) from error
    finally:
        remove(work)
    return replace(
        diagnosis,
        repaired=str(folder / name),
        original=str(original),
        good=quality['good'],
        reasons=tuple(quality['reasons']),
    )


def _copy(
    files: Sequence[Path],
    work: Path,
    source: _Salvage,
    info: RecordingInfo,
    diagnosis: Diagnosis,
) -> dict[str, Any]:
    """Write what can be read to a recording in `work`; return its quality report."""
    contract, _ = source.described
    salvage = _Salvage(files)
    roles = {topic: role for role, topic in info.topics.items()}
    writer = RecordingWriter(
        work, contract, replace(info, topics={}, verdict=''), documents=source.documents
    )
    samples = SampleCheck(info.start_stamp, contract.period, contract.inputs)
    alarms = StreamAlarms(
        info.start_stamp, dict.fromkeys(('odom', *contract.inputs, 'command'), contract.rate)
    )
    end = info.end_stamp or int(source.end.get('stamp') or 0)
    known, looked = set(), 0
    try:
        for scan, topic, received, data in salvage.messages():
            if topic not in known:
                known.add(topic)
                writer.add_topic(
                    topic, scan.types[topic], scan.roles.get(topic) or roles.get(topic, '')
                )
            writer.write(topic, received, data)
            role = scan.roles.get(topic) or roles.get(topic, '')
            if role not in contract.topics or role == 'episode':
                continue
            stamp = header_stamp(data)
            samples.add(role, stamp)
            if stamp >= info.start_stamp and (not end or stamp <= end):
                alarms.take(role, received, stamp)
                if received - looked >= _TICK * 1e9:
                    looked = received
                    alarms.tick(received, received * 1e-9)
        if end:
            alarms.finish(end)
        verdict = _verdict(source)
        quality = quality_report(verdict, samples.finish(end), alarms)
        quality['reasons'] += [text for text in source.reasons if text not in quality['reasons']]
        quality['good'] = not quality['reasons']
        quality['repaired'] = {
            'messages': diagnosis.messages,
            'damage': list(diagnosis.problems),
            'lost_bytes': diagnosis.lost_bytes,
        }
        message = (
            info.message
            or source.end.get('message')
            or ('' if verdict != 'aborted' else 'recording was interrupted')
        )
        writer.close(
            quality,
            verdict=verdict,
            end_stamp=end,
            message=message,
            problems=tuple(quality['problems']),
        )
    finally:
        writer.abandon()
    return quality
