"""A batch of episodes as a vector environment of stable-baselines3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import VecEnv


class Episodes(Protocol):
    """What BatchVecEnv needs; guda_ros.sim.episodes.EpisodeBatch is one."""

    observation_space: gymnasium.Space
    action_space: gymnasium.Space

    def __len__(self) -> int: ...

    def seed(self, generators: Sequence[np.random.Generator], indices: Sequence[int]) -> None: ...

    def reset(
        self, indices: np.ndarray | None = None, starts: np.ndarray | None = None
    ) -> np.ndarray: ...

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, ...]: ...

    def summary(self, indices: np.ndarray) -> dict[str, np.ndarray]: ...

    def world_states(self) -> np.ndarray: ...

    def close(self) -> None: ...


class BatchVecEnv(VecEnv):
    """
    Episodes of a batch, stepped at once.

    The arrays go to stable-baselines3 as the batch made them, without a copy, and are not written
    to again. An episode that ends begins anew in the same step; the info of its row has
    terminal_observation, TimeLimit.truncated, `episode` (as Monitor writes it), `is_success` and
    the sums `reward/<term>`. Row i with seed s has the episodes of an environment with seed s + i.

    :param world_states: let every info have world_state_before and world_state (S,), the true
        states before and after the step, which augmentation works on.
    """

    def __init__(self, episodes: Episodes, world_states: bool = False) -> None:
        self.episodes = episodes
        self._tells_states = world_states
        self._actions = None
        super().__init__(len(episodes), episodes.observation_space, episodes.action_space)
        self.seed()

    def reset(self) -> np.ndarray:
        """Begin all episodes and return the observations (n, D)."""
        rows = [i for i, seed in enumerate(self._seeds) if seed is not None]
        self.episodes.seed(
            [gymnasium.utils.seeding.np_random(int(self._seeds[i]))[0] for i in rows], rows
        )
        self._reset_seeds()
        self._reset_options()
        return self.episodes.reset()

    def step_async(self, actions: np.ndarray) -> None:
        """Take the actions (n, 3) of the next step_wait."""
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict]]:
        """Walk one control period; return observations, rewards, dones and infos."""
        before = self.episodes.world_states() if self._tells_states else None
        observations, rewards, terminations, truncations = self.episodes.step(self._actions)
        dones = terminations | truncations
        infos: list[dict] = [{} for _ in range(self.num_envs)]
        if before is not None:
            # Copies, and taken before rows that ended begin anew.
            for info, state, after in zip(infos, before, self.episodes.world_states()):
                info['world_state_before'], info['world_state'] = state, after
        rows = np.flatnonzero(dones)
        if rows.size:
            summary = self.episodes.summary(rows)
            columns = {name: values.tolist() for name, values in summary.items()}
            for k, row in enumerate(rows.tolist()):
                infos[row].update({name: values[k] for name, values in columns.items()})
                infos[row].update(
                    {
                        'terminal_observation': observations[row].copy(),
                        'TimeLimit.truncated': bool(truncations[row]),
                        'episode': {'r': infos[row]['episode_reward'], 'l': infos[row]['steps']},
                    }
                )
            observations[rows] = self.episodes.reset(rows)
        return observations, rewards.astype(np.float32), dones, infos

    def close(self) -> None:
        """Free what the batch took."""
        self.episodes.close()

    def get_attr(self, attr_name: str, indices: np.ndarray | None = None) -> list:
        """Return an attribute of the batch, once for each row."""
        if attr_name == 'render_mode':
            return [None for _ in self._get_indices(indices)]
        value = getattr(self.episodes, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: object, indices: np.ndarray | None = None) -> None:
        """Refuse: rows have no attributes of their own."""
        raise AttributeError(f'{attr_name}: the rows of a batch have no attributes of their own')

    def env_method(
        self, method_name: str, *method_args, indices: np.ndarray | None = None, **method_kwargs
    ) -> list:
        """Refuse: rows have no methods of their own."""
        raise AttributeError(f'{method_name}: the rows of a batch have no methods of their own')

    def env_is_wrapped(self, wrapper_class: type, indices: np.ndarray | None = None) -> list[bool]:
        """Tell that no row is wrapped."""
        return [False for _ in self._get_indices(indices)]
