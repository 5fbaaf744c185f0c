"""Data sets in the formats of other libraries, and of bags that others recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
import os
from pathlib import Path
from typing import get_args

from guda_ros.arguments import as_path, as_path_or, as_paths
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode
from guda_ros.data.exchange import Format
from guda_ros.data.files import refuse_target
from guda_ros.data.sets import editing
from guda_ros.data.sets.sources import kind_of, Source, TRANSITIONS
from guda_ros.data.sets.trajectories import trajectories, Trajectory
from guda_ros.data.transitions import TransitionSet
from guda_ros.errors import GudaError, naming_extras
from guda_ros.workflows.convert import describe
from guda_ros.workflows.data.editing import write
from guda_ros.workflows.data.reading import read, Readable
from guda_ros.workflows.progress import Say, silent


@dataclass(frozen=True)
class DataExport:
    """What was written for another library."""

    path: Path
    format: Format
    #: Steps that were written.
    steps: int
    #: Steps of all episodes, 0 where a set of transitions was written.
    recorded_steps: int = 0
    #: Pieces without a gap that were written, and episodes that they are of.
    trajectories: int = 0
    episodes: int = 0
    #: Whether every step has what the camera saw.
    pictures: bool = False


@naming_extras()
def export_data(
    source: Readable,
    format: Format,
    out: str | os.PathLike,
    *,
    validation: float | None = None,
    seed: int = 0,
    pictures: bool = True,
    say: Say = silent,
) -> DataExport:
    """
    Write a data set in the format of another library, as `guda data export` does.

        guda_ros.export_data('runs/mine/dataset', 'robomimic', 'runs/mine/demo.hdf5')

    Where a sample is missing or the ball was lost an episode is cut: nothing is filled in.

    :param source: data set, recording, folder of recordings, or a Source; for npz also a set of
        transitions (.h5).
    :param format: robomimic (HDF5), npz (the arrays of D4RL) or lerobot (its format 3.0).
    :param out: file, or folder for lerobot, to make.
    :param validation: robomimic: share of the episodes for the filter key valid.
    :param seed: by which those are drawn.
    :param pictures: lerobot: with what the camera saw, where recordings hold it; an episode is cut
        where a picture is missing, too.
    :return: how much was written.
    :raises GudaError: if the data cannot be written so, or `out` is there.
    """
    out, source = as_path(out, 'out'), as_path_or(source, Source, 'source')
    refuse_target(out)
    if format not in get_args(Format):
        raise GudaError(f'unknown format {format!r}; known: {", ".join(get_args(Format))}')
    if validation and format != 'robomimic':
        raise GudaError(f'--validation: {format} has no such list; use `guda data split`')
    if not isinstance(source, Source) and kind_of(source) == TRANSITIONS:
        return _export_transitions(source, format, out)
    found = read(source, say)
    contract = found.contract
    if format == 'lerobot':
        parts, filmed = _export_lerobot(found, out, pictures, say)
        return _told(out, format, parts, found, filmed)
    parts = trajectories(found.episodes, contract)
    if format == 'npz':
        from guda_ros.data.exchange.d4rl import write_npz

        write_npz(out, parts, contract)
    else:
        from guda_ros.data.exchange.robomimic import write_robomimic

        held_out: list[Episode] = []
        if validation:
            _, held_out = editing.split(found.episodes, 1.0 - validation, seed)
        write_robomimic(out, parts, contract, [episode.id for episode in held_out])
    return _told(out, format, parts, found)


def _told(
    out: Path,
    format: Format,
    parts: Sequence[Trajectory],
    found: Source,
    pictures: bool = False,
) -> DataExport:
    return DataExport(
        out,
        format,
        sum(map(len, parts)),
        sum(map(len, found.episodes)),
        len(parts),
        len(found.episodes),
        pictures,
    )


def _export_lerobot(
    found: Source, out: Path, pictures: bool, say: Say
) -> tuple[list[Trajectory], bool]:
    """Write the folder; return what it holds, and whether it holds pictures."""
    from guda_ros.data.exchange.lerobot import write_lerobot
    from guda_ros.data.exchange.pictures import RecordedPictures

    camera = None
    if pictures and found.recordings:
        from guda_ros.perception.encodings import decode_compressed

        camera = RecordedPictures(found.recordings, found.episodes, decode_compressed)
        usable = sum(int(episode.usable.sum()) for episode in found.episodes)
        left = usable - sum(
            int((episode.usable & seen).sum())
            for episode, seen in zip(found.episodes, camera.seen)
        )
        if camera and left:
            say(f'    left out: {left} of {usable} usable steps have no picture')
    parts = trajectories(found.episodes, found.contract, camera.seen if camera else None)
    write_lerobot(out, parts, found.contract, camera or None)
    return parts, bool(camera)


def _export_transitions(source: Path, format: Format, out: Path) -> DataExport:
    from guda_ros.data.exchange.d4rl import write_transitions_npz

    if format != 'npz':
        raise GudaError(
            f'{source}: {format} takes whole trajectories; export the data '
            'set, or choose --format npz'
        )
    steps = TransitionSet.load(source)
    write_transitions_npz(out, steps)
    return DataExport(out, format, len(steps))


@naming_extras()
def import_bags(
    bags: str | os.PathLike | Iterable[str | os.PathLike],
    out: str | os.PathLike,
    *,
    mapping: str | os.PathLike | None = None,
    contract: str | os.PathLike | Contract = 'soccer_push',
    robot: str | os.PathLike | None = None,
    say: Say = silent,
) -> Source:
    """
    Make a data set of rosbag2 bags that others recorded, as `guda data import` does.

        data = guda_ros.import_bags(['bags/one', 'bags/two'], 'runs/theirs', mapping='mine.yaml')

    Every bag becomes an episode. Poses are interpolated at the control rate where samples are
    close enough; what is missing stays missing and is told.

    :param bags: one or several: folders with metadata.yaml, or .mcap or .db3 files.
    :param out: data set to make.
    :param mapping: topics and frames by role, a name in config/imports or a YAML file; it names
        the contract. Without one the bags have to use the topic names of `contract`.
    :param contract: without a mapping: task in config/tasks, a YAML file or a Contract.
    :param robot: profile of the contract, by default the one that it names.
    :return: what was written.
    :raises GudaError: if a bag lacks a topic or cannot be read, or if `out` is there.
    """
    from guda_ros.data.exchange.rosbag import import_bag, Mapping

    paths, out = as_paths(bags, 'bags'), as_path(out, 'out')
    refuse_target(out)
    if not paths:
        raise GudaError('no bag is given')
    if mapping is not None:
        roles = Mapping.load(mapping, robot)
    else:
        if not isinstance(contract, Contract):
            contract = Contract.load(contract, robot)
        roles = Mapping.of_contract(contract)
    episodes = []
    for path in paths:
        episode = import_bag(path, roles)
        say(describe(episode))
        for problem in episode.problems:
            say(f'        {problem}')
        episodes.append(episode)
    joined, notes = editing.merge([[episode] for episode in episodes])
    for note in notes:
        say(f'    {note}')
    return write(out, joined, roles.contract)
