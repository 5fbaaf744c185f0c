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

    Row i with seed s has the episodes of a SoccerEnv with seed s + i, to the bit. Autoreset mode:
    same step. Where an episode ended, the observation is the first of the next one; the last one
    is in `infos['final_obs']`, and what became of the episode in `infos['final_info']`, in rows
    that `infos['_final_obs']` and `infos['_final_info']` mark.

    :param threads: of the physics.
    :param arguments: scenario, contract, robot, rewards, time_limit, randomisation: see
        EpisodeBatch.
    """

    metadata = {
        'render_modes': ['rgb_array'],
        'render_fps': 10,
        'autoreset_mode': AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        threads: int = 1,
        render_mode: str | None = None,
        camera: str = 'overview',
        width: int = 480,
        height: int = 360,
        **arguments,
    ) -> None:
        if render_mode not in (None, 'rgb_array'):
            raise ValueError(f'render_mode: None or rgb_array is expected, not {render_mode!r}')
        self.episodes = EpisodeBatch(num_envs, threads=threads, **arguments)
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.metadata = {**self.metadata, 'render_fps': round(self.episodes.contract.rate)}
        self.single_observation_space = self.episodes.observation_space
        self.single_action_space = self.episodes.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._picture = (camera, width, height)
        self._observations = np.zeros(self.observation_space.shape, np.float32)
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
        return self._observations, {}

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Walk one control period with actions (num_envs, 3), and reset what ended."""
        if not self._seeded:
            raise RuntimeError('reset the environments before their first step')
        observations, rewards, terminations, truncations = self.episodes.step(actions)
        infos = {}
        ended = terminations | truncations
        rows = np.flatnonzero(ended)
        if rows.size:
            infos = self._final(observations, rows, ended)
            observations[rows] = self.episodes.reset(rows)
        self._observations = observations
        return observations, rewards, terminations, truncations, infos

    def _final(self, observations: np.ndarray, rows: np.ndarray, ended: np.ndarray) -> dict:
        last = np.full(self.num_envs, None, dtype=object)
        last[rows] = list(observations[rows])
        final = {}
        for name, values in self.episodes.summary(rows).items():
            final[name] = np.zeros(self.num_envs, values.dtype)
            final[name][rows] = values
            final[f'_{name}'] = ended.copy()
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
