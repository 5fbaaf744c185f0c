"""What this installation consists of."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from guda_ros import __version__
from guda_ros.config.files import config_directories

#: What the answers of a bug report depend on.
_PACKAGES = (
    'ros-rclpy',
    'rclpy',
    'mujoco',
    'torch',
    'numpy',
    'opencv-python-headless',
    'onnxruntime',
    'rosbags',
    'minari',
)
#: Folders of config that hold what a user names.
_KINDS = (
    'robots',
    'fields',
    'balls',
    'randomisation',
    'tasks',
    'guides',
    'imports',
    'joysticks',
)


@dataclass(frozen=True)
class Installation:
    """Versions, and the names that commands and functions take."""

    version: str
    #: Package -> version, of those that are there.
    packages: dict[str, str]
    #: Folder of configuration -> kind (`robots`, ...) -> names.
    names: dict[Path, dict[str, list[str]]]


def installation() -> Installation:
    """
    Return what is installed, as `guda info` tells it.

        print(guda_ros.installation().packages)

    :return: versions, and the names of robots, fields, guides and so on.
    """
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    names = {
        directory: {
            kind: sorted(file.stem for file in (directory / kind).glob('*.yaml'))
            for kind in _KINDS
        }
        for directory in config_directories()
    }
    return Installation(__version__, packages, names)
