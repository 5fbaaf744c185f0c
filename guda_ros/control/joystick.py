"""Gamepads: from the axes and buttons of sensor_msgs/Joy to what a person wants, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
import math
from pathlib import Path

import numpy as np

from guda_ros.config.files import (
    config_names,
    ConfigError,
    find_config,
    load_yaml,
    Section,
)

AXES = ('forward', 'left', 'turn')
#: Rates of the head: pan to the left, tilt down.
LOOK_AXES = ('look_pan', 'look_tilt')
BUTTONS = (
    'deadman',
    'turbo',
    'slow',
    'look',
    'look_centre',
    'kick',
    'takeover',
    'emergency_stop',
    'release',
    'episode_start',
    'episode_success',
    'episode_failure',
    'episode_keep',
    'episode_discard',
    'episode_rerecord',
)
#: Buttons that every map has; the robot is safe without the others.
REQUIRED = ('deadman', 'emergency_stop')
#: An axis that serves as a button is pressed beyond this.
_PRESSED = 0.5


@dataclass(frozen=True)
class JoystickState:
    """
    What a person wants.

    `action` (3,) is in [-1, 1], 1 and -1 being the robot's limits; `look` (2,) in [-1, 1] how fast
    the head turns left and down. `pressed` holds the names of the buttons that are held. With a
    `problem` (text) the message was not what the map expects, or too old: then action and look are
    zero, and of all buttons only the emergency stop counts.
    """

    action: np.ndarray
    pressed: frozenset[str]
    problem: str = ''
    look: np.ndarray = field(default_factory=lambda: np.zeros(len(LOOK_AXES)))

    @property
    def deadman(self) -> bool:
        """Whether the dead-man button is held."""
        return 'deadman' in self.pressed

    @property
    def emergency_stop(self) -> bool:
        """Whether the emergency stop is held."""
        return 'emergency_stop' in self.pressed

    @property
    def release(self) -> bool:
        """Whether the button that releases the emergency stop is held."""
        return 'release' in self.pressed

    def joined(self, other: JoystickState) -> JoystickState:
        """Return what a person wants who has two devices: the other moves while it is held."""
        moves = other if other.deadman else self
        look = other.look if other.look.any() else self.look
        return JoystickState(moves.action, self.pressed | other.pressed, look=look)


@dataclass(frozen=True)
class JoystickMap:
    """
    One model of gamepad (config/joysticks): which axis and which button does what.

    :ivar axes: index of the axis and sign (1 or -1) for forward, left and turn.
    :ivar look_axes: the same for the head, effective while `look` is held, when the sticks that
        they share with `axes` do not move the robot; empty if the pad cannot turn the head.
    :ivar buttons: index of each of BUTTONS, -1 for one that the pad does not have or that is an
        axis.
    :ivar axis_buttons: index and sign of the axes (triggers, D-pad) that serve as buttons.
    :ivar dead_zone: part of an axis about the centre that counts as zero; the rest is stretched
        over [0, 1].
    :ivar normal_scale: factor of the action without `turbo`, which has 1; 1 for a pad without it.
    :ivar slow_scale: factor of the action while `slow` is held.
    :ivar labels: what is printed on the pad, by name of button.
    :ivar pads: parts of the names under which such pads report themselves.
    """

    name: str
    axis_count: int
    button_count: int
    dead_zone: float
    normal_scale: float
    slow_scale: float
    axes: dict[str, tuple[int, float]]
    look_axes: dict[str, tuple[int, float]]
    buttons: dict[str, int]
    axis_buttons: dict[str, tuple[int, float]]
    labels: dict[str, str]
    pads: tuple[str, ...]

    @classmethod
    def load(cls, name: str | Path = 'xbox') -> JoystickMap:
        """Read a map by name or path; ConfigError names file and key of a wrong value."""
        path = find_config('joysticks', name)
        root = Section(load_yaml(path), path)
        axis_count = root.integer('axis_count', len(AXES), 64)
        button_count = root.integer('button_count', 1, 256)
        axes_section, buttons_section = root.section('axes'), root.section('buttons')
        axes = {key: _axis(axes_section, key, axis_count) for key in AXES}
        look = {
            key: _axis(axes_section, key, axis_count)
            for key in LOOK_AXES
            if any(map(axes_section.has, LOOK_AXES))
        }
        buttons, axis_buttons = dict.fromkeys(BUTTONS, -1), {}
        for key in BUTTONS:
            if buttons_section.is_mapping(key):
                axis_buttons[key] = _axis(buttons_section, key, axis_count)
            elif key in REQUIRED or buttons_section.has(key):
                low = 0 if key in REQUIRED else -1
                buttons[key] = buttons_section.integer(key, low, button_count - 1)
        joystick = cls(
            name=root.text('name'),
            axis_count=axis_count,
            button_count=button_count,
            dead_zone=root.number('dead_zone', 0, 0.9),
            normal_scale=root.number('normal_scale', 0.05, 1),
            slow_scale=root.number('slow_scale', 0.05, 1),
            axes=axes,
            look_axes=look,
            buttons=buttons,
            axis_buttons=axis_buttons,
            labels=_labels(root),
            pads=root.texts('pads') if root.has('pads') else (),
        )
        for section in (axes_section, buttons_section, root):
            section.close()
        joystick._check(path)
        return joystick

    def _check(self, path: Path) -> None:
        moving = [index for index, _ in self.axes.values()]
        as_buttons = list(self.axis_buttons.values())
        for kind, used in (
            ('axes', moving),
            ('buttons', as_buttons),
            ('axes', [*moving, *{index for index, _ in as_buttons}]),
            ('axes', [index for index, _ in self.look_axes.values()]),
            ('buttons', [index for index in self.buttons.values() if index >= 0]),
        ):
            if len(set(used)) != len(used):
                raise ConfigError(f'{path}: {kind}: an index is used twice')
        if bool(self.look_axes) != self.has('look'):
            raise ConfigError(
                f'{path}: buttons.look: the axes of the head and the button with '
                'which they are used need each other'
            )
        if not self.has('turbo') and self.normal_scale != 1:
            raise ConfigError(f'{path}: normal_scale: 1 is expected where no button is `turbo`')

    def has(self, button: str) -> bool:
        """Tell whether the pad has a button of a name of BUTTONS."""
        return self.buttons.get(button, -1) >= 0 or button in self.axis_buttons

    def label(self, button: str) -> str:
        """Return what to call a button to a person."""
        if button in self.labels:
            return self.labels[button]
        if button in self.axis_buttons:
            return f'axis {self.axis_buttons[button][0]}'
        return f'button {self.buttons[button]}' if self.has(button) else ''

    def decode(
        self, axes: Sequence[float], buttons: Sequence[int], late: bool = False
    ) -> JoystickState:
        """
        Return what a Joy message says.

        :param axes: in [-1, 1], up and left positive.
        :param buttons: 0 or 1.
        :param late: the message was old when it arrived: nobody knows what is held now.
        """
        pressed = {
            name
            for name, index in self.buttons.items()
            if 0 <= index < len(buttons) and buttons[index]
        }
        pressed |= {
            name
            for name, (index, sign) in self.axis_buttons.items()
            if index < len(axes) and sign * axes[index] > _PRESSED
        }
        problem = ''
        if len(axes) < self.axis_count or len(buttons) < self.button_count:
            problem = (
                f'the joystick has {len(axes)} axes and {len(buttons)} buttons, the map '
                f'{self.name!r} expects {self.axis_count} and {self.button_count}: choose '
                f'the map of this joystick{_fitting(len(axes), len(buttons))}'
            )
        elif not all(map(math.isfinite, axes)):
            problem = f'the joystick sent axes that are not finite: {list(axes)}'
        elif late and pressed:
            problem = (
                'the joystick is heard too late: the network is slow, or the clock of its '
                'computer is wrong'
            )
        if problem:
            return JoystickState(
                np.zeros(len(AXES)), frozenset(pressed & {'emergency_stop'}), problem
            )
        looking = 'look' in pressed
        shared = {index for index, _ in self.look_axes.values()} if looking else ()
        action = np.array(
            [0.0 if index in shared else sign * axes[index] for index, sign in self.axes.values()]
        )
        look = np.array(
            [sign * axes[index] if looking else 0.0 for index, sign in self.look_axes.values()]
            or [0.0, 0.0]
        )
        return JoystickState(
            self._live(action) * self._scale(pressed), frozenset(pressed), look=self._live(look)
        )

    def _live(self, values: np.ndarray) -> np.ndarray:
        """Return what sticks say beyond the dead zone, in [-1, 1]."""
        size = np.clip(np.abs(values), 0.0, 1.0)
        size = np.maximum(size - self.dead_zone, 0.0) / (1.0 - self.dead_zone)
        # Adding zero turns -0.0 into 0.0.
        return np.sign(values) * size + 0.0

    def _scale(self, pressed: set[str]) -> float:
        return (
            self.slow_scale
            if 'slow' in pressed
            else 1.0
            if 'turbo' in pressed
            else self.normal_scale
        )

    def encode(
        self,
        action: Sequence[float] | np.ndarray,
        deadman: bool = True,
        pressed: Sequence[str] = (),
        look: Sequence[float] | np.ndarray = (0.0, 0.0),
    ) -> tuple[list[float], list[int]]:
        """
        Return the axes and buttons that decode to an action; the inverse of decode.

        Turbo is pressed with the dead-man unless `slow` is: with it every action can be said.

        :param action: (3,), clipped to [-1, 1]; zero if it is not finite.
        :param pressed: names of further buttons that are held.
        :param look: (2,), how fast the head turns, clipped to [-1, 1]; `look` is pressed unless
            it is zero.
        :raises ValueError: for a button that the map does not have.
        """
        action = np.asarray(action, dtype=np.float64)
        if action.shape != (len(AXES),) or not np.all(np.isfinite(action)):
            action = np.zeros(len(AXES))
        held = {*pressed, *(('deadman',) if deadman else ())}
        if deadman and 'slow' not in held and self.has('turbo'):
            held.add('turbo')
        if np.any(look):
            held.add('look')
        values = np.clip(np.append(action / self._scale(held), look), -1.0, 1.0)
        size = np.where(values == 0, 0.0, self.dead_zone + np.abs(values) * (1.0 - self.dead_zone))
        axes = [0.0] * self.axis_count
        used = {**self.axes, **(self.look_axes if np.any(look) else {})}
        for value, (index, sign) in zip(np.sign(values) * size, used.values()):
            axes[index] = float(sign * value)
        buttons = [0] * self.button_count
        for name in held:
            if not self.has(name):
                raise ValueError(f'the joystick {self.name!r} has no button {name!r}')
            if name in self.axis_buttons:
                index, sign = self.axis_buttons[name]
                axes[index] = sign
            else:
                buttons[self.buttons[name]] = 1
        return axes, buttons

    def say(self, state: JoystickState) -> tuple[list[float], list[int]]:
        """Return the axes and buttons that say what a person wants at another device."""
        buttons = [
            name
            for name in state.pressed
            if self.has(name) and name not in ('look', 'slow', 'turbo', 'deadman')
        ]
        look = state.look if self.look_axes else (0.0, 0.0)
        return self.encode(state.action, state.deadman, buttons, look)


def joystick_maps() -> list[JoystickMap]:
    """Return the maps in config/joysticks, by name."""
    return [JoystickMap.load(name) for name in config_names('joysticks')]


def _axis(section: Section, key: str, count: int) -> tuple[int, float]:
    axis = section.section(key)
    index, sign = axis.integer('index', 0, count - 1), axis.integer('sign', -1, 1)
    if not sign:
        axis.fail('sign', '1 or -1 is expected, not 0')
    axis.close()
    return index, float(sign)


def _labels(root: Section) -> dict[str, str]:
    if not root.has('labels'):
        return {}
    section = root.section('labels')
    labels = {key: section.text(key) for key in BUTTONS if section.has(key)}
    section.close()
    return labels


@lru_cache(maxsize=32)
def _fitting(axes: int, buttons: int) -> str:
    """Return the names of the maps with so many axes and buttons, for a message."""
    names = [
        joystick.name
        for joystick in joystick_maps()
        if (joystick.axis_count, joystick.button_count) == (axes, buttons)
    ]
    return f': {" or ".join(names)}' if names else ''
