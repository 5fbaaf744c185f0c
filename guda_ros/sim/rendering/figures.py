"""
How robots are drawn: recognisable figures of primitives, in the measures of their profiles.

A figure is drawn in base_link. What the head carries is in a body of its own at the neck, so that
turning that body (`head_quaternion`) turns head and cameras. Nothing here collides or has mass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from guda_ros.soccer.robot import CameraMount, FIRST, RobotProfile

#: Group of the geoms of the robot, and of those that its own cameras leave out: they sit inside.
BODY_GROUP, HEAD_GROUP = 1, 2
#: What all drawn geoms have.
DRAWN = 'contype="0" conaffinity="0" mass="0"'
#: How far each limb swings while walking and how far it lifts, in heights of the neck; negative
#: against its leg. Limbs are geoms named left_ or right_ with one of these names, and a number
#: after a dot where a limb has several.
SWING = {
    'sole': (0.048, 0.039),
    'foot': (0.048, 0.039),
    'shin': (0.035, 0.035),
    'knee': (0.028, 0.035),
    'thigh': (0.013, 0.013),
    'elbow': (-0.013, 0),
    'forearm': (-0.026, 0),
    'hand': (-0.035, 0),
}

#: Colour, specular, shininess and emission of each style's materials; they are `STYLE_PART`.
MATERIALS = {
    'nao': {
        'shell': ((0.93, 0.93, 0.94), 0.35, 0.6, 0),
        'joint': ((0.34, 0.36, 0.39), 0.2, 0.4, 0),
        'dark': ((0.10, 0.11, 0.13), 0.4, 0.6, 0),
        'team': ((0.10, 0.33, 0.72), 0.4, 0.6, 0),
        'light': ((0.35, 0.80, 0.95), 0, 0, 0.5),
    },
    'booster': {
        'shell': ((0.80, 0.81, 0.83), 0.3, 0.5, 0),
        'joint': ((0.24, 0.25, 0.27), 0.25, 0.5, 0),
        'dark': ((0.07, 0.07, 0.08), 0.7, 0.8, 0),
        'team': ((0.10, 0.33, 0.72), 0.3, 0.5, 0),
        'light': ((0.45, 0.90, 0.95), 0, 0, 0.6),
    },
    'op3': {
        'shell': ((0.86, 0.87, 0.88), 0.3, 0.5, 0),
        'joint': ((0.16, 0.16, 0.18), 0.25, 0.4, 0),
        'dark': ((0.06, 0.06, 0.07), 0.4, 0.6, 0),
        'metal': ((0.62, 0.64, 0.67), 0.6, 0.6, 0),
        'team': ((0.10, 0.33, 0.72), 0.3, 0.5, 0),
        'light': ((0.95, 0.35, 0.25), 0, 0, 0.5),
    },
    'wheels': {
        'shell': ((0.86, 0.87, 0.88), 0.3, 0.5, 0),
        'joint': ((0.24, 0.25, 0.27), 0.25, 0.5, 0),
        'dark': ((0.10, 0.11, 0.13), 0.4, 0.6, 0),
        'team': ((0.10, 0.33, 0.72), 0.3, 0.5, 0),
        'light': ((0.45, 0.90, 0.95), 0, 0, 0.6),
    },
    'plain': {
        'shell': ((0.58, 0.68, 0.74), 0.25, 0.5, 0),
        'joint': ((0.30, 0.36, 0.41), 0.2, 0.4, 0),
        'dark': ((0.12, 0.14, 0.16), 0.4, 0.6, 0),
        'team': ((0.10, 0.33, 0.72), 0.3, 0.5, 0),
        'light': ((0.95, 0.97, 1.0), 0, 0, 0.4),
    },
}


def materials() -> str:
    """Return the materials of all styles, as MJCF."""
    return '\n    '.join(
        f'<material name="{style}_{part}" rgba="{text(colour)} 1" specular="{specular}" '
        f'shininess="{shininess}" emission="{emission}"/>'
        for style, parts in MATERIALS.items()
        for part, (colour, specular, shininess, emission) in parts.items()
    )


def head_quaternion(pan: float, tilt: float) -> np.ndarray:
    """Return the quaternion (4,) of the body `head` at pan (left) and tilt (down) [rad]."""
    (cp, ct), (sp, st) = np.cos([pan / 2, tilt / 2]), np.sin([pan / 2, tilt / 2])
    return np.array([cp * ct, -sp * st, cp * st, sp * ct])


def text(numbers: Iterable[float]) -> str:
    """Return numbers for MJCF."""
    return ' '.join(f'{number:.6g}' for number in numbers)


@dataclass
class Figure:
    """MJCF of a robot: assets, geoms of the body and what is on the head."""

    robot: RobotProfile
    assets: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    _meshes: dict = field(default_factory=dict)

    def geom(
        self,
        shape: str,
        part: str,
        at: Sequence[float] | np.ndarray | None = None,
        ends: Sequence[float] | np.ndarray | None = None,
        name: str = '',
        **attributes,
    ) -> None:
        """
        Add a geom.

        :param shape: kind and sizes, such as `sphere .02`.
        :param part: of the style's materials.
        :param at: (3,) in base_link [m].
        :param ends: (6,) of a capsule or cylinder, instead of `at`.
        """
        kind, _, sizes = shape.partition(' ')
        where = f'pos="{text(at)}"' if ends is None else f'fromto="{text(ends)}"'
        self._add(
            self.body, BODY_GROUP, f'type="{kind}" size="{sizes}"', part, where, name, attributes
        )

    def on_head(
        self, shape: str, part: str, at: Sequence[float] | np.ndarray, **attributes
    ) -> None:
        """Add a geom to the head, at a place (3,) in base_link when pan and tilt are zero."""
        kind, _, sizes = shape.partition(' ')
        self._add(
            self.head,
            HEAD_GROUP,
            f'type="{kind}" size="{sizes}"',
            part,
            f'pos="{text(np.subtract(at, self.robot.head.neck))}"',
            '',
            attributes,
        )

    def block(
        self,
        half: np.ndarray | Sequence[float],
        part: str,
        at: Sequence[float] | np.ndarray,
        name: str = '',
        rounding: float = 0.35,
        head: bool = False,
        **attributes,
    ) -> None:
        """Add a block with rounded edges: half sizes (3,), rounding 0 (box) to 1 (ellipsoid)."""
        key = (*np.round(half, 5), rounding)
        if key not in self._meshes:
            self._meshes[key] = f'{self.robot.name}_{len(self._meshes)}'
            self.assets.append(
                f'<mesh name="{self._meshes[key]}" builtin="supersphere" '
                f'params="14 {rounding} {rounding}" scale="{text(half)}"/>'
            )
        place = np.subtract(at, self.robot.head.neck) if head else at
        self._add(
            self.head if head else self.body,
            HEAD_GROUP if head else BODY_GROUP,
            f'type="mesh" mesh="{self._meshes[key]}"',
            part,
            f'pos="{text(place)}"',
            name,
            attributes,
        )

    def beam(
        self,
        start: np.ndarray,
        end: np.ndarray,
        half: tuple[float, float],
        part: str,
        name: str = '',
        rounding: float = 0.35,
    ) -> None:
        """Add a block between two points (3,): half sizes (x, y); its side stays to the left."""
        along = np.subtract(end, start)
        pitch, roll = np.arctan2(along[0], along[2]), -np.arcsin(along[1] / np.linalg.norm(along))
        self.block(
            (*half, np.linalg.norm(along) / 2),
            part,
            np.add(start, end) / 2,
            name,
            rounding,
            euler=f'{roll:.6g} {pitch:.6g} 0',
        )

    def _add(
        self,
        parts: list[str],
        group: int,
        shape: str,
        part: str,
        where: str,
        name: str,
        attributes: dict,
    ) -> None:
        named = f'name="{name}" ' if name else ''
        more = ' '.join(f'{key}="{value}"' for key, value in attributes.items())
        parts.append(
            f'<geom {named}{DRAWN} group="{group}" {shape} {where} '
            f'material="{self.robot.style}_{part}" {more}/>'
        )

    @property
    def fragment(self) -> str:
        """What is drawn in the robot's body, the body `head` with its cameras included."""
        robot = self.robot
        cameras = [_camera(FIRST, robot.camera, robot)]
        cameras += [_camera(name, mount, robot) for name, mount in robot.other_cameras.items()]
        inside = '\n        '.join([*cameras, *self.head])
        neck = text(robot.head.neck)
        head = f'<body name="head" pos="{neck}">\n        {inside}\n      </body>'
        return '\n      '.join([*self.body, head])


