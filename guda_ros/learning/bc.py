"""
Behaviour cloning: regression from observations to the demonstrated actions.

Pomerleau, ALVINN, 1988. The loss is one of

- deterministic: mean (a - pi(s))^2, pi(s) = tanh of the network's output;
- gaussian: mean over the action's parts of -log N(a; pi(s), sigma(s)), as a density of what was
  demonstrated;
- mixture: -log sum_k w_k(s) N(a; mu_k(s), sigma_k(s)) per action (Bishop, Mixture Density
  Networks, 1994), for demonstrations that do one thing or the other; the policy takes the mean of
  the component that weighs most.

With `chunk` above one, the network predicts that many actions in a row (Zhao et al., Learning
Fine-Grained Bimanual Manipulation, 2023, arXiv 2304.13705), where the data knows them. Deviation:
only the first one is executed and the next observation is answered anew, so that the policy has
no memory; there is no temporal ensemble.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from types import SimpleNamespace
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from guda_ros.learning.batches import chunks
from guda_ros.learning.learner import Learner, LearnerConfig
from guda_ros.learning.networks import StackedMLP, TrainingError

if TYPE_CHECKING:
    from guda_ros.data.transitions import TransitionSet
    from guda_ros.learning.learner import Scales

#: Bounds of the logarithm of a standard deviation of actions: .007 to 1.
LOG_STD = (-5.0, 0.0)


@dataclass(frozen=True)
class BCConfig(LearnerConfig):
    """
    Arguments of behaviour cloning; see LearnerConfig for the others.

    policy: deterministic, gaussian or mixture (of `components`). chunk: actions that are predicted
    from one observation.
    """

    learning_rate: float = 1e-3
    policy: str = 'deterministic'
    components: int = 4
    chunk: int = 1

    POSITIVE = ('learning_rate', 'components', 'chunk')
    CHOICES = {'policy': ('deterministic', 'gaussian', 'mixture')}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.policy == 'mixture' and self.components < 2:
            raise TrainingError(f'components: a mixture has two or more, not {self.components}')


class BC(Learner):
    """Behaviour cloning; see the module."""

    name = 'bc'
    Config = BCConfig

    def _build(self, generators: list[torch.Generator]) -> None:
        config = self.config
        observations, actions = self.sizes
        if config.policy == 'mixture':
            self.components = config.components
        # For every component: its weight, the means of all actions of the chunk, their deviations.
        heads = {'deterministic': 1, 'gaussian': 2, 'mixture': 2}[config.policy]
        outputs = heads * actions * config.chunk * self.components
        outputs += self.components if self.components > 1 else 0
        self.actor = self._add(
            'actor',
            StackedMLP((observations, *config.hidden, outputs), generators),
            config.learning_rate,
            config.weight_decay,
        )

    def _columns(self, data: TransitionSet, scales: Scales) -> dict[str, torch.Tensor]:
        actions, known = chunks(data, self.config.chunk)
        targets = scales.action_range.inverse(torch.from_numpy(self._clipped(actions)))
        return {
            'observations': scales.normaliser(torch.from_numpy(data.observations())),
            'targets': targets.flatten(1),
            'known': torch.from_numpy(known),
        }

    def _update(
        self, batch: SimpleNamespace, noise: SimpleNamespace, update: int
    ) -> dict[str, torch.Tensor]:
        output = self.actor(batch.observations)
        if self.config.policy == 'mixture':
            loss = self._mixture(output, batch)
        else:
            # (S, B, chunk, actions)
            targets = batch.targets.unflatten(-1, (self.config.chunk, -1))
            if self.config.policy == 'deterministic':
                loss = squared_error(torch.tanh(output), batch.targets).view_as(targets)
            else:
                mean, log_std = output.chunk(2, dim=-1)
                loss = gaussian_nll(torch.tanh(mean), log_std.clamp(*LOG_STD), batch.targets)
                loss = loss.view_as(targets)
            loss = masked_mean(loss.mean(dim=-1), batch.known)
        self.optimizers['actor'].step(loss.sum())
        return {'losses/policy_loss': loss.detach()}

    def _mixture(self, output: torch.Tensor, batch: SimpleNamespace) -> torch.Tensor:
        count, chunk, actions = self.components, self.config.chunk, self.sizes[1]
        # The first action's means lie together: policy_of takes them off the front.
        split = (count, count * actions, count * actions * (chunk - 1), count * actions * chunk)
        logits, first, later, log_std = output.split(split, dim=-1)
        mean = torch.cat(
            [
                first.unflatten(-1, (count, 1, actions)),
                later.unflatten(-1, (count, chunk - 1, actions)),
            ],
            dim=-2,
        )
        log_std = log_std.unflatten(-1, (count, chunk, actions)).clamp(*LOG_STD)
        targets = batch.targets.unflatten(-1, (1, chunk, actions))
        # Each step of a chunk is a mixture of its own with common weights.
        likelihood = -gaussian_nll(torch.tanh(mean), log_std, targets).sum(dim=-1)
        weights = functional.log_softmax(logits, dim=-1).unsqueeze(-1)
        loss = -torch.logsumexp(likelihood + weights, dim=-2)
        return masked_mean(loss, batch.known)


def squared_error(values: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return (value - target)^2, element by element."""
    return (values - targets).square()


def gaussian_nll(mean: torch.Tensor, log_std: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return -log N(target; mean, exp(log_std)), element by element."""
    error = (targets - mean) * torch.exp(-log_std)
    return 0.5 * error.square() + log_std + 0.5 * math.log(2 * math.pi)


def masked_mean(values: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Return the mean (S,) of values (S, B, k) over those that are known."""
    if values.shape[-1] == 1:
        return values.mean(dim=(1, 2))
    return (values * known).sum(dim=(1, 2)) / known.sum(dim=(1, 2))
