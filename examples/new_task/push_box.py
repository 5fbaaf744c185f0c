"""A task of one's own: a base on two wheels pushes a round box into the corner of a room."""

from dataclasses import dataclass

import numpy as np

from guda_ros.augmentation.transforms import Body, Layout
from guda_ros.data.contract_base import NumbersContract, SuccessWords
from guda_ros.data.transitions import TransitionSet
from guda_ros.soccer.world import wrap_angle
from guda_ros.tasks.state_task import StateTask

CORNER = np.array([1.35, 1.35])  # m, in a room of 3 x 3 m whose middle is the origin


@dataclass(frozen=True)
class PushBoxContract(NumbersContract):
    """What a policy sees and does; a state is x, y, heading of the base and x, y of the box."""

    name: str = 'push_box'
    rate: float = 10.0
    max_steps: int = 150
    words = SuccessWords('arrival', 'arrived', 'arrives', 'the box within 0.2 m of the corner')
    state_size, action_size, action_names = 5, 2, ('forward', 'turn')
    observation_names = ('box_x', 'box_y', 'corner_x', 'corner_y', 'cos', 'sin')

    def observe(self, states):
        base, yaw, box = np.split(states, [2, 3], axis=-1)
        seen = [box - base, CORNER - box, np.cos(yaw), np.sin(yaw)]
        return np.concatenate(seen, axis=-1).astype(np.float32)


class PushBox(StateTask):
    """The world: what a step does, what it is worth, and which changed steps it allows."""

    name, actor, object = 'push_box', 'base', 'box'
    layout = Layout(5, {'base': Body((0, 1), 2), 'box': Body((3, 4))}, 'base', action_lateral=(1,))
    reasons, phases, goal = ('valid', 'in_wall', 'overlap'), ('push',), CORNER
    bounds, mouth = ((-1.5, 1.5),) * 2, ((1.25, 1.45),) * 2

    def __init__(self, contract=None):
        super().__init__(contract or PushBoxContract())

    def start(self, count, rng):
        box = rng.uniform(-1.0, 0.8, (count, 2))
        side = rng.uniform(-1.5, 1.5, count) + np.arctan2(*(box - CORNER).T[::-1])
        base = np.clip(box + 0.6 * np.stack([np.cos(side), np.sin(side)], 1), -1.4, 1.4)
        return np.column_stack([base, rng.uniform(-np.pi, np.pi, count), box])

    def step(self, states, actions, rng):
        yaw = wrap_angle(states[:, 2] + 0.4 * np.clip(actions[:, 1], -1, 1))
        step = 0.06 * np.clip(actions[:, 0], 0, 1) * np.stack([np.cos(yaw), np.sin(yaw)])
        base, box = states[:, :2] + step.T, states[:, 3:]
        gap = np.linalg.norm(box - base, axis=1, keepdims=True)
        pushed = base + 0.3 * (box - base) / np.maximum(gap, 1e-9)
        return np.column_stack([base, yaw, np.where(gap < 0.3, pushed, box)])

    def succeeded(self, states):
        return np.linalg.norm(states[:, 3:] - CORNER, axis=1) < 0.2

    terminated, read_contract = succeeded, PushBoxContract.from_json

    def reward(self, states, actions, next_states):
        before, left = (np.linalg.norm(s[:, 3:] - CORNER, axis=1) for s in (states, next_states))
        return before - left + 10.0 * self.succeeded(next_states)

    def check(self, states, actions, next_states):
        away = np.abs(np.hstack([states, next_states])[:, [0, 1, 3, 4, 5, 6, 8, 9]]) > 1.5
        return away.any(axis=1).astype(np.int8)

    def phase(self, recorded):
        return np.zeros(len(recorded), dtype=np.int8)

    @classmethod
    def read(cls, path):
        return TransitionSet.load(path, cls.read_contract)
