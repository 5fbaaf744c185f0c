"""
Parking of the GuDA paper (arXiv 2310.18247): highway-env's `parking-v0` for the engine.

A state is a row of eight: the car's x, y [m], heading [rad] and speed [m/s], x, y and heading of
the spot it is to stand in, and whether it hit a wall; an action is (acceleration, steering) in
[-1, 1]. Frames as in guda_ros.tasks.parking.world, which has the dynamics.
"""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.augmentation.transforms import Body, Layout
from guda_ros.data.contract_base import NumbersContract
from guda_ros.data.transitions import DataSetError, TransitionSet
from guda_ros.soccer.world import wrap_angle_fast
from guda_ros.tasks.parking import world
from guda_ros.tasks.parking.rule import ParkRule
from guda_ros.tasks.state_task import StateTask

if TYPE_CHECKING:
    from highway_env.envs import ParkingEnv
    from highway_env.vehicle.kinematics import Vehicle

#: What highway-env divides observations by: x, y [m], vx, vy [m/s], cosine and sine.
_SCALES = np.array([100.0, 100.0, 5.0, 5.0, 1.0, 1.0])
_FEATURES = ('x', 'y', 'vx', 'vy', 'cos', 'sin')
#: How near the walls [m] an augmented step may come.
_MARGIN = 0.1


