"""
Profiles of bases with wheels: a few keys, of which all that a robot's profile has is made.

A base is a round tower that drives forward, backward and turns; it has no feet, hips or gait, does
not kick or fall, and its camera is fixed.
"""

from __future__ import annotations

import os

import yaml

from guda_ros.config.files import Plain, Section
from guda_ros.config.text import with_entry

KIND = 'wheels'
#: How a drive follows its commands, and what its odometry and gyroscope are like, where a profile
#: does not say so: assumed, as in generic_walker but for the gait.
_DELIVERY: Plain = {'latency': 0.0, 'jitter': 0.0, 'dropout': 0.0}
_DEFAULTS: Plain = {
    'walk': {
        'response_time': [0.2, 0.2, 0.2],
        'delay': 0.0,
        'slip': 0.0,
        'step_frequency': 1.0,
        'sway': {'lateral': 0.0, 'roll': 0.0, 'pitch': 0.0},
    },
    'odometry': {
        'translation_gain': 1.0,
        'yaw_gain': 1.0,
        'translation_scale': 0.02,
        'yaw_scale': 0.01,
        'yaw_bias': 0.0005,
        'translation_noise': 0.005,
        'yaw_noise': 0.005,
        'delivery': _DELIVERY,
    },
    'imu': {
        'rate': 100,
        'gyroscope': 0.005,
        'gyroscope_bias': 0.002,
        'accelerometer': 0.05,
        'delivery': _DELIVERY,
    },
}


def expand(values: Plain, source: str | os.PathLike[str]) -> Plain:
    """
    Return the values of a whole profile for those of a base with wheels.

    :param values: name, kind, sources, limits without `side`, base and camera; walk, odometry and
        imu may be given.
    :raises ConfigError: naming source and key of what is wrong in `base` and `limits`.
    """
    root = Section(dict(values), source)
    root.choice('kind', (KIND,))
    limits, base = dict(root.section('limits').rest()), root.section('base')
    if 'side' in limits:
        root.fail('limits.side', 'a base with wheels has none')
    radius = base.number('radius', 0.01, 2)
    height, mass = base.number('height', 0.02, 3), base.number('mass', 0.1, 1000)
    front = base.number('front', 0.01, 2 * radius) if base.has('front') else radius
    base.close()
    key = 'cameras' if root.has('cameras') else 'camera'
    camera = dict(root.section(key).rest())
    whole = {
        **root.rest(),
        'style': KIND,
        'limits': {**limits, 'side': 0.0},
        'kick': {'wind_up': 0.1, 'recovery': 0.1, 'speed': 0.1, 'reach': 0.0},
        'fall': {'push_speed': 60.0, 'fall_time': 1.0, 'get_up_time': 1.0},
        'body': {
            'mass': mass,
            'height': height,
            'foot_length': 2 * radius,
            'foot_width': radius,
            'foot_front': front,
            'stance_width': radius,
            'hip_height': 0.3 * height,
            'shoulder_height': 0.6 * height,
            'shoulder_width': 2 * radius,
            'head_height': 0.9 * height,
            'head_radius': 0.1 * height,
        },
        'head': {
            'neck': [0.0, 0.0, height],
            'pan': [0.0, 0.0],
            'tilt': [0.0, 0.0],
            'speed': 1.0,
        },
        key: _with_defaults(camera)
        if key == 'camera'
        else {
            name: _with_defaults(each) if isinstance(each, dict) else each
            for name, each in camera.items()
        },
    }
    for key, default in _DEFAULTS.items():
        whole[key] = {**default, **_mapping(root, key, whole.get(key, {}))}
    return whole


def spelled_out(text: str, source: str | os.PathLike[str]) -> str:
    """
    Return the text of a profile with the values of walk and odometry that it leaves out.

    Who changes one of them finds it there; the text of a robot that is no base is left alone.
    """
    values = yaml.safe_load(text)
    if values.get('kind') != KIND:
        return text
    for section in ('walk', 'odometry'):
        for key, value in _DEFAULTS[section].items():
            if key not in values.get(section, {}):
                comment = 'assumed, but for what is among the uncertainties'
                text = with_entry(text, section, key, value, comment, str(source))
    return text


def _with_defaults(camera: Plain) -> Plain:
    return {
        'distortion': [0, 0, 0, 0, 0],
        'rate': 0,
        'exposure': 0.0,
        'noise': 0.0,
        'delivery': _DELIVERY,
        **camera,
    }


def _mapping(root: Section, key: str, value: object) -> Plain:
    if not isinstance(value, dict):
        root.fail(key, f'a mapping is expected, not {value!r}')
    return value
