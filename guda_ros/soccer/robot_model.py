"""
A robot's links and joints from its profile: as URDF, and as the transforms of tf2.

The tree: `base_footprint`, on the ground (REP-120) and at the profile's base_link (REP-105), the
neck's pan and tilt, and each camera as a body, x ahead, with its optical frame, z ahead (REP-103).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import math
import xml.etree.ElementTree as ET

import numpy as np

from guda_ros.soccer import wheels
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.robot_names import HEAD_JOINTS

FOOTPRINT = 'base_footprint'
#: Share of the mass that is the head's, and a torque [Nm] of its joints: assumed, no profile has
#: them.
_HEAD_SHARE, _TORQUE = 0.1, 2.0
_OPTICAL = (-math.pi / 2, 0.0, -math.pi / 2)


@dataclass(frozen=True)
class Joint:
    """
    How a link sits on its parent.

    xyz [m] and rpy (fixed axes) [rad] in the parent. axis: None for a fixed joint; lower, upper
    [rad] of its position, speed [rad/s].
    """

    name: str
    parent: str
    child: str
    xyz: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rpy: tuple[float, float, float] = (0.0, 0.0, 0.0)
    axis: tuple[float, float, float] | None = None
    lower: float = 0.0
    upper: float = 0.0
    speed: float = 0.0


@dataclass(frozen=True)
class Transform:
    """Where a child frame is in its parent: xyz [m] and a unit quaternion x, y, z, w."""

    parent: str
    child: str
    xyz: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]


def joints_of(robot: RobotProfile, frames: Mapping[str, str]) -> list[Joint]:
    """
    Return the joints of a robot, each after its parent's.

    :param frames: role -> name of the frames, as the contract has them: base, camera.
    """
    base, head = frames['base'], robot.head
    joints = [Joint('base', FOOTPRINT, base)] if base != FOOTPRINT else []
    carrier, origin = base, np.zeros(3)
    if head.moves:
        names = head.joints.names or HEAD_JOINTS
        (pan, tilt), offsets = head.joints.signs, head.joints.offsets
        carrier, origin = 'head_link', np.array(head.neck)
        for name, parent, child, xyz, axis, sign, offset, limits in (
            (names[0], base, 'neck_link', head.neck, 2, pan, offsets[0], head.pan),
            (names[1], 'neck_link', carrier, (0.0, 0.0, 0.0), 1, tilt, offsets[1], head.tilt),
        ):
            # Where the driver's position is its offset, the head looks straight ahead.
            ends = sorted(sign * angle + offset for angle in limits)
            joints.append(
                Joint(
                    name,
                    parent,
                    child,
                    xyz,
                    _along(axis, -sign * offset),
                    _along(axis, sign),
                    ends[0],
                    ends[1],
                    head.speed,
                )
            )
    for name, mount in robot.cameras.items():
        optical = optical_frame(robot, name, frames)
        body = f'{optical.removesuffix("_optical_frame").removesuffix("_frame")}_link'
        x, y, z = np.array(mount.position) - origin
        joints += [
            Joint(f'{body}_mount', carrier, body, (x, y, z), (0.0, mount.pitch, 0.0)),
            Joint(f'{body}_optics', body, optical, rpy=_OPTICAL),
        ]
    return joints


def optical_frame(robot: RobotProfile, name: str, frames: Mapping[str, str]) -> str:
    """Return the frame in which images of one of a robot's cameras are."""
    first = name == robot.camera_name
    return frames['camera'] if first else f'{name}_{frames["camera"]}'


def _along(axis: int, value: float) -> tuple[float, float, float]:
    x, y, z = (value if index == axis else 0.0 for index in range(3))
    return x, y, z


def transforms(
    joints: list[Joint], positions: Mapping[str, float] | None = None
) -> list[Transform]:
    """
    Return the transforms of fixed joints, or, with positions, of those that move.

    :param positions: of joints by name [rad], as the robot's driver has them; others are at zero.
    """
    moving = positions is not None
    return [
        Transform(
            joint.parent,
            joint.child,
            joint.xyz,
            _turned(joint, (positions or {}).get(joint.name, 0.0)),
        )
        for joint in joints
        if (joint.axis is not None) == moving
    ]


def _turned(joint: Joint, position: float) -> tuple[float, float, float, float]:
    roll, pitch, yaw = joint.rpy
    turn = _product(
        _product(_about(2, yaw), _about(1, pitch)),
        _about(0, roll),
    )
    if joint.axis is not None:
        axis = int(np.argmax(np.abs(joint.axis)))
        turn = _product(turn, _about(axis, position * joint.axis[axis]))
    return turn


def _about(axis: int, angle: float) -> tuple[float, float, float, float]:
    x, y, z = _along(axis, math.sin(angle / 2))
    return x, y, z, math.cos(angle / 2)