@dataclass(frozen=True)
class ParkingContract(NumbersContract):
    """
    The numbers of the reward and the time limit; their defaults are highway-env's.

    weights: of the observation's distances from the goal. success: what minus the reward is below
    when the car is parked. collision: reward of a crash, which is added. max_steps: of an episode.
    """

    name: str = 'parking'
    weights: tuple[float, ...] = (1.0, 0.3, 0.0, 0.0, 0.02, 0.02)
    success: float = 0.12
    collision: float = -5.0
    max_steps: int = 500

    state_size = len(world.STATE)
    action_size = 2
    observation_names = (*_FEATURES, *(f'goal_{name}' for name in _FEATURES))

    def features(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what highway-env observes (..., 6) of the car and of its goal."""
        states = np.asarray(states, dtype=float)
        parts = []
        for x, yaw, speed in ((0, world.YAW, states[..., world.SPEED]), (4, world.GOAL_YAW, 0.0)):
            cos, sin = np.cos(states[..., yaw]), np.sin(states[..., yaw])
            columns = (states[..., x], states[..., x + 1], speed * cos, speed * sin, cos, sin)
            parts.append(np.stack(columns, axis=-1) / _SCALES)
        return tuple(parts)

    def observe(self, states: np.ndarray) -> np.ndarray:
        """Return the observations (..., 12), float32: the car, and where it is to stand."""
        return np.concatenate(self.features(states), axis=-1).astype(np.float32)

    def distance(self, states: np.ndarray) -> np.ndarray:
        """Return minus the reward (...) of states without a crash."""
        car, goal = self.features(states)
        return np.sqrt(np.abs(car - goal) @ np.array(self.weights))


class Parking(StateTask):
    """Parking for the augmentation engine."""

    name = 'parking'
    layout = Layout(
        size=len(world.STATE),
        bodies={
            'car': Body((0, 1), heading=world.YAW),
            'goal': Body((4, 5), heading=world.GOAL_YAW),
        },
        frame='car',
        action_lateral=(1,),
    )
    actor = 'car'
    object = 'car'
    reasons = ('valid', 'at_wall')
    phases = ('drive',)
    rules = {ParkRule.kind: ParkRule}
    #: Of uniform random actions and of the recordings' demonstrator: 300 episodes each of
    #: highway-env, as their README says.
    reference_returns = (-48.2, -18.4)
    contract: ParkingContract

    def __init__(self, contract: ParkingContract | None = None) -> None:
        super().__init__(contract or ParkingContract())

    @property
    def goal(self) -> np.ndarray:
        """Middle of the car park [m]: every episode has a goal of its own."""
        return np.zeros(2)

    @property
    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The inner faces of the walls [m]."""
        x, y = world.INNER
        return ((-x, x), (-y, y))

    @property
    def mouth(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The box [m] around the middles of all spots."""
        x, y = np.abs(world.spots()[:, :2]).max(axis=0)
        return ((-x, x), (-y, y))

    def reward(
        self, states: np.ndarray | None, actions: np.ndarray | None, next_states: np.ndarray
    ) -> np.ndarray:
        """Return the true rewards (M,)."""
        crashed = next_states[:, world.CRASHED] > 0.5
        return self.contract.collision * crashed - self.contract.distance(next_states)

    def succeeded(self, states: np.ndarray) -> np.ndarray:
        """Tell (M,) of states whether the car is parked."""
        return self.contract.distance(states) < self.contract.success

    def terminated(self, next_states: np.ndarray) -> np.ndarray:
        """Tell (M,) of states whether the car is parked or hit a wall."""
        return self.succeeded(next_states) | (next_states[:, world.CRASHED] > 0.5)

    def check(
        self, states: np.ndarray, actions: np.ndarray, next_states: np.ndarray
    ) -> np.ndarray:
        """Return (M,) int8 indices into `reasons`."""
        clear = [world.clear_of_walls(part, _MARGIN) for part in (states, next_states)]
        return (~(clear[0] & clear[1])).astype(np.int8)

    def phase(self, recorded: TransitionSet) -> np.ndarray:
        """Return (M,) zeros: there is one phase."""
        return np.zeros(len(recorded), dtype=np.int8)

    def movable(self, recorded: TransitionSet) -> np.ndarray:
        """Tell (M,) which steps no wall had a part in."""
        return world.clear_of_walls(recorded.states) & world.clear_of_walls(recorded.next_states)

    def start(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return states (count, 8): the car in the middle, a free spot as its goal."""
        states = np.zeros((count, len(world.STATE)))
        states[:, world.YAW] = wrap_angle_fast(2 * np.pi * rng.random(count))
        # highway-env keeps one spot for the car itself: on the side that it faces.
        own = np.where(np.sin(states[:, world.YAW]) >= 0, 6, 20)
        free = rng.integers(0, len(world.spots()) - 1, count)
        states[:, 4:7] = world.spots()[free + (free >= own)]
        return states

    def step(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return the states (M, 8) after one action."""
        return world.step(states, actions)

    def simulate(self, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return the states (M, 8) after a step of highway-env (extra [benchmarks])."""
        env = _highway_env()
        after = np.array(states, dtype=float)
        for row, action in zip(after, np.asarray(actions, dtype=float)):
            vehicle = _restore(env, row)
            env.step(action)
            row[:4] = (*vehicle.position, wrap_angle_fast(vehicle.heading), vehicle.speed)
            row[world.CRASHED] = vehicle.crashed
        env.close()
        return after

    @classmethod
    def read_contract(cls, text: str) -> ParkingContract:
        """Return the contract that its `to_json` wrote."""
        return ParkingContract.from_json(text)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> TransitionSet:
        """
        Read recorded transitions (.npz) as highway-env observes them.

        :raises DataSetError: if the file is missing or not such a recording.
        """
        path = Path(path)
        try:
            with np.load(path) as file:
                goal = file['desired_goals'] * _SCALES
                states, next_states = (
                    _states(file[name] * _SCALES, goal)
                    for name in ('observations', 'next_observations')
                )
                ended, success = file['terminations'].astype(bool), file['successes'].astype(bool)
                actions, rewards = file['actions'], file['rewards']
                episode = file['episode'].astype(int)
        except (OSError, KeyError, ValueError) as error:
            raise DataSetError(
                f'{path}: no recording of the task parking ({error}); give one of its '
                'initial_*.npz files'
            ) from error
        next_states[:, world.CRASHED] = ended & ~success
        names, episode = np.unique(episode, return_inverse=True)
        members = [episode == index for index in range(len(names))]
        return TransitionSet(
            contract=ParkingContract(),
            states=states,
            actions=actions,
            next_states=next_states,
            rewards=rewards,
            terminations=ended,
            source_episode=episode,
            source_step=np.concatenate([np.arange(member.sum()) for member in members]),
            rule=np.zeros(len(states)),
            episode_ids=tuple(f'{path.stem}_{name}' for name in names),
            episode_success=tuple(bool(success[member].any()) for member in members),
        )


def _states(car: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Return states (M, 8) of what highway-env observes (M, 6), in metres."""
    states = np.zeros((len(car), len(world.STATE)))
    states[:, world.CAR], states[:, world.GOAL] = car[:, :2], goal[:, :2]
    states[:, world.YAW] = np.arctan2(car[:, 5], car[:, 4])
    states[:, world.GOAL_YAW] = np.arctan2(goal[:, 5], goal[:, 4])
    states[:, world.SPEED] = car[:, 2] * car[:, 4] + car[:, 3] * car[:, 5]
    return states


def _highway_env() -> ParkingEnv:
    import gymnasium
    import highway_env

    gymnasium.register_envs(highway_env)
    env = gymnasium.make('parking-v0').unwrapped
    env.reset(seed=0)
    return env


def _restore(env: ParkingEnv, state: np.ndarray) -> Vehicle:
    """Put the car of highway-env into a state (8,), with what the walls are about to do to it."""
    vehicle = env.vehicle
    vehicle.position, vehicle.heading = state[:2].copy(), float(state[world.YAW])
    vehicle.speed, vehicle.crashed = float(state[world.SPEED]), bool(state[world.CRASHED] > 0.5)
    vehicle.impact = None
    vehicle.goal.position, vehicle.goal.heading = state[4:6].copy(), float(state[world.GOAL_YAW])
    env.time = env.steps = 0
    for thing in env.road.objects:
        vehicle.handle_collisions(thing, world.PERIOD)
    return vehicle
