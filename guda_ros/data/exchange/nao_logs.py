"""
Logs of the physical NAO experiment of the GuDA paper, as its authors published them.

Each file is JSON with `observations` (robot x, y [mm], heading [rad], ball x, y [mm], by the
robot's own vision and localisation) and `actions` (what a network asked for: turn, forward, left,
kick; clipped to [-1, 1] on the robot). There are no time stamps: time is counted in rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import json
from pathlib import Path
import tarfile

import numpy as np

from guda_ros.errors import GudaError

#: A row a camera image, two cameras of 30 Hz. The alternation of neighbouring rows between two
#: poses, 3.9 steps a second and a speed below the walk's limit speak for it; nothing proves it.
ROWS_PER_SECOND = 60.0
#: Displacements of a row beyond which localisation jumped and nobody walked [m, rad].
JUMP, TURN_JUMP = 0.2, 0.3


@dataclass(frozen=True, eq=False)
class NaoLog:
    """
    One file: pose (n, 3) in `map` [m, m, rad], yaw unwrapped, ball (n, 2) [m], actions (n, 3).

    Actions are forward, left, turn in [-1, 1], as they were sent to the walk.
    """

    name: str
    pose: np.ndarray
    ball: np.ndarray
    actions: np.ndarray


def read_nao_logs(paths: Sequence[Path]) -> list[NaoLog]:
    """
    Read all `.log` files in folders and tar archives.

    :raises GudaError: naming the file that cannot be read, or if there is none.
    """
    logs = []
    for path in map(Path, paths):
        if path.is_dir():
            found = sorted(path.rglob('*.log'))
            archives = sorted(path.glob('*.tar.gz')) if not found else []
            logs += [_parse(str(file), file.read_bytes()) for file in found]
            for archive in archives:
                logs += _archive(archive)
        elif path.is_file():
            logs += _archive(path)
        else:
            raise GudaError(f'{path}: no such file or folder')
    if not logs:
        raise GudaError(f'{", ".join(map(str, paths))}: holds no .log file')
    return logs


def _archive(path: Path) -> list[NaoLog]:
    try:
        with tarfile.open(path) as archive:
            members = sorted(
                (
                    member
                    for member in archive.getmembers()
                    if member.isfile() and member.name.endswith('.log')
                ),
                key=lambda member: member.name,
            )
            # Read from the archive: nothing is unpacked to the disk.
            return [
                _parse(f'{path}:{member.name}', content.read())
                for member in members
                if (content := archive.extractfile(member)) is not None
            ]
    except (tarfile.TarError, EOFError) as error:
        raise GudaError(f'{path}: not a tar archive that can be read: {error}') from error


def _parse(name: str, data: bytes) -> NaoLog:
    try:
        content = json.loads(data)
        seen = np.array(content['observations'], dtype=np.float64)
        raw = np.array(content['actions'], dtype=np.float64)
        if seen.ndim != 2 or seen.shape[1] != 5 or raw.shape != (len(seen), 4):
            raise ValueError(
                f'observations {seen.shape} and actions {raw.shape} were expected '
                'to be (n, 5) and (n, 4)'
            )
        if not (np.isfinite(seen).all() and np.isfinite(raw).all()):
            raise ValueError('holds numbers that are not finite')
    except (ValueError, KeyError, TypeError) as error:
        raise GudaError(f'{name}: not a log of the NAO experiment: {error}') from error
    pose = np.column_stack([seen[:, :2] / 1000, np.unwrap(seen[:, 2])])
    return NaoLog(name, pose, seen[:, 3:] / 1000, np.clip(raw[:, [1, 2, 0]], -1, 1))
