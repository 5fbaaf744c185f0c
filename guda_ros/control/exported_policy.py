"""
Exported policies: an ONNX file that carries its contract, run by onnxruntime in one thread.

Input `observation` (batch, D) float32 as the contract lays it out, not normalised; output `action`
(batch, A) float32. Metadata: `contract` (its JSON), `contract_hash`, `algorithm`, `training`
(JSON), and `task`, its name, if it is not soccer_push.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.arguments import as_path
from guda_ros.config.files import is_printable, Plain, shown
from guda_ros.data.contract import read_contract
from guda_ros.data.contract_base import ContractBase, ContractMismatch
from guda_ros.data.registry import SOCCER, UnknownTask
from guda_ros.errors import GudaError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

INPUT = 'observation'
OUTPUT = 'action'
METADATA = ('contract', 'contract_hash', 'algorithm', 'training')
#: Metadata that are JSON, beside `training`.
_JSON = ('contract', 'limits', 'normalisation')
#: No number of 32 bits is as large.
_BEYOND = 1e39


class PolicyFileError(GudaError, ValueError):
    """A policy file cannot be used; the message names the file, what is wrong and what to do."""


class ExportedPolicy:
    """A policy that was read from a file; use `load`."""

    def __init__(
        self, session: InferenceSession, path: Path, metadata: Plain, contract: ContractBase
    ) -> None:
        self._session = session
        self.path = path
        #: What the file says about itself: algorithm (str), contract_hash (str), training (dict)
        #: and more.
        self.metadata = metadata
        #: The contract that the policy was trained for.
        self.contract = contract

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], contract: ContractBase | None = None
    ) -> ExportedPolicy:
        """
        Read a policy.

        :param contract: if given, a policy of another contract is refused, naming what differs.
        :raises PolicyFileError: if the file is missing, damaged, no policy of this project or of
            another contract.
        """
        path = as_path(path, 'policy')
        session = _open(path)
        try:
            properties = dict(session.get_modelmeta().custom_metadata_map)
            missing = [key for key in METADATA if key not in properties]
            if missing:
                raise PolicyFileError(
                    f'{path}: an ONNX model, but no policy of guda_ros: its metadata lacks '
                    f'{", ".join(missing)}; export one with `guda export`'
                )
            own = read_contract(properties.get('task', SOCCER), properties['contract'])
            if own.hash != properties['contract_hash']:
                raise PolicyFileError(
                    f'{path}: its contract has the hash {own.hash}, but its metadata says '
                    f'{properties["contract_hash"]}: the file was altered, or written by another '
                    'version; export it again'
                )
            if contract is not None:
                contract.require(own, str(path))
            metadata = dict(properties, training=_checked(properties, own)['training'])
            _check_signature(path, session, len(own.observation_names), own.action_size)
            policy = cls(session, path, metadata, own)
            policy._check_output()
        except UnknownTask as error:
            raise PolicyFileError(f'{path}: {error}') from error
        except PolicyFileError:
            raise
        except ContractMismatch as error:
            raise PolicyFileError(
                f'{error}\nUse a policy of the expected contract, or train one for it.'
            ) from error
        except (ValueError, KeyError, RecursionError) as error:
            raise PolicyFileError(
                f'{path}: its metadata cannot be read ({error}); export it again'
            ) from error
        return policy

    @property
    def documents(self) -> Plain:
        """The metadata, in which what is JSON is read: contract, training, limits and the like."""
        read = {key: json.loads(self.metadata[key]) for key in _JSON if key in self.metadata}
        return {**self.metadata, **read}

    def predict(self, observations: np.ndarray) -> np.ndarray:
        """
        Return the actions (n, A), or (A,), float32 for observations (n, D), or (D,).

        They are within the limits of the contract: [-1, 1] but for tasks that say otherwise. A
        network that overflows gives NaN, which SafetyGate stops and reports.

        :raises ValueError: for observations of another size or that are not finite.
        """
        observations = np.asarray(observations, dtype=np.float32)
        size = len(self.contract.observation_names)
        if observations.ndim not in (1, 2) or observations.shape[-1] != size:
            raise ValueError(
                f'observations of shape ({size},) or (n, {size}) are expected, not '
                f'{observations.shape}'
            )
        if not np.all(np.isfinite(observations)):
            raise ValueError('observations must be finite')
        batch = np.ascontiguousarray(np.atleast_2d(observations))
        limit = self.contract.action_limit
        actions = np.clip(self._session.run([OUTPUT], {INPUT: batch})[0], -limit, limit)
        return actions[0] if observations.ndim == 1 else actions

    def _check_output(self) -> None:
        for batch in (1, 2):
            size = self.contract.action_size
            try:
                actions = self.predict(np.zeros((batch, len(self.contract.observation_names))))
            except Exception as error:
                # onnxruntime has no common class of errors below Exception.
                raise PolicyFileError(
                    f'{self.path}: the network cannot be run: {_first_line(error)}'
                ) from error
            if actions.shape != (batch, size) or not np.all(np.isfinite(actions)):
                raise PolicyFileError(
                    f'{self.path}: the network answers {actions.tolist()} to {batch} zero '
                    f'observations, where {batch} x {size} finite numbers are expected'
                )


def _open(path: Path) -> InferenceSession:
    try:
        import onnxruntime
    except ImportError as error:
        raise PolicyFileError(
            f'{path}: running a policy needs onnxruntime ({error}): '
            'python -m pip install onnxruntime'
        ) from error
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PolicyFileError(f'{path}: cannot be read: {error.strerror or error}') from error
    if not content:
        raise PolicyFileError(f'{path}: the file is empty; export the policy again')
    options = onnxruntime.SessionOptions()
    # Nets of this size are faster in one thread, and the other cores belong to perception.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=['CPUExecutionProvider'])
    except Exception as error:
        raise PolicyFileError(
            f'{path}: no ONNX model, or a damaged or truncated one ({_first_line(error)}); export '
            'or copy it again'
        ) from error


def _check_signature(path: Path, session: InferenceSession, size: int, actions: int) -> None:
    for kind, values, name, width in (
        ('input', session.get_inputs(), INPUT, size),
        ('output', session.get_outputs(), OUTPUT, actions),
    ):
        values = {value.name: value for value in values}
        if (kind == 'input' and len(values) != 1) or name not in values:
            raise PolicyFileError(f'{path}: the {kind} {name!r} is expected, not {sorted(values)}')
        value = values[name]
        # A dimension may be a number, a name or None (free).
        fits = len(value.shape) == 2 and (
            value.shape[1] == width or not isinstance(value.shape[1], int)
        )
        if value.type != 'tensor(float)' or not fits:
            raise PolicyFileError(
                f'{path}: the {kind} {name!r} must be float32 (batch, {width}), '
                f'not {value.type} {value.shape}'
            )


def _checked(properties: dict[str, str], contract: ContractBase) -> Plain:
    """Return the metadata that are JSON; ValueError names one that is not of its kind."""
    read: Plain = {}
    for key in ('training', *_JSON[1:]):
        if key in properties:
            read[key] = json.loads(properties[key])
            if not isinstance(read[key], dict):
                raise ValueError(f'{key}: a mapping is expected, not {shown(read[key])}')
    chunk = read['training'].get('chunk', 1)
    if not isinstance(chunk, int) or chunk < 1:
        raise ValueError(f'training: chunk: a whole number from 1 is expected, not {shown(chunk)}')
    for key, value in read.get('limits', {}).items():
        _require_numbers(f'limits: {key}', [value], 1)
    if 'normalisation' in read:
        own, size = read['normalisation'], len(contract.observation_names)
        _require_numbers('normalisation: clip', [own['clip']], 1)
        for key in ('mean', 'std'):
            _require_numbers(f'normalisation: {key}', own[key], size)
        if own['observation'] != list(contract.observation_names):
            raise ValueError('normalisation: observation: is not that of the contract')
    for text in (*properties.values(), json.dumps(read, ensure_ascii=False)):
        if not is_printable(text):
            raise ValueError(f'{shown(text)} holds control characters')
    return read


def _require_numbers(name: str, values: object, count: int) -> None:
    numbers = (
        isinstance(values, list)
        and len(values) == count
        and all(
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and abs(value) < _BEYOND
            for value in values
        )
    )
    if not numbers:
        raise ValueError(f'{name}: {count} numbers are expected, not {shown(values)}')


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
