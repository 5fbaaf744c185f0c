"""Trials on a robot: which starts are done, saved after each one, so that nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from guda_ros.evaluation.results import (
    Episode,
    Evaluation,
    FILE,
    load_results,
    require_comparable,
    ResultError,
)

#: Key -> verdict of the operator, and what the key means in words.
KEYS = {
    's': ('scored', 'success'),
    'f': ('failed', 'failure'),
    'o': ('out', 'the ball is out'),
    'd': ('fall', 'the robot fell down'),
}
REPEAT, ABORT = 'r', 'q'


class TrialLog:
    """
    The trials of one policy in a folder.

    :param evaluation: with one policy, whose episodes are those of earlier sessions or none.
    """

    def __init__(self, evaluation: Evaluation, folder: Path) -> None:
        self.evaluation = evaluation
        self._folder = Path(folder)

    @classmethod
    def resume(cls, evaluation: Evaluation, folder: Path) -> TrialLog:
        """
        Continue with what is in a folder, if it is of the same policy, contract and starts.

        The notes must be the same, too: they tell a rehearsal from trials on the robot.

        :param evaluation: what is to be tried, without episodes.
        :raises ResultError: if something else is in the folder.
        """
        path = Path(folder) / FILE
        if not path.exists():
            return cls(evaluation, folder)
        found = load_results(path)
        require_comparable('this command', evaluation, str(path), found)
        (policy,) = evaluation.policies
        if (
            len(found.policies) != 1
            or found.policies[0].sha256 != policy.sha256
            or found.policies[0].means != policy.means
        ):
            raise ResultError(
                f'{path}: holds the results of another policy; choose another folder with --out'
            )
        if set(found.notes) != set(evaluation.notes):
            raise ResultError(
                f'{path}: a rehearsal and trials on the robot do not go together; choose another '
                'folder with --out'
            )
        count = len(evaluation.starts)
        beyond = [e.start for e in found.policies[0].episodes if e.start >= count]
        if beyond:
            raise ResultError(
                f'{path}: holds trials up to start {max(beyond)}; ask for at least '
                f'{max(beyond) + 1} starts'
            )
        episodes = found.policies[0].episodes
        return cls(
            replace(
                evaluation,
                policies=(replace(policy, episodes=episodes),),
                commands=tuple(dict.fromkeys((*found.commands, *evaluation.commands))),
            ),
            folder,
        )

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """The trials so far, in the order in which they were made."""
        return self.evaluation.policies[0].episodes

    @property
    def next_start(self) -> int | None:
        """The number of the first start that was not tried yet, None when all were."""
        done = {episode.start for episode in self.episodes}
        return next((n for n in range(len(self.evaluation.starts)) if n not in done), None)

    def add(self, episode: Episode) -> None:
        """Note a trial, and save."""
        self._save((*self.episodes, episode))

    def drop_last(self) -> Episode | None:
        """Forget and return the trial made last, if there is one, and save."""
        if not self.episodes:
            return None
        *kept, last = self.episodes
        self._save(tuple(kept))
        return last

    def _save(self, episodes: tuple[Episode, ...]) -> None:
        (policy,) = self.evaluation.policies
        changed = replace(self.evaluation, policies=(replace(policy, episodes=episodes),))
        changed.save(self._folder)
        self.evaluation = changed
