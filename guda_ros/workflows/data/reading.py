"""Read what several actions start from, and say what could not be read of it."""

from __future__ import annotations

import os

from guda_ros.arguments import as_path
from guda_ros.data.contract import Contract
from guda_ros.data.sets.sources import read_source, Source
from guda_ros.workflows.progress import Say

#: A data set, a recording or a folder of recordings; or what was read from one.
Readable = str | os.PathLike | Source


def read(source: Readable, say: Say, contract: Contract | None = None) -> Source:
    """
    Return a Source, read from a path where it is one.

    :param say: hears what was left out or is noteworthy.
    :param contract: refuse a data set of another one, if given.
    :raises GudaError: if there are no episodes.
    """
    if isinstance(source, Source):
        return source
    found = read_source(as_path(source, 'source'), contract)
    for problem in found.damaged:
        say(f'left out: {problem}')
    for note in found.notes:
        say(f'    {note}')
    return found