def draw(robot: RobotProfile) -> Figure:
    """Return the figure of a robot in its style."""
    figure = Figure(robot)
    drawn = {'nao': _nao, 'booster': _booster, 'op3': _op3, 'plain': _plain, 'wheels': _base}
    drawn[robot.style](figure)
    return figure


def bare(robot: RobotProfile) -> str:
    """Return the head of a robot that is not drawn: both models have as many bodies."""
    return f'<body pos="{text(robot.head.neck)}"/>'


def _camera(name: str, mount: CameraMount, robot: RobotProfile) -> str:
    return (
        f'<camera name="{name}" fovy="{np.degrees(mount.vertical_fov):.9g}" '
        f'pos="{" ".join(f"{v:.9g}" for v in np.subtract(mount.position, robot.head.neck))}" '
        f'xyaxes="0 -1 0 {np.sin(mount.pitch)} 0 {np.cos(mount.pitch)}"/>'
    )


@dataclass(frozen=True)
class _Limbs:
    """Places (3,) of a side's joints in base_link, and how a leg is proportioned."""

    ankle: np.ndarray
    knee: np.ndarray
    hip: np.ndarray
    shoulder: np.ndarray
    elbow: np.ndarray
    hand: np.ndarray
    leg: float
    trunk: float


def _limbs(
    robot: RobotProfile,
    side: int,
    bend: float = 0.09,
    ankle: float = 0.18,
    arm: float = 0.62,
    reach: float = 0.35,
    thick: float = 0.0,
) -> _Limbs:
    """Return the joints: bend of the knees in legs, height of the ankles, length of the arms."""
    body = robot.body
    y, leg, trunk = (
        side * body.stance_width / 2,
        body.hip_height,
        body.shoulder_height - body.hip_height,
    )
    out = side * (body.shoulder_width / 2 - thick)
    low = ankle * leg
    elbow = body.shoulder_height - arm * trunk
    return _Limbs(
        ankle=np.array([0.0, y, low]),
        knee=np.array([bend * leg, y, low + 0.50 * (leg - low)]),
        hip=np.array([0.0, y, leg]),
        shoulder=np.array([0.0, out, body.shoulder_height]),
        elbow=np.array([-0.05 * trunk, out, elbow]),
        hand=np.array([reach * trunk, 0.93 * out, elbow - 0.42 * trunk]),
        leg=leg,
        trunk=trunk,
    )


