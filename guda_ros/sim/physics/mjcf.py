"""The MuJoCo model of field, ball and planar walking robots, from robot profiles and a field."""

from __future__ import annotations

from collections.abc import Sequence
import math
import re

import mujoco
import numpy as np

from guda_ros.config.files import ConfigError
from guda_ros.sim.physics import obstacles
from guda_ros.sim.rendering import scenery
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import RobotProfile

#: Places of robot and ball in qpos and qvel of a model without kicks; `state.Layout` knows others.
ROBOT_QPOS = slice(0, 3)
BALL_QPOS = slice(3, 10)
ROBOT_QVEL = slice(0, 3)
BALL_QVEL = slice(3, 9)

GRAVITY = 9.81
#: Physics step [s], the longest that MuJoCo contacts of .02 s allow; .005 rolls and pushes alike.
TIMESTEP = 0.01

# Collision bits: a geom with a bit as contype hits those that have it in conaffinity.
_FLOOR, _WALL, _FOOT = 1, 2, 4


#: How far [m] the kicking foot stays behind the feet's front while the robot walks, and how far it
#: is drawn back from there before it strikes.
FOOT_REST, FOOT_BACK = 0.01, 0.05
#: Share of the robot's mass in the kicking foot: so light that its start does not jerk the robot.
_FOOT_MASS = 0.02
#: How far [m] a foot may come in one physics step, or it would pass into the ball.
_FASTEST_KICK = 0.03


def build_model(
    robot: RobotProfile,
    field: Field,
    visual: bool = True,
    timestep: float = TIMESTEP,
    *,
    others: Sequence[RobotProfile] = (),
    kick: bool = False,
    crowd: Sequence[obstacles.Obstacle] = (),
    extra_delay: float = 0.0,
    user: int = 0,
    ball: bool = True,
) -> mujoco.MjModel:
    """
    Return the model; its physics does not depend on `visual`, which adds what is only drawn.

    The controls are the commanded velocities in base_link (forward, left [m/s], turn [rad/s]); the
    robot follows them after the walk's delay with a first-order lag of the profile's response
    time. With `kick` another control is the velocity [m/s] of a foot. Cameras: head, overview,
    follow, portrait. What belongs to another robot than the first has its index in its name.

    :param visual: add scenery, the robot's shape, lights and cameras.
    :param timestep: physics step [s].
    :param others: the robots beside the first.
    :param kick: whether robots have a foot that kicks.
    :param crowd: obstacles.
    :param extra_delay: how much longer [s] than the profiles say walk delays can be set.
    :param user: numbers in `userdata`.
    :param ball: False: that of the model touches nothing, is not drawn and stays where it is put.
    """
    drawn = scenery.build(robot, field, others) if visual else scenery.Scenery()
    robots = (robot, *others)
    several = len(robots) > 1
    more = []
    for index, other in enumerate(others, 1):
        shape = scenery.build(other, field).robot if visual else ''
        shape = re.sub(r'\bname="([^"]+)"', rf'name="\1{suffix(index)}"', shape)
        more.append(_robot(other, shape, index, kick, several))
    walks = [
        _walk(profile, timestep, index, kick, extra_delay) for index, profile in enumerate(robots)
    ]
    striking = robots if kick and ball else ()
    text = f"""
<mujoco model="{robot.name} on {field.name}">
  <compiler angle="radian"/>
  <size nuserdata="{user}"/>
  <option timestep="{timestep}" gravity="0 0 {-GRAVITY}"
    integrator="implicitfast" cone="elliptic"/>
  {drawn.header}
  <worldbody>
    <geom name="floor" type="plane" size="0 0 1" contype="{_FLOOR}" conaffinity="0" group="4"/>
    {_border(field)}
    {' '.join(_goal(field, side) for side in field.goal_sides)}
    {_robot(robot, drawn.robot, 0, kick, several)}
    {_ball(field, drawn.ball) if ball else _no_ball(field)}
    {obstacles.bodies(crowd, _WALL, visual)}
    {' '.join(more)}
    {drawn.world}
  </worldbody>
  <contact>
    {' '.join(_strike(profile, timestep, index) for index, profile in enumerate(striking))}
  </contact>
  <actuator>
    {' '.join(walks)}
    {obstacles.actuators(crowd)}
  </actuator>
</mujoco>
"""
    return mujoco.MjModel.from_xml_string(text)


