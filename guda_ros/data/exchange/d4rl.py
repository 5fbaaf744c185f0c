"""
Write the arrays of a D4RL data set (Fu et al., 2020, arXiv 2004.07219) as one NPZ file.

observations, actions, rewards, terminals and timeouts; next_observations, and below `infos/` what
else is known. A row without timeouts is a step, and unless terminals holds the next row continues
it. A row with timeouts is none: it holds the observation in which steps end although the task went
on, for readers that take the successor of a step from the next row (d3rlpy's MDPDataset, D4RL's
qlearning_dataset). The last row of all is such a one, because D4RL's reader leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence
import os

import numpy as np

from guda_ros.data.contract_base import ContractBase
from guda_ros.data.files import atomic_target
from guda_ros.data.sets.trajectories import interrupted, Trajectory
from guda_ros.data.transitions import DataSetError, TransitionSet
from guda_ros.data.verdicts import COMMANDERS


def write_npz(
    path: str | os.PathLike[str], parts: Sequence[Trajectory], contract: ContractBase
) -> None:
    """
    Write trajectories; the file appears when it is complete.

    :raises DataSetError: if it cannot be written.
    """
    columns = {
        name: np.concatenate([getattr(part, source) for part in parts])
        for name, source in (
            ('observations', 'observations'),
            ('actions', 'actions'),
            ('rewards', 'rewards'),
            ('terminals', 'terminations'),
            ('timeouts', 'timeouts'),
            ('next_observations', 'next_observations'),
            ('infos/world_states', 'states'),
            ('infos/next_world_states', 'next_states'),
            ('infos/stamps', 'stamps'),
        )
    }
    lengths = [len(part) for part in parts]
    columns['infos/episode'] = np.repeat([part.episode.id for part in parts], lengths)
    columns['infos/step'] = np.concatenate([part.first + np.arange(len(part)) for part in parts])
    columns['infos/commanded_by'] = np.array(COMMANDERS)[
        np.concatenate([part.commanded_by for part in parts])
    ]
    columns['infos/success'] = np.repeat([part.episode.success for part in parts], lengths)
    stamps = [part.episode.stamps[part.first + 1 :][: len(part)] for part in parts]
    _save(path, _with_ends(columns, {'infos/stamps': np.concatenate(stamps)}), contract)


def write_transitions_npz(path: str | os.PathLike[str], steps: TransitionSet) -> None:
    """Write a set of transitions, augmented ones too; see write_npz."""
    columns = {
        'observations': steps.observations(),
        'actions': steps.actions,
        'rewards': steps.rewards,
        'terminals': steps.terminations,
        'timeouts': interrupted(steps),
        'next_observations': steps.next_observations(),
        'infos/world_states': steps.states,
        'infos/next_world_states': steps.next_states,
        'infos/episode': np.array(steps.episode_ids)[steps.source_episode],
        'infos/step': steps.source_step,
        'infos/success': steps.success(),
        'infos/rule': np.array(steps.rule_names)[steps.rule],
    }
    _save(path, _with_ends(columns, {}), steps.contract)


def _with_ends(
    columns: dict[str, np.ndarray], following: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """
    Put a row behind each step that is cut off, and behind the last one.

    :param columns: one row a step, `timeouts` where it is cut off. :param following: what such a
        row holds instead of the step's own value; it repeats action, episode and rule.
    """
    cut = columns['timeouts'].copy()
    cut[-1:] = True
    rows = np.repeat(np.arange(len(cut)), 1 + cut)
    ends = np.concatenate([[False], rows[1:] == rows[:-1]])[: len(rows)]
    following = {
        'observations': columns['next_observations'],
        'infos/world_states': columns['infos/next_world_states'],
        'infos/step': columns['infos/step'] + 1,
        'rewards': np.zeros_like(columns['rewards']),
        'terminals': np.zeros_like(columns['terminals']),
        'infos/commanded_by': np.full(len(cut), COMMANDERS[0]),
        **following,
    }
    made = {}
    for name, column in columns.items():
        made[name] = column[rows]
        if name in following:
            made[name][ends] = following[name][rows[ends]]
    return {**made, 'timeouts': ends}


def _save(
    path: str | os.PathLike[str], columns: dict[str, np.ndarray], contract: ContractBase
) -> None:
    names = getattr(contract, 'observation_names', ())
    columns.update(
        {
            'metadata/contract': np.array(contract.to_json()),
            'metadata/contract_hash': np.array(contract.hash),
            'metadata/observation_names': np.array(names, dtype=str),
        }
    )
    try:
        with atomic_target(path) as temporary:
            # An open file, because NumPy would add a suffix to a name.
            with open(temporary, 'wb') as file:
                np.savez_compressed(file, **columns)  # type: ignore[arg-type]  # None is allow_pickle.
    except OSError as error:
        raise DataSetError(
            f'{path}: cannot be written: {error}; is there room on the disk, and '
            'may you write there?'
        ) from error
