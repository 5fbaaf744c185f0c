"""
The soccer task as a Gymnasium environment, registered as `guda_ros/Soccer-v0`.

    import gymnasium
    import guda_ros
    env = gymnasium.make('guda_ros/Soccer-v0', scenario='penalty')
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from guda_ros.sim.episodes import EpisodeBatch


class SoccerEnv(gymnasium.Env):
    """
    One robot, one ball, one episode after the other.

    Observation and action are those of the contract, on the true state. An episode terminates with
    a goal or a ball out of the field and is truncated by the time limit. The info of its last step
    has `is_success`, `steps`, `episode_reward`, the sums `reward/<term>` and what was randomised,
    `randomisation/<name>`.

    :param render_mode: 'rgb_array' or None.
    :param camera: what `render` shows: overview, follow, portrait or head.
    :param width, height: of the pictures [pixels].
    :param arguments: scenario, contract, robot, rewards, time_limit, randomisation: see
        EpisodeBatch.
    """

    metadata = {'render_modes': ['rgb_array'], 'render_fps': 10}

    def __init__(
        self,
        render_mode: str | None = None,
        camera: str = 'overview',
        width: int = 480,
        height: int = 360,
        **arguments,
    ) -> None:
        if render_mode not in (None, 'rgb_array'):
            raise ValueError(f'render_mode: None or rgb_array is expected, not {render_mode!r}')
        self.episodes = EpisodeBatch(1, **arguments)
        self.render_mode = render_mode
        self.metadata = {**self.metadata, 'render_fps': round(self.episodes.contract.rate)}
        self.observation_space = self.episodes.observation_space
        self.action_space = self.episodes.action_space
        self._picture = (camera, width, height)
        self._seeded = self._running = False

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[np.ndarray, dict]:
        """
        Begin an episode.

        :param options: `start`: (5,) robot x, y, yaw, ball x, y instead of one of the scenario.
        """
        super().reset(seed=seed)
        if seed is not None or not self._seeded:
            self.episodes.seed([self.np_random], [0])
            self._seeded = True
        start = (options or {}).get('start')
        starts = None if start is None else np.reshape(start, (1, -1))
        observations = self.episodes.reset(starts=starts)
        self._running = True
        return observations[0], {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Walk one control period with an action (3,); RuntimeError after an episode's end."""
        if not self._running:
            raise RuntimeError('the episode is over: reset the environment')
        observations, rewards, terminations, truncations = self.episodes.step(
            np.reshape(action, (1, -1))
        )
        terminated, truncated = bool(terminations[0]), bool(truncations[0])
        info = {}
        if terminated or truncated:
            self._running = False
            info = {name: value[0].item() for name, value in self.episodes.summary([0]).items()}
        return observations[0], float(rewards[0]), terminated, truncated, info

    def render(self) -> np.ndarray | None:
        """Return a picture, RGB uint8 (height, width, 3), in the mode rgb_array."""
        if self.render_mode is None:
            return None
        camera, width, height = self._picture
        return self.episodes.render(0, camera, width, height)

    def close(self) -> None:
        """Free what drawing took."""
        self.episodes.close()
