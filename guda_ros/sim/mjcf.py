"""The MuJoCo model of field, ball and a planar walking robot, from a robot profile and a field."""

from __future__ import annotations

import mujoco

from guda_ros.sim import scenery
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import RobotProfile

#: Places of robot and ball in qpos and qvel, the same in every model of this module.
ROBOT_QPOS = slice(0, 3)
BALL_QPOS = slice(3, 10)
ROBOT_QVEL = slice(0, 3)
BALL_QVEL = slice(3, 9)

GRAVITY = 9.81
#: Physics step [s], the longest that MuJoCo contacts of .02 s allow; .005 rolls and pushes alike.
TIMESTEP = 0.01

# Collision bits: a geom with a bit as contype hits those that have it in conaffinity.
_FLOOR, _WALL, _FOOT = 1, 2, 4


def build_model(robot: RobotProfile, field: Field, visual: bool = True,
                timestep: float = TIMESTEP) -> mujoco.MjModel:
    """
    Return the model; its physics does not depend on `visual`, which adds what is only drawn.

    The controls are the commanded velocities in base_link (forward, left [m/s], turn [rad/s]); the
    robot follows them with a first-order lag of the profile's response time. Cameras: head,
    overview, follow, portrait.

    :param visual: add scenery, the robot's shape, lights and cameras.
    :param timestep: physics step [s].
    """
    drawn = scenery.build(robot, field) if visual else scenery.Scenery()
    text = f"""
<mujoco model="{robot.name} on {field.name}">
  <compiler angle="radian"/>
  <option timestep="{timestep}" gravity="0 0 {-GRAVITY}"
    integrator="implicitfast" cone="elliptic"/>
  {drawn.header}
  <worldbody>
    <geom name="floor" type="plane" size="0 0 1" contype="{_FLOOR}" conaffinity="0" group="4"/>
    {_border(field)}
    {' '.join(_goal(field, side) for side in field.goal_sides)}
    {_robot(robot, drawn.robot)}
    {_ball(field, drawn.ball)}
    {drawn.world}
  </worldbody>
  {_walk(robot)}
</mujoco>
"""
    return mujoco.MjModel.from_xml_string(text)


def rolling_friction(field: Field) -> float:
    """Return the rolling friction [m] at which a rolling ball loses the field's `deceleration`."""
    # A solid sphere with the torque mu * m * g against its rolling loses mu * g / (1.4 * radius).
    return max(field.ball.deceleration * 1.4 * field.ball.radius / GRAVITY, 1e-6)


def _border(field: Field) -> str:
    x, y = field.length / 2 + field.border, field.width / 2 + field.border
    walls = ((x, 0, -1, 0), (-x, 0, 1, 0), (0, y, 0, -1), (0, -y, 0, 1))
    return '\n    '.join(
        f'<geom type="plane" size="0 0 1" pos="{px} {py} 0" zaxis="{zx} {zy} 0" group="4" '
        f'contype="{_WALL}" conaffinity="0"/>' for px, py, zx, zy in walls)


def _goal(field: Field, side: int) -> str:
    """Posts and crossbar as they are drawn, and hidden walls where the net hangs."""
    radius, half = field.post_radius, field.goal_width / 2 + field.post_radius
    line, depth, height = field.length / 2, field.goal_depth, field.goal_height
    red, green, blue = field.looks.goal
    bar = f'type="cylinder" contype="{_WALL}" conaffinity="0" rgba="{red} {green} {blue} 1"'
    net = f'type="box" contype="{_WALL}" conaffinity="0" group="4"'
    thick = 0.01
    return '\n    '.join([
        *(f'<geom {bar} size="{radius} {height / 2}" pos="{side * line} {y} {height / 2}"/>'
          for y in (-half, half)),
        f'<geom {bar} size="{radius} {half + radius}" pos="{side * line} 0 {height + radius}" '
        'zaxis="0 1 0"/>',
        f'<geom {net} size="{thick} {half} {height / 2}" '
        f'pos="{side * (line + depth + thick)} 0 {height / 2}"/>',
        *(f'<geom {net} size="{depth / 2} {thick} {height / 2}" '
          f'pos="{side * (line + depth / 2)} {y} {height / 2}"/>' for y in (-half, half))])


def _robot(robot: RobotProfile, drawn: str) -> str:
    body = robot.body
    # Both feet are one box: it stands for where the walking feet are on average, and its flat
    # front pushes.
    length, width = body.foot_length / 2, (body.stance_width + body.foot_width) / 2
    foot_height = 0.04
    trunk = f'{0.8 * body.foot_front} {0.23 * body.height} {0.32 * body.height}'
    turn_inertia = body.mass * width**2
    return f"""<body name="robot">
      <joint name="robot_x" type="slide" axis="1 0 0"/>
      <joint name="robot_y" type="slide" axis="0 1 0"/>
      <joint name="robot_yaw" type="hinge" axis="0 0 1"/>
      <inertial pos="0 0 {body.height / 2}" mass="{body.mass}"
        diaginertia="{turn_inertia} {turn_inertia} {turn_inertia}"/>
      <site name="base_link" group="4"/>
      <geom name="feet" type="box" size="{length} {width} {foot_height}"
        pos="{body.foot_front - length} 0 {foot_height + .002}"
        contype="{_FOOT}" conaffinity="{_WALL}" group="4"/>
      <geom name="trunk" type="box" size="{trunk}" pos="0 0 {0.52 * body.height}"
        contype="0" conaffinity="{_WALL}" group="4"/>
      {drawn or scenery.bare(robot)}
    </body>"""


def _ball(field: Field, drawn: str) -> str:
    ball = field.ball
    red, green, blue = ball.colour
    # The ball's priority makes its friction count in all of its contacts. With fewer than 6
    # contact dimensions there would be no rolling friction and it would never stop.
    return f"""<body name="ball" pos="0 0 {ball.radius}">
      <freejoint name="ball"/>
      <geom name="ball" type="sphere" size="{ball.radius}" mass="{ball.mass}"
        condim="6" priority="1" friction="0.6 0.001 {rolling_friction(field)}"
        rgba="{red} {green} {blue} 1" contype="0" conaffinity="{_FLOOR | _WALL | _FOOT}"/>
      {drawn}
    </body>"""


def _walk(robot: RobotProfile) -> str:
    body, limits = robot.body, robot.limits
    # The commanded velocity, filtered with the walk's response time, is followed by a servo that
    # is fast in comparison and as strong as the quickest reversal needs, so that a robot at a post
    # stops and does not climb.
    turn_inertia = body.mass * ((body.stance_width + body.foot_width) / 2)**2
    speed = max(limits.forward, limits.backward, limits.side)
    axes = (('forward', '1 0 0 0 0 0', body.mass, speed),
            ('left', '0 1 0 0 0 0', body.mass, speed),
            ('turn', '0 0 0 0 0 1', turn_inertia, limits.turn))
    servos = []
    for (name, gear, inertia, top), lag in zip(axes, robot.walk.response_time):
        settle = 0.02 * lag
        strength = inertia * 3 * top / lag
        servos.append(
            f'<general name="{name}" site="base_link" gear="{gear}" '
            f'dyntype="filterexact" dynprm="{lag - settle}" actearly="true" '
            f'gainprm="{inertia / settle}" biastype="affine" biasprm="0 0 {-inertia / settle}" '
            f'forcerange="{-strength} {strength}"/>')
    servos = '\n    '.join(servos)
    return f'<actuator>\n    {servos}\n  </actuator>'
