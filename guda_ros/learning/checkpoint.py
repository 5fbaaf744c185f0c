"""Trainings as torch files: policies that are exported, and the state from which one goes on."""

from __future__ import annotations

from dataclasses import asdict
import errno
import io
import json
import os
import platform
import tempfile
import zipfile

import numpy as np
import torch

from guda_ros import __version__
from guda_ros.arguments import as_path
from guda_ros.config.files import is_printable, shown
from guda_ros.data.contract import read_contract
from guda_ros.data.contract_base import ContractBase
from guda_ros.data.files import atomic_target
from guda_ros.data.registry import SOCCER, UnknownTask
from guda_ros.learning.learner import Learner
from guda_ros.learning.networks import (
    ActionRange,
    Normaliser,
    PolicyNetwork,
    TrainingError,
    TrainingResult,
)

_FORMAT = 'guda_ros checkpoint'
_VERSION = 2
#: What a content raises that is not what it seems to be.
_DAMAGE = (
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    IndexError,
    OverflowError,
    RecursionError,
)


def versions() -> dict[str, str]:
    """Return the versions of what decides about the numbers of a training."""
    return {
        'guda_ros': __version__,
        'python': platform.python_version(),
        'torch': str(torch.__version__),
        'numpy': np.__version__,
    }


def save_checkpoint(
    path: str | os.PathLike[str], learner: Learner, info: dict | None = None
) -> None:
    """
    Write the policies of a learner and, while it is not done, what it needs to go on.

    What was at `path` is replaced only when the new file is complete.

    :param info: plain values that say where it comes from, such as the data and the command line.
    :raises OSError: if the file cannot be written.
    """
    results = [learner.result(seed) for seed in learner.seeds]
    # In memory first: on a full disk torch raises errors that do not say so.
    content = io.BytesIO()
    torch.save(
        {
            'format': _FORMAT,
            'version': _VERSION,
            'task': learner.contract.task,
            'contract': learner.contract.to_json(),
            'data_hash': learner.data_hash,
            'versions': versions(),
            'total': learner.total,
            'policies': [_policy(result) for result in results],
            'info': info or {},
            'state': None if learner.updates == learner.total else learner.state_dict(),
        },
        content,
    )
    with atomic_target(path) as temporary:
        temporary.write_bytes(content.getvalue())