SIDES = ((1, 'left'), (-1, 'right'))


def _foot(figure: Figure, side: int, label: str, top: float, part: str, rounding: float) -> None:
    """Draw a sole and a foot of the profile's size, `top` [m] high."""
    body = figure.robot.body
    x, y = body.foot_front - body.foot_length / 2, side * body.stance_width / 2
    figure.geom(
        f'box {body.foot_length * 0.49:.5g} {body.foot_width * 0.47:.5g} .006',
        'dark',
        (x, y, 0.008),
        name=f'{label}_sole',
    )
    figure.block(
        (body.foot_length * 0.495, body.foot_width * 0.49, top / 2),
        part,
        (x, y, 0.010 + top / 2),
        f'{label}_foot',
        rounding,
    )


def _nao(figure: Figure) -> None:
    """White rounded shells, grey joints, large round ears and eyes, a lit chest button."""
    body = figure.robot.body
    hz, r, s = body.head_height, body.head_radius, body.shoulder_height
    t = s - body.hip_height
    for side, label in SIDES:
        j = _limbs(figure.robot, side, thick=0.115 * t)
        _foot(figure, side, label, 0.19 * j.leg, 'shell', 0.6)
        figure.geom(
            f'sphere {0.095 * j.leg:.5g}',
            'joint',
            j.ankle + (0, 0, 0.01 * j.leg),
            name=f'{label}_foot.1',
        )
        figure.beam(
            j.ankle + (0, 0, 0.03 * j.leg),
            j.knee - (0, 0, 0.02 * j.leg),
            (0.120 * j.leg, 0.112 * j.leg),
            'shell',
            f'{label}_shin',
            0.6,
        )
        figure.geom(
            f'cylinder {0.098 * j.leg:.5g} {0.100 * j.leg:.5g}',
            'joint',
            j.knee,
            name=f'{label}_knee',
            zaxis='0 1 0',
        )
        figure.beam(
            j.knee + (0, 0, 0.01 * j.leg),
            j.hip + (0, 0, 0.02 * j.leg),
            (0.150 * j.leg, 0.130 * j.leg),
            'shell',
            f'{label}_thigh',
            0.6,
        )
        figure.geom(
            f'cylinder {0.115 * j.leg:.5g} {0.045 * j.leg:.5g}',
            'joint',
            j.hip + (0, side * 0.10 * j.leg, 0.03 * j.leg),
            zaxis='0 1 0',
        )
        figure.geom(f'sphere {0.165 * t:.5g}', 'joint', j.shoulder * (1, 0.86, 1))
        figure.block(
            (0.185 * t, 0.13 * t, 0.19 * t), 'shell', j.shoulder + (0, 0, 0.02 * t), rounding=0.75
        )
        figure.beam(
            j.shoulder - (0, 0, 0.06 * t), j.elbow, (0.125 * t, 0.115 * t), 'shell', rounding=0.7
        )
        figure.geom(f'sphere {0.112 * t:.5g}', 'joint', j.elbow, name=f'{label}_elbow')
        wrist = j.elbow + 0.90 * (j.hand - j.elbow)
        figure.beam(
            j.elbow + 0.05 * (j.hand - j.elbow),
            wrist,
            (0.112 * t, 0.105 * t),
            'shell',
            f'{label}_forearm',
            0.7,
        )
        figure.block((0.10 * t, 0.075 * t, 0.085 * t), 'team', j.hand, f'{label}_hand', 0.8)
        # the head's sides
        figure.on_head(
            f'cylinder {0.53 * r:.5g} {0.16 * r:.5g}',
            'joint',
            (-0.03 * r, side * r, hz),
            zaxis='0 1 0',
        )
        figure.on_head(
            f'cylinder {0.38 * r:.5g} {0.20 * r:.5g}',
            'team',
            (-0.03 * r, side * r, hz),
            zaxis='0 1 0',
        )
        figure.on_head(
            f'cylinder {0.15 * r:.5g} {0.22 * r:.5g}',
            'dark',
            (-0.03 * r, side * r, hz),
            zaxis='0 1 0',
        )
        gaze = f'1 {0.42 * side} .05'
        for size, out, part in (
            (0.27, 0.845, 'dark'),
            (0.22, 0.86, 'light'),
            (0.10, 0.875, 'dark'),
        ):
            figure.on_head(
                f'cylinder {size * r:.5g} {0.03 * r:.5g}',
                part,
                (out * r, 0.40 * side * r, hz + 0.06 * r),
                zaxis=gaze,
            )
    figure.block(
        (0.25 * t, 0.36 * t, 0.20 * t),
        'joint',
        (-0.01 * t, 0, body.hip_height + 0.10 * t),
        rounding=0.7,
    )
    figure.block(
        (0.24 * t, 0.33 * t, 0.28 * t), 'shell', (0, 0, body.hip_height + 0.34 * t), rounding=0.7
    )
    figure.block((0.29 * t, 0.44 * t, 0.42 * t), 'shell', (0, 0, s - 0.20 * t), rounding=0.65)
    figure.block(
        (0.16 * t, 0.33 * t, 0.26 * t), 'team', (0.155 * t, 0, s - 0.20 * t), rounding=0.6
    )
    figure.block(
        (0.15 * t, 0.34 * t, 0.32 * t), 'team', (-0.17 * t, 0, s - 0.22 * t), rounding=0.6
    )
    figure.geom(
        f'cylinder {0.085 * t:.5g} {0.02 * t:.5g}',
        'shell',
        (0.315 * t, 0, s - 0.19 * t),
        zaxis='1 0 0',
    )
    figure.geom(
        f'cylinder {0.060 * t:.5g} {0.03 * t:.5g}',
        'light',
        (0.315 * t, 0, s - 0.19 * t),
        zaxis='1 0 0',
    )
    figure.geom(f'capsule {0.12 * t:.5g}', 'dark', ends=(0, 0, s + 0.05 * t, 0, 0, hz - 0.7 * r))
    figure.block((0.97 * r, 1.02 * r, 0.95 * r), 'shell', (0, 0, hz), head=True, rounding=0.9)
    figure.block(
        (0.55 * r, 0.62 * r, 0.28 * r),
        'joint',
        (0.26 * r, 0, hz - 0.70 * r),
        head=True,
        rounding=0.8,
    )
    for x in (-0.22, 0.02, 0.26):
        figure.block(
            (0.085 * r, 0.19 * r, 0.05 * r),
            'joint',
            (x * r, 0, hz + (0.955 - 0.35 * x * x) * r),
            head=True,
            rounding=0.6,
        )
    figure.on_head(f'sphere {0.12 * r:.5g}', 'dark', (0.83 * r, 0, hz + 0.46 * r))
    figure.on_head(f'sphere {0.11 * r:.5g}', 'dark', (0.82 * r, 0, hz - 0.46 * r))


