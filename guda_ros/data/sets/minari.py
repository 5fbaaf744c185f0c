"""
Data sets of whole episodes, in the Minari format.

A Minari data set is a folder with metadata.json and an HDF5 file. One Minari episode is one
recording. Beside what Minari asks for, `infos` holds what the robot knew (world_states, valid),
the commands in SI units, who gave them (commanded_by, see verdicts.COMMANDERS), the ground truth
(truth_states, for metrics only), stamps and success; the contract and its hash are in the
metadata.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
import json
import os
import shutil
from typing import Any, TYPE_CHECKING

import numpy as np

from guda_ros.arguments import as_path
from guda_ros.config.files import is_printable, shown
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode
from guda_ros.data.files import atomic_target
from guda_ros.data.hdf5 import check_claims
from guda_ros.data.registry import UnknownTask
from guda_ros.data.transitions import (
    DataSetError,
    rewards_and_terminations,
    transitions,
    TransitionSet,
)
from guda_ros.environments import register
from guda_ros.soccer import world
from guda_ros.soccer.starts import SCENARIOS

if TYPE_CHECKING:
    from gymnasium.envs.registration import EnvSpec
    from minari.data_collector import EpisodeBuffer
    from minari.dataset.episode_data import EpisodeData

__all__ = [
    'DataSetError',
    'TransitionSet',
    'read_minari',
    'read_minari_contract',
    'seen',
    'transitions',
    'write_minari',
]

_DESCRIPTION = (
    'Episodes of guda_ros. Observations follow the contract. Use a step only where infos["valid"] '
    'holds for it and for the next one: elsewhere the ball was not known, or a sample is missing. '
    'What follows from it in observations and rewards is NaN there.'
)
_ENVIRONMENT = 'guda_ros/Soccer-v0'
#: Kinds of NumPy's types of arrays that are no real numbers.
_KINDS = {'stamps': 'iu', 'valid': 'b', 'commanded_by': 'iu'}
_ARRAYS = ('stamps', 'world_states', 'commands', 'valid', 'truth_states', 'commanded_by')


def write_minari(
    path: str | os.PathLike[str],
    episodes: Iterable[Episode],
    contract: Contract,
    dataset_id: str = '',
) -> None:
    """
    Write a Minari data set; the folder appears when it is complete.

    :param dataset_id: Minari's name of it; by default from the contract's name and version.
    :raises DataSetError: if the folder exists, it cannot be written or there is no episode.
    """
    from gymnasium.spaces import Box
    import minari
    from minari.dataset.minari_storage import MinariStorage

    # Minari does not cope with a folder that is given relative to the current one.
    path, episodes = as_path(path).absolute(), list(episodes)
    if not episodes:
        raise DataSetError(f'{path}: there is no episode to write; record some with `guda record`')
    if path.exists():
        raise DataSetError(
            f'{path}: exists already and is not overwritten; remove it or choose another name'
        )
    size = len(contract.observation_names)
    needed = 2 * sum(getattr(episode, name).nbytes for episode in episodes for name in _ARRAYS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Asked before: on a full disk HDF5 cannot close its file, and ends the process at exit.
        if shutil.disk_usage(path.parent).free < needed + 2**20:
            raise OSError(f'{needed / 1e6:.0f} MB are needed')
        with atomic_target(path) as temporary:
            temporary.mkdir()
            storage = MinariStorage.new(
                temporary,
                Box(-np.inf, np.inf, (size,), np.float32),
                Box(-1.0, 1.0, (3,), np.float32),
                _environment(episodes, contract),
                data_format='hdf5',
            )
            storage.update_metadata(
                {
                    'dataset_id': dataset_id or f'guda_ros/{contract.name}-v{contract.version}',
                    'minari_version': minari.__version__,
                    'description': _DESCRIPTION,
                    'contract': contract.to_json(),
                    'contract_hash': contract.hash,
                    'observation_names': list(contract.observation_names),
                }
            )
            storage.update_episodes([_buffer(episode, contract) for episode in episodes])
            storage.update_metadata({'dataset_size': storage.get_size()})
    except OSError as error:
        raise DataSetError(
            f'{path}: cannot be written: {error}; is there room on the disk, and '
            'may you write there?'
        ) from error


def read_minari(path: str | os.PathLike[str], contract: Contract | None = None) -> list[Episode]:
    """
    Read the episodes that write_minari wrote.

    :param contract: refuse a data set of another one, if given.
    :raises ContractMismatch: if the data set was made for another contract.
    :raises DataSetError: if it is missing, damaged or not one of guda_ros.
    """
    import h5py
    from minari import MinariDataset

    path = as_path(path)
    found = read_minari_contract(path)
    if contract is not None:
        contract.require(found, f'{path}')
    try:
        for name in path.glob('*.hdf5'):
            with h5py.File(name, 'r') as file:
                check_claims(file)
        dataset = MinariDataset(path)
        details = dataset.storage.get_episode_metadata(dataset.episode_indices)
        return [
            _episode(data, detail) for data, detail in zip(dataset.iterate_episodes(), details)
        ]
    except Exception as error:  # Minari takes for granted what stands in its files.
        raise _damaged(path, error) from error


def read_minari_contract(path: str | os.PathLike[str]) -> Contract:
    """
    Return the contract of a data set.

    :raises DataSetError: if it is missing, damaged or not one of guda_ros.
    """
    path = as_path(path)
    metadata = path / 'metadata.json'
    if not metadata.is_file():
        raise DataSetError(f'{path}: no data set there; make it with `guda convert`')
    try:
        content = json.loads(metadata.read_text(encoding='utf-8'))
        contract = Contract.from_json(content['contract'])
        found = content['contract_hash']
    except UnknownTask as error:
        raise UnknownTask(f'{path}: {error}') from error
    except (OSError, KeyError, ValueError, TypeError, RecursionError) as error:
        raise _damaged(path, error) from error
    if contract.hash != found:
        raise _damaged(path, ValueError('its contract does not fit its hash'))
    return contract


def _damaged(path: str | os.PathLike[str], error: Exception) -> DataSetError:
    return DataSetError(
        f'{path}: damaged, incomplete or not a data set of guda_ros '
        f'({str(error) or repr(error)}); remove it and make it again with '
        '`guda convert`'
    )


def _buffer(episode: Episode, contract: Contract) -> EpisodeBuffer:
    from minari.data_collector import EpisodeBuffer

    observations, rewards, terminations = seen(episode, contract)
    truncations = np.zeros(len(episode), dtype=bool)
    truncations[-1:] = ~terminations[-1:]
    success = np.zeros(len(episode) + 1, dtype=bool)
    success[-1] = episode.success
    return EpisodeBuffer(
        seed=episode.seed,
        options={
            'id': episode.id,
            'scenario': episode.scenario,
            'start_index': episode.start_index,
            'verdict': episode.verdict,
            'operator': episode.operator,
            'contract_hash': episode.contract_hash,
            'problems': json.dumps(episode.problems),
        },
        observations=observations,
        actions=contract.to_action(episode.commands).astype(np.float32),
        rewards=rewards,
        terminations=terminations,
        truncations=truncations,
        infos={'success': success, **{name: getattr(episode, name) for name in _ARRAYS}},
    )


def seen(episode: Episode, contract: Contract) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Return observations (N+1, D), rewards (N,) and terminations (N,) as a data set holds them.

    What follows from what was not known, the ball or else the pose, or from a missing sample, is
    NaN.
    """
    states = episode.world_states.copy()
    unknown = ~episode.valid
    for columns in (world.BALL, world.BALL_VELOCITY) if contract.has_ball else (world.ROBOT,):
        states[unknown, columns] = np.nan
    rewards, terminations = rewards_and_terminations(episode, contract)
    rewards = np.where(unknown[:-1] | unknown[1:], np.nan, rewards)
    return contract.observe(states), rewards, terminations


