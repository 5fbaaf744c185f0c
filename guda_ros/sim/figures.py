"""
How robots are drawn: recognisable figures of primitives, in the measures of their profiles.

A figure is drawn in base_link. What the head carries is in a body of its own at the neck, so that
turning that body (`head_quaternion`) turns head and cameras. Nothing here collides or has mass.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from guda_ros.soccer.robot import CameraMount, RobotProfile

#: Group of the geoms of the robot, and of those that its own cameras leave out: they sit inside.
BODY_GROUP, HEAD_GROUP = 1, 2
#: What all drawn geoms have.
DRAWN = 'contype="0" conaffinity="0" mass="0"'
#: How far each limb swings while walking and how far it lifts, in heights of the neck; negative
#: against its leg. Limbs are geoms named left_ or right_ with one of these names, and a number
#: after a dot where a limb has several.
SWING = {'sole': (.048, .039), 'foot': (.048, .039), 'shin': (.035, .035), 'knee': (.028, .035),
         'thigh': (.013, .013), 'elbow': (-.013, 0), 'forearm': (-.026, 0), 'hand': (-.035, 0)}

#: Colour, specular, shininess and emission of each style's materials; they are `STYLE_PART`.
MATERIALS = {
    'nao': {'shell': ((.93, .93, .94), .35, .6, 0), 'joint': ((.34, .36, .39), .2, .4, 0),
            'dark': ((.10, .11, .13), .4, .6, 0), 'team': ((.10, .33, .72), .4, .6, 0),
            'light': ((.35, .80, .95), 0, 0, .5)},
    'booster': {'shell': ((.80, .81, .83), .3, .5, 0), 'joint': ((.24, .25, .27), .25, .5, 0),
                'dark': ((.07, .07, .08), .7, .8, 0), 'team': ((.10, .33, .72), .3, .5, 0),
                'light': ((.45, .90, .95), 0, 0, .6)},
    'op3': {'shell': ((.86, .87, .88), .3, .5, 0), 'joint': ((.16, .16, .18), .25, .4, 0),
            'dark': ((.06, .06, .07), .4, .6, 0), 'metal': ((.62, .64, .67), .6, .6, 0),
            'team': ((.10, .33, .72), .3, .5, 0), 'light': ((.95, .35, .25), 0, 0, .5)},
    'plain': {'shell': ((.58, .68, .74), .25, .5, 0), 'joint': ((.30, .36, .41), .2, .4, 0),
              'dark': ((.12, .14, .16), .4, .6, 0), 'team': ((.10, .33, .72), .3, .5, 0),
              'light': ((.95, .97, 1.0), 0, 0, .4)},
}


def materials() -> str:
    """Return the materials of all styles, as MJCF."""
    return '\n    '.join(
        f'<material name="{style}_{part}" rgba="{text(colour)} 1" specular="{specular}" '
        f'shininess="{shininess}" emission="{emission}"/>'
        for style, parts in MATERIALS.items()
        for part, (colour, specular, shininess, emission) in parts.items())


def head_quaternion(pan: float, tilt: float) -> np.ndarray:
    """Return the quaternion (4,) of the body `head` at pan (left) and tilt (down) [rad]."""
    (cp, ct), (sp, st) = np.cos([pan / 2, tilt / 2]), np.sin([pan / 2, tilt / 2])
    return np.array([cp * ct, -sp * st, cp * st, sp * ct])


def text(numbers) -> str:
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

    def geom(self, shape: str, part: str, at=None, ends=None, name: str = '',
             **attributes) -> None:
        """
        Add a geom.

        :param shape: kind and sizes, such as `sphere .02`.
        :param part: of the style's materials.
        :param at: (3,) in base_link [m].
        :param ends: (6,) of a capsule or cylinder, instead of `at`.
        """
        kind, _, sizes = shape.partition(' ')
        where = f'pos="{text(at)}"' if ends is None else f'fromto="{text(ends)}"'
        self._add(self.body, BODY_GROUP, f'type="{kind}" size="{sizes}"', part, where, name,
                  attributes)

    def on_head(self, shape: str, part: str, at, **attributes) -> None:
        """Add a geom to the head, at a place (3,) in base_link when pan and tilt are zero."""
        kind, _, sizes = shape.partition(' ')
        self._add(self.head, HEAD_GROUP, f'type="{kind}" size="{sizes}"', part,
                  f'pos="{text(np.subtract(at, self.robot.head.neck))}"', '', attributes)

    def block(self, half, part: str, at, name: str = '', rounding: float = 0.35,
              head: bool = False, **attributes) -> None:
        """Add a block with rounded edges: half sizes (3,), rounding 0 (box) to 1 (ellipsoid)."""
        key = (*np.round(half, 5), rounding)
        if key not in self._meshes:
            self._meshes[key] = f'{self.robot.name}_{len(self._meshes)}'
            self.assets.append(
                f'<mesh name="{self._meshes[key]}" builtin="supersphere" '
                f'params="14 {rounding} {rounding}" scale="{text(half)}"/>')
        place = np.subtract(at, self.robot.head.neck) if head else at
        self._add(self.head if head else self.body, HEAD_GROUP if head else BODY_GROUP,
                  f'type="mesh" mesh="{self._meshes[key]}"', part, f'pos="{text(place)}"', name,
                  attributes)

    def beam(self, start, end, half, part: str, name: str = '', rounding: float = 0.35) -> None:
        """Add a block between two points (3,): half sizes (x, y); its side stays to the left."""
        along = np.subtract(end, start)
        pitch, roll = np.arctan2(along[0], along[2]), -np.arcsin(along[1] / np.linalg.norm(along))
        self.block((*half, np.linalg.norm(along) / 2), part, np.add(start, end) / 2, name,
                   rounding, euler=f'{roll:.6g} {pitch:.6g} 0')

    def _add(self, parts, group, shape, part, where, name, attributes) -> None:
        named = f'name="{name}" ' if name else ''
        more = ' '.join(f'{key}="{value}"' for key, value in attributes.items())
        parts.append(f'<geom {named}{DRAWN} group="{group}" {shape} {where} '
                     f'material="{self.robot.style}_{part}" {more}/>')

    @property
    def fragment(self) -> str:
        """What is drawn in the robot's body, the body `head` with its cameras included."""
        robot = self.robot
        cameras = [_camera('head', robot.camera, robot)]
        if robot.lower_camera is not None:
            cameras.append(_camera('lower', robot.lower_camera, robot))
        inside = '\n        '.join([*cameras, *self.head])
        return '\n      '.join([
            *self.body,
            f'<body name="head" pos="{text(robot.head.neck)}">\n        {inside}\n      </body>'])


