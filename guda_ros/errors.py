"""The base of all errors that a user can mend; `guda` prints their message without a traceback."""


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