def _booster(figure: Figure) -> None:
    """Slim grey frame with drum-like actuators, straight limbs, a glossy visor on a thin neck."""
    body, neck = figure.robot.body, figure.robot.head.neck
    hz, r, s = body.head_height, body.head_radius, body.shoulder_height
    x, t = 0.5 * neck[0], s - body.hip_height
    for side, label in SIDES:
        j = _limbs(
            figure.robot, side, bend=0.06, ankle=0.076, arm=0.66, reach=0.42, thick=0.10 * t
        )
        _foot(figure, side, label, 0.055 * j.leg, 'joint', 0.35)
        figure.block(
            (0.045 * j.leg, 0.040 * j.leg, 0.045 * j.leg), 'joint', j.ankle, f'{label}_foot.1', 0.5
        )
        figure.beam(
            j.ankle, j.knee, (0.055 * j.leg, 0.052 * j.leg), 'joint', f'{label}_shin', 0.35
        )
        calf = j.ankle + 0.62 * (j.knee - j.ankle)
        figure.beam(
            j.ankle + 0.30 * (j.knee - j.ankle),
            j.ankle + 0.95 * (j.knee - j.ankle),
            (0.088 * j.leg, 0.078 * j.leg),
            'shell',
            f'{label}_shin.1',
            0.6,
        )
        figure.geom(
            f'box {0.012 * j.leg:.5g} {0.03 * j.leg:.5g} {0.10 * j.leg:.5g}',
            'joint',
            calf + (0.082 * j.leg, 0, 0),
            name=f'{label}_shin.2',
        )
        figure.geom(
            f'cylinder {0.090 * j.leg:.5g} {0.094 * j.leg:.5g}',
            'joint',
            j.knee,
            name=f'{label}_knee',
            zaxis='0 1 0',
        )
        figure.geom(
            f'cylinder {0.060 * j.leg:.5g} {0.099 * j.leg:.5g}',
            'shell',
            j.knee,
            name=f'{label}_knee.1',
            zaxis='0 1 0',
        )
        figure.beam(
            j.knee + (0, 0, 0.06 * j.leg),
            j.hip - (0, 0, 0.04 * j.leg),
            (0.098 * j.leg, 0.088 * j.leg),
            'shell',
            f'{label}_thigh',
            0.5,
        )
        figure.geom(
            f'cylinder {0.105 * j.leg:.5g} {0.085 * j.leg:.5g}', 'joint', j.hip, zaxis='0 1 0'
        )
        figure.geom(
            f'cylinder {0.070 * j.leg:.5g} {0.092 * j.leg:.5g}', 'shell', j.hip, zaxis='0 1 0'
        )
        figure.geom(
            f'cylinder {0.15 * t:.5g} {0.17 * t:.5g}',
            'joint',
            j.shoulder * (1, 0.74, 1) + (x, 0, 0),
            zaxis='0 1 0',
        )
        figure.block(
            (0.155 * t, 0.10 * t, 0.165 * t), 'shell', j.shoulder + (x, 0, 0), rounding=0.6
        )
        down = j.elbow + (x, 0, 0)
        figure.beam(
            j.shoulder + (x, 0, -0.10 * t), down, (0.085 * t, 0.082 * t), 'shell', rounding=0.5
        )
        figure.geom(
            f'cylinder {0.100 * t:.5g} {0.090 * t:.5g}',
            'joint',
            down,
            name=f'{label}_elbow',
            zaxis='0 1 0',
        )
        hand = j.hand + (x, 0, 0)
        figure.beam(
            down,
            down + 0.9 * (hand - down),
            (0.072 * t, 0.070 * t),
            'shell',
            f'{label}_forearm',
            0.5,
        )
        figure.geom(f'sphere {0.088 * t:.5g}', 'dark', hand, name=f'{label}_hand')
        figure.on_head(
            f'cylinder {0.42 * r:.5g} {0.10 * r:.5g}',
            'joint',
            (neck[0] + 0.10 * r, 0.86 * side * r, hz),
            zaxis='0 1 0',
        )
        figure.on_head(
            f'cylinder {0.25 * r:.5g} {0.13 * r:.5g}',
            'shell',
            (neck[0] + 0.10 * r, 0.86 * side * r, hz),
            zaxis='0 1 0',
        )
        figure.block(
            (0.06 * r, 0.16 * r, 0.10 * r),
            'light',
            (neck[0] + 1.06 * r, 0.36 * side * r, hz + 0.05 * r),
            head=True,
            rounding=0.9,
            euler=f'0 0 {0.34 * side}',
        )
    figure.block(
        (0.20 * t, 0.26 * t, 0.12 * t), 'joint', (0, 0, body.hip_height + 0.05 * t), rounding=0.4
    )
    figure.geom(
        f'cylinder {0.15 * t:.5g} {0.09 * t:.5g}', 'dark', (x, 0, body.hip_height + 0.22 * t)
    )
    figure.block((0.23 * t, 0.30 * t, 0.40 * t), 'shell', (x, 0, s - 0.26 * t), rounding=0.32)
    figure.block(
        (0.06 * t, 0.22 * t, 0.25 * t), 'team', (x + 0.20 * t, 0, s - 0.20 * t), rounding=0.3
    )
    figure.block(
        (0.10 * t, 0.25 * t, 0.33 * t), 'joint', (x - 0.19 * t, 0, s - 0.27 * t), rounding=0.3
    )
    figure.block(
        (0.05 * t, 0.20 * t, 0.20 * t), 'team', (x - 0.26 * t, 0, s - 0.22 * t), rounding=0.3
    )
    figure.block(
        (0.03 * t, 0.09 * t, 0.018 * t), 'light', (x + 0.235 * t, 0, s - 0.54 * t), rounding=0.4
    )
    figure.geom(
        f'cylinder {0.08 * t:.5g}',
        'dark',
        ends=(neck[0], 0, s + 0.08 * t, *neck[:2], hz - 0.65 * r),
    )
    figure.geom(f'cylinder {0.115 * t:.5g} {0.02 * t:.5g}', 'joint', (neck[0], 0, s + 0.14 * t))
    figure.block(
        (0.98 * r, 0.90 * r, 0.98 * r), 'shell', (neck[0], 0, hz), head=True, rounding=0.8
    )
    figure.block(
        (0.62 * r, 0.84 * r, 0.60 * r),
        'dark',
        (neck[0] + 0.47 * r, 0, hz + 0.06 * r),
        head=True,
        rounding=0.6,
    )
    figure.block(
        (0.10 * r, 0.40 * r, 0.11 * r),
        'joint',
        (neck[0] + 0.88 * r, 0, hz + 0.56 * r),
        head=True,
        rounding=0.4,
    )
    for y in (-0.2, 0.2):
        figure.on_head(
            f'cylinder {0.065 * r:.5g} {0.03 * r:.5g}',
            'dark',
            (neck[0] + 0.98 * r, y * r, hz + 0.56 * r),
            zaxis='1 0 0',
        )


