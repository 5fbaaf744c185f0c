"""
A gamepad made of software, for SDL's real joystick code: SDL itself offers virtual devices.

Run as a file it is the bundled driver's process, or that of `guda teleop ARGUMENTS`, with such a
pad, plugged, moved and unplugged by lines in the file that VIRTUAL_PAD names:
`plug NAME AXES BUTTONS HATS`, `axis INDEX VALUE` (-1 to 1, down and right positive, as hardware
says it), `button INDEX 0|1`, `hat INDEX VALUE` (SDL's bits), `unplug`.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import threading


class _Description(ctypes.Structure):
    # SDL_VirtualJoystickDesc, SDL 2.24 and newer.
    _fields_ = [
        ('version', ctypes.c_uint16),
        ('type', ctypes.c_uint16),
        ('naxes', ctypes.c_uint16),
        ('nbuttons', ctypes.c_uint16),
        ('nhats', ctypes.c_uint16),
        ('vendor_id', ctypes.c_uint16),
        ('product_id', ctypes.c_uint16),
        ('padding', ctypes.c_uint16),
        ('button_mask', ctypes.c_uint32),
        ('axis_mask', ctypes.c_uint32),
        ('name', ctypes.c_char_p),
        ('userdata', ctypes.c_void_p),
        ('callbacks', ctypes.c_void_p * 6),
    ]


def _sdl() -> ctypes.CDLL:
    """Return the SDL library that pygame has loaded into this process."""
    import pygame.joystick  # noqa: F401

    with open('/proc/self/maps', encoding='utf-8') as maps:
        paths = set(re.findall(r'\S*libSDL2-2\S*', maps.read()))
    library = ctypes.CDLL(paths.pop())
    library.SDL_JoystickOpen.restype = ctypes.c_void_p
    return library


class VirtualPad:
    """A pad that is plugged in until `unplug`; pygame's joystick module must be initialised."""

    def __init__(self, name: str, axes: int, buttons: int, hats: int) -> None:
        self._sdl = _sdl()
        description = _Description(
            version=1, type=1, naxes=axes, nbuttons=buttons, nhats=hats, name=name.encode()
        )
        index = self._sdl.SDL_JoystickAttachVirtualEx(ctypes.byref(description))
        assert index >= 0, 'SDL made no virtual joystick'
        self._joystick = ctypes.c_void_p(self._sdl.SDL_JoystickOpen(index))

    def axis(self, index: int, value: float) -> None:
        """Move an axis, in [-1, 1] as the hardware says it."""
        self._sdl.SDL_JoystickSetVirtualAxis(
            self._joystick, index, ctypes.c_int16(round(value * 32767))
        )

    def button(self, index: int, down: int) -> None:
        """Press or release a button."""
        self._sdl.SDL_JoystickSetVirtualButton(self._joystick, index, ctypes.c_uint8(down))

    def hat(self, index: int, value: int) -> None:
        """Press the D-pad: up 1, right 2, down 4, left 8."""
        self._sdl.SDL_JoystickSetVirtualHat(self._joystick, index, ctypes.c_uint8(value))

    def unplug(self) -> None:
        """Take the pad away."""
        # Its index is another one once a pad before it is gone.
        mine = self._sdl.SDL_JoystickInstanceID(self._joystick)
        indices = range(self._sdl.SDL_NumJoysticks())
        self._sdl.SDL_JoystickDetachVirtual(
            next(i for i in indices if self._sdl.SDL_JoystickGetDeviceInstanceID(i) == mine)
        )


def _obey() -> None:
    pad = None
    for line in open(os.environ['VIRTUAL_PAD'], encoding='utf-8'):
        verb, *values = line.split()
        if verb == 'plug':
            name, *counts = values
            pad = VirtualPad(name.replace('_', ' '), *map(int, counts))
        elif verb == 'unplug':
            pad.unplug()
        elif verb == 'axis':
            pad.axis(int(values[0]), float(values[1]))
        else:
            getattr(pad, verb)(*map(int, values))


if __name__ == '__main__':
    threading.Thread(target=_obey, daemon=True).start()
    if sys.argv[1] == 'teleop':
        from guda_ros.cli.main import main

        sys.exit(main(sys.argv[1:]))
    from guda_ros.nodes.joystick import main

    sys.exit(main(sys.argv))
