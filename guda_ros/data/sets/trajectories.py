"""Runs of whole steps, as other learning libraries take them: no gap and no lost ball inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode
from guda_ros.data.transitions import DataSetError, rewards_and_terminations, TransitionSet


@dataclass(frozen=True, eq=False)
class Trajectory:
    """
    N steps that follow one another, of one episode.

    states, next_states (N, 10) world states; observations, next_observations (N, D) float32 by the
    contract; actions (N, 3) float32 in [-1, 1]; rewards (N,) float32; terminations (N,) bool: the
    task ended; stamps (N,) int64 [ns]; commanded_by (N,): see Episode; first: number of the first
    step in its episode; success: the episode scored, and this is its last part.
    """

    episode: Episode
    first: int
    states: np.ndarray
    next_states: np.ndarray
    observations: np.ndarray
    next_observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminations: np.ndarray
    stamps: np.ndarray
    commanded_by: np.ndarray
    success: bool

    def __len__(self) -> int:
        return len(self.rewards)

    @property
    def timeouts(self) -> np.ndarray:
        """Tell (N,) after which steps the trajectory stops although the task went on."""
        ends = np.zeros(len(self), dtype=bool)
        ends[-1] = not self.terminations[-1]
        return ends


def trajectories(
    episodes: Sequence[Episode],
    contract: Contract,
    among: Sequence[np.ndarray | None] | None = None,
) -> list[Trajectory]:
    """
    Cut episodes where a sample is missing or the ball was lost; the rest is nowhere filled in.

    :param among: for each episode (N,) bool: only steps that it has; None stands for all.
    :raises DataSetError: if nothing is left.
    """
    found = []
    for episode, chosen in zip(episodes, among or [None] * len(episodes)):
        rewards, terminations = rewards_and_terminations(episode, contract)
        actions = contract.to_action(episode.commands).astype(np.float32)
        for piece in episode.pieces(chosen):
            rows = slice(piece.start, piece.stop + 1)
            states = episode.world_states[rows]
            observations = contract.observe(states)
            last = piece.stop == len(episode)
            found.append(
                Trajectory(
                    episode,
                    piece.start,
                    states[:-1],
                    states[1:],
                    observations[:-1],
                    observations[1:],
                    actions[piece],
                    rewards[piece].astype(np.float32),
                    terminations[piece],
                    episode.stamps[piece],
                    episode.commanded_by[piece],
                    episode.success and last,
                )
            )
    if not found:
        raise DataSetError(
            'there is no usable step: the ball was never known, or every command '
            'is missing; `guda data report` shows what is wrong'
        )
    return found


def interrupted(steps: TransitionSet) -> np.ndarray:
    """Tell (M,) after which transitions the next row does not continue, and the task went on."""
    ends = np.ones(len(steps), dtype=bool)
    ends[:-1] = ~(
        (steps.source_episode[1:] == steps.source_episode[:-1])
        & (steps.source_step[1:] == steps.source_step[:-1] + 1)
        & (steps.rule[1:] == steps.rule[:-1])
        & np.isclose(steps.states[1:], steps.next_states[:-1], rtol=0, atol=1e-6).all(axis=1)
    )
    return ends & ~steps.terminations
