"""The parameters of the simulator node; those of an episode are applied by its `~/reset`."""

from __future__ import annotations

import math

from rclpy.node import Node
from rclpy.parameter import Parameter

from guda_ros.ros.parameters import Parameters
from guda_ros.soccer import starts


def declare_simulator_parameters(node: Node) -> Parameters:
    """Declare the parameters of a simulator node."""
    p = Parameters(node)
    p.declare('contract', 'soccer_push', 'task contract, name or path', read_only=True)
    p.declare('robot', '', "robot profile, empty for the contract's", read_only=True)
    p.declare('mode', 'lockstep', 'who sets the pace: the answers or a clock',
              choices=('lockstep', 'free'), read_only=True)
    p.declare('autostart', True, 'configure and activate by itself', read_only=True)
    p.declare('camera', True, 'draw the camera image when somebody subscribes', read_only=True)
    p.declare('real_time_factor', 1.0, 'speed of free mode', low=0.01, high=100.0,
              read_only=True)
    p.declare('partners', Parameter.Type.STRING_ARRAY, 'nodes without which no episode in '
              'lock-step begins', read_only=True)
    p.declare('partner_timeout', 15.0, 'how long a reset waits for those nodes',
              unit='s of real time', low=0.1, high=600.0)
    p.declare('answer_timeout', 5.0, 'how long a step may stay unanswered in lock-step',
              unit='s of real time', low=0.1, high=600.0)
    p.declare('time_limit', 0.0, "length of an episode, 0 for the contract's", unit='s',
              low=0.0, high=3600.0)
    p.declare('scenario', 'attack', 'kind of start', choices=starts.SCENARIOS)
    p.declare('purpose', 'demonstration', 'list of fixed starts', choices=starts.PURPOSES)
    p.declare('start_index', 0, 'number in the list of fixed starts', low=0, high=100000)
    p.declare('start', Parameter.Type.DOUBLE_ARRAY, 'robot x, y, yaw, ball x, y; goes before '
              'start_index unless empty', unit='m, rad', check=_check_start)
    p.declare('seed', 0, "seed of the odometry's errors", low=0, high=2**31 - 1)
    p.declare('episode_id', '', 'name of the next episode, empty to make one up',
              check=_check_id)
    return p


def _check_start(start) -> None:
    if len(start) not in (0, starts.SIZE) or not all(map(math.isfinite, start)):
        raise ValueError('five finite numbers are expected: robot x, y, yaw, ball x, y')


def _check_id(name: str) -> None:
    if '/' in name or name.startswith('.') or len(name) > 200:
        raise ValueError('a name is expected that can be that of a folder')
