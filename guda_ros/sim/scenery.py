"""
What is only drawn: carpet, lines, nets, the robot's shape, lights and cameras.

Nothing here collides or has mass. Geom groups: 0 field, 1 robot and ball, 2 the robot's head,
which its own camera leaves out, 4 what collides and is never drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import CameraMount, RobotProfile

#: Group of the geoms that the robot's own camera does not see: it sits inside of them.
HEAD_GROUP = 2
#: Steps of one foot per second, as drawn.
STEP_FREQUENCY = 1.6
#: How far [m] each limb swings while walking, negative against its leg, and how far it lifts.
SWING = {'sole': (.022, .018), 'foot': (.022, .018), 'shin': (.016, .016), 'knee': (.013, .016),
         'thigh': (.006, .006), 'elbow': (-.006, 0), 'forearm': (-.012, 0), 'hand': (-.016, 0)}
#: Height above the carpet at which lines are drawn [m], enough to be told from it at any distance.
_LINE_HEIGHT = 0.002
_DRAWN = 'contype="0" conaffinity="0" mass="0"'


@dataclass(frozen=True)
class Scenery:
    """MJCF fragments by the place where they belong."""

    header: str = ''
    world: str = ''
    robot: str = ''
    ball: str = ''


def build(robot: RobotProfile, field: Field) -> Scenery:
    """Return the scenery of a robot on a field."""
    return Scenery(header=_header(field), world=_world(field),
                   robot=_robot(robot), ball=_ball(field))


def _header(field: Field) -> str:
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
      width="256" height="256" rgb1=".13 .42 .17" markrgb=".16 .46 .20"/>
    <material name="carpet" texture="carpet" texrepeat="1.5 1.5" texuniform="true" specular="0"/>
    <material name="hall" rgba=".74 .76 .78 1" specular="0"/>
    <material name="board" rgba=".20 .25 .33 1" specular=".1"/>
    <material name="line" rgba=".96 .96 .96 1" specular="0" emission=".1"/>
    <material name="net" rgba=".86 .88 .90 1" specular="0" emission=".1"/>
    <material name="shell" rgba=".94 .94 .95 1" specular=".35" shininess=".6"/>
    <material name="joint" rgba=".23 .25 .28 1" specular=".2" shininess=".4"/>
    <material name="team" rgba=".10 .33 .72 1" specular=".4" shininess=".6"/>
    <material name="eye" rgba=".35 .80 .95 1" emission=".5"/>
    <mesh name="lines" inertia="shell" {_mesh(*_lines(field))}/>
    <mesh name="net" inertia="shell" {_mesh(*_net(field))}/>
  </asset>"""


def _world(field: Field) -> str:
    x, y = field.length / 2 + field.border, field.width / 2 + field.border
    radius = field.post_radius
    line, depth = field.length / 2, field.goal_depth
    half = field.goal_width / 2 + radius
    board, thick = 0.06, 0.02
    parts = [
        f'<geom {_DRAWN} type="plane" size="{x} {y} 1" material="carpet"/>',
        f'<geom {_DRAWN} type="plane" size="40 40 1" pos="0 0 -.02" material="hall"/>',
        f'<geom {_DRAWN} type="mesh" mesh="lines" material="line"/>',
    ]
    for side in (-1, 1):
        parts += [
            f'<geom {_DRAWN} type="box" size="{thick} {y + 2 * thick} {board}" '
            f'pos="{side * (x + thick)} 0 {board - .02}" material="board"/>',
            f'<geom {_DRAWN} type="box" size="{x} {thick} {board}" '
            f'pos="0 {side * (y + thick)} {board - .02}" material="board"/>',
            f'<geom {_DRAWN} type="mesh" mesh="net" material="net" '
            f'euler="0 0 {0 if side > 0 else np.pi}"/>',
            f'<geom {_DRAWN} type="capsule" size="{radius / 2}" material="line" '
            f'fromto="{side * (line + depth)} {-half} {radius / 2} '
            f'{side * (line + depth)} {half} {radius / 2}"/>',
            *(f'<geom {_DRAWN} type="capsule" size="{radius / 2}" material="line" '
              f'fromto="{side * line} {edge} {radius / 2} '
              f'{side * (line + depth)} {edge} {radius / 2}"/>'
              for edge in (-half, half))]
    eye = np.array([0.25 * field.length, -1.05 * field.width, 0.68 * field.width])
    target = np.array([0.29 * field.length, -0.12 * field.width, 0.0])
    parts += [
        '<light directional="true" pos="0 0 8" dir=".25 .35 -1" diffuse=".62 .62 .60" '
        'specular=".25 .25 .25" castshadow="false"/>',
        '<light directional="true" pos="0 0 8" dir="-.5 -.3 -.6" diffuse=".30 .31 .34" '
        'specular="0 0 0" castshadow="false"/>',
        f'<camera name="overview" fovy="38" {_look(eye, target)}/>']
    return '\n    '.join(parts)


