"""Examine recordings and data sets, and write a page about them; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path

from guda_ros.arguments import as_folder, as_path
from guda_ros.data.recording.repair import Diagnosis, FOREIGN, LOST, WHOLE
from guda_ros.data.recording.repair import doctor as examine_recordings
from guda_ros.data.sets.checkup import check_data_set, ERROR, Finding
from guda_ros.data.sets.sources import Source
from guda_ros.data.transitions import TransitionSet
from guda_ros.errors import naming_extras
from guda_ros.evaluation.pages.page import ReportFiles
from guda_ros.workflows.data.reading import read, Readable
from guda_ros.workflows.progress import Say, silent


@dataclass(frozen=True)
class Checkup:
    """What was found out about recordings, or about a data set."""

    path: Path
    #: Of each recording; empty for a data set.
    recordings: tuple[Diagnosis, ...] = ()
    #: What is wrong with a data set; None for recordings.
    findings: tuple[Finding, ...] | None = None

    @property
    def damaged(self) -> list[Diagnosis]:
        """The recordings that are not whole."""
        return [found for found in self.recordings if found.state != WHOLE]

    @property
    def repairable(self) -> bool:
        """Tell whether `repair` can recover something."""
        return any(found.state not in (FOREIGN, LOST) for found in self.damaged)

    @property
    def errors(self) -> int:
        """Number of findings that make a data set wrong; the others are warnings."""
        return sum(finding.level == ERROR for finding in self.findings or ())

    @property
    def sound(self) -> bool:
        """Tell whether nothing is damaged or wrong."""
        return not self.damaged and not self.errors


@naming_extras()
def doctor(path: str | os.PathLike) -> Checkup:
    """
    Examine recordings or a data set, as `guda data doctor` does, and change nothing.

        found = guda_ros.doctor('runs/mine/dataset')
        print(found.sound, found.findings)

    Of recordings every checksum is verified; of data sets, whether observations, actions and
    rewards follow from the world states, and whether robot and stamps did what is possible.

    :param path: data set, recording or folder of recordings.
    :raises GudaError: if there is nothing of these, or a data set cannot be read at all.
    """
    path = as_path(path)
    if (path / 'metadata.json').is_file():
        return Checkup(path, findings=tuple(check_data_set(path)))
    return Checkup(path, recordings=tuple(examine_recordings(path)))


@naming_extras()
def report(
    source: Readable,
    out: str | os.PathLike,
    *,
    augmented: str | os.PathLike | TransitionSet | None = None,
    reference: Readable | None = None,
    say: Say = silent,
) -> ReportFiles:
    """
    Write a page about recordings or a data set, as `guda data report` does.

        files = guda_ros.report('runs/mine/dataset', out='runs/mine/report')
        print(files.html, files.json)

    :param source: data set, recording, folder of recordings, or a Source.
    :param out: folder for report.html and report.json, which are replaced.
    :param augmented: set that was made of these (.h5), to compare coverage with.
    :param reference: what counts as 1 in return and coverage, as `source`.
    :raises GudaError: if something cannot be read.
    """
    from guda_ros.evaluation.pages.data import build_data_report

    out = as_folder(out, 'out')
    found: Source = read(source, say)
    if augmented is not None and not isinstance(augmented, TransitionSet):
        augmented = TransitionSet.load(augmented)
    other = None if reference is None else read(reference, say)
    return build_data_report(found, out, augmented, other)
