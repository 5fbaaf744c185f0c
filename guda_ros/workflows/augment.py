"""Many transitions from a few demonstrations, by the rules of a guide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
import os
from pathlib import Path

import numpy as np

from guda_ros.arguments import as_path, as_path_or, as_whole, if_given
from guda_ros.augmentation.guides import Guide, load_guide
from guda_ros.augmentation.pipeline import AcceptanceReport, augment_to_file
from guda_ros.augmentation.pipeline import augment as augment_in_memory
from guda_ros.augmentation.verify import Verification, verify
from guda_ros.data.files import refuse_existing
from guda_ros.data.sets.selection import choose_demonstrations
from guda_ros.data.transitions import TransitionSet
from guda_ros.errors import naming_extras


@dataclass(frozen=True)
class Augmentation:
    """What was made of recorded steps by a guide."""

    guide: Guide
    #: The steps that it was made from.
    recorded: TransitionSet
    #: What became of the proposals, by rule.
    report: AcceptanceReport
    #: How many transitions were made.
    count: int
    #: Of all that was drawn.
    seed: int
    #: The file with the transitions, None for those that are in memory.
    path: Path | None = None
    #: The transitions, None for those that are in a file.
    in_memory: TransitionSet | None = None

    def transitions(self, rows: slice = slice(None)) -> TransitionSet:
        """Return the transitions, or some rows of them; those in a file are read now."""
        if self.path is None:
            return self.in_memory.select(np.arange(self.count)[rows])
        return TransitionSet.load(self.path, self.guide.task.read_contract, rows)

    def verify(self, count: int = 2000) -> dict[str, Verification]:
        """
        Step up to `count` transitions again in the simulator of the task; return the errors.

        :return: by `recorded`, steps as they were recorded, and `augmented`.
        """
        made = self.transitions(slice(None, None, max(self.count // count, 1)))
        task = self.guide.task(self.recorded.contract)
        return {
            name: verify(task, steps, count, self.seed)
            for name, steps in (('recorded', self.recorded), ('augmented', made))
        }


@naming_extras()
def augment(
    data: str | os.PathLike | TransitionSet,
    guide: str | os.PathLike | Guide = 'guided',
    count: int = 200_000,
    *,
    out: str | os.PathLike | None = None,
    seed: int = 0,
    demonstrations: int | None = None,
    threads: int = 1,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Augmentation:
    """
    Make `count` transitions from recorded steps, as `guda augment` does.

        made = guda_ros.augment('runs/mine/dataset', 'guided', 200_000, out='runs/mine/guided.h5')
        print(made.report.acceptance, made.report.notes)

    :param data: data set, or whatever the task of the guide reads; or the recorded steps.
    :param guide: name in config/guides, a YAML file, or a Guide.
    :param out: HDF5 file to make, with the memory of a few blocks; without it, all is kept in
        memory.
    :param seed: of all that is drawn; the same seed makes the same bytes.
    :param demonstrations: use only this many episodes, drawn by the seed.
    :param threads: that work at the same time; the result is the same.
    :param progress: called with the number of transitions made and wanted.
    :raises GudaError: if data or guide cannot be used, or `out` is there and not `overwrite`.
    """
    as_whole(seed, 'seed', 0), as_whole(threads, 'threads', 1), as_whole(count, 'count', 1)
    path = if_given(as_path, out, 'out')
    if path is not None:
        refuse_existing(path, overwrite)
    data = as_path_or(data, TransitionSet, 'data')
    rules = guide if isinstance(guide, Guide) else load_guide(guide)
    recorded = data if isinstance(data, TransitionSet) else rules.task.read(data)
    if demonstrations is not None:
        as_whole(demonstrations, 'demonstrations', 1)
        recorded = choose(recorded, demonstrations, seed)
    if path is None:
        made, report = augment_in_memory(recorded, rules, count, seed, progress, threads)
        report.notes[:0] = recorded.info.get('notes', ())
        return Augmentation(rules, recorded, report, count, seed, in_memory=made)
    report = augment_to_file(recorded, rules, count, seed, path, progress, threads)
    report.notes[:0] = recorded.info.get('notes', ())
    return Augmentation(rules, recorded, report, count, seed, path)


def choose(recorded: TransitionSet, demonstrations: int, seed: int) -> TransitionSet:
    """Return the steps of so many episodes, the ones that training with that seed draws."""
    kept = choose_demonstrations(range(len(recorded.episode_ids)), demonstrations, seed)
    chosen = recorded.select(np.isin(recorded.source_episode, kept))
    return replace(
        chosen,
        source_episode=np.searchsorted(kept, chosen.source_episode),
        episode_ids=[recorded.episode_ids[index] for index in kept],
        episode_success=[recorded.episode_success[index] for index in kept],
    )
