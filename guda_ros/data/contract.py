"""
The contract of robots that push a ball: between robot, recordings, data sets and policies.

What the contracts of all tasks have is in guda_ros.data.contract_base. One YAML file a task
(config/tasks) names topics, rate, frames, action and observation. With the robot profile and the
field it refers to, it has a hash that travels in recordings, data sets and exported policies.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
import json
from pathlib import Path

import numpy as np

from guda_ros.config.files import config_names, ConfigError, find_config, load_yaml, Section
from guda_ros.data.contract_base import ContractBase
from guda_ros.errors import GudaError
from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.soccer.observation import FEATURES, observation_names, observe
from guda_ros.soccer.robot import RobotProfile, VelocityLimits

TOPICS = (
    'image',
    'camera_info',
    'odom',
    'pose',
    'ball',
    'command',
    'episode',
    'ground_truth_robot',
    'ground_truth_ball',
)
FRAMES = ('map', 'odom', 'base', 'camera')
ACTION = ('forward', 'left', 'turn')


@dataclass(frozen=True)
class Contract(ContractBase):
    """What is on the wire and what a policy sees and does; see the module's docstring."""

    name: str
    version: int
    robot: str
    limits: VelocityLimits
    field: Field
    rate: float
    time_limit: float
    ball_hold: float
    topics: dict[str, str]
    frames: dict[str, str]
    action: tuple[str, ...]
    observation: tuple[str, ...]

    task = 'soccer_push'
    state_size = world.SIZE
    action_size = len(ACTION)

    @classmethod
    def load(cls, name: str = 'soccer_push', robot: str | None = None) -> Contract:
        """
        Read a contract by name or path, with the robot profile and field that it names.

        :param robot: a profile's name or path to use instead of the file's.
        :raises ConfigError: naming file and key of what is wrong.
        """
        path = find_config('tasks', name)
        root = Section(load_yaml(path), path)
        profile = RobotProfile.load(robot or root.text('robot'))
        if robot:
            root.text('robot')
        topics, frames = root.section('topics'), root.section('frames')
        contract = cls(
            name=root.text('name'),
            version=root.integer('version', 1, 10**6),
            robot=profile.name,
            limits=profile.limits,
            field=Field.load(root.text('field')),
            rate=root.number('rate', 1, 1000),
            time_limit=root.number('time_limit', 1, 3600),
            ball_hold=root.number('ball_hold', 0, 60),
            topics={key: topics.text(key) for key in TOPICS},
            frames={key: frames.text(key) for key in FRAMES},
            action=root.texts('action'),
            observation=root.texts('observation'),
        )
        for section in (topics, frames, root):
            section.close()
        contract._check(path)
        return contract

    def _check(self, source: Path | str) -> None:
        if self.action != ACTION:
            raise ConfigError(
                f'{source}: action: {list(ACTION)} is expected, not {list(self.action)}'
            )
        unknown = [feature for feature in self.observation if feature not in FEATURES]
        if unknown or not self.observation:
            raise ConfigError(
                f'{source}: observation: unknown feature {unknown}; known: {list(FEATURES)}'
            )

    def to_json(self) -> str:
        """Return the whole contract, profile limits and field included, as canonical JSON."""
        values = {**asdict(self), 'field': self.field.as_dict()}
        return json.dumps(values, sort_keys=True, separators=(',', ':'))

    @classmethod
    def from_json(cls, text: str) -> Contract:
        """Read what to_json wrote; ValueError when it cannot be read."""
        try:
            values = json.loads(text)
            values['field'] = Field.from_dict(values['field'])
            values['limits'] = VelocityLimits(**values['limits'])
            values['action'] = tuple(values['action'])
            values['observation'] = tuple(values['observation'])
            contract = cls(**values)
        except (TypeError, KeyError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f'not a contract of this version of guda_ros: {error}') from error
        contract._check('contract')
        return contract

    @property
    def title(self) -> str:
        """Name and version."""
        return f'{self.name} version {self.version}'

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of the parts of an action."""
        return self.action

    @property
    def max_steps(self) -> int:
        """Control steps in the time limit of an episode."""
        return round(self.time_limit * self.rate)

    @cached_property
    def observation_names(self) -> tuple[str, ...]:
        """Names of the numbers of an observation."""
        return observation_names(self.observation)

    def observe(self, states: np.ndarray, obstacles: np.ndarray | None = None) -> np.ndarray:
        """
        Return the observations (..., D), float32, of world states (..., 10).

        :param obstacles: (..., k, 2 or more), places in `map` [m], if the contract observes them.
        """
        return observe(states, self.field.goal, self.limits, self.observation, obstacles)

    @property
    def observes_obstacles(self) -> bool:
        """Tell whether `observe` needs to know where obstacles are."""
        return 'obstacles' in self.observation

    def to_command(self, action: np.ndarray) -> np.ndarray:
        """Turn actions (..., 3) in [-1, 1] into base_link velocities (..., 3) [m/s, rad/s]."""
        return self.limits.to_command(action)

    def to_action(self, command: np.ndarray) -> np.ndarray:
        """Turn base_link velocities (..., 3) into actions (..., 3) in [-1, 1]."""
        return self.limits.to_action(command)


def refuse_robot(contract: ContractBase, name: str | None) -> None:
    """Raise GudaError if a robot is named for the contract of a task without one."""
    if name:
        raise GudaError(f'--robot {name}: the task {contract.task} is played without a robot')


def robot_of(contract: Contract, name: str | None = None) -> RobotProfile:
    """Return the robot profile of a contract; GudaError if it is unknown or its limits differ."""
    try:
        robot = RobotProfile.load(name or contract.robot)
    except ConfigError as error:
        if name or contract.robot in config_names('robots'):
            raise
        raise GudaError(
            f'the contract is for the robot profile {contract.robot!r}, which is none of '
            "config/robots: give the profile's file with --robot"
        ) from error
    if robot.limits != contract.limits:
        raise GudaError(
            f'robot profile {name or contract.robot}: its limits {robot.limits} are not those of '
            f'the contract, {contract.limits}; give the right profile with --robot'
        )
    return robot