def _op3(figure: Figure) -> None:
    """Servo boxes in metal brackets, a light chest cover, a square head with two large eyes."""
    body, neck = figure.robot.body, figure.robot.head.neck
    hz, r, s = body.head_height, body.head_radius, body.shoulder_height
    t, leg = s - body.hip_height, body.hip_height
    servo = np.array((0.0233, 0.0143, 0.0170))  # half of 46.5 x 28.5 x 34 mm (XM430)
    for side, label in SIDES:
        j = _limbs(figure.robot, side, bend=0.14, ankle=0.15, arm=0.72, reach=0.55, thick=0.022)
        _foot(figure, side, label, 0.012, 'metal', 0.25)
        figure.block(servo, 'joint', j.ankle + (-0.004, 0, 0.006), f'{label}_foot.1', 0.25)
        figure.block(
            servo[[2, 0, 1]] * (1, 0.75, 1),
            'joint',
            j.ankle + (0, 0, 0.026),
            f'{label}_foot.2',
            0.25,
        )
        for y in (-0.021, 0.021):
            figure.beam(
                j.ankle + (0, y, 0.016),
                j.knee + (0, y, 0),
                (0.0105, 0.0022),
                'metal',
                f'{label}_shin{".1" if y > 0 else ""}',
                0.25,
            )
            figure.beam(
                j.knee + (0, y, 0),
                j.hip + (0, y, -0.008),
                (0.0105, 0.0022),
                'metal',
                f'{label}_thigh{".1" if y > 0 else ""}',
                0.25,
            )
        figure.beam(
            j.ankle + 0.42 * (j.knee - j.ankle),
            j.ankle + 0.98 * (j.knee - j.ankle),
            (0.0165, 0.0165),
            'joint',
            f'{label}_shin.2',
            0.25,
        )
        figure.geom('cylinder .0125 .0255', 'joint', j.knee, name=f'{label}_knee', zaxis='0 1 0')
        figure.geom('cylinder .0060 .0268', 'metal', j.knee, name=f'{label}_knee.1', zaxis='0 1 0')
        figure.beam(
            j.knee + 0.10 * (j.hip - j.knee),
            j.knee + 0.72 * (j.hip - j.knee),
            (0.0190, 0.0190),
            'shell',
            f'{label}_thigh.2',
            0.3,
        )
        figure.block(
            (0.0200, 0.0205, 0.0190), 'joint', j.hip + (0.004, 0, -0.012), f'{label}_thigh.3', 0.3
        )
        figure.block(servo[[2, 0, 1]], 'joint', j.hip + (0, 0, 0.006), rounding=0.25)
        figure.block(
            servo[[0, 1, 2]], 'joint', j.hip + (-0.006, -side * 0.008, 0.024), rounding=0.25
        )
        figure.geom('cylinder .0110 .0260', 'metal', j.hip, zaxis='0 1 0')
        figure.block(servo[[2, 0, 1]], 'joint', j.shoulder * (1, 0.64, 1), rounding=0.25)
        figure.block(
            servo[[0, 1, 2]] * (0.8, 1, 1), 'joint', j.shoulder * (1, 0.95, 1), rounding=0.25
        )
        figure.block(
            (0.021, 0.0175, 0.014),
            'shell',
            j.shoulder * (1, 0.97, 1) + (0, 0, 0.012),
            rounding=0.5,
        )
        figure.beam(j.shoulder + (0, 0, -0.012), j.elbow, (0.0125, 0.0135), 'metal', rounding=0.25)
        figure.block(servo[[1, 1, 0]], 'joint', j.elbow + (0, 0, 0.012), f'{label}_elbow', 0.25)
        figure.beam(
            j.elbow,
            j.elbow + 0.75 * (j.hand - j.elbow),
            (0.0125, 0.0135),
            'shell',
            f'{label}_forearm',
            0.35,
        )
        figure.block((0.0125, 0.0085, 0.0125), 'dark', j.hand, f'{label}_hand', 0.4)
        gaze = '1 0 .0'
        for size, out, part in (
            (0.36, 0.84, 'metal'),
            (0.30, 0.87, 'dark'),
            (0.19, 0.89, 'light'),
            (0.09, 0.91, 'dark'),
        ):
            figure.on_head(
                f'cylinder {size * r:.5g} {0.03 * r:.5g}',
                part,
                (neck[0] + out * r, 0.45 * side * r, hz + 0.06 * r),
                zaxis=gaze,
            )
        figure.on_head(
            f'cylinder {0.34 * r:.5g} {0.06 * r:.5g}',
            'joint',
            (neck[0] - 0.02 * r, 1.0 * side * r, hz),
            zaxis='0 1 0',
        )
    figure.block((0.030, 0.062, 0.020), 'joint', (-0.006, 0, leg + 0.26 * t), rounding=0.25)
    figure.block((0.040, 0.056, 0.40 * t), 'joint', (-0.010, 0, leg + 0.60 * t), rounding=0.25)
    figure.block((0.026, 0.056, 0.34 * t), 'shell', (0.024, 0, leg + 0.66 * t), rounding=0.4)
    figure.block((0.006, 0.034, 0.15 * t), 'team', (0.047, 0, leg + 0.70 * t), rounding=0.4)
    figure.block((0.004, 0.016, 0.022 * t), 'light', (0.050, 0, leg + 0.43 * t), rounding=0.4)
    figure.block((0.020, 0.050, 0.30 * t), 'dark', (-0.042, 0, leg + 0.62 * t), rounding=0.3)
    figure.block((0.006, 0.034, 0.15 * t), 'team', (-0.060, 0, leg + 0.70 * t), rounding=0.4)
    figure.block(servo[[1, 1, 2]], 'joint', (neck[0] - 0.004, 0, s + 0.018), rounding=0.25)
    figure.geom('cylinder .010', 'metal', ends=(neck[0], 0, s + 0.02, *neck[:2], neck[2]))
    figure.block(
        (0.80 * r, 0.98 * r, 0.78 * r), 'shell', (neck[0], 0, hz), head=True, rounding=0.38
    )
    figure.block(
        (0.20 * r, 0.88 * r, 0.52 * r),
        'joint',
        (neck[0] + 0.66 * r, 0, hz + 0.04 * r),
        head=True,
        rounding=0.35,
    )
    figure.on_head(
        f'cylinder {0.10 * r:.5g} {0.05 * r:.5g}',
        'dark',
        (neck[0] + 0.84 * r, 0, hz + 0.40 * r),
        zaxis='1 0 0',
    )
    figure.block(
        (0.05 * r, 0.30 * r, 0.05 * r),
        'metal',
        (neck[0] + 0.85 * r, 0, hz - 0.34 * r),
        head=True,
        rounding=0.5,
    )


