"""What a machine may lack, and why a test that needs it is skipped there."""

from __future__ import annotations

import importlib.util

#: Packages by the extra of setup.py that brings them.
EXTRAS = {
    'ros': (
        'rclpy',
        'builtin_interfaces',
        'diagnostic_msgs',
        'geometry_msgs',
        'lifecycle_msgs',
        'nav_msgs',
        'rcl_interfaces',
        'rosgraph_msgs',
        'sensor_msgs',
        'std_msgs',
        'std_srvs',
        'visualization_msgs',
    ),
    'gamepad': ('pygame',),
    'sim': ('mujoco', 'glfw'),
    'train': (
        'gymnasium',
        'h5py',
        'jinja2',
        'matplotlib',
        'minari',
        'numba',
        'onnx',
        'PIL',
        'stable_baselines3',
        'torch',
    ),
    'lerobot': ('pyarrow',),
    'benchmarks': ('gymnasium_robotics', 'highway_env'),
    'test': ('catkin_pkg', 'hypothesis'),
}
_SOURCES = {
    package: f'the extra [{extra}] brings it'
    for extra, packages in EXTRAS.items()
    for package in packages
}
_SOURCES['rclpy'] = 'a ROS 2 distribution or the extra [ros] brings it'
_SOURCES['d3rlpy'] = 'it has an environment of its own, see docs/learning.md'


def without(package: str | None) -> str:
    """Return why a test without a package is skipped, or '' if no test may go without it."""
    top = (package or '').partition('.')[0]
    return f'{top} is not installed: {_SOURCES[top]}' if top in _SOURCES else ''


def missing(part: str) -> str:
    """
    Return why this machine cannot do what a test needs, or '' if it can.

    :param part: a package of EXTRAS, or 'drawing' for OpenGL without a display.
    :raises KeyError: if the part is none of them.
    """
    if part != 'drawing':
        reason = without(part)
        if not reason:
            raise KeyError(part)
        return '' if importlib.util.find_spec(part) else reason
    if not importlib.util.find_spec('mujoco'):
        return without('mujoco')
    from guda_ros.sim.rendering import gl

    gl.choose_backend()
    return f'{gl.unavailable()}: {gl.remedy()}' if gl.unavailable() else ''
