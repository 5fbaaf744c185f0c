"""Folders of pictures with boxes: `NAME.jpg` and `NAME.txt`, a line `class cx cy w h` per box."""

from __future__ import annotations

from collections.abc import Sequence
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from guda_ros.errors import GudaError

#: Share of a ball's outline that must be seen for it to be one that is labelled, and up to which
#: it is none.
SEEN, HIDDEN = 0.5, 0.12
PICTURES = ('.jpg', '.jpeg', '.png')


@dataclass(frozen=True)
class Picture:
    """
    A picture with its boxes.

    :param path: of the picture.
    :param series: of what it is a part: near duplicates are in one.
    :param shares: (n, 4) centre, width and height of the balls, relative to the picture.
    """

    path: Path
    series: str
    shares: np.ndarray

    def boxes(self, width: int, height: int) -> np.ndarray:
        """Return left, top, right, bottom (n, 4) [pixels] in a picture of a size."""
        middle, half = self.shares[:, :2], self.shares[:, 2:] / 2
        corners = np.concatenate([middle - half, middle + half], axis=1)
        # Relative numbers count from the image's border, pixels from the middle of the first.
        return corners * [width, height, width, height] - 0.5


def write_boxes(path: Path, boxes: Sequence[np.ndarray], size: tuple[int, int]) -> None:
    """Write boxes (4,) left, top, right, bottom [pixels] of balls in a picture of a size."""
    lines = []
    for box in boxes:
        low, high = (np.asarray(part) + 0.5 for part in (box[:2], box[2:]))
        shares = np.concatenate([(low + high) / 2, high - low]) / [*size, *size]
        lines.append('0 ' + ' '.join(f'{value:.6f}' for value in shares) + '\n')
    path.write_text(''.join(lines), encoding='utf-8')


def read_folder(folder: Path, ball: str = 'ball') -> list[Picture]:
    """
    Return the labelled pictures below a folder, in the order of their paths.

    The class of the balls is the line of `classes.txt` that is `ball`, 0 without that file. A
    picture's series is what `series.csv` (columns name, series) says, else the first folder below
    `folder` (a date, say), else the folder's own name.

    :raises GudaError: if there is no labelled picture, or a label that is not understood.
    """
    if not folder.is_dir():
        raise GudaError(f'{folder}: no such folder; one with NAME.jpg and NAME.txt is expected')
    kind = _kind(folder, ball)
    series = _series(folder)
    found = []
    for path in sorted(folder.rglob('*')):
        label = path.with_suffix('.txt')
        if path.suffix.lower() not in PICTURES or not label.exists():
            continue
        parts = path.relative_to(folder).parts
        name = series.get(path.stem) or (parts[0] if len(parts) > 1 else folder.name)
        found.append(Picture(path, name, _shares(label, kind)))
    if not found:
        raise GudaError(
            f'{folder}: no labelled picture: NAME.jpg with NAME.txt beside it is expected, a line '
            '"class cx cy w h" for each box, relative to the picture'
        )
    return found


def _lines(path: Path) -> list[str]:
    # What is no UTF-8 is no number and no name either, and refused as that.
    return path.read_text(encoding='utf-8', errors='replace').splitlines()


def _kind(folder: Path, ball: str) -> int:
    path = folder / 'classes.txt'
    if not path.exists():
        return 0
    names = [line.strip() for line in _lines(path)]
    if ball not in names:
        raise GudaError(f'{path}: none of its classes is {ball!r}: {", ".join(names)}')
    return names.index(ball)


def _series(folder: Path) -> dict[str, str]:
    path = folder / 'series.csv'
    if not path.exists():
        return {}
    with path.open(encoding='utf-8', errors='replace', newline='') as file:
        return {row.get('name', ''): row.get('series', '') for row in csv.DictReader(file)}


def _shares(path: Path, kind: int) -> np.ndarray:
    boxes = []
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            values = [float(value) for value in line.split()]
        except ValueError:
            values = []
        if len(values) != 5 or not np.isfinite(values).all() or min(values[3:]) <= 0:
            raise GudaError(
                f'{path}:{number}: {line!r}: "class cx cy w h" is expected, five numbers, '
                'relative to the picture, w and h above 0'
            )
        if int(values[0]) == kind:
            boxes.append(values[1:])
    return np.array(boxes, dtype=float).reshape(-1, 4)
