"""
Teach a real soccer robot a skill from a handful of demonstrations (GuDA on ROS 2).

`guda_ros.api` lists what there is; each name is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guda_ros import api as _api
from guda_ros.environments import register_with_gymnasium as _register_with_gymnasium

if TYPE_CHECKING:
    from typing import NoReturn

    from guda_ros.api import *  # noqa: F403

__version__ = '0.1.0'
__all__ = list(_api.HOMES)

_register_with_gymnasium()

if not TYPE_CHECKING:

    def __getattr__(name: str):
        return getattr(_api, name) if name in _api.HOMES else _missing(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _missing(name: str) -> NoReturn:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
