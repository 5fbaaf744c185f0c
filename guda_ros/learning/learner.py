"""What the algorithms share: arguments, the loop of updates, and the state to go on from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
import math
import time
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from guda_ros.data.contract_base import ContractBase
from guda_ros.data.transitions import TransitionSet
from guda_ros.learning.batches import (
    check_transitions,
    continues_next,
    data_hash,
    Draws,
    joint_hash,
    Sampler,
    SAMPLERS,
    Table,
)
from guda_ros.learning.compiler import leave_compiler_out, plain_step
from guda_ros.learning.networks import (
    ActionRange,
    Normaliser,
    policy_of,
    PolicyNetwork,
    StackedMLP,
    torch_threads,
    TrainingError,
    TrainingResult,
)


@dataclass(frozen=True)
class LearnerConfig:
    """
    Arguments that all algorithms share.

    updates: gradient steps; batch_size: transitions in each. hidden: sizes of the hidden layers.
    schedule: 'cosine' lets learning rates fall to zero, 'constant' leaves them. weight_decay:
    AdamW's, of the policy. sampler, original_share, return_temperature: see batches.Sampler.
    normalise_actions: learn in the range of the demonstrated actions instead of the contract's.
    log_every: updates between two entries of the history. threads: of torch. device: 'cpu' or
    'cuda'.
    """

    updates: int = 2500
    batch_size: int = 256
    hidden: tuple[int, ...] = (256, 256)
    schedule: str = 'cosine'
    weight_decay: float = 1e-4
    sampler: str = 'uniform'
    original_share: float = 0.0
    return_temperature: float = 0.1
    normalise_actions: bool = False
    log_every: int = 100
    threads: int = 1
    device: str = 'cpu'

    #: Arguments above zero, at least zero, in (0, 1], in [0, 1] and in [0, 1).
    POSITIVE = (
        'updates',
        'batch_size',
        'log_every',
        'threads',
        'return_temperature',
    )
    NOT_NEGATIVE = ('weight_decay',)
    FRACTION = ()
    SHARE = ('original_share',)
    BELOW_ONE = ()
    #: Allowed words of arguments that are words; not annotated, so it is no argument itself.
    CHOICES = {
        'sampler': SAMPLERS,
        'schedule': ('cosine', 'constant'),
        'device': ('cpu', 'cuda'),
    }

    def __post_init__(self) -> None:
        rules = (
            ('POSITIVE', 'a positive number', lambda value: value > 0),
            ('NOT_NEGATIVE', 'a number that is not negative', lambda value: value >= 0),
            ('FRACTION', 'a number in (0, 1]', lambda value: 0 < value <= 1),
            ('SHARE', 'a share in [0, 1]', lambda value: 0 <= value <= 1),
            ('BELOW_ONE', 'a share in [0, 1)', lambda value: 0 <= value < 1),
        )
        for group, expected, holds in rules:
            for name in self._of_all_classes(group):
                value = getattr(self, name)
                if not holds(value) or not math.isfinite(value):
                    raise TrainingError(f'{name}: {expected} is expected, not {value}')
        for name, words in self._of_all_classes('CHOICES').items():
            if getattr(self, name) not in words:
                raise TrainingError(
                    f'{name}: one of {", ".join(words)} is expected, not {getattr(self, name)!r}'
                )
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple) and not (value and all(size > 0 for size in value)):
                raise TrainingError(f'{field.name}: sizes above zero are expected, not {value}')

    @classmethod
    def _of_all_classes(cls, name: str) -> list[str] | dict[str, tuple[str, str, str]]:
        parts = [vars(base)[name] for base in reversed(cls.__mro__) if name in vars(base)]
        if isinstance(parts[0], dict):
            return {key: words for part in parts for key, words in part.items()}
        return [key for part in parts for key in part]


@dataclass(frozen=True)
class ValueConfig(LearnerConfig):
    """
    Arguments that algorithms with values share.

    discount is per control step; tau: share that targets move by in an update. bounded: keep what
    the critics learn toward within what the rewards of the data can add up to. settle: take a step
    into a state in which nothing is left to do (`settled` of the contract) for an end that pays
    its reward for ever; rewards and values are then in units of 1 / (1 - discount).
    """

    discount: float = 0.99
    tau: float = 0.005
    bounded: bool = False
    settle: bool = False

    FRACTION = ('discount', 'tau')

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.settle and self.discount == 1:
            raise TrainingError('settle: what pays for ever is worth no number with discount 1')


class Adam:
    """AdamW in one fused call, with a learning rate that may fall to zero along a cosine."""

    def __init__(
        self,
        parameters: Iterable[torch.Tensor],
        rate: float,
        weight_decay: float = 0.0,
        steps: int | None = None,
    ) -> None:
        self._rate = rate
        self._steps = steps
        self._parameters = list(parameters)
        self.count = 0
        leave_compiler_out()
        self.inner = torch.optim.AdamW(
            self._parameters, lr=rate, weight_decay=weight_decay, fused=True
        )
        self._plain_step = plain_step(self.inner)

    def step(self, loss: torch.Tensor) -> None:
        """Take one step down the gradient of `loss`."""
        for parameter in self._parameters:
            parameter.grad = None
        loss.backward()
        if self._steps:
            share = min(self.count / self._steps, 1.0)
            self.inner.param_groups[0]['lr'] = self._rate * (1 + math.cos(math.pi * share)) / 2
        with torch.no_grad():
            self._plain_step()
        self.count += 1

    def state_dict(self) -> dict:
        """Return what load_state_dict takes."""
        return {'count': self.count, 'inner': self.inner.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Go on from a state; ValueError if it is not one of these parameters."""
        if not isinstance(state['count'], int) or state['count'] < 0:
            raise ValueError(f'count: {state["count"]!r} steps cannot be')
        self.count = state['count']
        options = [
            {key: value for key, value in group.items() if key != 'params'}
            for group in self.inner.param_groups
        ]
        self.inner.load_state_dict(state['inner'])
        # The options are those of the same arguments; torch takes whatever a state has.
        for group, own in zip(self.inner.param_groups, options):
            group.update(own)
        for parameter, moments in self.inner.state.items():
            if moments and not {'step', 'exp_avg', 'exp_avg_sq'} <= moments.keys():
                raise ValueError(f'a step and its two moments are expected, not {list(moments)}')
            for name, value in moments.items():
                if value.shape not in ((), parameter.shape):
                    raise ValueError(f'{name}: {tuple(parameter.shape)} numbers are expected')


