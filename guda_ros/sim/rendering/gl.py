"""Choose the OpenGL library that MuJoCo draws with, before it is imported; physics needs none."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import os
import sys

#: Libraries that each headless backend needs.
LIBRARIES = {'egl': ('libEGL.so.1', 'libOpenGL.so.0'), 'osmesa': ('libOSMesa.so.8',)}
INSTALL = 'apt-get install libegl1 libopengl0 libgl1-mesa-dri'
_OFF = ('disable', 'disabled', 'off', 'false', '0')

_problem = ''


def missing_library(backend: str) -> str | None:
    """Return the first library of a backend that does not load, or None if all do."""
    for name in LIBRARIES[backend]:
        try:
            ctypes.CDLL(name)
        except OSError:
            return name
    return None


def choose_backend() -> str:
    """
    Set MUJOCO_GL to egl, else osmesa, else disable, and return it.

    A choice of the user is kept if its libraries load. Without any, MuJoCo is imported with
    `disable`, because it could not be otherwise, and `unavailable` says why nothing can be drawn.
    """
    global _problem
    if not sys.platform.startswith('linux'):
        return os.environ.get('MUJOCO_GL', '')
    asked = os.environ.get('MUJOCO_GL', '').strip().lower()
    if asked in _OFF:
        _problem = _problem or f'MUJOCO_GL={asked} switches rendering off'
        return asked
    if asked and asked not in LIBRARIES:
        return asked
    candidates = (asked,) if asked else tuple(LIBRARIES)
    missing = {backend: missing_library(backend) for backend in candidates}
    for backend, library in missing.items():
        if library is None:
            _set_backend(backend)
            return backend
    reason = ', '.join(f'{library} ({backend})' for backend, library in missing.items())
    _problem = f'no OpenGL library for headless rendering was found: {reason} does not load'
    _set_backend('disable')
    import mujoco  # noqa: F401, while it is told not to look for OpenGL

    # A child process finds out for itself, and can then say why.
    del os.environ['MUJOCO_GL']
    if asked:
        os.environ['MUJOCO_GL'] = asked
    return 'disable'


def _set_backend(backend: str) -> None:
    changed = os.environ.get('MUJOCO_GL') != backend
    os.environ['MUJOCO_GL'] = backend
    # Whoever imported MuJoCo before made it choose by itself, a window where there is no display.
    contexts = sys.modules.get('mujoco.rendering.classic.gl_context')
    if changed and contexts is not None:
        importlib.reload(contexts)


def load_triton() -> None:
    """
    Import Triton, where it is installed, as must be done before a context is opened.

    Mesa's software renderer and Triton, which PyTorch's CUDA builds bring, have each their own
    LLVM: when Triton is loaded second, as the first optimiser does it, the process crashes.
    """
    if importlib.util.find_spec('triton') is not None:
        with contextlib.suppress(ImportError):
            importlib.import_module('triton')


def unavailable() -> str:
    """Return why nothing can be drawn, or an empty text."""
    return _problem