def _product(
    first: tuple[float, float, float, float], second: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Return the quaternion of turning by the second, then by the first."""
    ax, ay, az, aw = first
    bx, by, bz, bw = second
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def urdf(robot: RobotProfile, frames: Mapping[str, str]) -> str:
    """
    Return the robot description: links with shapes and masses, and joints with limits.

    :param frames: role -> name of the frames, as the contract has them.
    """
    joints = joints_of(robot, frames)
    root = ET.Element('robot', name=robot.name)
    # Each link once, the parent of all first.
    links = [joints[0].parent, *(joint.child for joint in joints)]
    for name in links:
        link = ET.SubElement(root, 'link', name=name)
        for shape in _shapes(robot, name, frames['base']):
            shape.add_to(link)
    for joint in joints:
        kind = 'fixed' if joint.axis is None else 'revolute'
        element = ET.SubElement(root, 'joint', name=joint.name, type=kind)
        ET.SubElement(element, 'parent', link=joint.parent)
        ET.SubElement(element, 'child', link=joint.child)
        ET.SubElement(element, 'origin', xyz=_numbers(joint.xyz), rpy=_numbers(joint.rpy))
        if joint.axis is not None:
            ET.SubElement(element, 'axis', xyz=_numbers(joint.axis))
            ET.SubElement(
                element,
                'limit',
                lower=_number(joint.lower),
                upper=_number(joint.upper),
                velocity=_number(joint.speed),
                effort=_number(_TORQUE),
            )
    ET.indent(root)
    return '<?xml version="1.0"?>\n' + ET.tostring(root, encoding='unicode') + '\n'


@dataclass(frozen=True)
class _Shape:
    """A box (x, y, z), cylinder (radius, length) or sphere (radius,) in its link, with a mass."""

    kind: str
    size: tuple[float, ...]
    middle: tuple[float, float, float]
    mass: float = 0.0

    def add_to(self, link: ET.Element) -> None:
        """Add what is seen and, with a mass, what is moved."""
        if self.mass:
            inertial = ET.SubElement(link, 'inertial')
            ET.SubElement(inertial, 'origin', xyz=_numbers(self.middle))
            ET.SubElement(inertial, 'mass', value=_number(self.mass))
            xx, yy, zz = (_number(value) for value in self._inertia())
            ET.SubElement(inertial, 'inertia', ixx=xx, iyy=yy, izz=zz, ixy='0', ixz='0', iyz='0')
        for part in ('visual', 'collision'):
            element = ET.SubElement(link, part)
            ET.SubElement(element, 'origin', xyz=_numbers(self.middle))
            geometry = ET.SubElement(element, 'geometry')
            if self.kind == 'box':
                ET.SubElement(geometry, 'box', size=_numbers(self.size))
            elif self.kind == 'sphere':
                ET.SubElement(geometry, 'sphere', radius=_number(self.size[0]))
            else:
                radius, length = self.size
                shape = {'radius': _number(radius), 'length': _number(length)}
                ET.SubElement(geometry, 'cylinder', shape)

    def _inertia(self) -> tuple[float, float, float]:
        """Return the moments of inertia [kg m^2] of a body that is the same all through."""
        if self.kind == 'sphere':
            moment = 0.4 * self.mass * self.size[0] ** 2
            return moment, moment, moment
        if self.kind == 'cylinder':
            radius, length = self.size
            aside = self.mass * (3 * radius**2 + length**2) / 12
            return aside, aside, self.mass * radius**2 / 2
        x, y, z = (side**2 for side in self.size)
        return self.mass * (y + z) / 12, self.mass * (x + z) / 12, self.mass * (x + y) / 12


def _shapes(robot: RobotProfile, link: str, base: str) -> Iterator[_Shape]:
    """Yield the shapes of a link; the first bears its mass."""
    body, head = robot.body, robot.head
    share = _HEAD_SHARE if head.moves else 0.0
    ball = _Shape(
        'sphere',
        (body.head_radius,),
        (0.0, 0.0, body.head_height - (head.neck[2] if head.moves else 0.0)),
        share * body.mass,
    )
    mass = (1 - share) * body.mass
    if link == base and robot.style == wheels.KIND:
        radius = body.shoulder_width / 2
        yield _Shape('cylinder', (radius, body.height), (0.0, 0.0, body.height / 2), mass)
    elif link == base:
        trunk = body.shoulder_height - body.hip_height
        middle = body.hip_height + trunk / 2
        deep, wide = 0.6 * body.foot_length, 0.8 * body.shoulder_width
        yield _Shape('box', (deep, wide, trunk), (0.0, 0.0, middle), mass)
        thick = 0.6 * body.foot_width
        foot = 0.15 * body.hip_height
        ahead = body.foot_front - body.foot_length / 2
        for side in (0.5, -0.5):
            y = side * body.stance_width
            leg = (thick, thick, body.hip_height - foot)
            yield _Shape('box', leg, (0.0, y, (body.hip_height + foot) / 2))
            yield _Shape('box', (body.foot_length, body.foot_width, foot), (ahead, y, foot / 2))
        if not head.moves:
            yield ball
    elif link == 'head_link':
        yield ball
    elif link == 'neck_link':
        # A link that turns needs a mass: hardly any.
        yield _Shape('sphere', (0.3 * body.head_radius,), (0.0, 0.0, 0.0), 0.01 * body.mass)


def _number(value: float) -> str:
    return f'{value:.9g}'


def _numbers(values: tuple[float, ...]) -> str:
    return ' '.join(map(_number, values))
