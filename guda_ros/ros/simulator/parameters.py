"""The parameters of the simulator node; those of an episode are applied by its `~/reset`."""

from __future__ import annotations

import math
import re
import time

import numpy as np
from rclpy.node import Node
from rclpy.parameter import Parameter

from guda_ros.data.verdicts import VERDICTS
from guda_ros.ros.episode.event import EpisodeEvent
from guda_ros.ros.parameters import Parameters
from guda_ros.soccer import starts
from guda_ros.soccer.field import Field


def declare_simulator_parameters(node: Node) -> Parameters:
    """Declare the parameters of a simulator node, but contract and robot."""
    p = Parameters(node)
    p.declare(
        'mode',
        'lockstep',
        'what drives time: the acknowledgements or a clock',
        choices=('lockstep', 'free'),
        read_only=True,
    )
    p.declare(
        'begin_at_once',
        True,
        'free mode: begin an episode when active, without a reset',
        read_only=True,
    )
    p.declare('verdict', 'failed', 'with which ~/end ends an episode', choices=tuple(VERDICTS))
    p.declare('autostart', True, 'configure and activate by itself', read_only=True)
    p.declare('camera', True, 'draw the camera image when somebody subscribes', read_only=True)
    p.declare(
        'rate',
        0.0,
        "steps of free mode a second, rounded to a multiple of the contract's "
        'rate, at which odometry, IMU and joint states are sampled; 0: that of the IMU; '
        'lock-step has the rate of the contract',
        unit='Hz',
        low=0.0,
        high=1000.0,
        read_only=True,
    )
    p.declare(
        'robots',
        Parameter.Type.STRING_ARRAY,
        'names of several robots in one world, each '
        'with its topics below its name; empty: one robot without a prefix; needs mode '
        'free',
        check=_check_robots,
        read_only=True,
    )
    p.declare(
        'randomisation',
        'none',
        'what is drawn anew for each episode: none, default or a file, see config/randomisation',
        read_only=True,
    )
    p.declare('steps', 1, 'control steps that ~/step makes', low=1, high=100000)
    p.declare('real_time_factor', 1.0, 'speed of free mode', low=0.01, high=100.0, read_only=True)
    p.declare(
        'partners',
        Parameter.Type.STRING_ARRAY,
        'nodes without which no episode in lock-step begins',
        read_only=True,
    )
    p.declare(
        'partner_timeout',
        15.0,
        'how long a reset waits for those nodes',
        unit='s of real time',
        low=0.1,
        high=600.0,
    )
    p.declare(
        'answer_timeout',
        5.0,
        'how long a step may stay unanswered in lock-step',
        unit='s of real time',
        low=0.1,
        high=600.0,
    )
    p.declare(
        'time_limit',
        0.0,
        "length of an episode, 0 for the contract's",
        unit='s',
        low=0.0,
        high=3600.0,
    )
    p.declare('scenario', 'attack', 'kind of start', choices=starts.CLEAR_SCENARIOS)
    p.declare('purpose', 'demonstration', 'list of fixed starts', choices=starts.PURPOSES)
    p.declare('start_index', 0, 'number in the list of fixed starts', low=0, high=100000)
    p.declare(
        'start',
        Parameter.Type.DOUBLE_ARRAY,
        'robot x, y, yaw, ball x, y, and, for a ball '
        'that rolls, its velocity x, y; goes before start_index unless empty',
        unit='m, rad, m/s',
        check=_check_start,
    )
    p.declare(
        'seed',
        0,
        'seed of everything that is drawn: errors of the sensors, slip and randomisation',
        low=0,
        high=2**31 - 1,
    )
    p.declare('episode_id', '', 'name of the next episode, empty to make one up', check=_check_id)
    return p


def step_rate(p: Parameters, rate: float, imu_rate: float) -> float:
    """
    Return how many steps a second the world makes.

    :param rate: of the contract; imu_rate: of the robot's IMU [Hz].
    """
    if p['mode'] == 'lockstep':
        return rate
    return rate * max(1, round((p['rate'] or imu_rate) / rate))


def requested_start(p: Parameters, field: Field) -> tuple[int, np.ndarray]:
    """
    Return number and start of the next episode: (5,), or (7,) with the velocity of the ball.

    The number of an explicit start is -1.
    """
    if p['start']:
        return -1, np.array(p['start'])
    index = p['start_index']
    return index, starts.fixed_starts(p['purpose'], index + 1, field, p['scenario'])[index]


def next_episode(p: Parameters, count: int, index: int, **values) -> EpisodeEvent:
    """Return the `reset` event of the next episode, from the parameters and further fields."""
    return EpisodeEvent(
        id=episode_name(p, index, count),
        phase='reset',
        scenario=p['scenario'],
        start_index=index,
        seed=p['seed'],
        **values,
    )


def episode_name(p: Parameters, index: int, count: int) -> str:
    """Return the name of the next episode, made up of start, time and count unless one is set."""
    return p['episode_id'] or (
        f'{p["purpose"]}_{p["scenario"]}_{index:04d}_{time.strftime("%Y%m%d_%H%M%S")}_{count:04d}'
    )


def _check_start(start: np.ndarray) -> None:
    if len(start) not in (0, starts.SIZE, starts.SIZE + 2) or not all(map(math.isfinite, start)):
        raise ValueError(
            'five finite numbers are expected: robot x, y, yaw, ball x, y; or seven, '
            'with the velocity x, y of the ball'
        )


def _check_robots(names) -> None:
    if len(set(names)) != len(names) or not all(
        re.fullmatch('[A-Za-z][A-Za-z0-9_]*', name) for name in names
    ):
        raise ValueError(
            f'different names of letters, digits and underscores are expected, not {list(names)}'
        )


def _check_id(name: str) -> None:
    if '/' in name or name.startswith('.') or len(name) > 200:
        raise ValueError('a name is expected that can be that of a folder')
