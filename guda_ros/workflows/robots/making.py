"""Make a robot profile from another one and some values."""

from __future__ import annotations

from collections.abc import Mapping
import copy
import math
import os
import re

from guda_ros.arguments import as_path
from guda_ros.config.files import ConfigError, find_config, load_yaml
from guda_ros.data.files import atomic_target, refuse_existing
from guda_ros.errors import GudaError
from guda_ros.soccer.robot import Contradiction, RobotProfile
from guda_ros.soccer.robot_file import get, has, Key, key_of, keys_of, OPTIONAL, put, to_yaml

#: What errors name instead of a file while there is none.
ANSWER = 'answer'


class Draft:
    """
    A profile in the making: the values of another one, of which some are changed.

    :param name: of the new profile. :param base: profile to start from, by name or as a file.
    :raises GudaError: if the name is none, or the base cannot be read.
    """

    def __init__(self, name: str, base: str | os.PathLike = 'generic_walker') -> None:
        if not isinstance(name, str) or not re.fullmatch(r'[a-z][a-z0-9_]*', name):
            raise GudaError(f'{name!r} is no name: small letters, digits and _ are expected')
        self.name = name
        self._base = find_config('robots', base)
        self.values = load_yaml(self._base)
        RobotProfile.read(copy.deepcopy(self.values), self._base)
        self.values.pop('uncertainty', None)
        source = f'values that were not asked for: robot profile {self.values["name"]}'
        self.values.update(name=name, sources=[source])

    @property
    def keys(self) -> dict[str, Key]:
        """The keys that the profile may have, in the order of its file."""
        return keys_of(self.values)

    def set(self, key: str, value: object) -> None:
        """
        Set the value of a dotted key, without a look at what the profile says then.

        :param value: as in the file; text is read as a person writes it, see `parse`.
        :raises GudaError: if there is no such key.
        """
        cameras = has(self.values, 'cameras') and key.startswith(('camera.', 'lower_camera.'))
        if key not in {**self.keys, **OPTIONAL} or key == 'name' or cameras:
            raise GudaError(f'{key}: there is no such key; docs/profiles.md lists them')
        put(self.values, key, parse(key, value) if isinstance(value, str) else value)

    def answer(self, key: str, text: str) -> ConfigError | None:
        """
        Set a value if it can be one, and return what is wrong with it otherwise.

        What contradicts another value is taken: `problem` tells when all are known.
        """
        before = copy.deepcopy(get(self.values, key))
        put(self.values, key, parse(key, text))
        error = self.problem()
        if (
            error is None
            or not (error.key == key or error.key.startswith(f'{key}.'))
            or isinstance(error, Contradiction)
        ):
            return None
        put(self.values, key, before)
        return error

    def problem(self) -> ConfigError | None:
        """Return the first error in the values, or None."""
        try:
            RobotProfile.read(copy.deepcopy(self.values), ANSWER)
        except ConfigError as error:
            return error
        return None

    def write(self, out: str | os.PathLike) -> RobotProfile:
        """
        Write the profile, with unit and meaning behind each value, and return it.

        :raises GudaError: if a value is wrong, or `out` is there.
        """
        profile = RobotProfile.read(copy.deepcopy(self.values), out)
        refuse_profile(out)
        text = to_yaml(self.values, f'{self.name}, made from {self._base.stem}.')
        with atomic_target(out) as temporary:
            temporary.write_text(text, encoding='utf-8')
        return profile


def new_robot(
    name: str,
    *,
    base: str | os.PathLike = 'generic_walker',
    values: Mapping[str, object] | None = None,
    out: str | os.PathLike | None = None,
) -> RobotProfile:
    """
    Make a robot profile from another one, as `guda robot new --yes` does.

        guda_ros.new_robot('tall', base='nao_v6', values={'body.mass': 6.2, 'camera.rate': 30})

    :param name: of the new profile: small letters, digits and _.
    :param base: profile to start from, by name or as a file.
    :param values: dotted key of docs/profiles.md -> value; angles may be text, such as `60deg`.
    :param out: file to write, by default `name`.yaml in this folder.
    :return: the profile.
    :raises GudaError: if a value cannot be one, or `out` is there.
    """
    draft = Draft(name, base)
    target = as_path(f'{name}.yaml' if out is None else out, 'out')
    refuse_profile(target)
    for key, value in (values or {}).items():
        draft.set(key, value)
    return draft.write(target)


def refuse_profile(out: str | os.PathLike) -> None:
    """Raise GudaError if no profile can be written to a file."""
    if as_path(out, 'out').suffix not in ('.yaml', '.yml'):
        raise GudaError(f'{out}: a profile is a .yaml file')
    refuse_file(out)


def refuse_file(out: str | os.PathLike) -> None:
    """Raise GudaError if there is something at a path."""
    try:
        refuse_existing(out)
    except GudaError as error:
        raise GudaError(f'{out}: exists already; choose another one with --out') from error


def parse(key: str, answer: str) -> object:
    """
    Read an answer: a number, several with spaces or commas between them, or text.

    Angles may be given in degrees, as 60deg.
    """
    answer = answer.strip()
    if key == 'sources':
        return [part.strip() for part in answer.split(';') if part.strip()]
    if key == 'style':
        return answer
    if key.startswith(('driver.', 'topics.', 'frames.')) and not key_of(key).unit:
        return {'true': True, 'false': False}.get(answer.lower(), answer)
    words = [word for word in re.split(r'[\s,]+', answer.strip('[]()')) if word]
    if key == 'head.joints.names':
        return words
    values = [_number(word, key_of(key).unit) for word in words]
    if len(values) == 1:
        return values[0]
    return values or answer


def _number(word: str, unit: str) -> str | int | float:
    degrees = re.fullmatch(r'(.*?)(deg|°)', word)
    try:
        if degrees and unit.startswith('rad'):
            return round(math.radians(float(degrees[1])), 7)
        number = float(word)
    except ValueError:
        return word
    return int(number) if re.fullmatch(r'[+-]?\d+', word) else number