def _plain(figure: Figure) -> None:
    """Draw a mannequin: rounded limbs of one colour, a face that tells where it looks."""
    body, neck = figure.robot.body, figure.robot.head.neck
    hz, r, s = body.head_height, body.head_radius, body.shoulder_height
    t = s - body.hip_height
    for side, label in SIDES:
        j = _limbs(figure.robot, side, thick=0.11 * t)
        _foot(figure, side, label, 0.14 * j.leg, 'shell', 0.6)
        figure.geom(
            f'capsule {0.092 * j.leg:.5g}', 'shell', ends=(*j.ankle, *j.knee), name=f'{label}_shin'
        )
        figure.geom(f'sphere {0.100 * j.leg:.5g}', 'joint', j.knee, name=f'{label}_knee')
        figure.geom(
            f'capsule {0.115 * j.leg:.5g}',
            'shell',
            ends=(*(j.knee + (0, 0, 0.05 * j.leg)), *j.hip),
            name=f'{label}_thigh',
        )
        figure.geom(
            f'capsule {0.10 * t:.5g}', 'joint', ends=(*(j.shoulder * (1, 0.3, 1)), *j.shoulder)
        )
        figure.geom(f'sphere {0.15 * t:.5g}', 'shell', j.shoulder)
        figure.geom(
            f'capsule {0.115 * t:.5g}',
            'shell',
            ends=(*(j.shoulder - (0, 0, 0.08 * t)), *(j.elbow + (0, 0, 0.05 * t))),
        )
        figure.geom(f'sphere {0.115 * t:.5g}', 'joint', j.elbow, name=f'{label}_elbow')
        figure.geom(
            f'capsule {0.100 * t:.5g}',
            'shell',
            ends=(*(j.elbow + 0.1 * (j.hand - j.elbow)), *(j.elbow + 0.8 * (j.hand - j.elbow))),
            name=f'{label}_forearm',
        )
        figure.geom(f'sphere {0.105 * t:.5g}', 'joint', j.hand, name=f'{label}_hand')
        figure.block(
            (0.05 * r, 0.13 * r, 0.13 * r),
            'light',
            (neck[0] + 1.0 * r, 0.32 * side * r, hz + 0.12 * r),
            head=True,
            rounding=1,
        )
    figure.block(
        (0.24 * t, 0.40 * t, 0.20 * t), 'joint', (0, 0, body.hip_height + 0.08 * t), rounding=0.7
    )
    figure.block((0.26 * t, 0.56 * t, 0.40 * t), 'shell', (0, 0, s - 0.22 * t), rounding=0.7)
    figure.block((0.22 * t, 0.40 * t, 0.34 * t), 'shell', (0, 0, s - 0.55 * t), rounding=0.8)
    for x in (-0.185, 0.185):
        figure.block(
            (0.10 * t, 0.36 * t, 0.22 * t), 'team', (x * t, 0, s - 0.20 * t), rounding=0.6
        )
    figure.geom(
        f'capsule {0.10 * t:.5g}', 'joint', ends=(*neck[:2], s + 0.1 * t, *neck[:2], hz - 0.7 * r)
    )
    figure.block((0.92 * r, 0.92 * r, 1.0 * r), 'shell', (neck[0], 0, hz), head=True, rounding=0.9)
    figure.block(
        (0.55 * r, 0.74 * r, 0.40 * r),
        'dark',
        (neck[0] + 0.46 * r, 0, hz + 0.10 * r),
        head=True,
        rounding=0.7,
    )


