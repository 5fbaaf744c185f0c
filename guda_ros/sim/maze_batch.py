"""Steps of many MuJoCo worlds from given states: of the mazes, whose models others make."""

from __future__ import annotations

import mujoco
from mujoco.batch import Batch
import numpy as np


class MazeBatch:
    """
    Step positions and velocities of one model; what comes out depends on what goes in alone.

    :param model: the mujoco.MjModel.
    :param frames: steps of MuJoCo to an action.
    :param speed: what joint velocities are clipped to before each action; None for no limit.
    """

    def __init__(self, model: mujoco.MjModel, frames: int, speed: float | None = None) -> None:
        self._model, self._frames, self._speed = model, frames, speed
        self._batch = None

    def step(self, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return the states (M, nq + nv) after actions (M, nu)."""
        states = np.asarray(states, dtype=float)
        if self._batch is None or self._batch.nsim < len(states):
            self._batch = Batch(self._model, len(states), 1)
            self._qpos, self._qvel = self._batch.bind('qpos'), self._batch.bind('qvel')
            self._ctrl = self._batch.bind('ctrl')
        ids, positions = np.arange(len(states)), self._model.nq
        # Nothing is left of the steps before, not even where the solver begins.
        self._batch.reset(ids, stage=mujoco.mjtStage.mjSTAGE_NONE.value)
        velocity = states[:, positions:]
        if self._speed is not None:
            velocity = np.clip(velocity, -self._speed, self._speed)
        self._qpos[ids], self._qvel[ids] = states[:, :positions], velocity
        self._ctrl[ids] = np.clip(actions, -1.0, 1.0)
        self._batch.step(ids, nstep=self._frames)
        return np.concatenate([self._qpos[ids], self._qvel[ids]], axis=1)
