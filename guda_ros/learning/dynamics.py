"""
Dynamics learnt component by component: what touches nothing depends on nothing else.

After MoCoDA (Pitis et al., Model-based Counterfactual Data Augmentation, 2022, arXiv 2210.11287):
the next state of a component is predicted from its parents alone, and which those are is local:
itself, and the action if it is the one that acts, while components are apart; all components and
the action while they touch. Parts of different recorded states can then be combined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from guda_ros.learning.networks import linear, Normaliser, torch_threads, TrainingError
from guda_ros.soccer.world import wrap_angle


@dataclass(frozen=True)
class Component:
    """State columns of a component; angles: those of them that are angles [rad]."""

    columns: tuple[int, ...]
    angles: tuple[int, ...] = ()

    def see(self, states: np.ndarray) -> np.ndarray:
        """Return the columns (M, .) of states, angles as cosine and sine."""
        plain = [column for column in self.columns if column not in self.angles]
        turned = states[:, list(self.angles)]
        return np.concatenate([states[:, plain], np.cos(turned), np.sin(turned)], axis=1)


class FactoredDynamics:
    """
    Networks that predict the change of each component in one step.

    :param components: by name; `actor` names the one that acts.
    :param updates: gradient steps for each network.
    """

    def __init__(
        self, components: Mapping[str, Component], actor: str, updates: int, seed: int = 0
    ) -> None:
        self._components, self._actor = dict(components), actor
        self._updates, self._seed = updates, seed
        self._networks: dict[tuple[str, bool], _Regression] = {}

    def fit(
        self,
        states: np.ndarray,
        actions: np.ndarray,
        next_states: np.ndarray,
        together: np.ndarray,
    ) -> FactoredDynamics:
        """
        Fit the networks to recorded steps.

        :param together: tells (M,) in which steps components touch.
        :raises TrainingError: if there are no steps, or one is not finite.
        """
        if not len(states):
            raise TrainingError('there are no steps to learn dynamics from')
        change = next_states - states
        if not (np.isfinite(change).all() and np.isfinite(actions).all()):
            raise TrainingError('recorded steps hold values that are not finite; drop those steps')
        for touch in (False, True):
            rows = together == touch
            for number, (name, component) in enumerate(self._components.items()):
                if rows.any():
                    self._networks[name, touch] = _Regression(
                        self._parents(name, touch, states[rows], actions[rows]),
                        _change(component, change[rows]),
                        self._updates,
                        2 * number + touch + 100 * self._seed,
                    )
        return self

    def predict(self, states: np.ndarray, actions: np.ndarray, together: np.ndarray) -> np.ndarray:
        """Return the states (M, S) after one step; angles are wrapped to [-pi, pi)."""
        after = np.array(states, dtype=float)
        for touch in (False, True):
            rows = np.flatnonzero(together == touch)
            for name, component in self._components.items():
                if len(rows):
                    parents = self._parents(name, touch, states[rows], actions[rows])
                    change = self._networks[name, touch](parents)
                    after[np.ix_(rows, component.columns)] += change
        for component in self._components.values():
            for column in component.angles:
                after[:, column] = wrap_angle(after[:, column])
        return after

    def _parents(
        self, name: str, touch: bool, states: np.ndarray, actions: np.ndarray
    ) -> np.ndarray:
        parts = [
            component.see(states)
            for other, component in self._components.items()
            if touch or other == name
        ]
        if touch and len(self._components) > 1:
            # Where things are relative to each other is what a touch depends on.
            first, second = (part.columns[:2] for part in list(self._components.values())[:2])
            parts.append(states[:, list(first)] - states[:, list(second)])
        if touch or name == self._actor:
            parts.append(actions)
        return np.concatenate(parts, axis=1)


def _change(component: Component, change: np.ndarray) -> np.ndarray:
    change = np.array(change)
    for column in component.angles:
        change[:, column] = wrap_angle(change[:, column])
    return change[:, list(component.columns)]


class _Regression:
    """A network of two hidden layers, fitted to normalised inputs and targets."""

    HIDDEN = 128
    BATCH = 256
    RATE = 1e-3

    def __init__(self, inputs: np.ndarray, targets: np.ndarray, updates: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self._inputs, self._targets = Normaliser.fit(inputs), Normaliser.fit(targets)
        sizes = (inputs.shape[1], self.HIDDEN, self.HIDDEN, targets.shape[1])
        self._layers = [linear(a, b, generator) for a, b in zip(sizes, sizes[1:])]
        parameters = [part for layer in self._layers for part in layer.parameters()]
        optimizer = torch.optim.Adam(parameters, self.RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
        with torch_threads(1):
            seen = self._inputs(torch.as_tensor(inputs, dtype=torch.float32))
            wanted = self._targets(torch.as_tensor(targets, dtype=torch.float32))
            for _ in range(updates):
                rows = torch.randint(len(seen), (self.BATCH,), generator=generator)
                loss = functional.mse_loss(self._forward(seen[rows]), wanted[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()

    def _forward(self, values: torch.Tensor) -> torch.Tensor:
        for layer in self._layers[:-1]:
            values = functional.silu(layer(values))
        return self._layers[-1](values)

    @torch.no_grad()
    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        values = self._forward(self._inputs(torch.as_tensor(inputs, dtype=torch.float32)))
        scale = self._targets.scale
        # What never changed has scale 0 and stays at its mean.
        deviation = torch.where(scale > 0, 1 / scale, 0.0)
        return (values * deviation + self._targets.mean).double().numpy()