def draw(robot: RobotProfile) -> Figure:
    """Return the figure of a robot in its style."""
    figure = Figure(robot)
    {'nao': _nao, 'booster': _booster, 'op3': _op3, 'plain': _plain}[robot.style](figure)
    return figure


def bare(robot: RobotProfile) -> str:
    """Return the head of a robot that is not drawn: both models have as many bodies."""
    return f'<body pos="{text(robot.head.neck)}"/>'


def _camera(name: str, mount: CameraMount, robot: RobotProfile) -> str:
    return (f'<camera name="{name}" fovy="{np.degrees(mount.vertical_fov):.9g}" '
            f'pos="{" ".join(f"{v:.9g}" for v in np.subtract(mount.position, robot.head.neck))}" '
            f'xyaxes="0 -1 0 {np.sin(mount.pitch)} 0 {np.cos(mount.pitch)}"/>')


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


def _limbs(robot: RobotProfile, side: int, bend: float = 0.09, ankle: float = 0.18,
           arm: float = 0.62, reach: float = 0.35, thick: float = 0.0) -> _Limbs:
    """Return the joints: bend of the knees in legs, height of the ankles, length of the arms."""
    body = robot.body
    y, leg, trunk = side * body.stance_width / 2, body.hip_height, \
        body.shoulder_height - body.hip_height
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
        leg=leg, trunk=trunk)


SIDES = ((1, 'left'), (-1, 'right'))


