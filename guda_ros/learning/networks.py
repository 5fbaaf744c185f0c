"""Networks of policies and critics; several training seeds are stacked in one network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import contextlib
from dataclasses import dataclass, field
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from guda_ros.errors import GudaError
from guda_ros.learning.layers import relu_layers

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

    network: PolicyNetwork
    history: dict[str, list[float | None]] = field(default_factory=dict)
    seconds: float = 0.0
    updates: int = 0
    config: dict = field(default_factory=dict)


class Normaliser(nn.Module):
    """
    Subtract the mean, divide by the deviation, clip.

    A constant feature becomes 0, whatever it does later: the weights behind it were never trained.
    """

    def __init__(self, mean: np.ndarray, std: np.ndarray) -> None:
        super().__init__()
        std = np.asarray(std)
        scale = np.where(std < 1e-6, 0.0, 1.0 / np.maximum(std, 1e-6))
        self.register_buffer('mean', torch.as_tensor(np.array(mean), dtype=torch.float32))
        self.register_buffer('scale', torch.as_tensor(np.array(scale), dtype=torch.float32))

    @classmethod
    def fit(cls, observations: np.ndarray) -> Normaliser:
        """Take mean and standard deviation of observations (M, D)."""
        values = np.asarray(observations, dtype=np.float64)
        return cls(values.mean(axis=0), values.std(axis=0))

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Normalise observations (..., D)."""
        return ((observations - self.mean) * self.scale).clamp(-OBSERVATION_CLIP, OBSERVATION_CLIP)


