"""Tasks by name, typed as the engine's `Task`; the table of names is guda_ros.data.registry."""

from __future__ import annotations

from guda_ros.augmentation.task import Task
from guda_ros.data.registry import find_task, task_names, UnknownTask

__all__ = ['UnknownTask', 'load_task', 'task_names']


def load_task(name: str) -> type[Task]:
    """Return the class of a task; UnknownTask if there is none of that name."""
    return find_task(name)