def _foot(figure: Figure, side: int, label: str, top: float, part: str, rounding: float) -> None:
    """Draw a sole and a foot of the profile's size, `top` [m] high."""
    body = figure.robot.body
    x, y = body.foot_front - body.foot_length / 2, side * body.stance_width / 2
    figure.geom(f'box {body.foot_length * .49:.5g} {body.foot_width * .47:.5g} .006', 'dark',
                (x, y, .008), name=f'{label}_sole')
    figure.block((body.foot_length * .495, body.foot_width * .49, top / 2), part,
                 (x, y, .010 + top / 2), f'{label}_foot', rounding)


def _nao(figure: Figure) -> None:
    """White rounded shells, grey joints, large round ears and eyes, a lit chest button."""
    body = figure.robot.body
    hz, r, s = body.head_height, body.head_radius, body.shoulder_height
    t = s - body.hip_height
    for side, label in SIDES:
        j = _limbs(figure.robot, side, thick=.115 * t)
        _foot(figure, side, label, .19 * j.leg, 'shell', .6)
        figure.geom(f'sphere {.095 * j.leg:.5g}', 'joint', j.ankle + (0, 0, .01 * j.leg),
                    name=f'{label}_foot.1')
        figure.beam(j.ankle + (0, 0, .03 * j.leg), j.knee - (0, 0, .02 * j.leg),
                    (.120 * j.leg, .112 * j.leg), 'shell', f'{label}_shin', .6)
        figure.geom(f'cylinder {.098 * j.leg:.5g} {.100 * j.leg:.5g}', 'joint', j.knee,
                    name=f'{label}_knee', zaxis='0 1 0')
        figure.beam(j.knee + (0, 0, .01 * j.leg), j.hip + (0, 0, .02 * j.leg),
                    (.150 * j.leg, .130 * j.leg), 'shell', f'{label}_thigh', .6)
        figure.geom(f'cylinder {.115 * j.leg:.5g} {.045 * j.leg:.5g}', 'joint',
                    j.hip + (0, side * .10 * j.leg, .03 * j.leg), zaxis='0 1 0')
        figure.geom(f'sphere {.165 * t:.5g}', 'joint', j.shoulder * (1, .86, 1))
        figure.block((.185 * t, .13 * t, .19 * t), 'shell', j.shoulder + (0, 0, .02 * t),
                     rounding=.75)
        figure.beam(j.shoulder - (0, 0, .06 * t), j.elbow, (.125 * t, .115 * t), 'shell',
                    rounding=.7)
        figure.geom(f'sphere {.112 * t:.5g}', 'joint', j.elbow, name=f'{label}_elbow')
        wrist = j.elbow + .90 * (j.hand - j.elbow)
        figure.beam(j.elbow + .05 * (j.hand - j.elbow), wrist, (.112 * t, .105 * t), 'shell',
                    f'{label}_forearm', .7)
        figure.block((.10 * t, .075 * t, .085 * t), 'team', j.hand, f'{label}_hand', .8)
        # the head's sides
        figure.on_head(f'cylinder {.53 * r:.5g} {.16 * r:.5g}', 'joint', (-.03 * r, side * r, hz),
                       zaxis='0 1 0')
        figure.on_head(f'cylinder {.38 * r:.5g} {.20 * r:.5g}', 'team', (-.03 * r, side * r, hz),
                       zaxis='0 1 0')
        figure.on_head(f'cylinder {.15 * r:.5g} {.22 * r:.5g}', 'dark', (-.03 * r, side * r, hz),
                       zaxis='0 1 0')
        gaze = f'1 {.42 * side} .05'
        for size, out, part in ((.27, .845, 'dark'), (.22, .86, 'light'), (.10, .875, 'dark')):
            figure.on_head(f'cylinder {size * r:.5g} {.03 * r:.5g}', part,
                           (out * r, .40 * side * r, hz + .06 * r), zaxis=gaze)
    figure.block((.25 * t, .36 * t, .20 * t), 'joint', (-.01 * t, 0, body.hip_height + .10 * t),
                 rounding=.7)
    figure.block((.24 * t, .33 * t, .28 * t), 'shell', (0, 0, body.hip_height + .34 * t),
                 rounding=.7)
    figure.block((.29 * t, .44 * t, .42 * t), 'shell', (0, 0, s - .20 * t), rounding=.65)
    figure.block((.16 * t, .33 * t, .26 * t), 'team', (.155 * t, 0, s - .20 * t), rounding=.6)
    figure.block((.15 * t, .34 * t, .32 * t), 'team', (-.17 * t, 0, s - .22 * t), rounding=.6)
    figure.geom(f'cylinder {.085 * t:.5g} {.02 * t:.5g}', 'shell', (.315 * t, 0, s - .19 * t),
                zaxis='1 0 0')
    figure.geom(f'cylinder {.060 * t:.5g} {.03 * t:.5g}', 'light', (.315 * t, 0, s - .19 * t),
                zaxis='1 0 0')
    figure.geom(f'capsule {.12 * t:.5g}', 'dark', ends=(0, 0, s + .05 * t, 0, 0, hz - .7 * r))
    figure.block((.97 * r, 1.02 * r, .95 * r), 'shell', (0, 0, hz), head=True, rounding=.9)
    figure.block((.55 * r, .62 * r, .28 * r), 'joint', (.26 * r, 0, hz - .70 * r), head=True,
                 rounding=.8)
    for x in (-.22, .02, .26):
        figure.block((.085 * r, .19 * r, .05 * r), 'joint',
                     (x * r, 0, hz + (.955 - .35 * x * x) * r), head=True, rounding=.6)
    figure.on_head(f'sphere {.12 * r:.5g}', 'dark', (.83 * r, 0, hz + .46 * r))
    figure.on_head(f'sphere {.11 * r:.5g}', 'dark', (.82 * r, 0, hz - .46 * r))


