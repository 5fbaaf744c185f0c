"""A task of one's own as pip would install it, without pip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import re
import shutil

import pytest

ROOT = Path(__file__).resolve().parents[2]


def install(example: Path, site: Path) -> Path:
    """
    Put the package of an example, a module of the folder's pyproject.toml, into a folder.

    :return: the folder, for sys.path: entry points are found there.
    """
    # The entry points are those of pyproject.toml.
    text = (example / 'pyproject.toml').read_text()
    name, target = re.search(r'entry-points."guda_ros.tasks"\]\n(\w+) = "(.+)"', text).groups()
    module = target.partition(':')[0]
    shutil.copy(example / f'{module}.py', site)
    about = site / f'{name}-1.0.dist-info'
    about.mkdir()
    (about / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n')
    (about / 'entry_points.txt').write_text(f'[guda_ros.tasks]\n{name} = {target}\n')
    return site


@contextmanager
def installed_task(example: Path, site: Path) -> Iterator[Path]:
    """Let this process, and those that it starts, know the task of an example; give `site`."""
    install(example, site)
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(site)
    paths = [str(ROOT), str(site), os.environ.get('PYTHONPATH', '')]
    patch.setenv('PYTHONPATH', os.pathsep.join(filter(None, paths)))
    try:
        yield site
    finally:
        patch.undo()
