"""Messages and services that only a robot's own workspace brings."""

from __future__ import annotations

import importlib
from typing import Any

from guda_ros.errors import GudaError


class MissingMessages(GudaError):
    """A package of messages is not there; the text says which, and how it gets there."""


def interface(name: str, need: str) -> Any:
    """
    Return the class of a message or service such as `booster_msgs/msg/RpcReqMsg`.

    :param need: what cannot be done without it.
    :raises MissingMessages: if its package cannot be imported, or has no such class.
    """
    package, folder, kind = name.split('/')
    try:
        return getattr(importlib.import_module(f'{package}.{folder}'), kind)
    except (ImportError, AttributeError) as error:
        raise MissingMessages(
            f'{need} needs {name}, but {error}. The package {package} comes with the workspace '
            'of the robot, built for this Python: source its setup.bash (`source '
            'WORKSPACE/install/setup.bash`) in this shell before you start; docs/adapters.md says '
            'where it is'
        ) from error
