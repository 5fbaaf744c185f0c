"""Pictures with where the head was, out of bags and folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from guda_ros.config.files import ConfigError, load_yaml
from guda_ros.control.head_joints import from_driver, joint_names
from guda_ros.control.kick_and_head import HEAD_JOINTS
from guda_ros.errors import GudaError
from guda_ros.identification.cameras.mount import Sight
from guda_ros.perception.encodings import read_picture
from guda_ros.soccer.robot import HeadJoints, RobotProfile
from guda_ros.workflows.perception.pictures import (
    bag_images,
    bag_messages,
    is_bag,
    read_pictures,
)

#: Lists the pictures of a folder with the head's angles and what is known of them.
INDEX = 'views.yaml'
#: The head stands still if it moves by less than this [rad] within so many seconds on each side.
_STILL, _WITHIN = 0.01, 0.15
#: A picture counts as another one if the head has turned by so much [rad]; at most so many.
_TURNED, _MOST = 0.06, 40
_KEYS = ('image', 'pan', 'tilt', 'ball', 'points')


def read_sights(
    paths: Sequence[Path], robot: RobotProfile, topic: str = '', joints: str = ''
) -> list[Sight]:
    """
    Return what was seen from each path, a stand each: a bag, or a folder of pictures.

    :param topic: of a bag's images. :param joints: topic of its joint states.
    :raises GudaError: if one of them holds nothing of use.
    """
    sights = []
    for stand, path in enumerate(paths):
        if is_bag(path):
            found = _of_bag(path, robot.head.joints, topic, joints, stand)
        elif (path / INDEX).is_file():
            found = _of_index(path / INDEX, stand)
        else:
            found = [Sight(name, bgr, 0.0, 0.0, stand) for name, bgr in read_pictures(path, topic)]
        sights += found
    return sights


def _of_bag(path: Path, head: HeadJoints, topic: str, joints: str, stand: int) -> list[Sight]:
    """Return one picture for each place where the head stood still."""
    times, angles = _head_angles(path, head, joints)
    sights: list[Sight] = []
    moving = outside = 0
    for stamp, bgr in bag_images(path, topic):
        now = stamp * 1e-9
        near = np.abs(times - now) <= _WITHIN
        if not (times[0] <= now <= times[-1]) or not near.any():
            outside += 1
            continue
        if np.ptp(angles[near], axis=0).max() > _STILL:
            moving += 1
            continue
        pan, tilt = (float(np.interp(now, times, angles[:, axis])) for axis in range(2))
        if any(np.hypot(pan - one.pan, tilt - one.tilt) < _TURNED for one in sights):
            continue
        sights.append(Sight(f'{path.stem} {now:.2f}', bgr, pan, tilt, stand))
        if len(sights) == _MOST:
            break
    if not sights:
        raise GudaError(
            f'{path}: no picture while the head stood still: in {moving} it moved, in {outside} '
            'there were no joint states; let the head stop for half a second at each place'
        )
    return sights


def _head_angles(path: Path, head: HeadJoints, topic: str) -> tuple[np.ndarray, np.ndarray]:
    """Return times (n,) [s] and pan and tilt (n, 2) [rad] of a bag's joint states."""
    times, angles, names = [], [], {}
    latest: dict[str, float] = {}
    kinds = ('sensor_msgs/msg/JointState',)
    for stamp, message in bag_messages(path, topic, kinds, 'joint states', '--joints'):
        told = from_driver(message.name, message.position, head)
        names.update(dict.fromkeys(message.name))
        latest.update({one: angle for one, angle in told.items() if np.isfinite(angle)})
        if told and len(latest) == len(HEAD_JOINTS):
            times.append(stamp * 1e-9)
            angles.append([latest[one] for one in HEAD_JOINTS])
    if not times:
        raise GudaError(
            f'{path}: joint states do not tell {" and ".join(joint_names(head))} (it has '
            f'{", ".join(list(names)[:12]) or "no names"}): head.joints of the profile names '
            'them'
        )
    order = np.argsort(times, kind='stable')
    return np.array(times)[order], np.array(angles)[order]


def _of_index(path: Path, stand: int) -> list[Sight]:
    """Return the pictures that an index lists."""
    views = load_yaml(path).get('views')
    if not isinstance(views, list) or not views:
        raise ConfigError(f'{path}: views: a list is expected, an entry for each picture')
    sights = []
    for number, view in enumerate(views):
        where = f'{path}: views.{number}'
        if not isinstance(view, dict) or not isinstance(view.get('image'), str):
            raise ConfigError(f'{where}: image, pan, tilt and maybe ball or points are expected')
        unknown = [str(key) for key in view if key not in _KEYS]
        if unknown:
            raise ConfigError(f'{where}: {unknown[0]}: is no key; there are {", ".join(_KEYS)}')
        pan, tilt = (
            _numbers(view.get(key, 0.0), (), f'{where}: {key}') for key in ('pan', 'tilt')
        )
        places, pixels = np.empty((0, 2)), np.empty((0, 2))
        if 'points' in view:
            rows = _numbers(view['points'], (None, 4), f'{where}: points')
            pixels, places = rows[:, :2], rows[:, 2:]
        if 'ball' in view:
            # Its pixel is found in the picture.
            places = np.vstack([places, _numbers(view['ball'], (2,), f'{where}: ball')])
        sights.append(
            Sight(
                view['image'],
                read_picture(path.parent / view['image']),
                float(pan),
                float(tilt),
                stand,
                places,
                np.zeros(len(places)),
                pixels,
            )
        )
    return sights


def _numbers(value: object, shape: tuple[int | None, ...], where: str) -> np.ndarray:
    """Return finite numbers of a shape, of which None is any size."""
    try:
        found = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        found = np.array(np.nan)
    fits = found.ndim == len(shape) and all(
        wanted in (None, size) for wanted, size in zip(shape, found.shape)
    )
    if not fits or not np.isfinite(found).all():
        wanted = {(): 'a number', (2,): 'x and y [m]'}.get(shape, 'rows of column, row, x, y')
        raise ConfigError(f'{where}: {wanted} is expected, not {value!r}')
    return found
