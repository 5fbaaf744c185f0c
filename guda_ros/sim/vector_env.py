"""Many soccer episodes at once as a Gymnasium vector environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
import numpy as np

from guda_ros.sim.episodes import EpisodeBatch


class SoccerVectorEnv(VectorEnv):
    """
    SoccerEnv `num_envs` times in one batch of simulations.

    Row i with seed s has the episodes of a SoccerEnv with seed s + i, to the bit, in each of
    Gymnasium's autoreset modes. Next step: what became of an episode is in the infos of its last
    step, in rows that `infos['_<name>']` mark; the row begins anew in the next step, whose action
    is not used and whose reward is 0. Same step: where an episode ended, the observation is the
    first of the next one; the last one is in `infos['final_obs']`, and what became of the episode
    in `infos['final_info']`, in rows that `infos['_final_obs']` and `infos['_final_info']` mark.
    Disabled: infos as for next step, and rows that ended are to be reset before the next step.

    :param threads: of the physics.
    :param autoreset_mode: NextStep, SameStep or Disabled, or an AutoresetMode.
    :param arguments: scenario, contract, robot, rewards, time_limit, randomisation: see
        EpisodeBatch.
    """

    metadata = {
        'render_modes': ['rgb_array'],
        'render_fps': 10,
        'autoreset_mode': AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        threads: int = 1,
        render_mode: str | None = None,
        camera: str = 'overview',
        width: int = 480,
        height: int = 360,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        **arguments,
    ) -> None:
        try:
            self.autoreset_mode = AutoresetMode(autoreset_mode)
        except ValueError as error:
            known = ', '.join(mode.value for mode in AutoresetMode)
            raise ValueError(
                f'autoreset_mode: one of {known} is expected, not {autoreset_mode!r}'
            ) from error
        if render_mode not in (None, 'rgb_array'):
            raise ValueError(f'render_mode: None or rgb_array is expected, not {render_mode!r}')
        self.episodes = EpisodeBatch(num_envs, threads=threads, **arguments)
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.metadata = {
            **self.metadata,
            'render_fps': round(self.episodes.contract.rate),
            'autoreset_mode': self.autoreset_mode,
        }
        self.single_observation_space = self.episodes.observation_space
        self.single_action_space = self.episodes.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._picture = (camera, width, height)
        self._observations = np.zeros(self.observation_space.shape, np.float32)
        self._over = np.zeros(num_envs, dtype=bool)
        self._seeded = False

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict | None = None
    ) -> tuple[np.ndarray, dict]:
        """
        Begin all episodes.

        :param seed: of row 0, the others follow; or one for each row.
        :param options: `starts`: (n, 5) to begin from; `reset_mask`: (num_envs,) which rows.
        """
        options = options or {}
        mask = np.asarray(options.get('reset_mask', np.ones(self.num_envs, bool)))
        if mask.shape != (self.num_envs,) or mask.dtype != bool or not mask.any():
            raise ValueError(f'reset_mask: ({self.num_envs},) of bool, some True, is expected')
        rows = np.flatnonzero(mask)
        seeds = seed
        if seed is None or isinstance(seed, (int, np.integer)):
            seeds = [None if seed is None else int(seed) + i for i in range(self.num_envs)]
        if len(seeds) != self.num_envs:
            raise ValueError(f'{self.num_envs} seeds are expected, not {len(seeds)}')
        given = [i for i in rows if not self._seeded or seeds[i] is not None]
        self.episodes.seed([seeding.np_random(seeds[i])[0] for i in given], given)
        self._seeded = True
        self._observations = self._observations.copy()
        self._observations[rows] = self.episodes.reset(rows, options.get('starts'))
        self._over[rows] = False
        return self._observations, {}

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """
        Walk one control period with actions (num_envs, 3), and reset what ended.

        :raises RuntimeError: before the first reset; disabled: while ended rows are not reset.
        """
        if not self._seeded:
            raise RuntimeError('reset the environments before their first step')
        fresh = np.flatnonzero(self._over)
        if fresh.size and self.autoreset_mode == AutoresetMode.DISABLED:
            raise RuntimeError(f'the episodes of rows {fresh.tolist()} are over: reset them')
        # A batch has no rows that stand still: what is over walks on, and is then begun anew.
        observations, rewards, terminations, truncations = self.episodes.step(actions)
        if fresh.size:
            observations[fresh] = self.episodes.reset(fresh)
            rewards[fresh] = 0.0
            terminations[fresh] = truncations[fresh] = False
        infos = {}
        ended = terminations | truncations
        rows = np.flatnonzero(ended)
        if rows.size:
            infos = self._outcomes(rows, ended)
            if self.autoreset_mode == AutoresetMode.SAME_STEP:
                infos = self._final(observations, rows, ended, infos)
                observations[rows] = self.episodes.reset(rows)
        if self.autoreset_mode != AutoresetMode.SAME_STEP:
            self._over = ended.copy()
        self._observations = observations
        return observations, rewards, terminations, truncations, infos

    def _outcomes(self, rows: np.ndarray, ended: np.ndarray) -> dict:
        """Return what became of episodes, with the rows that each entry is of."""
        found = {}
        for name, values in self.episodes.summary(rows).items():
            found[name] = np.zeros(self.num_envs, values.dtype)
            found[name][rows] = values
            found[f'_{name}'] = ended.copy()
        return found

    def _final(
        self, observations: np.ndarray, rows: np.ndarray, ended: np.ndarray, final: dict
    ) -> dict:
        last = np.full(self.num_envs, None, dtype=object)
        last[rows] = list(observations[rows])
        return {
            'final_obs': last,
            '_final_obs': ended.copy(),
            'final_info': final,
            '_final_info': ended.copy(),
        }

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Return a picture of every row, RGB uint8, in the mode rgb_array."""
        if self.render_mode is None:
            return None
        camera, width, height = self._picture
        return tuple(
            self.episodes.render(row, camera, width, height) for row in range(self.num_envs)
        )

    def close_extras(self, **_) -> None:
        """Free what drawing took."""
        self.episodes.close()