def suffix(index: int) -> str:
    """Return what the names of a robot's parts end with: nothing for the first."""
    return f'_{index}' if index else ''


def rolling_friction(field: Field) -> float:
    """Return the rolling friction [m] at which a rolling ball loses the field's `deceleration`."""
    # A solid sphere with the torque mu * m * g against its rolling loses mu * g / (1.4 * radius).
    return max(field.ball.deceleration * 1.4 * field.ball.radius / GRAVITY, 1e-6)


def _border(field: Field) -> str:
    x, y = field.length / 2 + field.border, field.width / 2 + field.border
    walls = ((x, 0, -1, 0), (-x, 0, 1, 0), (0, y, 0, -1), (0, -y, 0, 1))
    return '\n    '.join(
        f'<geom type="plane" size="0 0 1" pos="{px} {py} 0" zaxis="{zx} {zy} 0" group="4" '
        f'contype="{_WALL}" conaffinity="0"/>'
        for px, py, zx, zy in walls
    )


def _goal(field: Field, side: int) -> str:
    """Posts and crossbar as they are drawn, and hidden walls where the net hangs."""
    radius, half = field.post_radius, field.goal_width / 2 + field.post_radius
    line, depth, height = field.length / 2, field.goal_depth, field.goal_height
    red, green, blue = field.looks.goal
    bar = f'type="cylinder" contype="{_WALL}" conaffinity="0" rgba="{red} {green} {blue} 1"'
    net = f'type="box" contype="{_WALL}" conaffinity="0" group="4"'
    thick = 0.01
    return '\n    '.join(
        [
            *(
                f'<geom {bar} size="{radius} {height / 2}" pos="{side * line} {y} {height / 2}"/>'
                for y in (-half, half)
            ),
            f'<geom {bar} size="{radius} {half + radius}" pos="{side * line} 0 {height + radius}" '
            'zaxis="0 1 0"/>',
            f'<geom {net} size="{thick} {half} {height / 2}" '
            f'pos="{side * (line + depth + thick)} 0 {height / 2}"/>',
            *(
                f'<geom {net} size="{depth / 2} {thick} {height / 2}" '
                f'pos="{side * (line + depth / 2)} {y} {height / 2}"/>'
                for y in (-half, half)
            ),
        ]
    )


def _robot(robot: RobotProfile, drawn: str, index: int, kick: bool, several: bool) -> str:
    body = robot.body
    # Both feet are one box: it stands for where the walking feet are on average, and its flat
    # front pushes.
    length, width = body.foot_length / 2, (body.stance_width + body.foot_width) / 2
    foot_height = 0.04
    trunk = f'{0.8 * body.foot_front} {0.23 * body.height} {0.32 * body.height}'
    turn_inertia = body.mass * width**2
    end = suffix(index)
    hits = _WALL | _FOOT if several else _WALL
    foot = ''
    if kick:
        # Either foot can kick, so the striking face is as wide as both.
        mass = _FOOT_MASS * body.mass
        reach = robot.kick.reach + FOOT_REST
        foot = f"""<body name="foot{end}" pos="{body.foot_front - FOOT_REST} 0 0">
        <joint name="foot{end}" type="slide" axis="1 0 0" range="{-1.2 * FOOT_BACK} {reach}"
          limited="true"/>
        <inertial pos="0 0 {foot_height}" mass="{mass}"
          diaginertia="{mass * 0.01} {mass * 0.01} {mass * 0.01}"/>
        <geom name="toe{end}" type="box" size="{length / 2} {width} {foot_height}"
          pos="{-length / 2} 0 {foot_height + 0.002}" contype="0" conaffinity="0" group="4"/>
      </body>"""
    return f"""<body name="robot{end}">
      <joint name="robot_x{end}" type="slide" axis="1 0 0"/>
      <joint name="robot_y{end}" type="slide" axis="0 1 0"/>
      <joint name="robot_yaw{end}" type="hinge" axis="0 0 1"/>
      <inertial pos="0 0 {body.height / 2}" mass="{body.mass}"
        diaginertia="{turn_inertia} {turn_inertia} {turn_inertia}"/>
      <site name="base_link{end}" group="4"/>
      <geom name="feet{end}" type="box" size="{length} {width} {foot_height}"
        pos="{body.foot_front - length} 0 {foot_height + 0.002}"
        contype="{_FOOT}" conaffinity="{hits}" group="4"/>
      <geom name="trunk{end}" type="box" size="{trunk}" pos="0 0 {0.52 * body.height}"
        contype="0" conaffinity="{_WALL}" group="4"/>
      {foot}
      {drawn or scenery.bare(robot)}
    </body>"""


