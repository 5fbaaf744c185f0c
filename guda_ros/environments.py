"""
The names under which Gymnasium finds environments as soon as guda_ros is imported.

The environments themselves are in guda_ros.sim (the twin) and guda_ros.tasks.environments.

Gymnasium 1.x reads no entry points: it knows what was registered, or what a module prefix makes
it import, as in `gymnasium.make('guda_ros:guda_ros/Soccer-v0')`. Neither guda_ros nor Gymnasium
is slowed down: what an environment needs is imported when one is made.
"""

from __future__ import annotations

from collections.abc import Sequence
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from types import ModuleType

#: Id -> entry points of one environment and of many.
ENVIRONMENTS = {
    'guda_ros/Soccer-v0': (
        'guda_ros.sim.env:SoccerEnv',
        'guda_ros.sim.vector_env:SoccerVectorEnv',
    ),
    'guda_ros/PushBallToGoal-v0': (
        'guda_ros.tasks.environments:PushBallToGoalEnv',
        'guda_ros.tasks.environments:PushBallToGoalVectorEnv',
    ),
    'guda_ros/PhysicalPush-v0': (
        'guda_ros.tasks.environments:PhysicalPushEnv',
        'guda_ros.tasks.environments:PhysicalPushVectorEnv',
    ),
}
#: The module that has read all of Gymnasium's own environments.
_REGISTRY = 'gymnasium.envs'


def register() -> None:
    """Make the environments known to Gymnasium, those that it does not know yet."""
    from gymnasium.envs.registration import register as register_one
    from gymnasium.envs.registration import registry

    for name, (one, many) in ENVIRONMENTS.items():
        if name not in registry:
            register_one(id=name, entry_point=one, vector_entry_point=many)


def register_with_gymnasium() -> None:
    """Register at once where Gymnasium is imported already, otherwise as soon as it is."""
    if hasattr(sys.modules.get(_REGISTRY), 'registry'):
        register()
    elif not any(isinstance(finder, _OnImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OnImport())


class _OnImport(importlib.abc.MetaPathFinder):
    """Finds nothing itself; lets the loader of Gymnasium's registry register ours after it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _REGISTRY:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _RegisterAfter(spec.loader)
        return spec


class _RegisterAfter(importlib.abc.Loader):
    """Loads a module as its own loader does, and registers the environments after that."""

    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        register()
