"""
The tasks that the engine knows by name.

Another package adds its own in the entry-point group `guda_ros.tasks`:

    [project.entry-points."guda_ros.tasks"]
    my_task = "my_package.my_task:MyTask"
"""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points

from guda_ros.augmentation.guides import Guide, named_task
from guda_ros.augmentation.task import Task
from guda_ros.errors import GudaError

GROUP = 'guda_ros.tasks'
_SHIPPED = {
    'soccer_push': 'guda_ros.tasks.soccer.task:SoccerPush',
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
    """There is no task of a name; the message lists those there are."""


def task_names() -> tuple[str, ...]:
    """Return the names of all tasks."""
    return tuple(dict.fromkeys((*_SHIPPED, *(point.name for point in entry_points(group=GROUP)))))


def load_task(name: str) -> type[Task]:
    """Return the class of a task; UnknownTask if there is none of that name."""
    if name in _SHIPPED:
        module, _, attribute = _SHIPPED[name].partition(':')
        return getattr(importlib.import_module(module), attribute)
    for point in entry_points(group=GROUP):
        if point.name == name:
            return point.load()
    raise UnknownTask(f'unknown task {name!r}; known: {", ".join(task_names())}')


def load_guide(name) -> Guide:
    """Read a guide by name or path, for the task that it names."""
    path, task = named_task(name)
    return Guide.load(path, load_task(task))
