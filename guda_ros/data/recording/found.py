"""Which MCAP files are one recording, and whether the folder that they lie in is its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import json
import os
from pathlib import Path
import re

from guda_ros.arguments import as_path
from guda_ros.data.files import PARTIAL
from guda_ros.data.recording.bags import read_metadata
from guda_ros.data.recording.info import DISCARDED, INTERRUPTED, METADATA_FILE, RecordingError
from guda_ros.data.recording.mcap_scan import McapScan
from guda_ros.data.recording.writer import RECORD

#: What rosbag2 writes beside MCAP; guda_ros never does.
_SQLITE = ('.db3', '.db3.zstd')
#: Episode of a file: when its trial began by both clocks, and its seed. A second copy of a
#: recording may have another id, another trial of the same id differs here.
Origin = tuple[str, str, int, int]
#: By which files are told apart: origin and stem of their names.
_Key = tuple[Origin | None, str]


@dataclass(frozen=True)
class FoundRecording:
    """
    The files of one recording, in order.

    path: what it is called by, its folder or the first of its files. own: all in the folder
    belongs to it, so that the folder may be renamed. place: the folder that a repaired recording
    is written to. origin: by which its files were told from others, None if nothing describes
    them. bag: it has, or had, a folder of its own, whatever else is in it now.
    """

    path: Path
    files: tuple[Path, ...]
    own: bool
    place: Path
    origin: Origin | None
    bag: bool = True

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.files[0].parent


def find_recordings(path: str | os.PathLike[str]) -> list[FoundRecording]:
    """
    Find the recording of an MCAP file, or all in a folder.

    A file stands for itself and its own further parts: those of the same episode, named
    `<name>_<n>.mcap` as it is. In a folder, what was discarded, and what was interrupted and
    recorded again or repaired, is left out.

    :raises RecordingError: if there is none.
    """
    path = as_path(path).absolute()
    if path.is_file() and _is_bag_file(path):
        return [one for one in _in_folder(path.parent, child=False) if path in one.files]
    if not path.is_dir():
        raise RecordingError(f'{path}: no such recording')
    here = _in_folder(path, child=False)
    if len(here) == 1 and here[0].bag:
        return here
    found = [one for one in here if not _made(one)]
    for folder in _folders(path):
        inside = _in_folder(folder, child=True)
        found += [one for one in inside if one.own or len(inside) == 1 or not _made(one)]
    if not found and not here:
        raise RecordingError(f'{path}: holds no recording')
    return found


def _folders(path: Path) -> list[Path]:
    return [
        folder
        for folder in sorted(path.iterdir())
        if folder.is_dir()
        and not folder.name.startswith('.')
        and folder.suffix != DISCARDED
        and not _superseded(folder)
    ]


def _superseded(folder: Path) -> bool:
    """Tell whether an interrupted recording has been repaired or recorded again."""
    if folder.suffix != INTERRUPTED:
        return False
    name = folder.name.removesuffix(INTERRUPTED)
    # A number stands for a second one of an episode only where there is a first.
    first = re.sub(r'-\d+$', '', name)
    if (folder.parent / f'{first}{INTERRUPTED}').exists():
        name = first
    return (folder.parent / name).exists()


def _made(one: FoundRecording) -> bool:
    """Tell whether files that stay where they are have been made a recording already."""
    if one.own or one.origin is None:
        return False
    name, *rest = one.origin
    # A repaired one whose name was taken has another id.
    names = re.compile(rf'{re.escape(name)}(_repaired(_\d+)?)?')
    others = (
        origin_of(file)
        for folder in _folders(one.place)
        if folder != one.folder and (folder / METADATA_FILE).is_file()
        for file in sorted(folder.glob('*_0.mcap'))[:1]
    )
    return any(other and names.fullmatch(other[0]) and [*other[1:]] == rest for other in others)


def _in_folder(folder: Path, child: bool) -> list[FoundRecording]:
    """
    Return the recordings whose files lie in a folder itself.

    :param child: it was found in a folder of recordings: then one that holds nothing but one
        recording is that recording's, whatever it is called.
    """
    entries = sorted(folder.iterdir())
    files = [file for file in entries if file.is_file() and _is_bag_file(file)]
    if not files:
        return []
    groups = _episodes(files)
    suffix = folder.suffix in (PARTIAL, INTERRUPTED, DISCARDED)
    bag = suffix or (folder / METADATA_FILE).is_file()
    own = len(groups) == 1 and set(entries) <= {*files, folder / METADATA_FILE}
    named = any(origin and origin[0] == folder.name for origin, _ in groups)
    # A folder that nobody named as one of the recording's own is not taken for it.
    bag = bag or named or (own and child and not os.path.ismount(folder))
    main = _main(folder, groups) if bag else None
    found = []
    for key, parts in groups.items():
        place = folder.parent if bag else folder
        if key == main:
            found.append(FoundRecording(folder, parts, own, place, key[0]))
        else:
            found.append(FoundRecording(parts[0], parts, False, place, key[0], bag=False))
    return found


def _main(folder: Path, groups: Mapping[_Key, tuple[Path, ...]]) -> _Key | None:
    """Return the key of the files that metadata.yaml, or else the folder's name, speaks of."""
    if len(groups) == 1:
        return next(iter(groups))
    names = _listed(folder)
    wanted = re.sub(rf'({PARTIAL}|{INTERRUPTED}|{DISCARDED})$', '', folder.name)
    for key, parts in groups.items():
        if parts[0].name in names:
            return key
    return next((key for key in groups if key[0] and key[0][0] == wanted), None)


def _listed(folder: Path) -> Sequence[str]:
    try:
        return [str(name) for name in read_metadata(folder)['relative_file_paths']]
    except (OSError, ValueError, TypeError, KeyError):
        return ()


def _episodes(files: Sequence[Path]) -> dict[_Key, tuple[Path, ...]]:
    """Return (origin, stem) -> the files of an episode; others go by their names."""
    known = {file: (origin_of(file), _stem(file)) for file in files}
    groups: dict[_Key, list[Path]] = {}
    for file, (origin, stem) in known.items():
        if origin is None:
            alike = {other[0] for other in known.values() if other[0] and other[1] == stem}
            origin = alike.pop() if len(alike) == 1 else None
        groups.setdefault((origin, stem), []).append(file)
    return {key: tuple(sorted(parts, key=_number)) for key, parts in groups.items()}


def origin_of(file: Path) -> Origin | None:
    """Tell of which episode an MCAP file is; None if it does not say so."""
    if file.suffix != '.mcap':
        return None
    try:
        episode = json.loads(McapScan(file).first_metadata(RECORD)['episode'])
        return (
            str(episode['id']),
            str(episode['started']),
            int(episode['start_stamp']),
            int(episode['seed']),
        )
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _is_bag_file(file: Path) -> bool:
    return file.suffix == '.mcap' or file.name.endswith(_SQLITE)


def _stem(file: Path) -> str:
    return re.sub(r'_\d+\.mcap$', '', file.name)


def _number(file: Path) -> tuple[list[int], str]:
    return [int(number) for number in re.findall(r'_(\d+)\.mcap$', file.name)], file.name
