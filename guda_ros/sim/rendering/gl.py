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
#: Values of MUJOCO_GL with which MuJoCo opens a window.
_WINDOW = ('glfw', 'glx', 'enable', 'enabled', 'on', 'true', '1')
#: Variables that decide which context is opened, and where.
_CONTEXT = (
    'MUJOCO_EGL_DEVICE_ID',
    'PYOPENGL_PLATFORM',
    'MUJOCO_GL',
    'DISPLAY',
    'WAYLAND_DISPLAY',
    'EGL_PLATFORM',
    '__EGL_VENDOR_LIBRARY_FILENAMES',
    '__EGL_VENDOR_LIBRARY_DIRS',
    '__GLX_VENDOR_LIBRARY_NAME',
    'MESA_LOADER_DRIVER_OVERRIDE',
    'GALLIUM_DRIVER',
    'LIBGL_DRIVERS_PATH',
)

_problem = ''
_remedy = f'Install one with: {INSTALL}'
#: What was there before this package, or MuJoCo for it, set something.
_given = {name: os.environ[name] for name in _CONTEXT if os.environ.get(name)}


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

    A choice of the user is kept if it can work. Without any, MuJoCo is imported with `disable`,
    because it could not be otherwise, and `unavailable` says why nothing can be drawn.
    """
    global _problem, _remedy
    if not sys.platform.startswith('linux'):
        return os.environ.get('MUJOCO_GL', '')
    asked = os.environ.get('MUJOCO_GL', '').strip().lower()
    if asked in _OFF:
        _problem = _problem or f'MUJOCO_GL={asked} switches rendering off'
        _remedy = 'unset MUJOCO_GL to draw'
        return asked
    found = _wrong_variable(asked)
    if found:
        _problem, _remedy = found
        return _do_without(asked)
    if asked in _WINDOW:
        return asked
    wanted = asked or os.environ.get('PYOPENGL_PLATFORM', '').strip().lower()
    candidates = (wanted,) if wanted else tuple(LIBRARIES)
    missing = {backend: missing_library(backend) for backend in candidates}
    for backend, library in missing.items():
        if library is None:
            _set_backend(backend)
            return backend
    reason = ', '.join(f'{library} ({backend})' for backend, library in missing.items())
    _problem = f'no OpenGL library for headless rendering was found: {reason} does not load'
    if wanted:
        variable = 'MUJOCO_GL' if asked else 'PYOPENGL_PLATFORM'
        _problem += f', which {variable}={os.environ[variable]} asks for'
        if any(missing_library(backend) is None for backend in LIBRARIES):
            _remedy = f'unset {variable}: another one is there'
    return _do_without(asked)


def _wrong_variable(asked: str) -> tuple[str, str] | None:
    """Return what is wrong with variables whatever is installed, and what to do; None if not."""
    if asked in _WINDOW:
        if not os.environ.get('DISPLAY') and not os.environ.get('WAYLAND_DISPLAY'):
            return (
                f'MUJOCO_GL={os.environ["MUJOCO_GL"]} asks for a window, and there is no display '
                '(neither DISPLAY nor WAYLAND_DISPLAY is set)',
                'unset MUJOCO_GL, or set it to egl',
            )
        return None
    if asked and asked not in LIBRARIES:
        known = ', '.join((*LIBRARIES, 'glfw', 'disable'))
        return f'MUJOCO_GL={asked} is none of {known}', 'unset MUJOCO_GL'
    platform = os.environ.get('PYOPENGL_PLATFORM', '').strip().lower()
    if platform and platform != (asked or platform):
        return (
            f'PYOPENGL_PLATFORM={platform} contradicts MUJOCO_GL={asked}',
            'unset PYOPENGL_PLATFORM',
        )
    if platform and platform not in LIBRARIES:
        return (
            f'PYOPENGL_PLATFORM={platform} is none of {", ".join(LIBRARIES)}, with which can be '
            'drawn without a window',
            'unset PYOPENGL_PLATFORM',
        )
    return None


def _do_without(asked: str) -> str:
    """Import MuJoCo while it is told not to look for OpenGL."""
    given = os.environ.get('MUJOCO_GL')
    _set_backend('disable')
    import mujoco  # noqa: F401, while it is told not to look for OpenGL

    # A child process finds out for itself, and can then say why.
    del os.environ['MUJOCO_GL']
    if given is not None and asked:
        os.environ['MUJOCO_GL'] = given
    return 'disable'


def remedy() -> str:
    """Return what to do where `unavailable` tells of something."""
    return _remedy


def blame() -> str:
    """Return what to do when all libraries load and no context comes: what the shell has set."""
    if not _given:
        return f'Install a driver with: {INSTALL}'
    told = ', '.join(f'{name}={value}' for name, value in _given.items())
    first = next(iter(_given))
    return f'The environment has {told}: try again after `unset {first}`'


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
