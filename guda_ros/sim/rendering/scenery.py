"""
What is only drawn: carpet, lines, nets, the robot's figure, lights and cameras.

Nothing here collides or has mass. Geom groups: 0 field, 1 robot and ball, 2 the robot's head,
which its own cameras leave out, 4 what collides and is never drawn.

What a randomisation may change in a model, by name: the lights LIGHTS (diffuse, dir) and
model.vis.headlight, the colour of the materials MATERIALS, and the carpet's texture, by giving the
geom `carpet` another material of CARPETS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guda_ros.sim.rendering import figures
from guda_ros.sim.rendering.figures import bare, HEAD_GROUP, head_quaternion, SWING
from guda_ros.sim.rendering.figures import DRAWN as _DRAWN
from guda_ros.sim.rendering.figures import text as _text
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import RobotProfile

__all__ = (
    'CARPETS',
    'HEAD_GROUP',
    'LIGHTS',
    'MATERIALS',
    'STEP_FREQUENCY',
    'SWING',
    'Scenery',
    'bare',
    'build',
    'head_quaternion',
    'look_at',
)

#: Names of the lights: one from above, one from the side.
LIGHTS = ('sun', 'fill')
#: Materials of the carpet: as the field says, smooth, worn and striped by its mower or its seams.
CARPETS = ('carpet', 'carpet_smooth', 'carpet_worn', 'carpet_striped')
#: Materials of the field whose colour may vary; those of robots are named STYLE_PART.
MATERIALS = (*CARPETS, 'line', 'net', 'goal', 'board', 'hall')
#: Steps of one foot per second, as drawn.
STEP_FREQUENCY = 1.6
#: Height above the carpet at which lines are drawn [m], enough to be told from it at any distance.
_LINE_HEIGHT = 0.002


@dataclass(frozen=True)
class Scenery:
    """MJCF fragments by the place where they belong."""

    header: str = ''
    world: str = ''
    robot: str = ''
    ball: str = ''


def build(robot: RobotProfile, field: Field, others: Sequence[RobotProfile] = ()) -> Scenery:
    """
    Return the scenery of a robot on a field.

    :param others: more robots, whose assets the header then has, too.
    """
    figure = figures.draw(robot)
    drawn = {robot.name: figure.assets}
    for other in others:
        drawn.setdefault(other.name, figures.draw(other).assets)
    return Scenery(
        header=_header(field, [line for lines in drawn.values() for line in lines]),
        world=_world(field),
        robot=_robot(robot, figure.fragment),
        ball=_ball(field),
    )


def _header(field: Field, assets: list[str]) -> str:
    looks = field.looks
    mottled = np.clip(np.add(looks.carpet, (0.03, 0.04, 0.03)), 0, 1)
    worn = np.clip(np.multiply(looks.carpet, 1.45) + 0.02, 0, 1)
    stripe = np.multiply(looks.carpet, 0.82)
    meshes = '\n    '.join(assets)
    return f"""<statistic extent="1" center="0 0 0"/>
  <visual>
    <headlight ambient=".38 .38 .38" diffuse=".12 .12 .12" specular="0 0 0"/>
    <map znear=".02" zfar="80"/>
    <quality shadowsize="0" numslices="20" numstacks="12"/>
  </visual>
  <asset>
    <texture name="sky" type="skybox" builtin="gradient" rgb1=".50 .68 .88" rgb2=".93 .95 .97"
      width="128" height="768"/>
    <texture name="carpet" type="2d" builtin="flat" mark="random" random=".3"
      width="256" height="256" rgb1="{_text(looks.carpet)}" markrgb="{_text(mottled)}"/>
    <texture name="carpet_smooth" type="2d" builtin="flat" width="8" height="8"
      rgb1="{_text(looks.carpet)}"/>
    <texture name="carpet_worn" type="2d" builtin="flat" mark="random" random=".12"
      width="256" height="256" rgb1="{_text(looks.carpet)}" markrgb="{_text(worn)}"/>
    <texture name="carpet_striped" type="2d" builtin="checker" width="8" height="2"
      rgb1="{_text(looks.carpet)}" rgb2="{_text(stripe)}"/>
    <material name="carpet" texture="carpet" texrepeat="1.5 1.5" texuniform="true" specular="0"/>
    <material name="carpet_smooth" texture="carpet_smooth" texuniform="true" specular="0"/>
    <material name="carpet_worn" texture="carpet_worn" texrepeat=".5 .5" texuniform="true"
      specular="0"/>
    <material name="carpet_striped" texture="carpet_striped" texrepeat=".5 .01"
      texuniform="true" specular="0"/>
    <material name="hall" rgba=".74 .76 .78 1" specular="0"/>
    <material name="board" rgba="{_text(looks.boards)} 1" specular=".1"/>
    <material name="line" rgba="{_text(looks.lines)} 1" specular="0" emission=".1"/>
    <material name="net" rgba=".86 .88 .90 1" specular="0" emission=".1"/>
    <material name="goal" rgba="{_text(looks.goal)} 1"/>
    {figures.materials()}
    {meshes}
    <mesh name="lines" inertia="shell" {mesh_attributes(*field_lines(field))}/>
    <mesh name="net" inertia="shell" {mesh_attributes(*goal_net(field))}/>
  </asset>"""


def _world(field: Field) -> str:
    x, y = field.length / 2 + field.border, field.width / 2 + field.border
    radius = field.post_radius
    line, depth = field.length / 2, field.goal_depth
    half = field.goal_width / 2 + radius
    board, thick = 0.06, 0.02
    parts = [
        f'<geom name="carpet" {_DRAWN} type="plane" size="{x} {y} 1" material="carpet"/>',
        f'<geom name="hall" {_DRAWN} type="plane" size="40 40 1" pos="0 0 -.02" material="hall"/>',
        f'<geom name="lines" {_DRAWN} type="mesh" mesh="lines" material="line"/>',
    ]
    for side in (-1, 1):
        parts += [
            f'<geom {_DRAWN} type="box" size="{thick} {y + 2 * thick} {board}" '
            f'pos="{side * (x + thick)} 0 {board - 0.02}" material="board"/>',
            f'<geom {_DRAWN} type="box" size="{x} {thick} {board}" '
            f'pos="0 {side * (y + thick)} {board - 0.02}" material="board"/>',
        ]
    for side in field.goal_sides:
        parts += [
            f'<geom {_DRAWN} type="mesh" mesh="net" material="net" '
            f'euler="0 0 {0 if side > 0 else np.pi}"/>',
            f'<geom {_DRAWN} type="capsule" size="{radius / 2}" material="line" '
            f'fromto="{side * (line + depth)} {-half} {radius / 2} '
            f'{side * (line + depth)} {half} {radius / 2}"/>',
            *(
                f'<geom {_DRAWN} type="capsule" size="{radius / 2}" material="line" '
                f'fromto="{side * line} {edge} {radius / 2} '
                f'{side * (line + depth)} {edge} {radius / 2}"/>'
                for edge in (-half, half)
            ),
        ]
    eye = np.array([0.25 * field.length, -1.05 * field.width, 0.68 * field.width])
    target = np.array([0.29 * field.length, -0.12 * field.width, 0.0])
    parts += [
        '<light name="sun" directional="true" pos="0 0 8" dir=".25 .35 -1" diffuse=".62 .62 .60" '
        'specular=".25 .25 .25" castshadow="false"/>',
        '<light name="fill" directional="true" pos="0 0 8" dir="-.5 -.3 -.6" '
        'diffuse=".30 .31 .34" specular="0 0 0" castshadow="false"/>',
        f'<camera name="overview" fovy="38" {_look(eye, target)}/>',
    ]
    return '\n    '.join(parts)


def look_at(eye: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the axes to the right, level, and up (3,) of a camera that looks at a target."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return right, np.cross(right, forward)


def _look(eye: np.ndarray, target: np.ndarray) -> str:
    right, up = look_at(eye, target)
    return f'pos="{_text(eye)}" xyaxes="{_text(right)} {_text(up)}"'


def _robot(robot: RobotProfile, figure: str) -> str:
    body, scale = robot.body, robot.body.height / 0.574
    front = body.foot_front
    parts = [
        f'<camera name="{name}" fovy="{fov}" '
        f'{_look(scale * np.array(eye), scale * np.array(target))}/>'
        for name, fov, eye, target in (
            ('follow', 52, (-1.25, 0.6, 1.0), (0.8, -0.05, 0.1)),
            ('portrait', 40, (1.0, -0.85, 0.55), (0.06, 0.0, 0.25)),
        )
    ]
    # Real shadows cost more than all else, so one is painted: discs that darken the carpet step by
    # step.
    parts += [
        f'<geom {_DRAWN} type="ellipsoid" group="{HEAD_GROUP}" rgba="0 .05 0 .09" '
        f'size="{0.62 * grow * body.foot_length} {0.72 * grow * body.stance_width * 2} .0005" '
        f'pos="{front - 0.5 * body.foot_length} 0 {_LINE_HEIGHT + 0.0006 * layer}"/>'
        for layer, grow in enumerate((1.3, 1.2, 1.1, 1.0, 0.9, 0.8), 1)
    ]
    return '\n      '.join([*parts, figure])


def _ball(field: Field) -> str:
    """Twelve darker patches, the caps of smaller spheres that look out of the ball."""
    radius = field.ball.radius
    colour = _text(
        0.35 * np.array(field.ball.colour) if field.ball.patches is None else field.ball.patches
    )
    golden = (1 + 5**0.5) / 2
    corners = [
        np.roll((0, a, b * golden), shift) for shift in range(3) for a in (-1, 1) for b in (-1, 1)
    ]
    cap = 0.6 * radius
    return '\n      '.join(
        f'<geom {_DRAWN} type="sphere" group="1" size="{cap}" rgba="{colour} 1" '
        f'pos="{_text(corner / np.linalg.norm(corner) * (radius * 1.012 - cap))}"/>'
        for corner in corners
    )


def field_lines(field: Field) -> tuple[list, list]:
    """
    Return vertices and triangles of all lines.

    Outer lines and areas end at the field's lengths: the outer edge of the goal line is where the
    goal begins.
    """
    width = field.line_width
    x, y = field.length / 2, field.width / 2
    middle = field.halfway_line
    rectangles = []

    def outline(x0: float, x1: float, y0: float, y1: float) -> None:
        rectangles.extend(
            [
                (x0, x0 + width, y0, y1),
                (x1 - width, x1, y0, y1),
                (x0, x1, y0, y0 + width),
                (x0, x1, y1 - width, y1),
            ]
        )

    outline(-x, x, -y, y)
    if middle > -x:
        rectangles += [
            (middle - width / 2, middle + width / 2, -y, y),
            (middle - 0.1, middle + 0.1, -width / 2, width / 2),
        ]
    for side in field.goal_sides:
        for depth, across in (field.penalty_area, field.goal_area):
            if depth > 0 and across > 0:
                outline(*sorted((side * x, side * (x - depth))), -across / 2, across / 2)
        if field.penalty_mark > 0:
            mark = side * (x - field.penalty_mark)
            rectangles += [
                (mark - 0.05, mark + 0.05, -width / 2, width / 2),
                (mark - width / 2, mark + width / 2, -0.05, 0.05),
            ]
    vertices, faces = [], []
    for x0, x1, y0, y1 in rectangles:
        corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        _quad(vertices, faces, *((px, py, _LINE_HEIGHT) for px, py in corners))
    if field.centre_circle_radius > 0:
        # Of a half field there is the half of the circle that lies on it.
        angles = (
            np.linspace(-np.pi / 2, np.pi / 2, 37)
            if middle <= -x
            else np.linspace(0, 2 * np.pi, 73)
        )
        inner, outer = (field.centre_circle_radius + edge for edge in (-width / 2, width / 2))
        for a, b in zip(angles[:-1], angles[1:]):
            _quad(
                vertices,
                faces,
                *(
                    (middle + r * np.cos(t), r * np.sin(t), _LINE_HEIGHT)
                    for r, t in ((inner, a), (outer, a), (outer, b), (inner, b))
                ),
            )
    return vertices, faces


def goal_net(field: Field, spacing: float = 0.08, thickness: float = 0.005) -> tuple[list, list]:
    """Return vertices and triangles of the attacked goal's net: its strands."""
    x0, x1 = field.length / 2, field.length / 2 + field.goal_depth
    y1, z1 = field.goal_width / 2 + field.post_radius, field.goal_height + field.post_radius
    y0 = -y1

    def ticks(low: float, high: float) -> np.ndarray:
        return np.linspace(low, high, max(2, round((high - low) / spacing) + 1))

    strands = []
    for y in ticks(y0, y1):
        strands += [((x1, y, 0), (x1, y, z1)), ((x0, y, z1), (x1, y, z1))]
    for z in ticks(0, z1):
        strands += [((x1, y0, z), (x1, y1, z))]
        strands += [((x0, y, z), (x1, y, z)) for y in (y0, y1)]
    for x in ticks(x0, x1):
        strands += [((x, y0, z1), (x, y1, z1))]
        strands += [((x, y, 0), (x, y, z1)) for y in (y0, y1)]
    vertices, faces = [], []
    for start, end in strands:
        start, end = np.array(start, dtype=float), np.array(end, dtype=float)
        along = int(np.argmax(np.abs(end - start)))
        a, b = (thickness / 2 * np.eye(3)[axis] for axis in range(3) if axis != along)
        if along == 1:
            a, b = b, a
        ring = (-a - b, a - b, a + b, b - a)
        for first, second in zip(ring, ring[1:] + ring[:1]):
            _quad(vertices, faces, start + first, start + second, end + second, end + first)
    return vertices, faces


def _quad(vertices: list, faces: list, *corners) -> None:
    """Append a quadrilateral with its own four vertices, so that its shading is flat."""
    base = len(vertices)
    vertices.extend(corners)
    faces.extend([(base, base + 1, base + 2), (base, base + 2, base + 3)])


def mesh_attributes(vertices: list, faces: list) -> str:
    return f'vertex="{_text(np.ravel(vertices))}" face="{" ".join(map(str, np.ravel(faces)))}"'
