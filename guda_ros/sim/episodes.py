"""
Episodes of a scenario in many simulations: what SoccerEnv and the vector environments share.

Actions go in; observations, rewards and ends come out, by the contract. Which row begins anew, and
when, is up to the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import math
import os

from gymnasium import spaces
import numpy as np

from guda_ros.data.contract import Contract, robot_of
from guda_ros.errors import GudaError
from guda_ros.sim.physics.batch import BatchSimulation
from guda_ros.sim.physics.noise import SEED_LIMIT
from guda_ros.sim.physics.obstacles import Obstacle
from guda_ros.sim.physics.randomisation import Randomisation
from guda_ros.soccer.rewards import BALL_TERMS, load_weights, reward_terms
from guda_ros.soccer.starts import (
    sample_layouts,
    sample_starts,
    SCENARIOS,
    SIZE,
    TIME_LIMITS,
)

#: Starts that a row draws at a time: drawing one by one would cost as much as stepping.
_BLOCK = 32


class EpisodeBatch:
    """
    `count` rows, each with episodes of its own.

    All that is random in a row comes from the generator that `seed` gave it, so that a row has the
    same episodes in a batch of any size.

    :param count: number of rows.
    :param scenario: one of guda_ros.soccer.starts.SCENARIOS.
    :param contract: a contract, the name or path of one, or its JSON.
    :param robot: profile's name or path instead of the contract's; its limits must be the same.
    :param rewards: name or path of weights (config/rewards), or the weights by term.
    :param time_limit: of an episode [s]; by default the scenario's, else the contract's.
    :param randomisation: name or path of ranges (config/randomisation); None and `none`: nothing.
    :param threads: of the physics.
    """

    def __init__(
        self,
        count: int,
        scenario: str = 'attack',
        contract: Contract | str | os.PathLike[str] = 'soccer_push',
        robot: str | os.PathLike[str] | None = None,
        rewards: str | os.PathLike[str] | Mapping[str, float] = 'push',
        time_limit: float | None = None,
        randomisation: str | os.PathLike[str] | None = None,
        threads: int = 1,
    ) -> None:
        if scenario not in SCENARIOS:
            raise GudaError(f'unknown scenario {scenario!r}; known: {", ".join(SCENARIOS)}')
        if not isinstance(contract, Contract):
            text = str(contract)
            contract = (
                Contract.from_json(text)
                if text.startswith('{')
                else Contract.load(contract, robot)
            )
        profile = robot_of(contract, robot)
        self.contract, self.robot, self.scenario = contract, profile, scenario
        self.weights = load_weights(rewards)
        told = [name for name in self.weights if name in BALL_TERMS]
        if told and not contract.has_ball:
            raise GudaError(
                f'rewards: {told[0]} is of a ball, and the task {contract.task} has none: choose '
                'others, such as config/rewards/push.yaml'
            )
        limit = time_limit
        if limit is None:
            limit = TIME_LIMITS.get(scenario, contract.time_limit)
        if not 0 < limit < math.inf:
            raise GudaError(f'a time limit above 0 s is expected, not {limit}')
        self.max_steps = max(1, round(limit * contract.rate))
        drawn = None if randomisation in (None, 'none') else Randomisation.load(randomisation)
        #: What simulations of the same world are made with.
        self.arguments = {'randomisation': drawn, 'obstacles': Obstacle.of_scenario(scenario)}
        self.simulation = BatchSimulation(contract, profile, count, threads, **self.arguments)
        high = contract.observation_bounds
        self.observation_space = spaces.Box(-high, high, dtype=np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (len(contract.action),), np.float32)
        self._generators: list[np.random.Generator | None] = [None] * count
        self._starts = np.empty((count, _BLOCK, SIZE))
        self._layouts = np.empty((count, _BLOCK, len(self.arguments['obstacles']), 2, 2))
        self._seeds = np.zeros((count, _BLOCK), dtype=np.int64)
        self._drawn = np.full(count, _BLOCK)
        self._steps = np.zeros(count, dtype=np.int64)
        self._sums = np.zeros((count, len(self.weights)))
        self._states = self.simulation.world_states()
        self._twin = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._steps)

    def seed(self, generators: Sequence[np.random.Generator], indices: Sequence[int]) -> None:
        """Let rows draw from these generators from their next reset on."""
        for index, generator in zip(indices, generators):
            self._generators[index] = generator
            self._drawn[index] = _BLOCK

    def reset(
        self,
        indices: np.ndarray | None = None,
        starts: np.ndarray | None = None,
        layouts: np.ndarray | None = None,
    ) -> np.ndarray:
        """
        Begin episodes and return their observations (n, D), float32.

        :param indices: (n,) of which rows; by default of all.
        :param starts: (n, 5) to begin from; by default the scenario's, drawn.
        :param layouts: (n, k, w, 2) waypoints of its obstacles [m]; by default the scenario's,
            drawn.
        :raises ValueError: naming a start that is impossible.
        """
        indices = np.arange(len(self)) if indices is None else np.asarray(indices)
        drawn = self._draw(indices)
        if starts is None:
            starts = self._starts[indices, drawn]
            layouts = self._layouts[indices, drawn] if layouts is None else layouts
        seeds = self._seeds[indices, drawn]
        self.simulation.reset(starts, indices, seeds)
        if self.arguments['obstacles']:
            if layouts is None:
                layouts = np.concatenate(
                    [
                        sample_layouts(
                            self.scenario,
                            start[None],
                            np.random.default_rng(seed),
                            self.contract.field,
                        )
                        for start, seed in zip(np.asarray(starts), seeds)
                    ]
                )
            self.simulation.place_obstacles(layouts, indices=indices)
        self._steps[indices] = 0
        self._sums[indices] = 0.0
        self._states[indices] = self.simulation.world_states()[indices]
        return self.observe(indices)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """
        Walk one control period with actions (count, 3) in [-1, 1].

        :return: observations (count, D) float32, rewards (count,), and where (count,) an episode
            ended: terminated by goal or ball out, or truncated by the time limit.
        :raises ValueError: if actions have another shape or one is not finite.
        """
        contract, simulation = self.contract, self.simulation
        actions = np.asarray(actions)
        if actions.shape != (len(self), *self.action_space.shape):
            raise ValueError(
                f'actions of shape {(len(self), *self.action_space.shape)} are '
                f'expected, not {actions.shape}'
            )
        simulation.step(contract.to_command(actions))
        states = simulation.world_states()
        terms = reward_terms(self._states, states, contract, contract.limits, self.weights)
        self._states = states
        self._steps += 1
        self._sums += terms
        terminations = simulation.done
        truncations = (self._steps >= self.max_steps) & ~terminations
        return self.observe(slice(None)), terms.sum(axis=1), terminations, truncations

    def observe(self, rows: np.ndarray | slice) -> np.ndarray:
        """Return the observations (n, D), float32, of rows: a slice or indices (n,)."""
        obstacles = None
        if self.contract.observes_obstacles:
            obstacles = self.simulation.obstacle_states()[rows]
        return self.contract.observe(self._states[rows], obstacles)

    def summary(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """
        Return what became of the episodes of rows (n,), each value (n,).

        is_success: a goal. steps. episode_reward, and by term `reward/<term>`: sums so far. What
        the randomisation drew: `randomisation/<name>`.
        """
        sums = self._sums[indices]
        drawn = self.simulation.parameters if self.arguments['randomisation'] else {}
        return {
            'is_success': self.simulation.scored[indices],
            'steps': self._steps[indices],
            'episode_reward': sums.sum(axis=1),
            **{f'reward/{name}': sums[:, k] for k, name in enumerate(self.weights)},
            **{f'randomisation/{name}': values[indices] for name, values in drawn.items()},
        }

    def world_states(self) -> np.ndarray:
        """Return the true world states (count, 10), a copy."""
        return self._states.copy()

    def render(
        self, index: int = 0, camera: str = 'overview', width: int = 480, height: int = 360
    ) -> np.ndarray:
        """Return a picture of a row, RGB uint8; camera: overview, follow, portrait or head."""
        from guda_ros.sim.physics.simulation import SoccerSimulation

        if self._twin is None:
            self._twin = SoccerSimulation(self.contract, self.robot, **self.arguments)
        self._twin.load_physics_state(self.simulation.physics_state(index))
        return self._twin.render(camera, width, height)

    def close(self) -> None:
        """Free what drawing took."""
        if self._twin is not None:
            self._twin.close()
            self._twin = None

    def _draw(self, indices: np.ndarray) -> np.ndarray:
        for index in indices[self._drawn[indices] == _BLOCK]:
            rng = self._generators[index]
            if rng is None:
                raise RuntimeError('seed the rows before their first reset')
            field = self.contract.field
            starts = sample_starts(self.scenario, _BLOCK, rng, field)
            self._starts[index] = starts
            self._layouts[index] = sample_layouts(self.scenario, starts, rng, field)
            self._seeds[index] = rng.integers(SEED_LIMIT, size=_BLOCK)
            self._drawn[index] = 0
        drawn = self._drawn[indices]
        self._drawn[indices] += 1
        return drawn