def _booster(figure: Figure) -> None:
    """Slim grey frame with drum-like actuators, straight limbs, a glossy visor on a thin neck."""
    body, neck = figure.robot.body, figure.robot.head.neck
    hz, r, s = body.head_height, body.head_radius, body.shoulder_height
    x, t = .5 * neck[0], s - body.hip_height
    for side, label in SIDES:
        j = _limbs(figure.robot, side, bend=.06, ankle=.076, arm=.66, reach=.42, thick=.10 * t)
        _foot(figure, side, label, .055 * j.leg, 'joint', .35)
        figure.block((.045 * j.leg, .040 * j.leg, .045 * j.leg), 'joint', j.ankle,
                     f'{label}_foot.1', .5)
        figure.beam(j.ankle, j.knee, (.055 * j.leg, .052 * j.leg), 'joint', f'{label}_shin', .35)
        calf = j.ankle + .62 * (j.knee - j.ankle)
        figure.beam(j.ankle + .30 * (j.knee - j.ankle), j.ankle + .95 * (j.knee - j.ankle),
                    (.088 * j.leg, .078 * j.leg), 'shell', f'{label}_shin.1', .6)
        figure.geom(f'box {.012 * j.leg:.5g} {.03 * j.leg:.5g} {.10 * j.leg:.5g}', 'joint',
                    calf + (.082 * j.leg, 0, 0), name=f'{label}_shin.2')
        figure.geom(f'cylinder {.090 * j.leg:.5g} {.094 * j.leg:.5g}', 'joint', j.knee,
                    name=f'{label}_knee', zaxis='0 1 0')
        figure.geom(f'cylinder {.060 * j.leg:.5g} {.099 * j.leg:.5g}', 'shell', j.knee,
                    name=f'{label}_knee.1', zaxis='0 1 0')
        figure.beam(j.knee + (0, 0, .06 * j.leg), j.hip - (0, 0, .04 * j.leg),
                    (.098 * j.leg, .088 * j.leg), 'shell', f'{label}_thigh', .5)
        figure.geom(f'cylinder {.105 * j.leg:.5g} {.085 * j.leg:.5g}', 'joint', j.hip,
                    zaxis='0 1 0')
        figure.geom(f'cylinder {.070 * j.leg:.5g} {.092 * j.leg:.5g}', 'shell', j.hip,
                    zaxis='0 1 0')
        figure.geom(f'cylinder {.15 * t:.5g} {.17 * t:.5g}', 'joint', j.shoulder * (1, .74, 1)
                    + (x, 0, 0), zaxis='0 1 0')
        figure.block((.155 * t, .10 * t, .165 * t), 'shell', j.shoulder + (x, 0, 0), rounding=.6)
        down = j.elbow + (x, 0, 0)
        figure.beam(j.shoulder + (x, 0, -.10 * t), down, (.085 * t, .082 * t), 'shell',
                    rounding=.5)
        figure.geom(f'cylinder {.100 * t:.5g} {.090 * t:.5g}', 'joint', down,
                    name=f'{label}_elbow', zaxis='0 1 0')
        hand = j.hand + (x, 0, 0)
        figure.beam(down, down + .9 * (hand - down), (.072 * t, .070 * t), 'shell',
                    f'{label}_forearm', .5)
        figure.geom(f'sphere {.088 * t:.5g}', 'dark', hand, name=f'{label}_hand')
        figure.on_head(f'cylinder {.42 * r:.5g} {.10 * r:.5g}', 'joint',
                       (neck[0] + .10 * r, .86 * side * r, hz), zaxis='0 1 0')
        figure.on_head(f'cylinder {.25 * r:.5g} {.13 * r:.5g}', 'shell',
                       (neck[0] + .10 * r, .86 * side * r, hz), zaxis='0 1 0')
        figure.block((.06 * r, .16 * r, .10 * r), 'light',
                     (neck[0] + 1.06 * r, .36 * side * r, hz + .05 * r), head=True, rounding=.9,
                     euler=f'0 0 {.34 * side}')
    figure.block((.20 * t, .26 * t, .12 * t), 'joint', (0, 0, body.hip_height + .05 * t),
                 rounding=.4)
    figure.geom(f'cylinder {.15 * t:.5g} {.09 * t:.5g}', 'dark',
                (x, 0, body.hip_height + .22 * t))
    figure.block((.23 * t, .30 * t, .40 * t), 'shell', (x, 0, s - .26 * t), rounding=.32)
    figure.block((.06 * t, .22 * t, .25 * t), 'team', (x + .20 * t, 0, s - .20 * t), rounding=.3)
    figure.block((.10 * t, .25 * t, .33 * t), 'joint', (x - .19 * t, 0, s - .27 * t), rounding=.3)
    figure.block((.05 * t, .20 * t, .20 * t), 'team', (x - .26 * t, 0, s - .22 * t), rounding=.3)
    figure.block((.03 * t, .09 * t, .018 * t), 'light', (x + .235 * t, 0, s - .54 * t),
                 rounding=.4)
    figure.geom(f'cylinder {.08 * t:.5g}', 'dark', ends=(neck[0], 0, s + .08 * t, *neck[:2],
                                                        hz - .65 * r))
    figure.geom(f'cylinder {.115 * t:.5g} {.02 * t:.5g}', 'joint', (neck[0], 0, s + .14 * t))
    figure.block((.98 * r, .90 * r, .98 * r), 'shell', (neck[0], 0, hz), head=True, rounding=.8)
    figure.block((.62 * r, .84 * r, .60 * r), 'dark', (neck[0] + .47 * r, 0, hz + .06 * r),
                 head=True, rounding=.6)
    figure.block((.10 * r, .40 * r, .11 * r), 'joint', (neck[0] + .88 * r, 0, hz + .56 * r),
                 head=True, rounding=.4)
    for y in (-.2, .2):
        figure.on_head(f'cylinder {.065 * r:.5g} {.03 * r:.5g}', 'dark',
                       (neck[0] + .98 * r, y * r, hz + .56 * r), zaxis='1 0 0')