class ActionRange(nn.Module):
    """
    Map what a network puts out, [-1, 1], onto the range of actions: centre + reach * output.

    The identity by default: the contract's limits are the normalisation. `fit` takes the range
    that was demonstrated instead.
    """

    def __init__(self, centre: np.ndarray, half: np.ndarray) -> None:
        super().__init__()
        self.register_buffer('centre', torch.as_tensor(np.array(centre), dtype=torch.float32))
        self.register_buffer('reach', torch.as_tensor(np.array(half), dtype=torch.float32))

    @classmethod
    def identity(cls, actions: int) -> ActionRange:
        """Leave actions as they are."""
        return cls(np.zeros(actions), np.ones(actions))

    @classmethod
    def fit(cls, actions: np.ndarray) -> ActionRange:
        """Take the range of actions (M, A); one that never changes keeps the half range 1."""
        low, high = actions.min(axis=0), actions.max(axis=0)
        half = (high - low) / 2
        return cls((low + high) / 2, np.where(half < 1e-6, 1.0, half))

    def forward(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return actions (..., A) of outputs (..., A)."""
        return self.centre + self.reach * outputs

    def inverse(self, actions: torch.Tensor) -> torch.Tensor:
        """Return the outputs (..., A) that stand for actions (..., A)."""
        return (actions - self.centre) / self.reach


class PolicyNetwork(nn.Module):
    """
    A deterministic policy: observations (..., D) to actions (..., 3) in [-1, 1].

    The normalisation of observations and actions is part of it. With several components, the last
    layer gives `components` weights (logits) and then as many means; the action is the mean of the
    component that weighs most.
    """

    def __init__(
        self,
        normaliser: Normaliser,
        hidden: Sequence[int],
        generator: torch.Generator,
        actions: int = 3,
        components: int = 1,
        action_range: ActionRange | None = None,
    ) -> None:
        super().__init__()
        self.normaliser = normaliser
        self.action_range = action_range or ActionRange.identity(actions)
        self.components = components
        outputs = actions if components == 1 else components * (1 + actions)
        sizes = (len(normaliser.mean), *hidden, outputs)
        self.layers = nn.ModuleList(
            linear(before, after, generator) for before, after in zip(sizes, sizes[1:])
        )

    def act(self, normalised: torch.Tensor) -> torch.Tensor:
        """Return the network's outputs (..., 3) in [-1, 1] for normalised observations."""
        for layer in self.layers[:-1]:
            normalised = functional.relu(layer(normalised))
        values = self.layers[-1](normalised)
        if self.components > 1:
            likeliest = values[..., : self.components].argmax(dim=-1)
            means = values[..., self.components :].unflatten(-1, (self.components, -1))
            index = likeliest[..., None, None].expand(*likeliest.shape, 1, means.shape[-1])
            values = means.gather(-2, index).squeeze(-2)
        return torch.tanh(values)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return the actions for observations."""
        return self.action_range(self.act(self.normaliser(observations)))

    @torch.no_grad()
    def predict(self, observations: np.ndarray) -> np.ndarray:
        """Return actions (..., 3), float32, for observations (..., D)."""
        values = torch.as_tensor(np.ascontiguousarray(observations, dtype=np.float32))
        return self(values).numpy()


class StackedMLP(nn.Module):
    """
    N multi-layer perceptrons of one shape as batched matrix products: (N, B, in) to (N, B, out).

    One generator for each group of `per_generator` networks: a seed has the same initial weights
    alone and among others. With `layer_norm`, each hidden activation is normalised.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        generators: Sequence[torch.Generator],
        per_generator: int = 1,
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        self.gains, self.shifts = nn.ParameterList(), nn.ParameterList()
        count = len(generators) * per_generator
        for index, (before, after) in enumerate(zip(sizes, sizes[1:])):
            bound = 1.0 / math.sqrt(before)
            shapes = (per_generator, before, after), (per_generator, 1, after)
            for parameters, shape in zip((self.weights, self.biases), shapes):
                parameters.append(
                    nn.Parameter(torch.cat([uniform(shape, bound, g) for g in generators]))
                )
            if layer_norm and index < len(sizes) - 2:
                self.gains.append(nn.Parameter(torch.ones(count, 1, after)))
                self.shifts.append(nn.Parameter(torch.zeros(count, 1, after)))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return the outputs (N, B, out)."""
        return self._forward(values, slice(None))

    def _forward(self, values: torch.Tensor, networks: slice) -> torch.Tensor:
        weights, biases, gains, shifts = (
            [parameter[networks] for parameter in parameters]
            for parameters in (self.weights, self.biases, self.gains, self.shifts)
        )
        if not gains:
            return relu_layers(values, weights, biases)
        for weight, bias, gain, shift in zip(weights, biases, gains, shifts):
            # In place: the product's own gradient does not need its value.
            values = functional.relu_(torch.baddbmm(bias, values, weight))
            values = functional.layer_norm(values, values.shape[-1:]) * gain + shift
        return torch.baddbmm(biases[-1], values, weights[-1])


class TwinCritic(StackedMLP):
    """Two Q networks for each of S seeds; the networks of a seed are neighbours in the stack."""

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        generators: Sequence[torch.Generator],
        layer_norm: bool = False,
    ) -> None:
        super().__init__((inputs, *hidden, 1), generators, 2, layer_norm)

    def forward(self, state_actions: torch.Tensor) -> torch.Tensor:
        """Return the values (S, 2, B) of normalised observations with actions (S, B, D + A)."""
        seeds, rows, size = state_actions.shape
        pairs = state_actions.unsqueeze(1).expand(seeds, 2, rows, size)
        return super().forward(pairs.reshape(2 * seeds, rows, size)).view(seeds, 2, rows)

    def first(self, state_actions: torch.Tensor) -> torch.Tensor:
        """Return the values (S, B) of every seed's first network alone."""
        return self._forward(state_actions, slice(0, None, 2)).squeeze(2)


class GaussianActor(StackedMLP):
    """Means tanh(f(s)) and, whatever the state, one deviation for every part of an action."""

    def __init__(
        self,
        sizes: Sequence[int],
        generators: Sequence[torch.Generator],
        log_std: tuple[float, float],
    ) -> None:
        super().__init__(sizes, generators)
        self._bounds = log_std
        self.spread = nn.Parameter(torch.zeros(len(generators), 1, sizes[-1]))

    def distribution(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return means (S, B, A) and the logarithm of the deviations (S, 1, A)."""
        low, high = self._bounds
        log_std = low + (high - low) * torch.sigmoid(self.spread)
        return torch.tanh(self(observations)), log_std


def policy_of(
    actor: StackedMLP,
    seed: int,
    normaliser: Normaliser,
    action_range: ActionRange,
    components: int = 1,
) -> PolicyNetwork:
    """
    Return the deterministic policy of one seed's actor, a copy.

    Of the actor's outputs the first are taken: weights of the components if there are several,
    then means of the first action of a chunk, component by component.
    """
    actions = len(action_range.reach)
    hidden = [weight.shape[2] for weight in actor.weights[:-1]]
    network = PolicyNetwork(
        normaliser, hidden, torch.Generator(), actions, components, action_range
    )
    with torch.no_grad():
        for layer, weight, bias in zip(network.layers, actor.weights, actor.biases):
            outputs = layer.out_features
            layer.weight.copy_(weight[seed, :, :outputs].T)
            layer.bias.copy_(bias[seed, 0, :outputs])
    return network.eval()


def linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """Return a linear layer with torch's usual initialisation, drawn from `generator`."""
    # As nn.utils.skip_init does, which imports a symbolic mathematics package for that.
    layer = nn.Linear(inputs, outputs, device='meta')
    layer.weight = nn.Parameter(torch.empty(outputs, inputs))
    layer.bias = nn.Parameter(torch.empty(outputs))
    bound = 1.0 / math.sqrt(inputs)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    return layer


def uniform(shape: tuple[int, ...], bound: float, generator: torch.Generator) -> torch.Tensor:
    """Return uniform random numbers in [-bound, bound]."""
    return torch.empty(shape).uniform_(-bound, bound, generator=generator)


@contextlib.contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch use `count` threads inside the block; small networks need no more than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
