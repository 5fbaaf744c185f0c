"""Say what is wrong with a data set: what cannot be, what is doubtful, what is in it twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import json
import os
from pathlib import Path

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode
from guda_ros.data.pairing import regular
from guda_ros.data.sets.editing import same_episode
from guda_ros.data.sets.minari import read_minari, read_minari_contract, seen
from guda_ros.data.transitions import DataSetError, rewards_and_terminations
from guda_ros.data.world_states import far_away
from guda_ros.soccer import world

ERROR, WARNING = 'error', 'warning'
#: Commands that exceed the limits of the robot's profile by more than this [m/s, rad/s] are told.
_TOLERANCE = 0.01
#: A robot that is faster than this many times its limits was not driven, its estimate jumped.
_JUMP = 3.0


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a data set: 'error' or 'warning', of an episode or of all."""

    level: str
    episode: str
    text: str


def check_data_set(path: str | os.PathLike[str]) -> list[Finding]:
    """
    Examine a data set; nothing is changed.

    :raises DataSetError: if it cannot be read at all; the message says what to do.
    """
    contract, episodes = read_minari_contract(path), read_minari(path)
    # Numbers that are wrong may be large: what overflows is found, not warned of.
    with np.errstate(over='ignore', invalid='ignore'):
        findings = [found for episode in episodes for found in _check_episode(episode, contract)]
        findings += _twins(episodes)
        findings += _stored(Path(path), contract, episodes)
    if not any(episode.usable.any() for episode in episodes):
        findings.append(Finding(ERROR, '', 'there is no usable step in it'))
    return findings


def _check_episode(episode: Episode, contract: Contract) -> list[Finding]:
    found = []

    def add(level: str, text: str) -> None:
        found.append(Finding(level, episode.id, text))

    if (np.diff(episode.stamps) <= 0).any():
        add(ERROR, 'stamps do not go forward')
    uneven = int((~regular(episode.stamps, contract.period)).sum())
    if uneven:
        add(WARNING, f'{uneven} steps do not last {contract.period:g} s')
    known = episode.world_states[episode.valid]
    if not np.isfinite(known).all():
        add(ERROR, 'states that count as valid are not finite')
    for text in far_away(np.concatenate([known, episode.truth_states])):
        add(ERROR, text)
    share = float(episode.usable.mean()) if len(episode) else 0.0
    if share < 0.9:
        add(WARNING, f'{share:.0%} of the steps are usable')
    commands = np.nan_to_num(episode.commands)
    over = np.abs(commands - contract.limits.clip(commands)).max(axis=1)
    if (over > _TOLERANCE).any():
        worst = int(np.argmax(over))
        add(
            WARNING,
            f'{int((over > _TOLERANCE).sum())} commands are beyond the limits of the '
            f'robot and clipped in actions, the worst in step {worst}: '
            f'{np.round(commands[worst], 3).tolist()}',
        )
    moved = np.linalg.norm(np.diff(episode.world_states[:, world.ROBOT_POSITION], axis=0), axis=1)
    fastest = np.hypot(contract.limits.forward, contract.limits.side) * contract.period
    jumps = np.flatnonzero(episode.usable & (np.nan_to_num(moved) > _JUMP * fastest))
    if len(jumps):
        add(
            WARNING,
            f'the robot jumps {moved[jumps[0]]:.2f} m in step {jumps[0]}'
            + (f', and in {len(jumps) - 1} others' if len(jumps) > 1 else ''),
        )
    if not np.nan_to_num(episode.commands).any():
        add(WARNING, 'the robot was never told to move')
    return found


def _twins(episodes: Sequence[Episode]) -> list[Finding]:
    found = []
    for number, episode in enumerate(episodes):
        for other in episodes[:number]:
            if episode.id == other.id:
                found.append(Finding(ERROR, episode.id, 'two episodes have this id'))
            elif same_episode(episode, other):
                found.append(Finding(WARNING, episode.id, f'holds the same steps as {other.id}'))
    return found


def _alike(stored: np.ndarray, expected: np.ndarray) -> bool:
    return np.allclose(stored, expected, rtol=1e-4, atol=1e-4, equal_nan=True)


def _stored(path: Path, contract: Contract, episodes: Sequence[Episode]) -> list[Finding]:
    """Compare what Minari stores beside the world states with what they say."""
    from minari import MinariDataset

    found = []
    metadata = json.loads((path / 'metadata.json').read_text(encoding='utf-8'))
    steps = sum(map(len, episodes))
    for key, value in (('total_episodes', len(episodes)), ('total_steps', steps)):
        if metadata.get(key) != value:
            found.append(
                Finding(
                    ERROR,
                    '',
                    f'metadata.json: {key} is {metadata.get(key)}, and there are {value}',
                )
            )
    try:
        for episode, data in zip(episodes, MinariDataset(path).iterate_episodes()):
            observations, rewards, _ = seen(episode, contract)
            guessed, _ = rewards_and_terminations(episode, contract)
            for name, stored, expected, of_old in (
                (
                    'observations',
                    data.observations,
                    observations,
                    contract.observe(episode.world_states),
                ),
                ('actions', data.actions, contract.to_action(episode.commands), None),
                ('rewards', data.rewards, rewards, guessed),
            ):
                if _alike(stored, expected):
                    continue
                if of_old is not None and _alike(stored, of_old):
                    found.append(
                        Finding(
                            WARNING,
                            episode.id,
                            f'{name} are numbers where the ball was not known: take only what '
                            'infos["valid"] allows, or make the set again with `guda convert`',
                        )
                    )
                else:
                    found.append(
                        Finding(
                            ERROR,
                            episode.id,
                            f'{name} do not follow from the world '
                            'states; make the set again with `guda convert`',
                        )
                    )
    except Exception as error:  # Minari takes for granted what stands in its files.
        raise DataSetError(
            f'{path}: damaged: {error}; make it again with `guda convert`'
        ) from error
    return found
