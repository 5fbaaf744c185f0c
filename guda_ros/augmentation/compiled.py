"""
Compiled loops for large sets: where and when they are used, and how one is made.

NumPy goes over a batch once for every operation, and threads wait for the interpreter's lock
between its calls; a compiled loop goes over it once, without the lock. A loop does the same
arithmetic in the same order as the NumPy code beside it, without trigonometry, which is NumPy's in
both, so that it makes the same bytes. It is a gain of time only: what has no loops, or no numba,
works as before, and nothing is compiled until a set is large enough to be worth it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
import importlib
import pickle
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

#: The loops of the engine itself.
ENGINE = 'guda_ros.augmentation.loops'

_Loop = TypeVar('_Loop', bound=Callable[..., Any])
_ready: dict[str, ModuleType] = {}


def loop(signature: str | Sequence[str]) -> Callable[[_Loop], _Loop]:
    """
    Return a decorator that compiles a function for the types of a numba signature, or of several.

    What is compiled is kept beside the module or, where that cannot be written to, in the user's
    cache. Only modules that `prepare` is given may use it.
    """
    import numba

    def compiled(function: _Loop) -> _Loop:
        options = {'nogil': True, 'error_model': 'numpy'}
        try:
            return numba.njit(signature, cache=True, **options)(function)
        except (RuntimeError, OSError, EOFError, pickle.UnpicklingError):
            # There is no folder for a cache, the disk is full, or what is there is damaged.
            return numba.njit(signature, **options)(function)

    return compiled


def prepare(*modules: str) -> None:
    """Compile the loops of modules, or read what was compiled before; nothing without numba."""
    for name in modules:
        if name not in _ready:
            try:
                import numba  # noqa: F401
            except ImportError:
                return
            _ready[name] = importlib.import_module(name)


def loops(module: str) -> ModuleType | None:
    """Return a module of loops that was prepared; None: do it with NumPy."""
    return _ready.get(module)


def column(array: np.ndarray, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return an array, or number, as loops are compiled for: float64, of a shape, without gaps."""
    array = np.asarray(array, dtype=float)
    if shape is not None and array.shape != shape:
        array = np.broadcast_to(array, shape)
    return array if array.flags.carray else np.array(array, order='C')
