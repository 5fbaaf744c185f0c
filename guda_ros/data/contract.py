"""
The contract of robots on a field: between robot, recordings, data sets and policies.

`Contract` is that of the goal of soccer, and what simulator, referee, data sets and policies ask
for the game. A task of one's own, with another goal, other features or without a ball, is a
subclass, which the `contract_class` of the task names, and YAML files name the task with the key
`task`.

What the contracts of all tasks have is in guda_ros.data.contract_base. One YAML file a task
(config/tasks) names topics, rate, frames, action and observation. With the robot profile and the
field it refers to, it has a hash that travels in recordings, data sets and exported policies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
import json
import os
from pathlib import Path
from typing import ClassVar

import numpy as np

from guda_ros.config.files import (
    config_names,
    ConfigError,
    find_config,
    load_yaml,
    Plain,
    Section,
)
from guda_ros.data.contract_base import ContractBase, SuccessWords
from guda_ros.data.registry import find_task, SOCCER, UnknownTask
from guda_ros.errors import GudaError
from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.soccer.observation import (
    Feature,
    FEATURES,
    observation_bounds,
    observation_names,
    observe,
)
from guda_ros.soccer.rewards import push_reward
from guda_ros.soccer.robot import read_limits, RobotProfile, VelocityLimits
from guda_ros.soccer.robot_names import FRAMES, take_frame, take_topic, topic_roles

ACTION = ('forward', 'left', 'turn')
#: What `inputs` of a contract may be.
_INPUTS = (('pose', 'ball'), ('pose',))


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

    task = SOCCER
    names_only = ('topics', 'frames')
    words = SuccessWords(
        'goal', 'scored', 'scores', 'the whole ball over the goal line between the posts'
    )
    state_size = world.SIZE
    action_size = len(ACTION)
    #: What `observation` may name.
    features: ClassVar[Mapping[str, Feature]] = FEATURES
    #: Roles of the topics that make up what a robot knows at a stamp, in the order in which they
    #: come; odometry is joined to them. A task without a ball has the pose alone, and zeros in
    #: the columns of the ball wherever there are world states.
    inputs: ClassVar[tuple[str, ...]] = ('pose', 'ball')
    #: Heading [rad] in `map` in which a robot is to come to the goal, for the demonstrator of a
    #: task without a ball; None: any.
    goal_yaw: ClassVar[float | None] = None

    @classmethod
    def load(
        cls,
        name: str | os.PathLike[str] = 'soccer_push',
        robot: str | os.PathLike[str] | None = None,
    ) -> Contract:
        """
        Read a contract by name or path, with the robot profile and field that it names.

        :param robot: a profile's name or path to use instead of the file's.
        :return: a contract of the task that the key `task` names, soccer_push without it.
        :raises ConfigError: naming file and key of what is wrong.
        """
        path = find_config('tasks', name)
        root = Section(load_yaml(path), path)
        named, kind = root.text('robot'), cls
        if root.has('task'):
            try:
                kind = contract_class(root.text('task'))
            except GudaError as error:
                root.fail('task', str(error))
        values, field = _values(root, kind), root.text('field')
        root.close()
        profile = RobotProfile.load(named if robot in (None, '') else robot)
        values['topics'].update(profile.topics)
        values['frames'].update(profile.frames)
        contract = kind(
            robot=profile.name, limits=profile.limits, field=Field.load(field), **values
        )
        contract._check(path)
        return contract

    def _check(self, source: Path | str) -> None:
        if self.action != ACTION:
            raise ConfigError(
                f'{source}: action: {list(ACTION)} is expected, not {list(self.action)}'
            )
        unknown = [feature for feature in self.observation if feature not in self.features]
        if unknown or not self.observation:
            raise ConfigError(
                f'{source}: observation: unknown feature {unknown}; known: {list(self.features)}'
            )
        if not self.has_ball:
            lacking = [name for name in self.observation if self.features[name].needs_ball]
            if lacking:
                raise ConfigError(
                    f'{source}: observation: {lacking} is of a ball, and the task {self.task} has '
                    f'none: its `inputs` are {list(self.inputs)}'
                )

    def to_json(self) -> str:
        """
        Return the whole contract, profile limits and field included, as canonical JSON.

        It names the task if that is not soccer_push.
        """
        values = {**asdict(self), 'field': self.field.as_dict()}
        if self.task != SOCCER:
            values['task'] = self.task
        return json.dumps(values, sort_keys=True, separators=(',', ':'))

    @property
    def behaviour(self) -> str:
        """All but the names of topics and frames, which are the robot's: as canonical JSON."""
        values = json.loads(self.to_json())
        return json.dumps(
            {key: value for key, value in values.items() if key not in self.names_only},
            sort_keys=True,
            separators=(',', ':'),
        )

    @classmethod
    def from_json(cls, text: str) -> Contract:
        """
        Read what to_json wrote; a contract of the task that is named there.

        :raises UnknownTask: if that is not installed.
        :raises ValueError: when it cannot be read.
        """
        try:
            values = json.loads(text)
            kind = contract_class(str(values.pop('task', SOCCER)))
            # What is kept are the values themselves, so that their hash stays what it is.
            root = Section(values, 'contract')
            root.text('robot')
            read_limits(root.section('limits'))
            _values(root, kind, renamed=True)
            root.section('field')
            values['field'] = Field.from_dict(values['field'])
            values['limits'] = VelocityLimits(**values['limits'])
            values['action'] = tuple(values['action'])
            values['observation'] = tuple(values['observation'])
            contract = kind(**values)
            contract._check('contract')
        except UnknownTask:
            raise
        except (GudaError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError(f'not a contract of this version of guda_ros: {error}') from error
        except ValueError as error:
            raise ValueError(f'not a contract: {error}') from error
        return contract

    @property
    def title(self) -> str:
        """Name and version."""
        return f'{self.name} version {self.version}'

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of the parts of an action."""
        return self.action

    # Nobody sets the two, so that they may be computed.
    @property
    def max_steps(self) -> int:  # type: ignore[override]
        """Control steps in the time limit of an episode."""
        return round(self.time_limit * self.rate)

    @cached_property
    def observation_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the numbers of an observation."""
        return observation_names(self.observation, self.features)

    @cached_property
    def observation_bounds(self) -> np.ndarray:
        """Size (D,), float32, that no number of an observation exceeds."""
        return observation_bounds(self.field, self.observation, self.features)

    @property
    def has_ball(self) -> bool:
        """Tell whether there is a ball in the task."""
        return 'ball' in self.inputs

    @property
    def subject(self) -> slice:
        """Columns of a world state with what is to come to the goal: ball, without one robot."""
        return world.BALL if self.has_ball else world.ROBOT_POSITION

    @property
    def goal(self) -> np.ndarray:
        """Point (2,) to which the ball is to come, in `map` [m]; a ball there has scored."""
        return self.field.goal

    def scored(self, ball: np.ndarray) -> np.ndarray:
        """Tell (...) of balls at (..., 2) in `map` [m] whether the goal is reached."""
        return self.field.scored(ball)

    def out(self, ball: np.ndarray) -> np.ndarray:
        """
        Tell (...) of balls at (..., 2) in `map` [m] whether all is lost; none that scored.

        Where a task has such an end, a ball a field's width beside the field has come to it.
        """
        return self.field.out(ball)

    def succeeded(self, states: np.ndarray) -> np.ndarray:
        """Tell (...) of world states (..., 10) whether the goal is reached: it is `scored`."""
        return self.scored(states[..., self.subject])

    def failed(self, states: np.ndarray) -> np.ndarray:
        """Tell (...) of world states (..., 10) whether all is lost: it is `out`."""
        return self.out(states[..., self.subject])

    def terminated(self, next_states: np.ndarray) -> np.ndarray:
        """Tell (...) of world states (..., 10) whether the task ends in them."""
        return self.succeeded(next_states) | self.failed(next_states)

    def reward(self, states: np.ndarray, next_states: np.ndarray) -> np.ndarray:
        """Return the rewards (...) of steps between world states (..., 10)."""
        return push_reward(states, next_states, self)

    def ended(self, succeeded: bool) -> np.ndarray:
        """
        Return a world state (10,) in which the task has ended: the goal is reached, or all lost.

        A referee's verdict is worth what such a state is worth.
        """
        state = np.zeros(world.SIZE)
        state[world.ROBOT_YAW] = self.goal_yaw or 0.0
        state[self.subject] = self.goal if succeeded else (0.0, self.field.width)
        return state

    def without_absent(self, states: np.ndarray) -> np.ndarray:
        """Return world states (..., 10), those of a task without a ball with zeros there."""
        if self.has_ball:
            return states
        states = np.array(states, dtype=np.float64)
        states[..., world.BALL.start : world.BALL_VELOCITY.stop] = 0.0
        return states

    def observe(self, states: np.ndarray, obstacles: np.ndarray | None = None) -> np.ndarray:
        """
        Return the observations (..., D), float32, of world states (..., 10).

        :param obstacles: (..., k, 2 or more), places in `map` [m], if the contract observes them.
        """
        return observe(states, self.goal, self.limits, self.observation, obstacles, self.features)

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


def _values(root: Section, kind: type[Contract], renamed: bool = False) -> Plain:
    """
    Take what a contract's YAML and its JSON have in common; ConfigError names a wrong value.

    :param kind: of contract: what has no ball names no topic of one and does not hold it.
    :param renamed: there may be names of more topics and frames, which a robot profile added.
    """
    topics, frames = root.section('topics'), root.section('frames')
    values = {
        'name': root.text('name'),
        'version': root.integer('version', 1, 10**6),
        'rate': root.number('rate', 1, 1000),
        'time_limit': root.number('time_limit', 1, 3600),
        'ball_hold': root.number('ball_hold', 0, 60) if 'ball' in kind.inputs else 0.0,
        'topics': {key: take_topic(topics, key) for key in topic_roles(kind.inputs)},
        'frames': {key: take_frame(frames, key) for key in FRAMES},
        'action': root.texts('action'),
        'observation': root.texts('observation'),
    }
    if renamed:
        for key in topics.keys():
            take_topic(topics, key)
        for key in frames.keys():
            take_frame(frames, key)
    topics.close()
    frames.close()
    return values


def contract_class(task: str) -> type[Contract]:
    """
    Return the class of the contracts of a task of robots.

    :raises UnknownTask: if it is not installed. :raises GudaError: if it is played without one.
    """
    if task == SOCCER:
        return Contract
    kind = getattr(find_task(task), 'contract_class', None)
    if not (isinstance(kind, type) and issubclass(kind, Contract)):
        raise GudaError(
            f'the task {task} is played without a robot: its class has no `contract_class`, a '
            'subclass of guda_ros.data.contract.Contract'
        )
    if kind.task != task:
        raise GudaError(
            f'the `contract_class` of the task {task} calls its task {kind.task!r}; give both one '
            'name'
        )
    if kind.inputs not in _INPUTS:
        raise GudaError(
            f'the `contract_class` of the task {task}: `inputs` is one of '
            f'{", ".join(map(str, _INPUTS))}, not {kind.inputs!r}'
        )
    return kind


def has_ball(contract: ContractBase) -> bool:
    """Tell whether a contract is that of a robot's task with a ball."""
    return isinstance(contract, Contract) and contract.has_ball


def read_contract(task: str, text: str) -> ContractBase:
    """
    Return the contract that the `to_json` of a task's contract wrote.

    :raises UnknownTask: if the task is not installed.
    :raises ValueError: if the text cannot be read, or is the contract of another task.
    """
    if task == SOCCER:
        return Contract.from_json(text)
    contract = find_task(task).read_contract(text)
    if contract.task != task:
        raise ValueError(
            f'the contract of the task {task} calls itself {contract.task!r}; give both one name'
        )
    return contract


def refuse_robot(contract: ContractBase, name: str | os.PathLike[str] | None) -> None:
    """Raise GudaError if a robot is named for the contract of a task without one."""
    if name:
        raise GudaError(f'--robot {name}: the task {contract.task} is played without a robot')


def robot_of(contract: Contract, name: str | os.PathLike[str] | None = None) -> RobotProfile:
    """Return the robot profile of a contract; GudaError if it is unknown or its limits differ."""
    name = None if name == '' else name
    try:
        robot = RobotProfile.load(contract.robot if name is None else name)
    except ConfigError as error:
        if name is not None or contract.robot in config_names('robots'):
            raise
        raise GudaError(
            f'the contract is for the robot profile {contract.robot!r}, which is none of '
            "config/robots: give the profile's file with --robot"
        ) from error
    require_limits(contract, robot, str(name or contract.robot))
    return robot


def require_limits(
    contract: Contract,
    robot: RobotProfile,
    name: str,
    of: str = 'the contract',
    option: str = '--robot',
) -> None:
    """
    Raise GudaError if the limits of a robot profile are not those of a contract.

    :param name: of the profile, as it was given. :param of: what the contract belongs to.
    :param option: with which another profile is given.
    """
    if robot.limits != contract.limits:
        raise GudaError(
            f'robot profile {name}: its limits {robot.limits} are not those of {of}, '
            f'{contract.limits}; give the right profile with {option}'
        )
