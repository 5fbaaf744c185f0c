"""
Data augmentation functions (DAFs) for online learning: what is made of the steps just taken.

A DAF gets the observed steps, with how many copies each is to have, and returns augmented ones; it
may return fewer where it finds nothing that the dynamics allow. `GuideDAF` is every guide of this
project, `SwapDAF` the swap of independent parts of CoDA (Pitis et al. 2020, arXiv 2007.02863) and
`GoalDAF` the relabelling of HER (Andrychowicz et al. 2017, arXiv 1707.01495). One of your own is a
subclass of `DAF` that can be pickled. How they are used is in guda_ros.online.augmented_replay.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
import os
from typing import TYPE_CHECKING

from gymnasium import spaces
import numpy as np

from guda_ros.augmentation.guides import Guide, load_guide
from guda_ros.augmentation.pipeline import augment, AugmentationError
from guda_ros.augmentation.registry import load_task
from guda_ros.augmentation.task import Task
from guda_ros.data.transitions import TransitionSet
from guda_ros.errors import GudaError
from guda_ros.soccer.rewards import reward_terms

if TYPE_CHECKING:
    from guda_ros.sim.episodes import EpisodeBatch

#: How far rewards and observations that a world finds may be from those of the environment, which
#: are in single precision.
_CLOSE = 1e-4


class DAFError(GudaError, ValueError):
    """A DAF does not fit the environment; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class Steps:
    """
    N steps, as the environment took and gave them.

    observations, next_observations (N, D); actions (N, A), not scaled; rewards (N,); terminations
    (N,) bool, never a time-out. states, next_states (N, S): world states, None where nobody tells
    them. episode (N,): steps with the same number and consecutive `step` (N,) follow each other;
    None of augmented steps.
    """

    observations: np.ndarray
    actions: np.ndarray
    next_observations: np.ndarray
    rewards: np.ndarray
    terminations: np.ndarray
    states: np.ndarray | None = None
    next_states: np.ndarray | None = None
    episode: np.ndarray | None = None
    step: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.rewards)

    def take(self, index: np.ndarray) -> Steps:
        """Return the steps of an index or mask."""
        columns = {part.name: getattr(self, part.name) for part in fields(self)}
        return Steps(
            **{name: None if rows is None else rows[index] for name, rows in columns.items()}
        )


class DAF(ABC):
    """Makes augmented steps of observed ones."""

    #: Whether it works on world states, which the environment must then give.
    needs_states = False

    def check(  # noqa: B027
        self, observation_space: spaces.Space, action_space: spaces.Space
    ) -> None:
        """Raise DAFError if the DAF is for other spaces."""

    def check_steps(self, steps: Steps) -> None:  # noqa: B027
        """Raise DAFError if the first observed steps are not such as the DAF is for."""

    @abstractmethod
    def __call__(self, steps: Steps, copies: np.ndarray, rng: np.random.Generator) -> Steps:
        """
        Return augmented steps that the dynamics allow, with their true rewards and ends.

        :param copies: how many (N,) of each step are wanted; the sum is what counts.
        """


