"""What a recording, data set, set of transitions, checkpoint, policy or foreign bag holds."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
from typing import Any, TYPE_CHECKING

from guda_ros.arguments import as_path
from guda_ros.data.contract import Contract
from guda_ros.data.contract_base import ContractBase
from guda_ros.data.exchange.rosbag_samples import bag_topics, is_foreign
from guda_ros.data.recording.info import RecordingInfo
from guda_ros.data.recording.reader import (
    list_recordings,
    METADATA_FILE,
    RecordingError,
    RecordingReader,
)
from guda_ros.errors import GudaError, naming_extras

if TYPE_CHECKING:
    from guda_ros.control.exported_policy import ExportedPolicy
    from guda_ros.data.sets.sources import Source
    from guda_ros.data.transitions import TransitionSet
    from guda_ros.learning.networks import TrainingResult


@dataclass(frozen=True)
class RecordingSummary:
    """What a recording says about itself."""

    path: Path
    info: RecordingInfo
    contract: Contract
    #: Topic -> number of messages.
    topics: dict[str, int]
    #: Bytes of its files.
    size: int


@dataclass(frozen=True)
class Recordings:
    """A recording, or those of a folder."""

    path: Path
    recordings: tuple[RecordingSummary, ...]
    #: A sentence for each that cannot be read.
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """What a training left."""

    path: Path
    result: TrainingResult
    contract: ContractBase
    #: What the training noted, such as `data_hash`, `versions` and `seeds`.
    info: dict[str, Any]


@dataclass(frozen=True)
class ForeignBag:
    """A rosbag2 bag that is no recording of this project."""

    path: Path
    #: Topic -> type and number of messages.
    topics: dict[str, tuple[str, int]]


@naming_extras()
def inspect(
    path: str | os.PathLike, *, foreign: bool = True
) -> list[Recordings | Source | TransitionSet | Checkpoint | ExportedPolicy | ForeignBag]:
    """
    Read what there is at a path, whatever it is, as `guda info` does.

        for found in guda_ros.inspect('runs/demo/convert'):
            print(type(found).__name__, found.path)

    :param path: recording, folder of recordings, data set, folder with data sets in it, .h5, .pt,
        .onnx, or a bag of others.
    :param foreign: take bags that others recorded, too.
    :return: one object, or one for each data set in a folder.
    :raises GudaError: if there is nothing, nothing of these, or something damaged.
    """
    path = as_path(path)
    if foreign and is_foreign(path):
        return [ForeignBag(path, bag_topics(path))]
    if not path.exists():
        raise GudaError(f'{path}: no such file or folder')
    if path.is_dir():
        if (path / METADATA_FILE).is_file():
            return [_recordings(path, [path])]
        if (path / 'metadata.json').is_file():
            return [_data_set(path)]
        found = list_recordings(path)
        if found:
            return [_recordings(path, found)]
        # One level deeper, as the stages of `guda demo` leave it.
        inner = [child.parent for child in sorted(path.glob('*/metadata.json'))]
        if inner:
            return [_data_set(child) for child in inner]
    if path.suffix == '.h5':
        from guda_ros.data.transitions import TransitionSet

        return [TransitionSet.load(path)]
    if path.suffix == '.pt':
        from guda_ros.learning.checkpoint import load_checkpoint

        return [Checkpoint(path, *load_checkpoint(path))]
    if path.suffix == '.onnx':
        from guda_ros.control.exported_policy import ExportedPolicy

        return [ExportedPolicy.load(path)]
    raise GudaError(f'{path}: neither a recording, nor a data set, nor a .h5, .pt or .onnx file')


def _recordings(folder: Path, paths: list[Path]) -> Recordings:
    found, damaged = [], []
    for path in paths:
        try:
            with RecordingReader(path) as reader:
                size = sum(file.stat().st_size for file in path.iterdir())
                found.append(
                    RecordingSummary(path, reader.info, reader.contract, reader.topics, size)
                )
        except RecordingError as error:
            damaged.append(str(error))
    return Recordings(folder, tuple(found), tuple(damaged))


def _data_set(path: Path) -> Source:
    from guda_ros.data.sets.sources import read_source

    return read_source(path)


def policy_info(policy: str | os.PathLike | ExportedPolicy) -> dict[str, Any]:
    """
    Return what a policy says about itself, as `guda policy info --json` prints it.

        print(guda_ros.policy_info('runs/mine/bc.onnx')['training'])

    :param policy: policy file or ExportedPolicy.
    :return: contract, algorithm, limits, normalisation, data and training.
    :raises GudaError: if it cannot be read.
    """
    from guda_ros.control.exported_policy import ExportedPolicy

    if not isinstance(policy, ExportedPolicy):
        policy = ExportedPolicy.load(policy)
    return policy.documents
