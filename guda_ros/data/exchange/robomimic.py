"""
Write an HDF5 file in the structure of robomimic.

The structure is documented at https://robomimic.github.io/docs/datasets/overview.html: a group
`data` with one group `demo_<i>` a trajectory, and `mask` with lists of trajectories.
"""

from __future__ import annotations

from collections.abc import Sequence
import json
import os
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.files import atomic_target
from guda_ros.data.sets.trajectories import Trajectory
from guda_ros.data.transitions import DataSetError
from guda_ros.data.verdicts import COMMANDERS, INTERVENTION

if TYPE_CHECKING:
    from h5py import Group

#: robomimic's number for environments of Gym; it takes no others of this kind.
_GYM = 2


def write_robomimic(
    path: str | os.PathLike[str],
    parts: Sequence[Trajectory],
    contract: Contract,
    validation: Sequence[str] = (),
) -> None:
    """
    Write trajectories; the file appears when it is complete.

    Observation keys are `observation`, by the contract, and `world_state`; `states` holds the
    world states. Filter keys: scored, failed, interventions (a person corrected a policy; the data
    set `interventions` of a trajectory says in which steps), with `validation` also train, valid.

    :param validation: ids of the episodes that are for validation.
    :raises DataSetError: if it cannot be written.
    """
    import h5py

    # Made in memory: on a full disk HDF5 cannot close its file, and ends the process at exit.
    with h5py.File('memory', 'w', driver='core', backing_store=False) as file:
        file.attrs['contract'] = contract.to_json()
        file.attrs['contract_hash'] = contract.hash
        data = file.create_group('data')
        data.attrs['total'] = sum(len(part) for part in parts)
        data.attrs['env_args'] = json.dumps(
            {
                'env_name': contract.name,
                # The key that robomimic 0.3 reads, and the one that it documents.
                'type': _GYM,
                'env_type': _GYM,
                'env_kwargs': {'observation_names': contract.observation_names},
            }
        )
        masks: dict[str, list[str]] = {'scored': [], 'failed': [], 'interventions': []}
        if validation:
            masks.update(train=[], valid=[])
        for number, part in enumerate(parts):
            name = f'demo_{number}'
            _write_demo(data.create_group(name), part)
            masks['scored' if part.episode.success else 'failed'].append(name)
            if _interventions(part).any():
                masks['interventions'].append(name)
            if validation:
                masks['valid' if part.episode.id in validation else 'train'].append(name)
        group = file.create_group('mask')
        for name, demos in masks.items():
            if demos:
                group[name] = np.array(demos, dtype='S')
        file.flush()
        content = file.id.get_file_image()
    try:
        with atomic_target(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise DataSetError(
            f'{path}: cannot be written: {error}; is there room on the disk, and '
            'may you write there?'
        ) from error


def _write_demo(group: Group, part: Trajectory) -> None:
    group.attrs['num_samples'] = len(part)
    group.attrs['episode'] = part.episode.id
    group.attrs['verdict'] = part.episode.verdict
    group['states'], group['actions'] = part.states, part.actions
    group['rewards'] = part.rewards
    group['interventions'] = _interventions(part)
    group['dones'] = part.terminations.astype(np.int64)
    for name, observations, states in (
        ('obs', part.observations, part.states),
        ('next_obs', part.next_observations, part.next_states),
    ):
        keys = group.create_group(name)
        keys['observation'], keys['world_state'] = observations, states


def _interventions(part: Trajectory) -> np.ndarray:
    return part.commanded_by == COMMANDERS.index(INTERVENTION)
