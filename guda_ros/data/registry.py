"""
The table of tasks: which class a name stands for, of shipped and installed ones.

Another package adds its own in the entry-point group `guda_ros.tasks`:

    [project.entry-points."guda_ros.tasks"]
    my_task = "my_package.my_task:MyTask"

Modules are imported when a name is asked for, and not before: what runs on a robot reads the
policies of SOCCER without any task.
"""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from typing import Any

from guda_ros.errors import GudaError

GROUP = 'guda_ros.tasks'
#: The task of files that name none.
SOCCER = 'soccer_push'
_SHIPPED = {
    SOCCER: 'guda_ros.tasks.soccer.task:SoccerPush',
    'push_ball_to_goal': 'guda_ros.tasks.push_ball.task:PushBallToGoal',
    'parking': 'guda_ros.tasks.parking.task:Parking',
    'pointmaze_umaze': 'guda_ros.tasks.maze.task:PointMazeUmaze',
    'pointmaze_medium': 'guda_ros.tasks.maze.task:PointMazeMedium',
    'pointmaze_large': 'guda_ros.tasks.maze.task:PointMazeLarge',
    'antmaze_umaze': 'guda_ros.tasks.maze.task:AntMazeUmaze',
    'antmaze_medium': 'guda_ros.tasks.maze.task:AntMazeMedium',
    'antmaze_large': 'guda_ros.tasks.maze.task:AntMazeLarge',
    'physical_push': 'guda_ros.tasks.physical_push.task:PhysicalPush',
}


class UnknownTask(GudaError, ValueError):
    """A task is not installed, or cannot be imported; the message says what to do."""


def task_names() -> tuple[str, ...]:
    """Return the names of all tasks."""
    return tuple(dict.fromkeys((*_SHIPPED, *(point.name for point in entry_points(group=GROUP)))))


def find_task(name: str) -> type[Any]:
    """Return the class of a task; UnknownTask if there is none of that name."""
    if name in _SHIPPED:
        module, _, attribute = _SHIPPED[name].partition(':')
        return getattr(importlib.import_module(module), attribute)
    for point in entry_points(group=GROUP):
        if point.name == name:
            try:
                found = point.load()
            except (ImportError, AttributeError) as error:
                raise UnknownTask(
                    f'task {name}: its entry point {point.value} cannot be imported ({error}); '
                    'install the package that brings it again'
                ) from error
            except Exception as error:
                # Another's module may raise anything, SyntaxError too.
                raise UnknownTask(
                    f'task {name}: its entry point {point.value} raises '
                    f'{type(error).__name__} when imported ({error}); mend that module'
                ) from error
            if not isinstance(found, type):
                raise UnknownTask(
                    f'task {name}: its entry point {point.value} is no class; name one in its '
                    'pyproject.toml'
                )
            return found
    raise UnknownTask(
        f'unknown task {name!r}: no installed package brings it as an entry point {GROUP}; '
        f'known: {", ".join(task_names())}'
    )
