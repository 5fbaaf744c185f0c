"""What several actions of `guda data` share."""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.errors import GudaError

SOURCE_HELP = 'data set, recording or folder of recordings'


def refuse(target: Path) -> None:
    """Raise GudaError if there is something at `target`: data are never overwritten."""
    if target.exists():
        raise GudaError(f'{target}: exists already and is not overwritten; choose another name')


def require_folder(path: Path) -> None:
    """Raise GudaError if there is no folder at `path`."""
    if not path.is_dir():
        raise GudaError(f'{path}: no such folder')


def read(path: Path, contract=None):
    """Return the Source at a path, and say what could not be read of it."""
    from guda_ros.data.sources import read_source

    source = read_source(path, contract)
    for problem in source.damaged:
        print(f'left out: {problem}')
    return source


def write(target: Path, episodes, contract) -> None:
    """Write a data set and say what is in it."""
    from guda_ros.data.datasets import write_minari

    write_minari(target, episodes, contract)
    print(f'{target}: {len(episodes)} episodes, {sum(e.success for e in episodes)} scored, '
          f'{sum(int(e.usable.sum()) for e in episodes)} usable steps')


def share(text: str) -> float:
    """Read a number between 0 and 1, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f'a number between 0 and 1 is expected, not {text!r}')
    return value
