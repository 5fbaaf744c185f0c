"""Write robot profiles as YAML that explains itself, and say what each key means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from guda_ros.config.files import Plain
from guda_ros.soccer import wheels
from guda_ros.soccer.robot_names import camera_roles, DRIVER_TOPICS, FRAMES, TOPICS


@dataclass(frozen=True)
class Key:
    """
    A key of a robot profile: its unit, what it means, and whether a new profile asks for it.

    The other keys are kept from the profile that a new one is based on.
    """

    unit: str
    meaning: str
    asked: bool = False


def _camera(which: str, asked: bool) -> dict[str, Key]:
    keys = {
        'width': Key('pixels', 'width of the image', asked),
        'height': Key('pixels', 'height of the image', asked),
        'vertical_fov': Key('rad', 'vertical field of view, without distortion', asked),
        'position': Key('m', 'x, y, z in base_link, at pan and tilt zero', asked),
        'pitch': Key('rad', 'positive looks down, at pan and tilt zero', asked),
        'distortion': Key('', 'k1, k2, p1, p2, k3 (plumb_bob)'),
        'rate': Key('Hz', 'images a second; 0: one every control step'),
        'exposure': Key('s', 'blurs what moves'),
        'noise': Key('of 255', 'standard deviation of a pixel'),
    }
    before = f'{which}.' if which else ''
    return {f'{before}{key}': value for key, value in {**keys, **_delivery('')}.items()}


def _delivery(which: str) -> dict[str, Key]:
    return {
        f'{which}delivery.latency': Key('s', 'from the measurement to the message'),
        f'{which}delivery.jitter': Key('s', 'standard deviation of the latency'),
        f'{which}delivery.dropout': Key('share', 'of messages that are lost'),
    }


#: Every key of a robot profile, in the order of the file.
KEYS: dict[str, Key] = {
    'name': Key('', 'how the profile is called'),
    'style': Key('', 'how the robot is drawn: nao, booster, op3, plain', True),
    'sources': Key('', 'where the values come from'),
    'limits.forward': Key('m/s', 'fastest walk forward', True),
    'limits.backward': Key('m/s', 'fastest walk backward', True),
    'limits.side': Key('m/s', 'fastest walk to either side', True),
    'limits.turn': Key('rad/s', 'fastest turn', True),
    'walk.response_time': Key('s', 'first-order time constants: forward, left, turn', True),
    'walk.delay': Key('s', 'from a command to the first motion', True),
    'walk.slip': Key('relative', "standard deviation of a step's velocity"),
    'walk.step_frequency': Key('1/s', 'steps per second', True),
    'walk.sway.lateral': Key('m', 'of the trunk at full speed, amplitude'),
    'walk.sway.roll': Key('rad', 'of the trunk at full speed, amplitude'),
    'walk.sway.pitch': Key('rad', 'of the trunk at full speed, amplitude'),
    'kick.wind_up': Key('s', 'from the trigger to the strike'),
    'kick.recovery': Key('s', 'from the strike to the next step'),
    'kick.speed': Key('m/s', 'of the foot'),
    'kick.reach': Key('m', "how far the foot comes forward of the feet's front"),
    'fall.push_speed': Key('m/s', "a push that changes the robot's speed by this fells it"),
    'fall.fall_time': Key('s', 'until it lies'),
    'fall.get_up_time': Key('s', 'until it walks again'),
    'body.mass': Key('kg', 'of the robot', True),
    'body.height': Key('m', 'as it walks', True),
    'body.foot_length': Key('m', 'of one foot', True),
    'body.foot_width': Key('m', 'of one foot', True),
    'body.foot_front': Key('m', 'from base_link to the front edge of the feet', True),
    'body.stance_width': Key('m', 'between the centres of the feet', True),
    'body.hip_height': Key('m', 'of the hip joints', True),
    'body.shoulder_height': Key('m', 'of the shoulder joints', True),
    'body.shoulder_width': Key('m', 'over both arms', True),
    'body.head_height': Key('m', "of the head's middle", True),
    'body.head_radius': Key('m', 'of the head', True),
    'head.neck': Key('m', 'x, y, z in base_link: where pan and tilt axes meet', True),
    'head.pan': Key('rad', 'limits, positive to the left', True),
    'head.tilt': Key('rad', 'limits, positive down', True),
    'head.speed': Key('rad/s', 'of pan and tilt'),
    **_camera('camera', True),
    **_camera('lower_camera', False),
    'odometry.translation_gain': Key('relative', 'distance reported to distance walked, mean'),
    'odometry.yaw_gain': Key('relative', 'turn reported to turn made, mean'),
    'odometry.translation_scale': Key('relative', 'error of distances, per episode'),
    'odometry.yaw_scale': Key('relative', 'error of turns, per episode'),
    'odometry.yaw_bias': Key('rad/s', 'drift at rest, per episode'),
    'odometry.translation_noise': Key('m/sqrt(m)', 'random walk over the way'),
    'odometry.yaw_noise': Key('rad/sqrt(rad)', 'random walk over the turn'),
    **_delivery('odometry.'),
    'imu.rate': Key('Hz', 'messages a second'),
    'imu.gyroscope': Key('rad/s', 'standard deviation of a sample'),
    'imu.gyroscope_bias': Key('rad/s', 'standard deviation, per episode'),
    'imu.accelerometer': Key('m/s^2', 'standard deviation of a sample'),
    **_delivery('imu.'),
}

_POINT = Key('pixels', 'column and row, from 0; without it, the middle of the image')
#: Keys that a profile may do without: what its driver speaks, where its lens sits.
OPTIONAL: dict[str, Key] = {
    'head.joints.names': Key(
        '', 'what the driver calls pan and tilt; without it, head_pan and head_tilt'
    ),
    'head.joints.signs': Key('', '1 or -1: pan to the left, tilt down is positive'),
    'head.joints.offsets': Key('rad', 'positions of the joints at pan and tilt zero'),
    'head.gaze.speed': Key('rad/s', 'at which the head turns by itself, at most'),
    'head.gaze.patience': Key('s', 'how long it looks where an unseen ball was'),
    'head.gaze.sweep': Key('rad', 'pan to either side of a head that searches'),
    'head.gaze.period': Key('s', 'of a sweep to and fro'),
    'head.gaze.tilt': Key('rad', 'of a head that searches'),
    'camera.principal_point': _POINT,
    'lower_camera.principal_point': _POINT,
    'driver.stamped': Key(
        '', 'true: the driver hears TwistStamped on cmd_vel; false: Twist; without it, true'
    ),
    'driver.adapter': Key(
        '', 'who turns cmd_vel into what the robot hears; none: the driver hears cmd_vel itself'
    ),
    'driver.channel': Key('', "topic or service of the robot, if not the adapter's usual one"),
    'driver.channel_stamped': Key('', 'of the adapter twist: true for TwistStamped there'),
    'driver.watchdog': Key('s', 'silence after which the adapter stops the robot; usually 0.25'),
    'driver.dead_zone': Key(
        'm/s, m/s, rad/s', 'speeds forward, left and turn below which the robot does not move'
    ),
    'driver.small': Key('', 'drop, nearest or raise: what becomes of speeds below those'),
    'driver.scale': Key('relative', 'what the robot is told, to what it is to do'),
    'driver.acceleration': Key(
        'm/s^2, m/s^2, rad/s^2', 'how fast commands to the robot may grow; 0: no limit'
    ),
    'driver.jerk': Key(
        'm/s^3, m/s^3, rad/s^3', 'how fast their acceleration may grow and end; 0: no limit'
    ),
    'driver.image_transport': Key(
        '', "compressed: the driver's images are heard on <image>/compressed; without it, raw"
    ),
    **{
        f'topics.{role}': Key('', f"name of the topic {role}, if not the contract's")
        for role in (*TOPICS, *DRIVER_TOPICS)
    },
    **{
        f'frames.{role}': Key('', f"name of the frame {role}, if not the contract's")
        for role in FRAMES
    },
}

#: Keys that only a base with wheels has, in the order of the file.
_WHEELS: dict[str, Key] = {
    'kind': Key('', 'wheels: a base that drives and turns'),
    'base.radius': Key('m', 'of the round base', True),
    'base.front': Key('m', 'from base_link to what pushes; without it, the radius', True),
    'base.height': Key('m', 'of the highest part', True),
    'base.mass': Key('kg', 'of the base', True),
}


#: The keys of all kinds of profiles.
ALL_KEYS = {**KEYS, **_WHEELS, **OPTIONAL}


def key_of(name: str) -> Key:
    """Return what a dotted key means; those of `cameras.NAME` are those of `camera`."""
    if name not in ALL_KEYS:
        section, _, rest = name.partition('.')
        if section == 'cameras':
            return ALL_KEYS[f'camera.{rest.partition(".")[2]}']
        return _topic_of_a_camera(section)
    return ALL_KEYS[name]


def _topic_of_a_camera(section: str) -> Key:
    if section != 'topics':
        raise KeyError(section)
    return Key('', "name of the topic of a further camera, if not the usual one's")


def _with_cameras(values: Plain, optional: dict[str, Key]) -> dict[str, Key]:
    """Return KEYS with those of each of `cameras`, if a profile has them, where `camera` was."""
    if not isinstance(values.get('cameras'), dict):
        return KEYS
    names = list(values['cameras'])
    keys: dict[str, Key] = {}
    for key, described in KEYS.items():
        section, _, rest = key.partition('.')
        if section == 'camera' and f'cameras.{names[0]}.{rest}' not in keys:
            for name in names:
                keys.update(
                    (f'cameras.{name}.{rest}', described)
                    for rest, described in _camera('', True).items()
                )
        elif section not in ('camera', 'lower_camera'):
            keys[key] = described
    for name in names:
        if has(values, f'cameras.{name}.principal_point'):
            optional[f'cameras.{name}.principal_point'] = _POINT
        for role in camera_roles(name):
            if has(values, f'topics.{role}'):
                optional[f'topics.{role}'] = key_of(f'topics.{role}')
    return keys


def keys_of(values: Plain) -> dict[str, Key]:
    """Return the keys of a profile, in the order of its file: of OPTIONAL those that it has."""
    optional = {key: described for key, described in OPTIONAL.items() if has(values, key)}
    if values.get('kind') != wheels.KIND:
        keys = _with_cameras(values, optional)
        return _in_order(keys, optional)
    own = {
        key: described
        for key, described in KEYS.items()
        if key.partition('.')[0] not in ('style', 'kick', 'fall', 'body', 'head', 'lower_camera')
        and key != 'limits.side'
    }
    return _in_order({'name': own.pop('name'), **_WHEELS, **own}, optional)


def _in_order(keys: dict[str, Key], optional: dict[str, Key]) -> dict[str, Key]:
    """Return keys with optional ones in or at the end of their sections."""
    merged: dict[str, Key] = {}
    for key, described in keys.items():
        merged[key] = described
        section, _, last = key.rpartition('.')
        point = f'{section}.principal_point'
        if last == 'distortion' and point in optional:
            merged[point] = optional[point]
    return _by_section({**merged, **optional})


def _by_section(keys: dict[str, Key]) -> dict[str, Key]:
    """Return the keys with those of a section together, where its first one stands."""
    order: dict[str, int] = {}
    for key in keys:
        order.setdefault(key.partition('.')[0], len(order))
    return dict(sorted(keys.items(), key=lambda item: order[item[0].partition('.')[0]]))


#: What the sections of a profile are about.
SECTIONS = {
    'base': 'measures of a base with wheels',
    'limits': 'of the walk velocity',
    'walk': 'how the walk follows its commands',
    'kick': 'a forward kick',
    'fall': 'falling over, and getting up',
    'body': 'mass and measures',
    'head': 'pan and tilt',
    'joints': "as the robot's driver speaks of them",
    'gaze': 'follows the ball and searches it by itself; without it, the head stays',
    'camera': 'the one that perception uses, on the head',
    'lower_camera': 'a second one, on the head, that only the simulator has',
    'cameras': 'instead of camera: several by name, on the head; perception uses all',
    'odometry': 'drift of the walk odometry, standard deviations',
    'imu': 'errors of the inertial unit',
    'driver': "how the robot's driver is spoken to",
    'topics': 'what the robot calls its topics',
    'frames': 'what the robot calls its frames',
    'uncertainty': 'standard deviations of the values above, by identification',
}

_HEAD = """\
# {title}
# Lengths in metres, angles in radians, times in seconds, masses in kilograms (REP-103).
# docs/profiles.md explains every key; `guda identify` measures walk, odometry and ball.
"""


def get(values: Plain, key: str) -> Any:
    """Return the value of a dotted key; KeyError if there is none."""
    for part in key.split('.'):
        values = values[part]
    return values


def put(values: Plain, key: str, value: object) -> None:
    """Set the value of a dotted key, in place."""
    *sections, last = key.split('.')
    for part in sections:
        values = values.setdefault(part, {})
    values[last] = value


def has(values: Plain, key: str) -> bool:
    """Tell whether there is a value for a dotted key."""
    try:
        get(values, key)
    except (KeyError, TypeError):
        return False
    return True


def to_yaml(values: Plain, title: str) -> str:
    """Return the text of a profile: every key with its unit and meaning."""
    lines = [_HEAD.format(title=title)]
    section: list[str] = []
    for key, described in keys_of(values).items():
        if not has(values, key):
            continue
        *sections, last = key.split('.')
        for depth, name in enumerate(sections):
            if section[: depth + 1] != sections[: depth + 1]:
                lines.append(_line(depth, f'{name}:', SECTIONS.get(name, '')))
        section = sections
        value = get(values, key)
        if key == 'sources':
            lines.append(_line(0, 'sources:', described.meaning))
            lines += [f'  - {_plain(source)}\n' for source in value]
            continue
        comment = ', '.join(part for part in (described.unit, described.meaning) if part)
        lines.append(_line(len(sections), f'{last}: {_plain(value)}', comment))
    return ''.join(lines)


def _line(depth: int, text: str, comment: str) -> str:
    text = '  ' * depth + text
    return f'{text:<31} # {comment}\n' if comment else f'{text}\n'


def _plain(value: object) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return text.removesuffix('\n').removesuffix('\n...')