def _op3(figure: Figure) -> None:
    """Servo boxes in metal brackets, a light chest cover, a square head with two large eyes."""
    body, neck = figure.robot.body, figure.robot.head.neck
    hz, r, s = body.head_height, body.head_radius, body.shoulder_height
    t, leg = s - body.hip_height, body.hip_height
    servo = np.array((.0233, .0143, .0170))     # half of 46.5 x 28.5 x 34 mm (XM430)
    for side, label in SIDES:
        j = _limbs(figure.robot, side, bend=.14, ankle=.15, arm=.72, reach=.55, thick=.022)
        _foot(figure, side, label, .012, 'metal', .25)
        figure.block(servo, 'joint', j.ankle + (-.004, 0, .006), f'{label}_foot.1', .25)
        figure.block(servo[[2, 0, 1]] * (1, .75, 1), 'joint', j.ankle + (0, 0, .026),
                     f'{label}_foot.2', .25)
        for y in (-.021, .021):
            figure.beam(j.ankle + (0, y, .016), j.knee + (0, y, 0), (.0105, .0022), 'metal',
                        f'{label}_shin{".1" if y > 0 else ""}', .25)
            figure.beam(j.knee + (0, y, 0), j.hip + (0, y, -.008), (.0105, .0022), 'metal',
                        f'{label}_thigh{".1" if y > 0 else ""}', .25)
        figure.beam(j.ankle + .42 * (j.knee - j.ankle), j.ankle + .98 * (j.knee - j.ankle),
                    (.0165, .0165), 'joint', f'{label}_shin.2', .25)
        figure.geom('cylinder .0125 .0255', 'joint', j.knee, name=f'{label}_knee', zaxis='0 1 0')
        figure.geom('cylinder .0060 .0268', 'metal', j.knee, name=f'{label}_knee.1',
                    zaxis='0 1 0')
        figure.beam(j.knee + .10 * (j.hip - j.knee), j.knee + .72 * (j.hip - j.knee),
                    (.0190, .0190), 'shell', f'{label}_thigh.2', .3)
        figure.block((.0200, .0205, .0190), 'joint', j.hip + (.004, 0, -.012),
                     f'{label}_thigh.3', .3)
        figure.block(servo[[2, 0, 1]], 'joint', j.hip + (0, 0, .006), rounding=.25)
        figure.block(servo[[0, 1, 2]], 'joint', j.hip + (-.006, -side * .008, .024),
                     rounding=.25)
        figure.geom('cylinder .0110 .0260', 'metal', j.hip, zaxis='0 1 0')
        figure.block(servo[[2, 0, 1]], 'joint', j.shoulder * (1, .64, 1), rounding=.25)
        figure.block(servo[[0, 1, 2]] * (.8, 1, 1), 'joint', j.shoulder * (1, .95, 1),
                     rounding=.25)
        figure.block((.021, .0175, .014), 'shell', j.shoulder * (1, .97, 1) + (0, 0, .012),
                     rounding=.5)
        figure.beam(j.shoulder + (0, 0, -.012), j.elbow, (.0125, .0135), 'metal', rounding=.25)
        figure.block(servo[[1, 1, 0]], 'joint', j.elbow + (0, 0, .012), f'{label}_elbow', .25)
        figure.beam(j.elbow, j.elbow + .75 * (j.hand - j.elbow), (.0125, .0135), 'shell',
                    f'{label}_forearm', .35)
        figure.block((.0125, .0085, .0125), 'dark', j.hand, f'{label}_hand', .4)
        gaze = '1 0 .0'
        for size, out, part in ((.36, .84, 'metal'), (.30, .87, 'dark'), (.19, .89, 'light'),
                                (.09, .91, 'dark')):
            figure.on_head(f'cylinder {size * r:.5g} {.03 * r:.5g}', part,
                           (neck[0] + out * r, .45 * side * r, hz + .06 * r), zaxis=gaze)
        figure.on_head(f'cylinder {.34 * r:.5g} {.06 * r:.5g}', 'joint',
                       (neck[0] - .02 * r, 1.0 * side * r, hz), zaxis='0 1 0')
    figure.block((.030, .062, .020), 'joint', (-.006, 0, leg + .26 * t), rounding=.25)
    figure.block((.040, .056, .40 * t), 'joint', (-.010, 0, leg + .60 * t), rounding=.25)
    figure.block((.026, .056, .34 * t), 'shell', (.024, 0, leg + .66 * t), rounding=.4)
    figure.block((.006, .034, .15 * t), 'team', (.047, 0, leg + .70 * t), rounding=.4)
    figure.block((.004, .016, .022 * t), 'light', (.050, 0, leg + .43 * t), rounding=.4)
    figure.block((.020, .050, .30 * t), 'dark', (-.042, 0, leg + .62 * t), rounding=.3)
    figure.block((.006, .034, .15 * t), 'team', (-.060, 0, leg + .70 * t), rounding=.4)
    figure.block(servo[[1, 1, 2]], 'joint', (neck[0] - .004, 0, s + .018), rounding=.25)
    figure.geom('cylinder .010', 'metal', ends=(neck[0], 0, s + .02, *neck[:2], neck[2]))
    figure.block((.80 * r, .98 * r, .78 * r), 'shell', (neck[0], 0, hz), head=True, rounding=.38)
    figure.block((.20 * r, .88 * r, .52 * r), 'joint', (neck[0] + .66 * r, 0, hz + .04 * r),
                 head=True, rounding=.35)
    figure.on_head(f'cylinder {.10 * r:.5g} {.05 * r:.5g}', 'dark',
                   (neck[0] + .84 * r, 0, hz + .40 * r), zaxis='1 0 0')
    figure.block((.05 * r, .30 * r, .05 * r), 'metal', (neck[0] + .85 * r, 0, hz - .34 * r),
                 head=True, rounding=.5)


