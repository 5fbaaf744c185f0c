"""The keyboard of a terminal: what the bytes mean, which keys are held, what they are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import re

import numpy as np

from guda_ros.config.files import ConfigError, find_config, load_yaml, Section
from guda_ros.control.joystick import AXES, BUTTONS, JoystickState

#: Names of keys that are no printed character.
NAMED = ('space', 'enter', 'backspace', 'up', 'down', 'left', 'right')
_CONTROL = {' ': 'space', '\r': 'enter', '\n': 'enter', '\x7f': 'backspace', '\b': 'backspace'}
_ARROWS = {'A': 'up', 'B': 'down', 'C': 'right', 'D': 'left'}
_SEQUENCE = re.compile(r'\x1b+(?:\[[0-?]*[ -/]*[@-~]|O[A-Za-z]|[^\[O\x1b])')
#: What a terminal in bracketed paste mode puts around text that was pasted.
_PASTE, _PASTED = '\x1b[200~', '\x1b[201~'
#: A terminal that reports its focus says this when it loses it.
_UNFOCUSED = '\x1b[O'
#: Before the name of a key that was pressed with Alt, or after Escape, which is the same.
ALT = 'alt '
#: The key of `KeyReader.read` for a terminal that has lost the focus.
FOCUS_LOST = 'focus lost'


class KeyReader:
    """Turn what a terminal sends, in pieces of any size, into names of keys."""

    def __init__(self) -> None:
        self._rest = b''
        self._pasting = False

    def read(self, data: bytes) -> list[str]:
        """
        Return the keys in the next bytes; Shift with an arrow gives its name in capitals.

        What was pasted is no key, and a sequence that is not known is none. A key with Alt has ALT
        before its name. FOCUS_LOST stands among the keys where the terminal has lost the focus.
        """
        text = (self._rest + data).decode('utf-8', 'replace')
        self._rest = b''
        keys, index = [], 0
        while index < len(text):
            if text[index] != '\x1b':
                if not self._pasting:
                    key = _CONTROL.get(text[index], text[index])
                    keys += [key] if key in NAMED or key.isprintable() else []
                index += 1
                continue
            found = _SEQUENCE.match(text, index)
            if found is None:
                # The end of a sequence is still on its way, unless nobody sends so long ones.
                if len(text) - index < 16:
                    self._rest = text[index:].encode()
                break
            # Escape once or more before a sequence changes nothing.
            sequence, index = '\x1b' + found[0].lstrip('\x1b'), found.end()
            if len(sequence) == 2:
                name = _CONTROL.get(sequence[-1], sequence[-1])
                keys += [] if self._pasting else [ALT + name]
            elif sequence in (_PASTE, _PASTED):
                self._pasting = sequence == _PASTE
            elif sequence == _UNFOCUSED:
                keys.append(FOCUS_LOST)
            elif sequence[-1] in _ARROWS and not self._pasting:
                name = _ARROWS[sequence[-1]]
                keys.append(name.upper() if ';2' in sequence else name)
        return keys


@dataclass(frozen=True)
class KeyboardMap:
    """
    What the keys of a terminal do (config/keyboards).

    :ivar first_hold: time [s] that a key counts as held when it is pressed.
    :ivar repeat_hold: time [s] that it counts as held from each repetition on.
    :ivar normal_scale: factor of the movement without Shift.
    :ivar move: key to action (3,) in [-1, 1]; look: key to rates of the head (2,).
    :ivar policy: the key that is the dead-man alone.
    :ivar buttons: key to a name of joystick.BUTTONS.
    """

    name: str
    first_hold: float
    repeat_hold: float
    normal_scale: float
    move: dict[str, tuple[float, ...]]
    look: dict[str, tuple[float, ...]]
    policy: str
    buttons: dict[str, str]

    @classmethod
    def load(cls, name: str | Path = 'qwerty') -> KeyboardMap:
        """Read a map by name or path; ConfigError names file and key of a wrong value."""
        path = find_config('keyboards', name)
        root = Section(load_yaml(path), path)
        move, look, buttons = (root.section(key) for key in ('move', 'look', 'buttons'))
        keyboard = cls(
            name=root.text('name'),
            first_hold=root.number('first_hold', 0.05, 2),
            repeat_hold=root.number('repeat_hold', 0.05, 1),
            normal_scale=root.number('normal_scale', 0.05, 1),
            move={key: move.numbers(key, len(AXES), -1, 1) for key in move.keys()},
            look={key: look.numbers(key, 2, -1, 1) for key in look.keys()},
            policy=root.text('policy'),
            buttons={key: buttons.choice(key, BUTTONS) for key in buttons.keys()},
        )
        for section in (move, look, buttons, root):
            section.close()
        keys = [*keyboard.move, *keyboard.look, *keyboard.buttons, keyboard.policy]
        for key in keys:
            if key not in NAMED and (len(key) != 1 or key != key.lower()):
                raise ConfigError(
                    f'{path}: {key!r} is no key: a small letter, a digit or one of '
                    f'{", ".join(NAMED)} is expected'
                )
            if keys.count(key) > 1:
                raise ConfigError(f'{path}: the key {key!r} is used twice')
        return keyboard

    def key_of(self, button: str) -> str:
        """Return the key of a button, an empty text if it has none."""
        return next((key for key, name in self.buttons.items() if name == button), '')


class Keyboard:
    """
    What a person at a terminal wants, from the keys that are pressed and repeated.

    A terminal repeats the key that was pressed last and tells no release. So a key counts as held
    for `first_hold` when it is pressed and for `repeat_hold` after each repetition, and any other
    key ends it. A held key that moves the robot is the dead-man. Time [s] is an argument.
    """

    def __init__(self, keyboard: KeyboardMap) -> None:
        self._map = keyboard
        self._held = ''
        self._until = 0.0
        self._pressed: list[str] = []

    def press(self, keys: Sequence[str], now: float) -> None:
        """Take note of keys."""
        for key in keys:
            if self._stops(key):
                self.press_late([key])
            elif key.lower() in self._map.buttons:
                self.release()
                # A key that repeats is one press of the button.
                button = self._map.buttons[key.lower()]
                self._pressed += [button] if button not in self._pressed else []
            elif self._holds(key):
                repeated = key == self._held and now <= self._until
                self._held = key
                self._until = now + (self._map.repeat_hold if repeated else self._map.first_hold)
            else:
                self.release()

    def press_late(self, keys: Sequence[str]) -> None:
        """Let go; of keys that were held up on their way only the emergency stop counts."""
        self.release()
        if any(map(self._stops, keys)) and 'emergency_stop' not in self._pressed:
            self._pressed.append('emergency_stop')

    def release(self) -> None:
        """Let go of everything."""
        self._held = ''

    def _stops(self, key: str) -> bool:
        key = key.removeprefix(ALT).lower()
        return self._map.buttons.get(key) == 'emergency_stop'

    def _holds(self, key: str) -> bool:
        key = key.lower()
        return key in self._map.move or key in self._map.look or key == self._map.policy

    def state(self, now: float) -> JoystickState:
        """Return what is wanted now; each press of a button is told once."""
        pressed, self._pressed = set(self._pressed), []
        if now > self._until:
            self.release()
        key, plain = self._held, self._held.lower()
        action, look = np.zeros(len(AXES)), np.zeros(2)
        if plain in self._map.move:
            turbo = key != plain
            action = np.array(self._map.move[plain]) * (1 if turbo else self._map.normal_scale)
            pressed |= {'deadman', 'turbo'} if turbo else {'deadman'}
        elif plain in self._map.look:
            look = np.array(self._map.look[plain])
        elif key:
            pressed.add('deadman')
        if 'kick' in pressed:
            pressed.add('deadman')
        return JoystickState(action, frozenset(pressed), look=look)