def _strike(robot: RobotProfile, timestep: float, index: int) -> str:
    """Return the contact of the kicking foot with the ball: one blow without rebound."""
    travel = robot.kick.speed * timestep
    if travel > _FASTEST_KICK:
        raise ConfigError(
            f'robot profile {robot.name}: kick.speed: {robot.kick.speed} m/s is too fast for a '
            f'physics step of {timestep} s: {_FASTEST_KICK / timestep:g} m/s at most'
        )
    # Damping and hardly any stiffness: with the default, how deep the foot came into the ball by
    # chance would add speed. The contact begins as early as the foot can come in one step.
    return (
        f'<pair geom1="toe{suffix(index)}" geom2="ball" condim="1" '
        f'solref="-10 {-1 / timestep}" margin="{travel}"/>'
    )


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


def _no_ball(field: Field) -> str:
    # It keeps its place in the state, so that all models of a robot have one layout.
    ball = field.ball
    return f"""<body name="ball" pos="0 0 {ball.radius}" gravcomp="1">
      <freejoint name="ball"/>
      <geom name="ball" type="sphere" size="{ball.radius}" mass="{ball.mass}" rgba="0 0 0 0"
        contype="0" conaffinity="0"/>
    </body>"""


def servo_parameters(
    robot: RobotProfile, response_time: np.ndarray, timestep: float
) -> dict[str, np.ndarray]:
    """
    Return what makes the servos of the axes follow with response times (..., 3) [s].

    Arrays (..., 3): filter [s], gain and strength, the largest force or torque.
    """
    # The commanded velocity, filtered with the walk's response time, is followed by a servo that
    # is fast in comparison and as strong as the quickest reversal needs, so that a robot at a post
    # stops and does not climb.
    body, limits = robot.body, robot.limits
    turn_inertia = body.mass * ((body.stance_width + body.foot_width) / 2) ** 2
    speed = max(limits.forward, limits.backward, limits.side)
    inertia = np.array([body.mass, body.mass, turn_inertia])
    top = np.array([speed, speed, limits.turn])
    lag = np.asarray(response_time, dtype=np.float64)
    # With less than half a physics step the servo's limited force would overshoot for ever.
    settle = np.maximum(0.02 * lag, timestep / 2)
    return {'filter': lag - settle, 'gain': inertia / settle, 'strength': inertia * 3 * top / lag}


def history_samples(delay: float, timestep: float) -> int:
    """Return how many past controls a delay [s] needs."""
    return math.ceil(delay / timestep - 1e-9) + 2 if delay > 0 else 0


def _walk(robot: RobotProfile, timestep: float, index: int, kick: bool, extra: float) -> str:
    end, delay = suffix(index), ''
    samples = history_samples(robot.walk.delay + extra, timestep)
    if samples:
        delay = f'delay="{robot.walk.delay}" nsample="{samples}" interp="linear"'
    parameters = servo_parameters(robot, robot.walk.response_time, timestep)
    axes = (('forward', '1 0 0 0 0 0'), ('left', '0 1 0 0 0 0'), ('turn', '0 0 0 0 0 1'))
    servos = [
        f'<general name="{name}{end}" site="base_link{end}" gear="{gear}" '
        f'dyntype="filterexact" dynprm="{lag}" actearly="true" '
        f'gainprm="{gain}" biastype="affine" biasprm="0 0 {-gain}" '
        f'forcerange="{-strength} {strength}" {delay}/>'
        for (name, gear), lag, gain, strength in zip(
            axes, *(parameters[key].tolist() for key in ('filter', 'gain', 'strength'))
        )
    ]
    if kick:
        gain = _FOOT_MASS * robot.body.mass / 0.002
        servos.append(
            f'<general name="kick{end}" joint="foot{end}" gainprm="{gain}" '
            f'biastype="affine" biasprm="0 0 {-gain}"/>'
        )
    return '\n    '.join(servos)