def _plain(figure: Figure) -> None:
    """Draw a mannequin: rounded limbs of one colour, a face that tells where it looks."""
    body, neck = figure.robot.body, figure.robot.head.neck
    hz, r, s = body.head_height, body.head_radius, body.shoulder_height
    t = s - body.hip_height
    for side, label in SIDES:
        j = _limbs(figure.robot, side, thick=.11 * t)
        _foot(figure, side, label, .14 * j.leg, 'shell', .6)
        figure.geom(f'capsule {.092 * j.leg:.5g}', 'shell', ends=(*j.ankle, *j.knee),
                    name=f'{label}_shin')
        figure.geom(f'sphere {.100 * j.leg:.5g}', 'joint', j.knee, name=f'{label}_knee')
        figure.geom(f'capsule {.115 * j.leg:.5g}', 'shell',
                    ends=(*(j.knee + (0, 0, .05 * j.leg)), *j.hip), name=f'{label}_thigh')
        figure.geom(f'capsule {.10 * t:.5g}', 'joint',
                    ends=(*(j.shoulder * (1, .3, 1)), *j.shoulder))
        figure.geom(f'sphere {.15 * t:.5g}', 'shell', j.shoulder)
        figure.geom(f'capsule {.115 * t:.5g}', 'shell',
                    ends=(*(j.shoulder - (0, 0, .08 * t)), *(j.elbow + (0, 0, .05 * t))))
        figure.geom(f'sphere {.115 * t:.5g}', 'joint', j.elbow, name=f'{label}_elbow')
        figure.geom(f'capsule {.100 * t:.5g}', 'shell',
                    ends=(*(j.elbow + .1 * (j.hand - j.elbow)),
                          *(j.elbow + .8 * (j.hand - j.elbow))), name=f'{label}_forearm')
        figure.geom(f'sphere {.105 * t:.5g}', 'joint', j.hand, name=f'{label}_hand')
        figure.block((.05 * r, .13 * r, .13 * r), 'light',
                     (neck[0] + 1.0 * r, .32 * side * r, hz + .12 * r), head=True, rounding=1)
    figure.block((.24 * t, .40 * t, .20 * t), 'joint', (0, 0, body.hip_height + .08 * t),
                 rounding=.7)
    figure.block((.26 * t, .56 * t, .40 * t), 'shell', (0, 0, s - .22 * t), rounding=.7)
    figure.block((.22 * t, .40 * t, .34 * t), 'shell', (0, 0, s - .55 * t), rounding=.8)
    for x in (-.185, .185):
        figure.block((.10 * t, .36 * t, .22 * t), 'team', (x * t, 0, s - .20 * t), rounding=.6)
    figure.geom(f'capsule {.10 * t:.5g}', 'joint', ends=(*neck[:2], s + .1 * t, *neck[:2],
                                                        hz - .7 * r))
    figure.block((.92 * r, .92 * r, 1.0 * r), 'shell', (neck[0], 0, hz), head=True, rounding=.9)
    figure.block((.55 * r, .74 * r, .40 * r), 'dark', (neck[0] + .46 * r, 0, hz + .10 * r),
                 head=True, rounding=.7)