def _look(eye: np.ndarray, target: np.ndarray) -> str:
    """Return position and axes of a camera at `eye` that looks at `target`, its x axis level."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return f'pos="{_text(eye)}" xyaxes="{_text(right)} {_text(np.cross(right, forward))}"'


def _head_camera(mount: CameraMount) -> str:
    return (f'<camera name="head" fovy="{np.degrees(mount.vertical_fov):.9g}" '
            f'pos="{_text(mount.position)}" '
            f'xyaxes="0 -1 0 {np.sin(mount.pitch)} 0 {np.cos(mount.pitch)}"/>')


def _robot(robot: RobotProfile) -> str:
    body = robot.body
    stance, front = body.stance_width / 2, body.foot_front
    # The shape was drawn for the height of a NAO and is scaled to the profile's; the feet keep
    # their true size.
    scale = body.height / 0.574

    def geom(kind, material, size, pos=None, ends=None, group=1, extra=''):
        place = (f'pos="{_text(np.multiply(pos, scale))}"' if ends is None
                 else f'fromto="{_text(np.multiply(ends, scale))}"')
        return (f'<geom {_DRAWN} type="{kind}" material="{material}" group="{group}" '
                f'size="{_text(np.multiply(size, scale))}" {place} {extra}/>')

    parts = [_head_camera(robot.camera),
             '<camera name="follow" fovy="52" '
             f'{_look(np.array([-1.25, 0.6, 1.0]), np.array([0.8, -0.05, 0.1]))}/>',
             '<camera name="portrait" fovy="40" '
             f'{_look(np.array([1.0, -0.85, 0.55]), np.array([0.06, 0.0, 0.25]))}/>']
    # Real shadows cost more than all else, so one is painted: discs that darken the carpet step by
    # step.
    parts += [f'<geom {_DRAWN} type="ellipsoid" group="{HEAD_GROUP}" rgba="0 .05 0 .09" '
              f'size="{.62 * grow * body.foot_length} {.72 * grow * body.stance_width * 2} .0005" '
              f'pos="{front - .5 * body.foot_length} 0 {_LINE_HEIGHT + .0006 * layer}"/>'
              for layer, grow in enumerate((1.3, 1.2, 1.1, 1.0, .9, .8), 1)]
    for side, label in ((1, 'left'), (-1, 'right')):
        leg = side * stance / scale
        parts += [
            f'<geom {_DRAWN} name="{label}_sole" type="box" group="1" material="joint" '
            f'size="{body.foot_length / 2} {body.foot_width * .47} .009" '
            f'pos="{front - body.foot_length / 2} {side * stance} .011"/>',
            f'<geom {_DRAWN} name="{label}_foot" type="ellipsoid" group="1" material="shell" '
            f'size="{body.foot_length * .49} {body.foot_width * .46} .034" '
            f'pos="{front - body.foot_length * .5} {side * stance} .020"/>',
            geom('capsule', 'shell', (.029,), ends=(0, leg, .06, .018, leg, .145),
                 extra=f'name="{label}_shin"'),
            geom('sphere', 'joint', (.031,), (.020, leg, .152), extra=f'name="{label}_knee"'),
            geom('capsule', 'shell', (.036,), ends=(.016, leg, .17, 0, leg, .245),
                 extra=f'name="{label}_thigh"'),
            geom('sphere', 'joint', (.036,), (0, side * .048, .270)),
            geom('sphere', 'joint', (.034,), (0, side * .098, .428)),
            geom('ellipsoid', 'shell', (.040, .032, .038), (0, side * .106, .434)),
            geom('capsule', 'shell', (.024,), ends=(0, side * .116, .41, -.006, side * .128, .345),
                 extra=f'name="{label}_arm"'),
            geom('sphere', 'joint', (.024,), (-.006, side * .129, .330),
                 extra=f'name="{label}_elbow"'),
            geom('capsule', 'shell', (.022,),
                 ends=(-.002, side * .129, .322, .030, side * .124, .268),
                 extra=f'name="{label}_forearm"'),
            geom('ellipsoid', 'team', (.022, .018, .022), (.038, side * .122, .250),
                 extra=f'name="{label}_hand"'),
            geom('cylinder', 'joint', (.030, .010), (.000, side * .060, .508), group=HEAD_GROUP,
                 extra='zaxis="0 1 0"'),
            geom('cylinder', 'team', (.018, .013), (.000, side * .060, .508), group=HEAD_GROUP,
                 extra='zaxis="0 1 0"'),
            geom('ellipsoid', 'eye', (.008, .014, .014), (.050, side * .025, .512),
                 group=HEAD_GROUP)]
    parts += [
        geom('ellipsoid', 'joint', (.048, .074, .040), (0, 0, .292)),
        geom('ellipsoid', 'shell', (.054, .072, .062), (0, 0, .335)),
        geom('ellipsoid', 'shell', (.058, .092, .066), (0, 0, .395)),
        geom('ellipsoid', 'team', (.030, .062, .046), (.033, 0, .396)),
        geom('ellipsoid', 'team', (.030, .066, .050), (-.034, 0, .392)),
        geom('sphere', 'eye', (.010,), (.058, 0, .402)),
        geom('capsule', 'joint', (.024,), ends=(0, 0, .44, 0, 0, .47)),
        geom('ellipsoid', 'shell', (.056, .063, .062), (0, 0, .512), group=HEAD_GROUP),
        geom('ellipsoid', 'joint', (.030, .040, .020), (.034, 0, .482), group=HEAD_GROUP),
        geom('sphere', 'joint', (.009,), (.052, 0, .540), group=HEAD_GROUP)]
    return '\n      '.join(parts)


def _ball(field: Field) -> str:
    """Twelve darker patches, the caps of smaller spheres that look out of the ball."""
    radius = field.ball.radius
    colour = _text(0.35 * np.array(field.ball.colour))
    golden = (1 + 5**0.5) / 2
    corners = [np.roll((0, a, b * golden), shift)
               for shift in range(3) for a in (-1, 1) for b in (-1, 1)]
    cap = 0.6 * radius
    return '\n      '.join(
        f'<geom {_DRAWN} type="sphere" group="1" size="{cap}" rgba="{colour} 1" '
        f'pos="{_text(corner / np.linalg.norm(corner) * (radius * 1.012 - cap))}"/>'
        for corner in corners)


def _lines(field: Field) -> tuple[list, list]:
    """
    Return vertices and triangles of all lines.

    Outer lines and areas end at the field's lengths: the outer edge of the goal line is where the
    goal begins.
    """
    width = field.line_width
    x, y = field.length / 2, field.width / 2
    rectangles = [(-width / 2, width / 2, -y, y), (-.1, .1, -width / 2, width / 2)]

    def outline(x0, x1, y0, y1):
        rectangles.extend([(x0, x0 + width, y0, y1), (x1 - width, x1, y0, y1),
                           (x0, x1, y0, y0 + width), (x0, x1, y1 - width, y1)])

    outline(-x, x, -y, y)
    for depth, across in (field.penalty_area, field.goal_area):
        outline(x - depth, x, -across / 2, across / 2)
        outline(-x, -x + depth, -across / 2, across / 2)
    for mark in (x - field.penalty_mark, field.penalty_mark - x):
        rectangles += [(mark - .05, mark + .05, -width / 2, width / 2),
                       (mark - width / 2, mark + width / 2, -.05, .05)]
    vertices, faces = [], []
    for x0, x1, y0, y1 in rectangles:
        corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        _quad(vertices, faces, *((px, py, _LINE_HEIGHT) for px, py in corners))
    angles = np.linspace(0, 2 * np.pi, 73)
    inner, outer = field.centre_circle_radius - width / 2, field.centre_circle_radius + width / 2
    for a, b in zip(angles[:-1], angles[1:]):
        _quad(vertices, faces, *((r * np.cos(t), r * np.sin(t), _LINE_HEIGHT)
                                 for r, t in ((inner, a), (outer, a), (outer, b), (inner, b))))
    return vertices, faces


def _net(field: Field, spacing: float = 0.08, thickness: float = 0.005) -> tuple[list, list]:
    """Return vertices and triangles of the attacked goal's net: its strands."""
    x0, x1 = field.length / 2, field.length / 2 + field.goal_depth
    y1, z1 = field.goal_width / 2 + field.post_radius, field.goal_height + field.post_radius
    y0 = -y1

    def ticks(low, high):
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


def _mesh(vertices: list, faces: list) -> str:
    return f'vertex="{_text(np.ravel(vertices))}" face="{" ".join(map(str, np.ravel(faces)))}"'


def _text(numbers) -> str:
    return ' '.join(f'{number:.6g}' for number in numbers)
