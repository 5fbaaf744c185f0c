"""Domain randomisation: ranges from YAML, one draw an episode, and what it changes in a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import os

import mujoco
import numpy as np

from guda_ros.config.files import ConfigError, find_config, load_yaml, Section
from guda_ros.sim.physics import noise
from guda_ros.sim.physics.mjcf import servo_parameters, suffix
from guda_ros.sim.physics.posture import is_on_a_head
from guda_ros.sim.physics.walk import Walk
from guda_ros.sim.rendering.scenery import CARPETS
from guda_ros.soccer.robot import RobotProfile

_RGB, _XYZ, _AXES = ('red', 'green', 'blue'), ('x', 'y', 'z'), ('forward', 'left', 'turn')
#: Keys of the YAML: lowest and highest value that is allowed, and the names of what is drawn.
_PHYSICAL = {
    'ball.sliding_friction': (0.05, 10, ()),
    'ball.rolling_friction': (0.0, 10, ()),
    'ball.mass': (0.1, 10, ()),
    'robot.mass': (0.2, 5, ()),
    'robot.response_time': (0.2, 5, _AXES),
    'robot.delay': (0, 1, ()),
    'robot.limits': (0.05, 2, ()),
    'robot.step_length': (0.05, 2, ()),
    'robot.slip': (0, 1, ()),
    'odometry.scale': (0.1, 3, ()),
}
_VISUAL = {
    'camera.position': (-0.5, 0.5, _XYZ),
    'camera.rotation': (-1, 1, _XYZ),
    'camera.field_of_view': (0.5, 1.5, ()),
    'light.brightness': (0, 5, ()),
    'light.ambient': (0, 5, ()),
    'light.direction': (-3.15, 3.15, ()),
    'colour.ball': (0, 5, _RGB),
    'colour.carpet': (0, 5, _RGB),
    'colour.lines': (0, 5, ()),
    'texture.carpet': (0, len(CARPETS), ()),
}
_KEYS = {**_PHYSICAL, **_VISUAL}


@dataclass(frozen=True)
class Randomisation:
    """Ranges (low, high) by dotted key; see config/randomisation."""

    name: str
    ranges: dict[str, tuple[float, float]]

    @classmethod
    def load(cls, name: str | os.PathLike[str]) -> Randomisation:
        """Read ranges by name or path; ConfigError names file and key of a wrong value."""
        path = find_config('randomisation', name)
        root = Section(load_yaml(path), path)
        title = root.text('name')
        sections, ranges = {}, {}
        for key, (low, high, _) in _KEYS.items():
            group, _, last = key.partition('.')
            if group not in sections:
                sections[group] = root.section(group)
            ranges[key] = sections[group].numbers(last, 2, low, high)
            if ranges[key][0] > ranges[key][1]:
                raise ConfigError(
                    f'{path}: {key}: {list(ranges[key])} is no range: the first '
                    'number is the smaller'
                )
        for section in (*sections.values(), root):
            section.close()
        return cls(title, ranges)

    @property
    def delay(self) -> float:
        """The longest delay [s] that is drawn."""
        return self.ranges['robot.delay'][1]

    def draw(self, seeds: np.ndarray, visual: bool) -> dict[str, np.ndarray]:
        """
        Return what episodes with seeds (n,) have, (n,) by name.

        A value depends on its name and the seed alone.

        :param visual: with what only changes pictures.
        """
        drawn = {}
        for key, (_, _, parts) in (_KEYS if visual else _PHYSICAL).items():
            low, high = self.ranges[key]
            for name in [f'{key}.{part}' for part in parts] or [key]:
                share = noise.uniform(seeds, 0, noise.channel(f'randomisation.{name}'))
                drawn[name] = low + (high - low) * share
        return drawn


class Randomiser:
    """Put drawn values into the model of one simulation, or of each of a batch."""

    def __init__(
        self,
        randomisation: Randomisation,
        robots: Sequence[RobotProfile],
        walks: Sequence[Walk],
        model: mujoco.MjModel,
        expand: Callable[[str], np.ndarray],
        count: int,
        visual: bool,
    ) -> None:
        """
        Take where the values go.

        :param expand: gives the model's field of a name, live, (count, ...).
        """
        self._randomisation = randomisation
        self._robots, self._walks = robots, walks
        self._visual = visual
        self._fields = {}
        self._base = {}
        names = [
            'geom_friction',
            'body_mass',
            'body_inertia',
            'actuator_dynprm',
            'actuator_gainprm',
            'actuator_biasprm',
            'actuator_forcerange',
            'actuator_delay',
        ]
        if visual:
            names += [
                'cam_pos',
                'cam_quat',
                'cam_fovy',
                'light_diffuse',
                'light_dir',
                'geom_rgba',
                'mat_rgba',
                'geom_matid',
            ]
        for name in names:
            self._base[name] = np.array(getattr(model, name))
            self._fields[name] = expand(name)
        self._headlight = np.array(model.vis.headlight.ambient)
        self._ball = model.geom('ball').id
        self._ball_body = model.body('ball').id
        self._bodies = [model.body(f'robot{suffix(index)}').id for index in range(len(robots))]
        self._axes = [
            slice(first, first + 3)
            for first in (
                model.actuator(f'forward{suffix(index)}').id for index in range(len(robots))
            )
        ]
        self._model = model
        ranges = randomisation.ranges
        self.changes_mass = ranges['ball.mass'] != (1, 1) or ranges['robot.mass'] != (1, 1)
        #: What was drawn last for each simulation, (count,) by name.
        self.parameters = {
            name: np.zeros(count)
            for name in randomisation.draw(np.zeros(1, dtype=np.uint64), visual)
        }

    def apply(self, rows: np.ndarray, seeds: np.ndarray) -> None:
        """Draw for episodes with seeds (n,) in the simulations `rows` and change their models."""
        drawn = self._randomisation.draw(seeds, self._visual)
        for name, values in drawn.items():
            self.parameters[name][rows] = values
        base, fields = self._base, self._fields
        friction = np.tile(base['geom_friction'][self._ball], (len(seeds), 1))
        friction[:, 0] *= drawn['ball.sliding_friction']
        friction[:, 2] *= drawn['ball.rolling_friction']
        fields['geom_friction'][rows, self._ball] = friction
        for bodies, key in (([self._ball_body], 'ball.mass'), (self._bodies, 'robot.mass')):
            for body in bodies:
                fields['body_mass'][rows, body] = base['body_mass'][body] * drawn[key]
                fields['body_inertia'][rows, body] = (
                    base['body_inertia'][body] * drawn[key][:, None]
                )
        factor = np.stack([drawn[f'robot.response_time.{axis}'] for axis in _AXES], axis=1)
        for robot, walk, axes in zip(self._robots, self._walks, self._axes):
            servo = servo_parameters(
                robot, np.array(robot.walk.response_time) * factor, self._model.opt.timestep
            )
            fields['actuator_dynprm'][rows, axes, 0] = servo['filter']
            fields['actuator_gainprm'][rows, axes, 0] = servo['gain']
            fields['actuator_biasprm'][rows, axes, 2] = -servo['gain']
            fields['actuator_forcerange'][rows, axes, 0] = -servo['strength']
            fields['actuator_forcerange'][rows, axes, 1] = servo['strength']
            if self._model.nhistory:
                fields['actuator_delay'][rows, axes] = (
                    robot.walk.delay + drawn['robot.delay'][:, None]
                )
            walk.limits_scale[rows] = drawn['robot.limits']
            walk.step_length[rows] = drawn['robot.step_length']
            walk.slip[rows] = robot.walk.slip + drawn['robot.slip']
        if self._visual:
            self._paint(rows, drawn)

    def _paint(self, rows, drawn: dict[str, np.ndarray]) -> None:
        """Change what is only seen, of the one simulation that is drawn."""
        base, fields, model = self._base, self._fields, self._model
        value = {name: float(values[0]) for name, values in drawn.items()}
        shift = np.array([value[f'camera.position.{axis}'] for axis in _XYZ])
        turn = np.array([value[f'camera.rotation.{axis}'] for axis in _XYZ])
        angle = float(np.linalg.norm(turn))
        rotation = np.zeros(4)
        mujoco.mju_axisAngle2Quat(rotation, turn / angle if angle else np.eye(3)[0], angle)
        for camera in range(model.ncam):
            if not is_on_a_head(model, camera):
                continue
            fields['cam_pos'][rows, camera] = base['cam_pos'][camera] + shift
            quat = np.zeros(4)
            mujoco.mju_mulQuat(quat, rotation, base['cam_quat'][camera])
            fields['cam_quat'][rows, camera] = quat
            fields['cam_fovy'][rows, camera] = (
                base['cam_fovy'][camera] * value['camera.field_of_view']
            )
        fields['light_diffuse'][rows] = base['light_diffuse'] * value['light.brightness']
        cos, sin = np.cos(value['light.direction']), np.sin(value['light.direction'])
        fields['light_dir'][rows] = base['light_dir'] @ np.array(
            [[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]]
        )
        model.vis.headlight.ambient[:] = self._headlight * value['light.ambient']
        self._tint('geom_rgba', self._ball, [value[f'colour.ball.{part}'] for part in _RGB])
        carpet = [value[f'colour.carpet.{part}'] for part in _RGB]
        materials = [model.material(name).id for name in CARPETS]
        for material in materials:
            self._tint('mat_rgba', material, carpet)
        self._tint('mat_rgba', model.material('line').id, [value['colour.lines']] * 3)
        chosen = min(int(value['texture.carpet']), len(CARPETS) - 1)
        fields['geom_matid'][rows, model.geom('carpet').id] = materials[chosen]

    def _tint(self, field: str, index: int, factors: Sequence[float]) -> None:
        self._fields[field][0, index, :3] = (self._base[field][index, :3] * factors).clip(0, 1)