def _base(figure: Figure) -> None:
    """Draw a round base on two wheels, a plate on posts above it, and the camera."""
    body, camera = figure.robot.body, figure.robot.camera.position
    r, h = body.foot_length / 2, body.height
    x = body.foot_front - r
    top = 0.3 * h
    figure.geom(f'cylinder {r:.5g} {0.45 * (top - 0.02):.5g}', 'dark', (x, 0, 0.5 * top + 0.005))
    figure.geom(f'cylinder {0.97 * r:.5g} {0.03 * h:.5g}', 'shell', (x, 0, top))
    figure.geom(f'cylinder {0.9 * r:.5g} {0.012 * h:.5g}', 'shell', (x, 0, 0.988 * h))
    for side, label in SIDES:
        wheel = 0.09 * h
        figure.geom(
            f'cylinder {wheel:.5g} {0.05 * r:.5g}',
            'joint',
            (x, 0.9 * side * r, wheel),
            name=f'{label}_wheel',
            zaxis='0 1 0',
        )
        for along in (-0.5, 0.5):
            figure.geom(
                f'cylinder {0.03 * r:.5g}',
                'joint',
                ends=(x + along * r, 0.5 * side * r, top, x + along * r, 0.5 * side * r, 0.98 * h),
            )
    figure.geom(f'cylinder {0.3 * r:.5g} {0.01 * h:.5g}', 'team', (x, 0, top + 0.04 * h))
    figure.geom(f'sphere {0.05 * r:.5g}', 'light', (x + 0.9 * r, 0, top))
    figure.block((0.06 * r, 0.25 * r, 0.08 * r), 'dark', camera, head=True, rounding=0.3)
