"""Gamepads: from the axes and buttons of sensor_msgs/Joy to what a person wants, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guda_ros.soccer.resources import ConfigError, find_config, load_yaml, Section

AXES = ('forward', 'left', 'turn')
BUTTONS = ('deadman', 'slow', 'emergency_stop', 'release',
           'episode_start', 'episode_success', 'episode_failure')
#: Buttons that a map may leave out (-1), because the robot is safe without them.
OPTIONAL = ('slow', 'release', 'episode_start', 'episode_success', 'episode_failure')


@dataclass(frozen=True)
class JoystickState:
    """
    What a person wants.

    `action` (3,) is in [-1, 1], 1 and -1 being the robot's limits. `pressed` holds the names of
    the buttons that are held. With a `problem` (text) the message was not what the map expects:
    then the dead-man does not count as held and the action is zero, while a pressed emergency stop
    still counts.
    """

    action: np.ndarray
    pressed: frozenset[str]
    problem: str = ''

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


@dataclass(frozen=True)
class JoystickMap:
    """
    One model of gamepad (config/joysticks): which axis and which button does what.

    :ivar axes: index of the axis and sign (1 or -1) for forward, left and turn.
    :ivar buttons: index of each of BUTTONS, -1 for one that the pad does not have.
    :ivar dead_zone: part of an axis about the centre that counts as zero; the rest is stretched
        over [0, 1].
    :ivar slow_scale: factor of the action while `slow` is held.
    """

    name: str
    axis_count: int
    button_count: int
    dead_zone: float
    slow_scale: float
    axes: dict[str, tuple[int, float]]
    buttons: dict[str, int]

    @classmethod
    def load(cls, name='xbox') -> 'JoystickMap':
        """Read a map by name or path; ConfigError names file and key of a wrong value."""
        path = find_config('joysticks', name)
        root = Section(load_yaml(path), path)
        axis_count = root.integer('axis_count', len(AXES), 64)
        button_count = root.integer('button_count', 1, 256)
        axes_section, buttons_section = root.section('axes'), root.section('buttons')
        axes = {}
        for key in AXES:
            axis = axes_section.section(key)
            sign = axis.integer('sign', -1, 1)
            if not sign:
                raise ConfigError(f'{path}: axes.{key}.sign: 1 or -1 is expected, not 0')
            axes[key] = (axis.integer('index', 0, axis_count - 1), float(sign))
            axis.close()
        buttons = {
            key: buttons_section.integer(key, -1 if key in OPTIONAL else 0, button_count - 1)
            for key in BUTTONS}
        joystick = cls(name=root.text('name'), axis_count=axis_count, button_count=button_count,
                       dead_zone=root.number('dead_zone', 0, 0.9),
                       slow_scale=root.number('slow_scale', 0.05, 1), axes=axes, buttons=buttons)
        for section in (axes_section, buttons_section, root):
            section.close()
        for kind, used in (('axes', [index for index, _ in axes.values()]),
                           ('buttons', [index for index in buttons.values() if index >= 0])):
            if len(set(used)) != len(used):
                raise ConfigError(f'{path}: {kind}: an index is used twice')
        return joystick

    def decode(self, axes: Sequence[float], buttons: Sequence[int]) -> JoystickState:
        """
        Return what a Joy message says.

        :param axes: in [-1, 1], up and left positive.
        :param buttons: 0 or 1.
        """
        pressed = {name for name, index in self.buttons.items()
                   if 0 <= index < len(buttons) and buttons[index]}
        problem = ''
        if len(axes) < self.axis_count or len(buttons) < self.button_count:
            problem = (f'the joystick has {len(axes)} axes and {len(buttons)} buttons, the map '
                       f'{self.name!r} expects {self.axis_count} and {self.button_count}: choose '
                       'the map of this joystick')
            action = np.zeros(len(AXES))
        else:
            action = np.array([self.axes[key][1] * axes[self.axes[key][0]] for key in AXES])
            if not np.all(np.isfinite(action)):
                problem = f'the joystick sent axes that are not finite: {action.tolist()}'
        if problem:
            return JoystickState(np.zeros(len(AXES)), frozenset(pressed - {'deadman'}), problem)
        size = np.clip(np.abs(action), 0.0, 1.0)
        size = np.maximum(size - self.dead_zone, 0.0) / (1.0 - self.dead_zone)
        scale = self.slow_scale if 'slow' in pressed else 1.0
        # Adding zero turns -0.0 into 0.0.
        return JoystickState(np.sign(action) * size * scale + 0.0, frozenset(pressed))

    def encode(self, action, deadman: bool = True,
               pressed: Sequence[str] = ()) -> tuple[list[float], list[int]]:
        """
        Return the axes and buttons that decode to an action; the inverse of decode.

        :param action: (3,), clipped to [-1, 1]; zero if it is not finite.
        :param pressed: names of further buttons that are held.
        :raises ValueError: for a button that the map does not have.
        """
        action = np.asarray(action, dtype=np.float64)
        if action.shape != (len(AXES),) or not np.all(np.isfinite(action)):
            action = np.zeros(len(AXES))
        scale = self.slow_scale if 'slow' in pressed else 1.0
        action = np.clip(action / scale, -1.0, 1.0)
        size = np.where(action == 0, 0.0, self.dead_zone + np.abs(action) * (1.0 - self.dead_zone))
        axes = [0.0] * self.axis_count
        for value, (index, sign) in zip(np.sign(action) * size, (self.axes[key] for key in AXES)):
            axes[index] = float(sign * value)
        buttons = [0] * self.button_count
        for name in (*pressed, *(('deadman',) if deadman else ())):
            if self.buttons.get(name, -1) < 0:
                raise ValueError(f'the joystick {self.name!r} has no button {name!r}')
            buttons[self.buttons[name]] = 1
        return axes, buttons
