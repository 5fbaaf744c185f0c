"""Trained policies as torch files, from which they are exported or learning goes on."""

from __future__ import annotations

import io
import os
from pathlib import Path
import pickle

import numpy as np
import torch

from guda_ros.data.contract import Contract
from guda_ros.data.files import atomic_target
from guda_ros.learning.networks import Normaliser, PolicyNetwork, TrainingError, TrainingResult

_FORMAT = 'guda_ros checkpoint'
_VERSION = 1


def save_checkpoint(
    path: str | os.PathLike, result: TrainingResult, contract: Contract, info: dict
) -> None:
    """
    Write a trained policy; what was at `path` is replaced only when the new file is complete.

    :param info: plain values that say where it comes from, such as the data and the command line.
    :raises OSError: if the file cannot be written.
    """
    network = result.network
    # In memory first: on a full disk torch raises errors that do not say so.
    content = io.BytesIO()
    torch.save(
        {
            'format': _FORMAT,
            'version': _VERSION,
            'contract': contract.to_json(),
            'hidden': [layer.out_features for layer in network.layers[:-1]],
            'network': network.state_dict(),
            'history': result.history,
            'updates': result.updates,
            'seconds': result.seconds,
            'config': result.config,
            'info': info,
        },
        content,
    )
    with atomic_target(path) as temporary:
        temporary.write_bytes(content.getvalue())


def load_checkpoint(path: str | os.PathLike) -> tuple[TrainingResult, Contract, dict]:
    """
    Read what save_checkpoint wrote: the policy with its history, its contract and the info.

    :raises TrainingError: if the file is missing, damaged or something else; names it and what to
        do.
    """
    path = Path(path)
    if not path.is_file():
        raise TrainingError(f'{path}: no such file; train a policy with `guda train`')
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
        if not isinstance(content, dict) or content.get('format') != _FORMAT:
            raise ValueError('it is something else')
        if content['version'] != _VERSION:
            raise ValueError(
                f'format version {content["version"]}, this guda_ros reads {_VERSION}'
            )
        contract = Contract.from_json(content['contract'])
        size = len(content['network']['normaliser.mean'])
        network = PolicyNetwork(
            Normaliser(np.zeros(size), np.ones(size)), tuple(content['hidden']), torch.Generator()
        )
        network.load_state_dict(content['network'])
        result = TrainingResult(
            network.eval(),
            content['history'],
            content['seconds'],
            content['updates'],
            content['config'],
        )
        return result, contract, content['info']
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        RuntimeError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        raise TrainingError(
            f'{path}: not a checkpoint of `guda train`, or damaged ({error}); '
            'train the policy again'
        ) from error