def require_writable(path: str | os.PathLike[str]) -> None:
    """Raise OSError if no checkpoint can be written to `path`: not after hours of training."""
    path = as_path(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def load_checkpoint(
    path: str | os.PathLike[str], seed: int | None = None
) -> tuple[TrainingResult, ContractBase, dict]:
    """
    Read a policy that save_checkpoint wrote, with its history, its contract and the info.

    The info has `data_hash`, `versions`, `total` (updates of the whole training) and `seeds` in
    addition.

    :param seed: of which seed; by default the one that validation liked best, or the first.
    :raises TrainingError: if the file is missing, damaged or something else; names it and what to
        do.
    """
    content = _read(path)
    try:
        contract = read_contract(content.get('task', SOCCER), content['contract'])
        policies = content['policies']
        _check_content(content)
        seeds = [policy['config']['seed'] for policy in policies]
        if seed is None:
            rates = [
                policy['config'].get('validation', {}).get('success', 0.0) for policy in policies
            ]
            index = int(np.argmax(rates))
        elif seed in seeds:
            index = seeds.index(seed)
        else:
            raise TrainingError(f'{path}: has no seed {seed}, but {seeds}')
        policy = policies[index]
        _check_network(policy, contract)
        size = len(policy['network']['normaliser.mean'])
        actions = len(policy['network']['action_range.reach'])
        network = PolicyNetwork(
            Normaliser(np.zeros(size), np.ones(size)),
            tuple(policy['hidden']),
            torch.Generator(),
            actions,
            policy['components'],
            ActionRange.identity(actions),
        )
        network.load_state_dict(policy['network'])
        result = TrainingResult(
            network.eval(),
            policy['history'],
            policy['seconds'],
            policy['updates'],
            policy['config'],
        )
        info = {name: content[name] for name in ('data_hash', 'versions', 'total')}
        return result, contract, {**content['info'], **info, 'seeds': seeds}
    except UnknownTask as error:
        raise TrainingError(f'{path}: {error}') from error
    except _DAMAGE as error:
        if isinstance(error, TrainingError):
            raise
        raise _damaged(path, error) from error


def resume_checkpoint(
    path: str | os.PathLike[str], learner: Learner, same: dict | None = None
) -> bool:
    """
    Let a fresh learner go on from a checkpoint; False if that training was done already.

    :param same: values of the info that must be the same there, such as how policies are judged.
    :raises TrainingError: if it was another training: other data, arguments, seeds or contract.
    """
    content = _read(path)
    try:
        own = [learner.result(seed).config for seed in learner.seeds]
        found = [policy['config'] for policy in content['policies']]
        for config in found:
            config.pop('validation', None)
        # What an older version had no argument for was done as the default does it.
        found = [{**asdict(learner.Config()), **config} for config in found]
        problems = [
            f'{key}: {mine.get(key)} now, {theirs.get(key)} there'
            for mine, theirs in zip(own, found)
            for key in {**mine, **theirs}
            if mine.get(key) != theirs.get(key)
        ]
        problems += [
            f'{key}: {value} now, {content["info"].get(key)} there'
            for key, value in (same or {}).items()
            if content['info'].get(key) != value
        ]
        if len(own) != len(found):
            problems.append(f'{len(own)} seeds now, {len(found)} there')
        if content['data_hash'] != learner.data_hash:
            problems.append(f'data: {learner.data_hash} now, {content["data_hash"]} there')
        if problems:
            raise TrainingError(
                f'{path}: holds another training, which cannot go on with these arguments:\n  '
                + '\n  '.join(problems)
                + '\ngive the same ones, or begin anew with --overwrite'
            )
        if content['state'] is None:
            return False
        learner.load_state_dict(content['state'])
        _check_state(learner)
        return True
    except _DAMAGE as error:
        if isinstance(error, TrainingError):
            raise
        raise _damaged(path, error) from error


def _policy(result: TrainingResult) -> dict:
    network = result.network
    return {
        'hidden': [layer.out_features for layer in network.layers[:-1]],
        'components': network.components,
        'network': network.state_dict(),
        'history': result.history,
        'updates': result.updates,
        'seconds': result.seconds,
        'config': result.config,
    }


def _read(path: str | os.PathLike[str]) -> dict:
    path = as_path(path, 'checkpoint')
    if not path.is_file():
        raise TrainingError(f'{path}: no such file; train a policy with `guda train`')
    try:
        # torch does not look at the checksums: a flipped bit in a weight would reach the robot.
        with zipfile.ZipFile(path) as file:
            wrong = file.testzip()
        if wrong:
            raise ValueError(f'the checksum of {wrong} is wrong')
        content = torch.load(path, map_location='cpu', weights_only=True)
        if not isinstance(content, dict) or content.get('format') != _FORMAT:
            raise ValueError('it is something else')
        if content['version'] != _VERSION:
            raise ValueError(
                f'format version {content["version"]}, this guda_ros reads {_VERSION}'
            )
        return content
    except Exception as error:  # A parser of damaged bytes may raise anything.
        raise _damaged(path, error) from error


def _check_content(content: dict) -> None:
    """Raise ValueError where what is told of a training is not what save_checkpoint tells."""
    policies = content['policies']
    if not (isinstance(policies, list) and policies):
        raise ValueError(f'policies: a list of them is expected, not {shown(policies)}')
    _require(content['total'], 1, 'total')
    for policy in policies:
        config = policy['config']
        _require(config['seed'], 0, 'seed')
        _require(policy['updates'], 0, 'updates')
        if not isinstance(config['algorithm'], str):
            raise ValueError(f'algorithm: a name is expected, not {shown(config["algorithm"])}')
        seconds = policy['seconds']
        if not (isinstance(seconds, (int, float)) and 0 <= seconds < 1e12):
            raise ValueError(f'seconds: a time is expected, not {shown(seconds)}')
        if not isinstance(policy['history'], dict):
            raise ValueError(f'history: a mapping is expected, not {shown(policy["history"])}')
        for value in (config, policy['history']):
            _require_plain(value)
    for key in ('info', 'versions', 'data_hash'):
        _require_plain(content[key])
    if not isinstance(content['info'], dict):
        raise ValueError(f'info: a mapping is expected, not {shown(content["info"])}')


def _require(value: object, low: int, name: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value < 2**63:
        raise ValueError(f'{name}: a whole number from {low} is expected, not {shown(value)}')


def _require_plain(value: object) -> None:
    """Raise TypeError or ValueError unless a value can be written as JSON, and be read."""
    if not is_printable(json.dumps(value, sort_keys=True, ensure_ascii=False)):
        raise ValueError(f'{shown(value)} holds control characters')


def _check_network(policy: dict, contract: ContractBase) -> None:
    """Raise ValueError where weights are not those of a policy of the contract."""
    weights = policy['network']
    for name, value in weights.items():
        if value.dtype != torch.float32 or not torch.isfinite(value).all():
            raise ValueError(f'{name}: finite numbers of 32 bits are expected')
    # Before a network of these sizes is made, which damaged numbers would have fill the memory.
    last = len(policy['hidden'])
    biases = [len(weights[f'layers.{index}.bias']) for index in range(last + 1)]
    if biases[:-1] != list(policy['hidden']):
        raise ValueError(f'hidden: {shown(policy["hidden"])} is not what the weights are')
    _require(policy['components'], 1, 'components')
    actions, components = contract.action_size, policy['components']
    if biases[-1] != (actions if components == 1 else components * (1 + actions)):
        raise ValueError(f'components: {components} is not what the weights are')
    for name, size in (
        ('normaliser.mean', len(contract.observation_names)),
        ('action_range.reach', actions),
    ):
        if weights[name].shape != (size,):
            raise ValueError(f'{name}: {size} numbers are expected, as the contract says')


def _check_state(learner: Learner) -> None:
    """Raise ValueError where a learner cannot go on from the state that it has read."""
    _require(learner.updates, 0, 'updates')
    if learner.updates > learner.total:
        raise ValueError(f'updates: {learner.updates} of {learner.total} cannot be')
    length = len(learner.history['update'])
    if not all(
        isinstance(column, list) and len(column) <= length for column in learner.history.values()
    ):
        raise ValueError('history: the columns are not of one length')
    if not isinstance(learner.best, list) or len(learner.best) != len(learner.seeds):
        raise ValueError('best: one for each seed is expected')


def _damaged(path: str | os.PathLike[str], error: Exception) -> TrainingError:
    return TrainingError(
        f'{path}: not a checkpoint of `guda train`, or damaged ({error}); train the policy again'
    )
