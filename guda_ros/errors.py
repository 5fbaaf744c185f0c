"""The base of all errors that a user can mend; `guda` prints their message without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class GudaError(Exception):
    """Something is wrong outside the code: the message says what, and what to do."""


def extra_of(module: str) -> str | None:
    """Tell how to get a Python module that is missing, None if it is none of an extra."""
    extras = {
        'rclpy': 'source a ROS 2 distribution or install the extra [ros]',
        'mujoco': 'install the extra [sim]',
        'pygame': 'install the extra [gamepad]',
        'torch': 'install the extra [train]',
        'onnx': 'install the extra [train]',
        'minari': 'install the extra [train]',
        'h5py': 'install the extra [train]',
        'gymnasium': 'install the extra [train]',
        'matplotlib': 'install the extra [train]',
        'pyarrow': 'install the extra [lerobot]',
        'jinja2': 'install the extra [train]',
        'stable_baselines3': 'install the extra [train]',
        'gymnasium_robotics': 'install the extra [benchmarks]',
        'highway_env': 'install the extra [benchmarks]',
    }
    return extras.get(module.partition('.')[0])


@contextmanager
def naming_extras() -> Iterator[None]:
    """
    Let a ModuleNotFoundError within say which extra of guda_ros brings the module.

    Around a block by `with`, or around a function as its decorator.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        extra = extra_of(error.name or '')
        if extra is None:
            raise
        raise ModuleNotFoundError(
            f'needs the Python module {error.name}: {extra}', name=error.name
        ) from error
