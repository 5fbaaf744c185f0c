"""
What the contracts of all tasks have in common: a task of one's own brings one of its own.

A contract says what a policy sees and does. Its JSON and hash travel in data sets, checkpoints and
exported policies, and what was made for another contract is refused with a list of what differs.
Two kinds are to be had here and in guda_ros.data.contract: `NumbersContract`, for a task that is
nothing but numbers, and `Contract`, for a robot that pushes something over a field.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, Field, fields
from functools import cached_property
import hashlib
import json
from typing import Any, ClassVar, TYPE_CHECKING

import numpy as np

from guda_ros.config.files import is_printable, shown
from guda_ros.errors import GudaError

if TYPE_CHECKING:
    # Python has it from 3.11 on.
    from typing import Self

#: No number of a task is larger.
_LARGEST = 1e9


class ContractMismatch(GudaError, ValueError):
    """Two parts of the system were made for different contracts; the message says what differs."""


@dataclass(frozen=True)
class SuccessWords:
    """What the success of a task is called in reports and on the command line."""

    #: What an episode ends with: `median s to goal`.
    noun: str = 'success'
    #: What its actor did: `49 of 50 scored`; and does.
    past: str = 'succeeded'
    present: str = 'succeeds'
    #: When that is so, as part of a sentence; empty: it is not told.
    meaning: str = ''


class ContractBase(ABC):
    """
    What every contract offers; a subclass is a frozen dataclass.

    A task author gives `to_json`, a class method `from_json`, `observe`, and these attributes, be
    they fields, class attributes or properties:

    name: of the task, as in its entry point, unless `task` says otherwise. state_size,
    action_size: columns of states and actions. observation_names: one for each number of an
    observation. max_steps: after which an episode is cut off.

    The rest has a default: `rate` [Hz] of a contract that tells it gives steps their time.
    """

    name: str
    state_size: int
    action_size: int
    observation_names: tuple[str, ...]
    max_steps: int
    if TYPE_CHECKING:
        # A dataclass has it.
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    #: Fields that only name things: contracts that differ in nothing else fit.
    names_only: tuple[str, ...] = ()
    #: What success is called; a class attribute, not in the hash.
    words = SuccessWords()

    @abstractmethod
    def to_json(self) -> str:
        """Return all that a policy depends on as canonical JSON."""

    @abstractmethod
    def observe(self, states: np.ndarray) -> np.ndarray:
        """Return the observations (..., D), float32, of states (..., S)."""

    @cached_property
    def hash(self) -> str:
        """16 hexadecimal digits that change with anything in the contract."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    @property
    def behaviour(self) -> str:
        """What decides whether two contracts fit, as canonical JSON: by default all of it."""
        return self.to_json()

    @property
    def task(self) -> str:
        """Name of the task under which files of this contract are read again; not in the hash."""
        return self.name

    @property
    def title(self) -> str:
        """The contract in words, as listings name it."""
        return self.name

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of the parts of an action."""
        return tuple(f'action_{index}' for index in range(self.action_size))

    @property
    def action_limit(self) -> np.ndarray:
        """Largest size (A,) of every part of an action."""
        return np.ones(self.action_size, dtype=np.float32)

    @property
    def period(self) -> float:
        """Control period [s]; without a `rate` a step counts as a second."""
        return 1.0 / getattr(self, 'rate', 1.0)

    def settled(self, next_states: np.ndarray) -> np.ndarray:
        """Tell (M,) of states where nothing is left to do: what follows pays the same."""
        return np.zeros(len(next_states), dtype=bool)

    def differences(self, other: ContractBase) -> list[str]:
        """Return one line for every value that differs, `key: mine != theirs`."""
        if self.task != other.task:
            return [f'task: {self.task} != {other.task}']
        mine, theirs = _flatten(asdict(self)), _flatten(asdict(other))
        return [
            f'{key}: {mine.get(key, "absent")} != {theirs.get(key, "absent")}'
            for key in sorted(mine.keys() | theirs.keys())
            if mine.get(key) != theirs.get(key) and key.partition('.')[0] not in self.names_only
        ]

    def fits(self, other: ContractBase) -> bool:
        """Tell whether what was made for the other contract can be used with this one."""
        return self.task == other.task and self.behaviour == other.behaviour

    def require(self, other: ContractBase, what: str) -> None:
        """Raise ContractMismatch if `other`, the contract of `what`, does not fit this one."""
        if not self.fits(other):
            listed = '\n  '.join(self.differences(other))
            raise ContractMismatch(
                f'{what} was made for another contract (expected != found):\n  {listed}'
            )


class NumbersContract(ContractBase):
    """A contract that is nothing but numbers, and tuples of them, with their defaults."""

    def to_json(self) -> str:
        """Return the numbers as canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(',', ':'))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what to_json wrote; ValueError when it cannot be read."""
        try:
            values = json.loads(text)
            for field in fields(cls):
                if isinstance(field.default, tuple):
                    values[field.name] = tuple(values[field.name])
            contract = cls(**values)
            check_numbers(contract)
        except (TypeError, KeyError, AttributeError, RecursionError, ValueError) as error:
            raise ValueError(f'not a contract of the task {cls.name}: {error}') from error
        return contract


def check_numbers(contract: ContractBase) -> None:
    """Raise ValueError where a field of a contract is not of the kind it is declared as."""
    for field in fields(contract):
        value = getattr(contract, field.name)
        kind = getattr(field.type, '__name__', '') if isinstance(field.type, type) else ''
        kind = kind or str(field.type)
        if kind.startswith('tuple') and 'str' not in kind:
            # Of a tuple of any length that of the default counts.
            usual = field.default if isinstance(field.default, tuple) else ()
            count = len(usual) if '...' in kind else kind.count(',') + 1
            right = (
                isinstance(value, tuple) and len(value) == count and all(map(_is_number, value))
            )
        elif kind == 'int':
            right = isinstance(value, int) and _is_number(value)
        elif kind == 'str':
            right = isinstance(value, str) and bool(value) and is_printable(value)
        else:
            right = kind != 'float' or _is_number(value)
        if not right:
            raise ValueError(f'{field.name}: {kind} is expected, not {shown(value)}')
    if contract.max_steps < 1:
        raise ValueError(f'max_steps: at least one is expected, not {contract.max_steps}')


def _is_number(value: object) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return -_LARGEST <= value <= _LARGEST


def _flatten(values: dict[str, Any], prefix: str = '') -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat.update(_flatten(value, f'{prefix}{key}.'))
        else:
            flat[f'{prefix}{key}'] = value
    return flat