@dataclass(frozen=True)
class World:
    """
    What world states mean: observation, reward and end by a task, as one environment has them.

    :param weights: of the reward terms of a soccer simulator (config/rewards); None: the task's
        own reward.
    """

    task: Task
    weights: Mapping[str, float] | None = None

    @classmethod
    def of(cls, episodes: EpisodeBatch) -> World:
        """Return the world of a batch of episodes of the twin."""
        contract = episodes.contract
        return cls(load_task(contract.task)(contract), episodes.weights)

    def reward(self, states: np.ndarray, actions: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Return the rewards (N,) of steps."""
        if self.weights is None:
            return self.task.reward(states, actions, after)
        contract = self.task.contract
        return reward_terms(states, after, contract, contract.limits, self.weights).sum(axis=-1)

    def steps(self, states: np.ndarray, actions: np.ndarray, after: np.ndarray) -> Steps:
        """Return what the environment would say of steps between world states (N, S)."""
        observe = self.task.contract.observe
        return Steps(
            observe(states),
            actions,
            observe(after),
            self.reward(states, actions, after),
            self.task.terminated(after),
            states,
            after,
        )


class WorldDAF(DAF):
    """A DAF on world states."""

    needs_states = True

    def __init__(self, world: World) -> None:
        self.world = world

    def check(self, observation_space: spaces.Space, action_space: spaces.Space) -> None:
        """Raise DAFError unless observations and actions have the sizes of the task."""
        contract = self.world.task.contract
        if getattr(contract, 'observes_obstacles', False):
            raise DAFError(
                f'{self}: world states do not tell where obstacles are, which this contract '
                'observes; choose a contract without'
            )
        pairs = (
            ('observations', observation_space, len(contract.observation_names)),
            ('actions', action_space, contract.action_size),
        )
        for name, space, size in pairs:
            if not isinstance(space, spaces.Box) or space.shape != (size,):
                raise DAFError(
                    f'{self}: it is for {name} of {size} numbers, and those of the environment '
                    f'are {space}; choose a DAF for the task of the environment'
                )

    def check_steps(self, steps: Steps) -> None:
        """Raise DAFError unless the world says of observed steps what the environment said."""
        size = self.world.task.layout.size
        if steps.states.shape[1] != size:
            raise DAFError(
                f'{self}: its task {self.world.task.name} has states of {size} numbers, and those '
                f'of the environment have {steps.states.shape[1]}'
            )
        found = self.world.steps(steps.states, steps.actions, steps.next_states)
        for name, advice in (
            ('observations', 'is it made for the contract of the environment?'),
            ('rewards', 'give its World the weights of the reward terms of the environment'),
            ('terminations', 'is it made for the task of the environment?'),
        ):
            mine, theirs = (np.asarray(getattr(one, name), float) for one in (found, steps))
            wrong = np.abs(mine - theirs) > _CLOSE * (1 + np.abs(theirs))
            if wrong.any():
                at = tuple(np.argwhere(wrong)[0])
                raise DAFError(
                    f'{self}: {name} of {wrong.sum()} of {wrong.size} observed steps differ from '
                    f'those of the environment ({mine[at]:g}, not {theirs[at]:g}); {advice}'
                )


class GuideDAF(WorldDAF):
    """
    A guide of this project (config/guides), such as `guided` or `random`.

    Which of the observed steps are changed, and by which rule, is drawn as the guide has it. Rules
    for stretches find those that lie within one chunk of the buffer.

    :param guide: its name or path, or the guide.
    """

    def __init__(self, guide: Guide | str | os.PathLike[str], world: World) -> None:
        super().__init__(world)
        self.guide = guide if isinstance(guide, Guide) else load_guide(guide)
        if not isinstance(world.task, self.guide.task):
            raise DAFError(
                f'guide {self.guide.name}: it is for the task {self.guide.task.name}, and the '
                f'environment has {world.task.name}; choose a guide for that'
            )

    def __str__(self) -> str:
        return f'guide {self.guide.name}'

    def __call__(self, steps: Steps, copies: np.ndarray, rng: np.random.Generator) -> Steps:
        """Return as many steps as there are to be copies, or none if no rule fits any step."""
        names, episode = np.unique(steps.episode, return_inverse=True)
        recorded = TransitionSet(
            self.world.task.contract,
            steps.states,
            steps.actions,
            steps.next_states,
            steps.rewards,
            steps.terminations,
            source_episode=episode,
            source_step=steps.step,
            rule=np.zeros(len(steps)),
            episode_ids=[str(name) for name in names],
            episode_success=[False] * len(names),
        )
        seed = int(rng.integers(2**31))
        try:
            made, _ = augment(recorded, self.guide, int(copies.sum()), seed)
        except AugmentationError:
            return steps.take(np.zeros(0, dtype=int))
        return self.world.steps(made.states, made.actions, made.next_states)


class SwapDAF(WorldDAF):
    """
    Swap independent parts: the actor of one step with the object of another (CoDA).

    Actor and object are independent where they are farther apart than `apart` before and after
    the step, in both steps and in what comes of them. Only copies for which such a partner was
    found within a few draws are made.

    :param apart: distance [m] of actor and object from which on neither touches the other.
    """

    _DRAWS = 4

    def __init__(self, world: World, apart: float = 0.5) -> None:
        super().__init__(world)
        if world.task.actor == world.task.object:
            raise DAFError(
                f'swap: in the task {world.task.name} the actor is the object, so that there is '
                'nothing to swap'
            )
        self.apart = float(apart)

    def __str__(self) -> str:
        return 'swap'

    def __call__(self, steps: Steps, copies: np.ndarray, rng: np.random.Generator) -> Steps:
        """Return the copies for which a partner was found."""
        body = self.world.task.layout.bodies[self.world.task.object]
        columns = [*body.position, *(body.velocity or ())]
        columns += [] if body.heading is None else [body.heading]
        free = self._apart(steps.states, steps.next_states)
        partners = np.flatnonzero(free)
        left = np.repeat(np.arange(len(steps)), copies)
        left = left[free[left]]
        made = []
        for _ in range(self._DRAWS if len(partners) else 0):
            partner = rng.choice(partners, len(left))
            states, after = steps.states[left], steps.next_states[left]
            states[:, columns] = steps.states[partner][:, columns]
            after[:, columns] = steps.next_states[partner][:, columns]
            actions = steps.actions[left]
            # A resting object is swapped for itself at other steps of the same episode.
            good = (states != steps.states[left]).any(axis=1) & self._apart(states, after)
            good &= self.world.task.check(states, actions, after) == 0
            made.append((states[good], actions[good], after[good]))
            left = left[~good]
        if not made:
            return steps.take(np.zeros(0, dtype=int))
        return self.world.steps(*map(np.concatenate, zip(*made)))

    def _apart(self, states: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Tell (N,) where actor and object are apart before and after steps."""
        bodies = self.world.task.layout.bodies
        actor, target = (
            list(bodies[name].position) for name in (self.world.task.actor, self.world.task.object)
        )
        far = [np.linalg.norm(x[:, actor] - x[:, target], axis=1) for x in (states, after)]
        return np.minimum(*far) > self.apart


class GoalDAF(DAF):
    """
    Relabel the goal with what was reached later in the same episode (HER, strategy `future`).

    For observations in which some columns are the goal and some what is achieved; only steps of
    one chunk of the buffer are looked at.

    :param desired: columns of the goal. achieved: as many, of what is to be there.
    :param reward: of observations, actions and next observations (N, ...), as the environment pays
        it; a function of a module, so that models can be saved.
    :param terminated: of next observations (N, D); None: nothing ends an episode.
    :param achieved_share: share of the copies that get a goal that was reached; the others get one
        that any step of the chunk reached (mixed HER).
    """

    def __init__(
        self,
        desired: Sequence[int],
        achieved: Sequence[int],
        reward: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
        terminated: Callable[[np.ndarray], np.ndarray] | None = None,
        achieved_share: float = 1.0,
    ) -> None:
        self.desired, self.achieved = list(desired), list(achieved)
        self.reward, self.terminated = reward, terminated
        self.achieved_share = float(achieved_share)
        if len(self.desired) != len(self.achieved) or not self.desired:
            raise DAFError('goals: as many columns are desired as are achieved, at least one')
        if not 0 <= self.achieved_share <= 1:
            raise DAFError('goals: achieved_share: a share from 0 to 1 is expected')

    def __str__(self) -> str:
        return 'goals'

    def check(self, observation_space: spaces.Space, action_space: spaces.Space) -> None:
        """Raise DAFError unless observations are rows that have the columns."""
        last = max(*self.desired, *self.achieved)
        if not isinstance(observation_space, spaces.Box) or not (
            len(observation_space.shape) == 1 and last < observation_space.shape[0]
        ):
            raise DAFError(
                f'{self}: observations with a column {last} are expected, not {observation_space}'
            )

    def check_steps(self, steps: Steps) -> None:
        """Raise DAFError unless the reward is that of the environment."""
        found = self.reward(steps.observations, steps.actions, steps.next_observations)
        wrong = np.abs(found - steps.rewards) > _CLOSE * (1 + np.abs(steps.rewards))
        if wrong.any():
            raise DAFError(
                f'{self}: rewards of {wrong.sum()} of {len(steps)} observed steps differ from '
                'those of the environment; give it the reward function of that'
            )

    def __call__(self, steps: Steps, copies: np.ndarray, rng: np.random.Generator) -> Steps:
        """Return the copies with their new goals."""
        rows = np.repeat(np.arange(len(steps)), copies)
        # Steps of an episode lie one after the other: the last of each row's episode is known.
        ends = np.append(np.flatnonzero(np.diff(steps.episode)), len(steps) - 1)
        last = ends[np.searchsorted(ends, rows)]
        later = rng.integers(rows, last + 1)
        anywhere = rng.random(len(rows)) >= self.achieved_share
        later[anywhere] = rng.integers(len(steps), size=int(anywhere.sum()))
        goals = steps.next_observations[later][:, self.achieved]
        made = replace(steps.take(rows), episode=None, step=None, states=None, next_states=None)
        made.observations[:, self.desired] = goals
        made.next_observations[:, self.desired] = goals
        rewards = self.reward(made.observations, made.actions, made.next_observations)
        if self.terminated is None:
            ended = np.zeros(len(rows), dtype=bool)
        else:
            ended = self.terminated(made.next_observations)
        return replace(made, rewards=rewards, terminations=ended)