@dataclass(frozen=True)
class Scales:
    """What brings the observations and actions of a set into the range of networks."""

    normaliser: Normaliser
    action_range: ActionRange


class Learner:
    """
    An offline algorithm that trains one policy for each of its seeds, all at once.

    Each seed draws its own initial weights, batches and noise, and gets the policy that it would
    get alone, but for rounding. `data` is one set for all seeds, or a sequence with one for each;
    those that are the same object are kept once. An algorithm sets `name` and `Config`, makes its
    networks in `_build` and defines `_update`.

    Conventions of stable-baselines3: `learn` returns the learner, its callback is called as
    training goes and stops it by returning False; `predict` returns actions and a state (None).

    :raises ContractMismatch: if the transitions were made for another contract.
    :raises TrainingError: if the data cannot be learnt from.
    """

    name = ''
    Config = LearnerConfig
    #: Actions of the policy network of this algorithm: how many components its head has.
    components = 1

    def __init__(
        self,
        data: TransitionSet | Sequence[TransitionSet],
        contract: ContractBase,
        config: LearnerConfig | None = None,
        seeds: Sequence[int] = (0,),
    ) -> None:
        self.config = config or self.Config()
        self.contract = contract
        self.seeds = tuple(seeds)
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise TrainingError(f'seeds: different numbers from 0 on are expected, not {seeds}')
        if max(self.seeds) >= 2**63:
            raise TrainingError(f'seeds: {max(self.seeds)} has more than 63 bits')
        if self.config.device == 'cuda' and not torch.cuda.is_available():
            raise TrainingError('device: torch finds no GPU; use cpu')
        sets = [data] * len(self.seeds) if isinstance(data, TransitionSet) else list(data)
        if len(sets) != len(self.seeds):
            raise TrainingError(f'{len(sets)} sets of transitions for {len(self.seeds)} seeds')
        distinct = list({id(one): one for one in sets}.values())
        for one in distinct:
            check_transitions(one, contract)
        hashes = [data_hash(one) for one in distinct]
        numbers = [next(i for i, other in enumerate(distinct) if other is one) for one in sets]
        self.data_hash = hashes[0] if len(hashes) == 1 else joint_hash(hashes, numbers)
        scales = [self._fit(one) for one in distinct]
        self.scales = [scales[number] for number in numbers]
        rewards = [(float(one.rewards.min()), float(one.rewards.max())) for one in distinct]
        self._rewards = [rewards[number] for number in numbers]
        self.sizes = len(scales[0].normaliser.mean), len(scales[0].action_range.reach)
        with torch.no_grad():
            self._table = Table(
                self.config.device, [self._columns(*pair) for pair in zip(distinct, scales)]
            )
        self.networks: dict[str, nn.Module] = {}
        self.optimizers: dict[str, Adam] = {}
        self._build([torch.Generator().manual_seed(seed) for seed in self.seeds])
        samplers = [
            Sampler(
                one,
                self.config.sampler,
                self.config.original_share,
                self.config.return_temperature,
            )
            for one in distinct
        ]
        begins = np.cumsum([0, *map(len, distinct)])
        self._draws = Draws(
            [samplers[number] for number in numbers],
            self.seeds,
            self.config.batch_size,
            self._noise(),
            self.config.device,
            [begins[number] for number in numbers],
        )
        self.updates = 0
        #: Gradient steps in all.
        self.total = self._total()
        self.seconds = 0.0
        #: Lists of equal length: `update`, and of every logged value one number a seed, or None.
        self.history: dict[str, list] = {'update': []}
        self._window: dict[str, list[torch.Tensor]] = {}
        #: Of every seed: the best validation so far, the update it was at, and that policy.
        self.best: list[dict | None] = [None] * len(self.seeds)
        self._stop = False

    # What an algorithm defines.

    def _build(self, generators: list[torch.Generator]) -> None:
        """Fill self.networks and self.optimizers."""
        raise NotImplementedError

    def _update(
        self, batch: SimpleNamespace, noise: SimpleNamespace, update: int
    ) -> dict[str, torch.Tensor]:
        """Take one gradient step; return the values to log, each (S,)."""
        raise NotImplementedError

    def _noise(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return the random numbers that an update of one seed needs, as Draws takes them."""
        return {}

    def _total(self) -> int:
        return self.config.updates

    def _fit(self, data: TransitionSet) -> Scales:
        if self.config.normalise_actions:
            action_range = ActionRange.fit(self._clipped(data.actions))
        else:
            limit = self.contract.action_limit
            action_range = ActionRange(np.zeros(len(limit)), limit)
        return Scales(Normaliser.fit(data.observations()), action_range)

    def _columns(self, data: TransitionSet, scales: Scales) -> dict[str, torch.Tensor]:
        """Return the columns of a batch; inputs of networks are normalised here, once."""
        actions = torch.from_numpy(self._clipped(data.actions))
        follows = continues_next(data)
        following = actions.clone()
        following[:-1][follows[:-1]] = actions[1:][follows[:-1]]
        rewards, ends = self._rewards_and_ends(data)
        return {
            'observations': scales.normaliser(torch.from_numpy(data.observations())),
            'actions': scales.action_range.inverse(actions),
            'next_observations': scales.normaliser(torch.from_numpy(data.next_observations())),
            'rewards': torch.from_numpy(rewards),
            # An episode that was cut off is bootstrapped, one that ended is not.
            'continues': torch.from_numpy(~ends),
            'next_actions': scales.action_range.inverse(following),
            'next_known': torch.from_numpy(follows),
        }

    def _rewards_and_ends(self, data: TransitionSet) -> tuple[np.ndarray, np.ndarray]:
        """Return what steps pay, float32, and whether nothing follows, both (M,)."""
        config = self.config
        if not (isinstance(config, ValueConfig) and config.settle):
            return data.rewards, data.terminations
        settled = self.contract.settled(data.next_states)
        rewards = np.where(settled, data.rewards, (1 - config.discount) * data.rewards)
        return rewards.astype(np.float32), data.terminations | settled

    # Helpers for algorithms.

    def _clipped(self, actions: np.ndarray) -> np.ndarray:
        """Return actions (..., A) within the contract's limits."""
        return np.clip(actions, -self.contract.action_limit, self.contract.action_limit)

    def _add(
        self,
        name: str,
        network: StackedMLP,
        rate: float,
        weight_decay: float = 0.0,
        steps: int | None = None,
    ) -> StackedMLP:
        """Keep a network with its optimiser; `steps`: how many there will be, for the cosine."""
        self.networks[name] = network.to(self.config.device)
        self.optimizers[name] = self._adam(network.parameters(), rate, weight_decay, steps)
        return network

    def _bounded(self, target: torch.Tensor) -> torch.Tensor:
        """Return targets (S, B) of critics, kept within their range if that is asked for."""
        return target.clamp(*self._value_range) if self.config.bounded else target

    @cached_property
    def _value_range(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (S, 1) each: the least and most that rewards as in the data can add up to."""
        # An end may follow at once, so that no more than one reward is certain.
        share = max(1.0 - self.config.discount, 1e-6)
        unit = share if self.config.settle else 1.0
        low = [unit * min(least, least / share) for least, _ in self._rewards]
        high = [unit * max(most, most / share) for _, most in self._rewards]
        return tuple(
            torch.tensor(bound, device=self.config.device).unsqueeze(1) for bound in (low, high)
        )

    def _target(self, name: str, network: StackedMLP) -> StackedMLP:
        """Keep a network that no gradient reaches."""
        self.networks[name] = network.to(self.config.device).requires_grad_(False)
        return network

    def _adam(
        self, parameters, rate: float, weight_decay: float = 0.0, steps: int | None = None
    ) -> Adam:
        steps = (steps or self.total_steps) if self.config.schedule == 'cosine' else None
        return Adam(parameters, rate, weight_decay, steps)

    @property
    def total_steps(self) -> int:
        """Gradient steps in all, also before the networks are built."""
        return max(self._total(), 1)

    # What a user calls.

    def learn(self, callback: Callable[[Learner], bool | None] | None = None) -> Learner:
        """
        Train until all updates are done, from where training stands.

        :param callback: called after every `log_every` updates and at the end, when the history is
            up to date; False ends the training early.
        :raises TrainingError: if a loss is no longer finite.
        """
        begin = time.perf_counter() - self.seconds
        with torch_threads(self.config.threads):
            while self.updates < self.total and not self._stop:
                update = self.updates + 1
                rows, noise = self._draws.at(update)
                for name, value in self._update(self._table.rows(rows), noise, update).items():
                    self._window.setdefault(name, []).append(value)
                self.updates = update
                if update % self.config.log_every == 0 or update == self.total:
                    self._log()
                    self.seconds = time.perf_counter() - begin
                    if callback and callback(self) is False:
                        self._stop = True
                    # What the callback took is no training.
                    begin = time.perf_counter() - self.seconds
        self.seconds = time.perf_counter() - begin
        self._stop = False
        return self

    def stop(self) -> None:
        """
        End `learn` after the update that is under way, or the next one before its first.

        A signal handler may call this.
        """
        self._stop = True

    def predict(
        self,
        observation: np.ndarray,
        state: object = None,
        episode_start: object = None,
        deterministic: bool = True,
    ) -> tuple[np.ndarray, None]:
        """
        Return the actions (..., 3) of the first seed's policy for observations (..., D), and None.

        :raises ValueError: if `deterministic` is False: a policy on the robot never draws lots.
        """
        if not deterministic:
            raise ValueError('offline policies act deterministically')
        return self.policy().predict(observation), None

    def policy(self, seed: int | None = None) -> PolicyNetwork:
        """Return the present policy of a seed, by default the first, as a copy on the CPU."""
        index = 0 if seed is None else self.seeds.index(seed)
        return policy_of(
            self.networks['actor'],
            index,
            self.scales[index].normaliser,
            self.scales[index].action_range,
            self.components,
        )

    def validate(self, evaluate: Callable[[PolicyNetwork], float]) -> list[float]:
        """
        Judge the present policies and remember the best of every seed.

        :param evaluate: returns a number for a policy, the more the better, such as the success
            from validation starts.
        """
        rates = []
        for index, seed in enumerate(self.seeds):
            policy = self.policy(seed)
            rates.append(float(evaluate(policy)))
            best = self.best[index]
            # Of equals the later one: by then the learning rate has come down.
            if best is None or rates[-1] >= best['value']:
                self.best[index] = {
                    'value': rates[-1],
                    'update': self.updates,
                    'network': policy.state_dict(),
                }
        column = self.history.setdefault('validation/success', [])
        column += [None] * (len(self.history['update']) - len(column))
        if column:
            column[-1] = rates
        return rates

    def result(self, seed: int | None = None) -> TrainingResult:
        """Return the policy of a seed, with history; where it was validated, the best one."""
        index = 0 if seed is None else self.seeds.index(seed)
        policy = self.policy(self.seeds[index])
        config = {'algorithm': self.name, 'seed': self.seeds[index], **asdict(self.config)}
        best = self.best[index]
        if best is not None:
            policy.load_state_dict(best['network'])
            config['validation'] = {'success': best['value'], 'update': best['update']}
        length = len(self.history['update'])
        history = {
            name: [row if row is None or name == 'update' else row[index] for row in column]
            + [None] * (length - len(column))
            for name, column in self.history.items()
        }
        return TrainingResult(policy, history, self.seconds, self.updates, config)

    def state_dict(self) -> dict:
        """Return all that training needs to go on as if it had not been interrupted."""
        return {
            'updates': self.updates,
            'seconds': self.seconds,
            'networks': {name: net.state_dict() for name, net in self.networks.items()},
            'optimizers': {name: opt.state_dict() for name, opt in self.optimizers.items()},
            'history': self.history,
            'window': {name: torch.stack(rows) for name, rows in self._window.items()},
            'best': self.best,
        }

    def load_state_dict(self, state: dict) -> None:
        """Go on from a state of a learner with the same data, arguments and seeds."""
        for name, network in self.networks.items():
            network.load_state_dict(state['networks'][name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state['optimizers'][name])
        self.updates, self.seconds = state['updates'], state['seconds']
        self.history, self.best = state['history'], state['best']
        self._window = {
            name: list(rows.to(self.config.device)) for name, rows in state['window'].items()
        }

    def _log(self) -> None:
        length = len(self.history['update'])
        self.history['update'].append(self.updates)
        for name, rows in self._window.items():
            mean = torch.stack(rows).mean(dim=0)
            if not torch.isfinite(mean).all():
                raise TrainingError(
                    f'{name} is not finite after {self.updates} updates; use smaller learning '
                    'rates'
                )
            column = self.history.setdefault(name, [None] * length)
            column += [None] * (length - len(column))
            column.append(mean.tolist())
        self._window = {}
        for column in self.history.values():
            column += [None] * (length + 1 - len(column))


@torch.no_grad()
def copy_networks(source: nn.Module, target: nn.Module) -> None:
    """Make the parameters of `target` equal to those of `source`."""
    torch._foreach_copy_(list(target.parameters()), list(source.parameters()))


@torch.no_grad()
def polyak_update(source: nn.Module, target: nn.Module, tau: float) -> None:
    """Move the parameters of `target` by the share tau toward those of `source`."""
    torch._foreach_lerp_(list(target.parameters()), list(source.parameters()), tau)
