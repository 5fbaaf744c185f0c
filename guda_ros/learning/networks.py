"""Networks of policies and critics, and how transitions become their inputs."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from dataclasses import dataclass, field
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from guda_ros.data.contract import Contract
from guda_ros.data.datasets import TransitionSet
from guda_ros.errors import GudaError

#: Normalised observations are clipped to this, so that one wild number cannot take over.
OBSERVATION_CLIP = 10.0


class TrainingError(GudaError, ValueError):
    """Training cannot begin or go on; the message says why and what to do."""


@dataclass
class TrainingResult:
    """
    A trained policy.

    history: lists of equal length, `update` and one for every logged value, such as
    `losses/policy_loss`; None where there was no such value yet.
    seconds: wall time. updates: gradient steps. config: the arguments of the training, as plain
    values.
    """

    network: 'PolicyNetwork'
    history: dict[str, list[float | None]] = field(default_factory=dict)
    seconds: float = 0.0
    updates: int = 0
    config: dict = field(default_factory=dict)


class Normaliser(nn.Module):
    """Subtract the mean, divide by the deviation, clip; a constant feature is only centred."""

    def __init__(self, mean: np.ndarray, std: np.ndarray) -> None:
        super().__init__()
        scale = 1.0 / np.where(np.asarray(std) < 1e-6, 1.0, std)
        self.register_buffer('mean', torch.as_tensor(np.array(mean), dtype=torch.float32))
        self.register_buffer('scale', torch.as_tensor(np.array(scale), dtype=torch.float32))

    @classmethod
    def fit(cls, observations: np.ndarray) -> 'Normaliser':
        """Take mean and standard deviation of observations (M, D)."""
        values = np.asarray(observations, dtype=np.float64)
        return cls(values.mean(axis=0), values.std(axis=0))

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Normalise observations (..., D)."""
        return ((observations - self.mean) * self.scale).clamp(-OBSERVATION_CLIP, OBSERVATION_CLIP)


class PolicyNetwork(nn.Module):
    """
    A deterministic policy: observations (..., D) to actions (..., 3) in [-1, 1].

    The normalisation of observations is part of it. `act` takes observations that are normalised
    already.
    """

    def __init__(
        self,
        normaliser: Normaliser,
        hidden: tuple[int, ...],
        generator: torch.Generator,
        actions: int = 3,
    ) -> None:
        super().__init__()
        self.normaliser = normaliser
        sizes = (len(normaliser.mean), *hidden, actions)
        self.layers = nn.ModuleList(
            linear(before, after, generator) for before, after in zip(sizes, sizes[1:])
        )

    def act(self, normalised: torch.Tensor) -> torch.Tensor:
        """Return the actions for normalised observations."""
        for layer in self.layers[:-1]:
            normalised = functional.relu(layer(normalised))
        return torch.tanh(self.layers[-1](normalised))

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return the actions for observations."""
        return self.act(self.normaliser(observations))

    @torch.no_grad()
    def predict(self, observations: np.ndarray) -> np.ndarray:
        """Return actions (..., 3), float32, for observations (..., D)."""
        values = torch.as_tensor(np.ascontiguousarray(observations, dtype=np.float32))
        return self(values).numpy()


class TwinCritic(nn.Module):
    """Two Q networks in one, as batched matrix products: inputs (B, D + 3), values (2, B)."""

    def __init__(self, inputs: int, hidden: tuple[int, ...], generator: torch.Generator) -> None:
        super().__init__()
        sizes = (inputs, *hidden, 1)
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for before, after in zip(sizes, sizes[1:]):
            bound = 1.0 / math.sqrt(before)
            self.weights.append(nn.Parameter(uniform((2, before, after), bound, generator)))
            self.biases.append(nn.Parameter(uniform((2, 1, after), bound, generator)))

    def forward(self, observations: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """Return both values (2, B) for normalised observations (B, D) and actions (B, 3)."""
        values = torch.cat([observations, actions], dim=1).expand(2, -1, -1)
        last = len(self.weights) - 1
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            values = torch.baddbmm(bias, values, weight)
            if index < last:
                values = functional.relu(values)
        return values.squeeze(2)

    def first(self, observations: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """Return the values (B,) of the first network alone."""
        values = torch.cat([observations, actions], dim=1)
        last = len(self.weights) - 1
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            values = torch.addmm(bias[0], values, weight[0])
            if index < last:
                values = functional.relu(values)
        return values.squeeze(1)


def linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """Return a linear layer with torch's usual initialisation, drawn from `generator`."""
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
    bound = 1.0 / math.sqrt(inputs)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    return layer


def uniform(shape: tuple[int, ...], bound: float, generator: torch.Generator) -> torch.Tensor:
    """Return uniform random numbers in [-bound, bound]."""
    return torch.empty(shape).uniform_(-bound, bound, generator=generator)


def training_arrays(
    transitions: TransitionSet, contract: Contract
) -> tuple[np.ndarray, np.ndarray]:
    """
    Return observations (M, D) and actions (M, 3), float32, checked.

    :raises ContractMismatch: if the transitions were made for another contract.
    :raises TrainingError: if there are none, or a number is not finite.
    """
    contract.require(transitions.contract, 'the set of transitions')
    if len(transitions) < 2:
        raise TrainingError(
            f'{len(transitions)} transitions are too few to learn from; record demonstrations '
            'in which the ball is seen, and convert them'
        )
    observations, actions = transitions.observations(), transitions.actions
    check_finite('observations', observations)
    check_finite('actions', actions)
    return observations, np.clip(actions, -1.0, 1.0).astype(np.float32)


def check_finite(name: str, values: np.ndarray) -> None:
    """Raise TrainingError that names the first row with a number that is not finite."""
    wrong = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if wrong.any():
        raise TrainingError(
            f'{name}: {int(wrong.sum())} of {len(values)} rows are not finite, the first is row '
            f'{int(np.argmax(wrong))}; make the data set again from the recordings'
        )


@contextlib.contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch use `count` threads inside the block; small networks need no more than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
