"""
Find out whether this machine can draw without a display; needs nothing but Python.

Exit status 0 if an EGL device answers or the OSMesa library loads; otherwise 1, and the reason
is printed.
"""

import ctypes
import sys

_PLATFORM_DEVICE = 0x313F
_LIBRARIES = ('libEGL.so.1', 'libOpenGL.so.0')


def egl_problem():
    """Return why EGL cannot draw here, or None if it can."""
    try:
        egl, _ = [ctypes.CDLL(name) for name in _LIBRARIES]
    except OSError as error:
        return str(error)
    egl.eglGetProcAddress.restype = ctypes.c_void_p
    addresses = [
        egl.eglGetProcAddress(name)
        for name in (b'eglQueryDevicesEXT', b'eglGetPlatformDisplayEXT')
    ]
    if not all(addresses):
        return 'libEGL cannot list devices'
    pointer = ctypes.c_void_p
    query = ctypes.CFUNCTYPE(
        ctypes.c_uint, ctypes.c_int, ctypes.POINTER(pointer), ctypes.POINTER(ctypes.c_int)
    )(addresses[0])
    display_of = ctypes.CFUNCTYPE(pointer, ctypes.c_uint, pointer, pointer)(addresses[1])
    egl.eglInitialize.argtypes = [pointer, pointer, pointer]
    egl.eglInitialize.restype = ctypes.c_uint
    egl.eglTerminate.argtypes = [pointer]
    devices, count = (pointer * 16)(), ctypes.c_int()
    if not query(16, devices, ctypes.byref(count)) or not count.value:
        return 'EGL knows no device'
    for device in devices[: count.value]:
        display = display_of(_PLATFORM_DEVICE, device, None)
        if display and egl.eglInitialize(display, None, None):
            egl.eglTerminate(display)
            return None
    return 'no EGL device can be opened: the Mesa drivers are missing'


def main():
    """Print why nothing can be drawn and return 1, or return 0."""
    problem = egl_problem()
    if problem is None:
        return 0
    try:
        ctypes.CDLL('libOSMesa.so.8')
        return 0
    except OSError:
        print(problem)
        return 1


if __name__ == '__main__':
    sys.exit(main())
