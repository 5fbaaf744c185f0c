"""
Augment the recordings in a folder whenever told to: the process beside the data collector.

`python -m guda_ros.augmentation.live SETTINGS` (JSON) takes a line on standard input as the
word to look at the folder, and answers with one line of JSON on standard output. It ends with its
input. It is a process of its own, of low priority, so that recording never waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
import json
import os
from pathlib import Path
import sys
import time
from typing import Any, TYPE_CHECKING

import numpy as np

from guda_ros.augmentation.coverage import guided_area, measure_coverage
from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import augment
from guda_ros.augmentation.registry import load_task
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode, read_episode
from guda_ros.data.recording.reader import list_recordings
from guda_ros.data.sets.editing import merge
from guda_ros.data.sets.trajectories import interrupted
from guda_ros.data.transitions import transitions, TransitionSet
from guda_ros.data.verdicts import BROKEN_OFF
from guda_ros.errors import GudaError
from guda_ros.soccer import world

if TYPE_CHECKING:
    from guda_ros.augmentation.guides import Guide

#: Accepted stretches of steps, single steps, and points of a stretch that are shown.
_STRETCHES, _SINGLES, _POINTS = 30, 120, 15


@dataclass(frozen=True)
class LiveSettings:
    """
    What the process is told.

    folder: of the recordings; the augmented set is saved there too. contract: as JSON. count:
    transitions to make.
    """

    folder: str
    guide: str
    contract: str
    count: int = 20_000
    seed: int = 0

    @property
    def file(self) -> Path:
        """The file of the augmented set."""
        return Path(self.folder) / f'augmented_{Path(self.guide).stem}.h5'


def load_live_guide(name: str, contract: Contract) -> Guide:
    """
    Read a guide for the task that is recorded.

    :param contract: of what is recorded.
    :raises GudaError: if there is none of that name, or it is for another task.
    """
    guide = load_guide(name)
    if guide.task is not load_task(contract.task):
        raise GudaError(
            f'guide {name}: it is for the task {guide.task.name}, and what is '
            f'recorded is for {contract.task}'
        )
    return guide


class LiveAugmenter:
    """Augments what is in the folder so far; recordings that were read are kept in memory."""

    def __init__(self, settings: LiveSettings) -> None:
        self._settings = settings
        self._contract = Contract.from_json(settings.contract)
        self._guide = load_live_guide(settings.guide, self._contract)
        self._task = self._guide.task(self._contract)
        # By folder: a name is free again once its recording was discarded.
        self._episodes: dict[tuple[Path, int], Episode | None] = {}
        self._covered = 0.0

    def run(self) -> dict[str, Any]:
        """
        Augment anew and return what came of it, as plain values.

        episodes, recorded and augmented (steps), acceptance, covered and gained (shares of sides),
        places_covered, next (words), rules, stretches (lists of robot x, y, yaw, and ball x, y if
        there is one), sides, places, origin, file, seconds, and problems: sentences.
        """
        begin = time.perf_counter()
        problems = self._read()
        episodes, notes = merge(
            [[episode for episode in self._episodes.values() if episode is not None]]
        )
        problems += notes
        report = {
            'episodes': len(episodes),
            'guide': self._guide.name,
            'problems': problems,
            'augmented': 0,
            'acceptance': 0.0,
            'rules': {},
            'stretches': [],
            'file': '',
        }
        recorded = transitions(episodes, self._contract)
        report['recorded'] = len(recorded)
        made = None
        if len(recorded):
            try:
                made, accepted = augment(
                    recorded, self._guide, self._settings.count, self._settings.seed
                )
            except GudaError as error:
                problems.append(str(error))
            else:
                report.update(
                    augmented=len(made),
                    acceptance=accepted.acceptance,
                    rules=accepted.as_dict()['accepted'],
                    stretches=_shown(made, self._contract),
                )
                report['file'] = self._save(made, problems)
        states = recorded.states
        if made is not None:
            states = np.concatenate([states, made.states])
        coverage = measure_coverage(self._task, states, guided_area(self._guide, self._task))
        report.update(
            covered=coverage.covered,
            gained=coverage.covered - self._covered,
            places_covered=coverage.places_covered,
            next=coverage.missing(),
            sides=coverage.sides.tolist(),
            places=coverage.places.tolist(),
            origin=coverage.origin,
            seconds=time.perf_counter() - begin,
        )
        self._covered = coverage.covered
        return report

    def _read(self) -> list[str]:
        """Read recordings that are new, forget those that are gone; return what is wrong."""
        problems = []
        folder = Path(self._settings.folder)
        found = [
            (path, path.stat().st_ino)
            for path in (list_recordings(folder) if folder.is_dir() else [])
        ]
        for key in found:
            if key in self._episodes:
                continue
            try:
                episode = read_episode(key[0], self._contract)
                self._episodes[key] = None if episode.verdict in BROKEN_OFF else episode
            except GudaError as error:
                self._episodes[key] = None
                problems.append(str(error))
        self._episodes = {key: self._episodes[key] for key in found}
        return problems

    def _save(self, made: TransitionSet, problems: list[str]) -> str:
        try:
            made.save(self._settings.file)
        except GudaError as error:
            problems.append(str(error))
        except ModuleNotFoundError as error:
            problems.append(f'the augmented set is not saved: {error.name} is not installed')
        else:
            return str(self._settings.file)
        return ''


def _shown(made: TransitionSet, contract: Contract) -> list[list[list[float]]]:
    """Return some of the accepted stretches as lists of robot x, y, yaw, ball x, y [m, rad]."""
    columns = slice(world.BALL.stop if contract.has_ball else world.ROBOT.stop)
    ends = np.flatnonzero(interrupted(made) | made.terminations) + 1
    begins = np.concatenate([[0], ends[:-1]])
    rng = np.random.default_rng(0)
    shown = []
    for mask, most in ((ends - begins > 1, _STRETCHES), (ends - begins == 1, _SINGLES)):
        rows = np.flatnonzero(mask)
        for row in rng.choice(rows, min(most, len(rows)), replace=False):
            step = slice(begins[row], ends[row], max(1, (ends[row] - begins[row]) // _POINTS))
            last = made.next_states[ends[row] - 1, None, columns]
            path = np.concatenate([made.states[step, columns], last])
            shown.append(np.round(path, 3).tolist())
    return shown


def main() -> int:
    """Answer every line of standard input until it ends."""
    settings = LiveSettings(**json.loads(sys.argv[1]))
    os.nice(10)
    augmenter = LiveAugmenter(settings)
    for _ in sys.stdin:
        print(json.dumps(augmenter.run()), flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
