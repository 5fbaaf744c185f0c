"""A gamepad that is plugged into this computer, through SDL (pygame), which needs no display."""

from __future__ import annotations

from dataclasses import replace
import os
from typing import TYPE_CHECKING

from guda_ros.control.joystick import joystick_maps, JoystickMap, JoystickState
from guda_ros.errors import GudaError

if TYPE_CHECKING:
    import pygame


class GamepadError(GudaError):
    """A gamepad cannot be used; the message says what to do."""


class Gamepad:
    """
    The first gamepad that is known, now or later, whatever else SDL takes for a joystick.

    Axes and buttons are numbered as the `joy` package's joy_node numbers them: up and left are
    positive, the D-pad is the last two axes.

    :param joystick: map of the pad, name or file; empty to recognise it by the pad's name.
    :param device: which one: part of its name, or its number in the order of SDL; empty: the
        first that is recognised, or that has as many axes and buttons as the given map.
    :raises GamepadError: if pygame is not installed.
    """

    def __init__(self, joystick: str = '', device: str = '') -> None:
        # No window; events without the focus; and the numbering of Linux' own drivers, which is
        # that of the maps.
        for name, value in (
            ('SDL_VIDEODRIVER', 'dummy'),
            ('SDL_AUDIODRIVER', 'dummy'),
            ('SDL_NO_SIGNAL_HANDLERS', '1'),
            ('SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS', '1'),
            ('SDL_JOYSTICK_HIDAPI', '0'),
            ('PYGAME_HIDE_SUPPORT_PROMPT', '1'),
        ):
            os.environ.setdefault(name, value)
        try:
            import pygame
        except ModuleNotFoundError as error:
            raise GamepadError(
                'a gamepad without joy_node needs the Python module pygame: install '
                'the extra [gamepad]'
            ) from error
        self._pygame = pygame
        self._given = JoystickMap.load(joystick) if joystick else None
        self._device = device
        self._changed = True
        self._pad: pygame.joystick.JoystickType | None = None
        self._map: JoystickMap | None = None
        self._stuck: frozenset[str] | None = None
        #: Why a pad that is there is not used.
        self.problem = ''
        # Not pygame.init: sound and signal handlers are no business of ours.
        pygame.display.init()
        pygame.joystick.init()

    @property
    def name(self) -> str:
        """What the pad calls itself, an empty text if there is none."""
        return self._pad.get_name() if self._pad is not None else ''

    @property
    def map(self) -> JoystickMap | None:
        """The map of the pad that is there."""
        return self._map

    def read(self) -> tuple[list[float], list[int]] | None:
        """Return axes in [-1, 1] and buttons (0 or 1) at this moment, None if there is no pad."""
        pygame = self._pygame
        for event in pygame.event.get():
            removed = event.type == pygame.JOYDEVICEREMOVED
            self._changed |= removed or event.type == pygame.JOYDEVICEADDED
            pad = self._pad
            if removed and pad is not None and event.instance_id == pad.get_instance_id():
                self._pad = self._map = None
        # Devices are opened to be asked, so not those again that were no use.
        if self._pad is None and self._changed:
            self._changed = False
            self._open()
        if self._pad is None:
            return None
        pad = self._pad
        axes = [max(-1.0, -pad.get_axis(index)) for index in range(pad.get_numaxes())]
        for index in range(pad.get_numhats()):
            right, up = pad.get_hat(index)
            axes += [float(-right), float(up)]
        return axes, [int(pad.get_button(index)) for index in range(pad.get_numbuttons())]

    def state(self) -> JoystickState | None:
        """
        Return what the person wants, None if there is no pad.

        What is held when the pad appears counts only when it is pressed anew, but for the
        emergency stop.
        """
        said = self.read()
        if said is None or self._map is None:
            return None
        state = self._map.decode(*said)
        if self._stuck is None:
            self._stuck = state.pressed - {'emergency_stop'}
        self._stuck &= state.pressed
        return replace(
            state,
            pressed=state.pressed - self._stuck,
            look=state.look * ('look' not in self._stuck),
        )

    def _open(self) -> None:
        """Take the first device that fits; else say what is there and why it is not used."""
        problems = []
        for index in range(self._pygame.joystick.get_count()):
            pad = self._pygame.joystick.Joystick(index)
            try:
                found = self._fitting(index, pad)
            except GamepadError as error:
                problems.append(str(error))
                pad.quit()
                continue
            self._pad, self._map, self._stuck, self.problem = pad, found, None, ''
            return
        self.problem = '; '.join(problems)
        if len(problems) > 1:
            self.problem += '; choose one by its name or number'

    def _fitting(self, index: int, pad: pygame.joystick.JoystickType) -> JoystickMap:
        """Return the map for a device; GamepadError if it is not wanted or not known."""
        name = pad.get_name()
        axes, buttons = pad.get_numaxes() + 2 * pad.get_numhats(), pad.get_numbuttons()
        wanted = self._device.lower()
        if wanted and wanted != str(index) and wanted not in name.lower():
            raise GamepadError(f'{name!r} (number {index}) is not {self._device!r}')
        if self._given is None:
            return recognise(name, axes, buttons)
        if (axes, buttons) != (self._given.axis_count, self._given.button_count):
            raise GamepadError(
                f'{name!r} (number {index}) has {axes} axes and {buttons} buttons, the map '
                f'{self._given.name} expects {self._given.axis_count} and '
                f'{self._given.button_count}'
            )
        return self._given

    def close(self) -> None:
        """Let go of the pad."""
        self._pad = self._map = None
        self._pygame.joystick.quit()
        self._pygame.display.quit()


def recognise(name: str, axes: int, buttons: int) -> JoystickMap:
    """
    Return the map of a pad by its name and its number of axes and buttons.

    :raises GamepadError: if there is none, saying how to choose one.
    """
    # Those without names of pads are of other drivers.
    maps = [joystick for joystick in joystick_maps() if joystick.pads]
    for joystick in maps:
        if (joystick.axis_count, joystick.button_count) == (axes, buttons) and any(
            part in name.lower() for part in joystick.pads
        ):
            return joystick
    known = ', '.join(
        f'{joystick.name} ({joystick.axis_count} axes, {joystick.button_count} buttons)'
        for joystick in maps
    )
    raise GamepadError(
        f'the gamepad {name!r} with {axes} axes and {buttons} buttons is not known; '
        f'name its map, of {known}, or a file of your own'
    )