def _environment(episodes: list[Episode], contract: Contract) -> EnvSpec:
    """Return how Gymnasium makes the environment of these episodes."""
    import gymnasium

    register()
    spec = deepcopy(gymnasium.spec(_ENVIRONMENT))
    scenarios = {episode.scenario for episode in episodes} & set(SCENARIOS)
    spec.kwargs = {'contract': contract.to_json()}
    if len(scenarios) == 1:
        spec.kwargs['scenario'] = scenarios.pop()
    return spec


def _episode(data: EpisodeData, details: dict[str, Any]) -> Episode:
    # Data sets of earlier versions do not tell who commanded.
    options, arrays = (
        details['options'],
        {name: data.infos[name] for name in _ARRAYS if name in data.infos},
    )
    for name, value in arrays.items():
        if value.dtype.kind not in _KINDS.get(name, 'fiu'):
            raise ValueError(f'{name}: {value.dtype} is no type for it')
    problems = json.loads(options['problems'])
    texts = [options[key] for key in ('id', 'scenario', 'verdict', 'operator', 'contract_hash')]
    if not isinstance(problems, list) or not all(
        isinstance(text, str) and is_printable(text) for text in (*texts, *problems)
    ):
        raise ValueError(f'an episode is described by {shown(dict(options))}')
    return Episode(
        id=str(options['id']),
        scenario=str(options['scenario']),
        seed=int(details['seed']),
        start_index=int(options['start_index']),
        verdict=str(options['verdict']),
        operator=str(options['operator']),
        contract_hash=str(options['contract_hash']),
        problems=tuple(problems),
        **arrays,
    )
