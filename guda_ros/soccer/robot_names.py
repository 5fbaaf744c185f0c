"""What a contract names: roles of topics and of frames, and which of them a robot may rename."""

from __future__ import annotations

from collections.abc import Sequence
import re

from guda_ros.config.files import Section, shown

#: Roles of topics that contracts name.
TOPICS = (
    'image',
    'camera_info',
    'odom',
    'pose',
    'ball',
    'command',
    'episode',
    'ground_truth_robot',
    'ground_truth_ball',
)
#: Those of a ball, of which a task without one names none.
BALL_TOPICS = ('ball', 'ground_truth_ball')
#: Roles of further topics of a robot's driver, whose names are usual ones.
DRIVER_TOPICS = (
    'lower_image',
    'lower_camera_info',
    'imu',
    'joint_states',
    'head_command',
    'kick',
)
#: Names that a camera cannot have: views of the simulator are called so, or roles of topics.
_TAKEN = ('head', 'lower', 'overview', 'follow', 'portrait')
#: The joints of a head, pan first, where its driver does not call them otherwise.
HEAD_JOINTS = ('head_pan', 'head_tilt')
#: Roles of frames.
FRAMES = ('map', 'odom', 'base', 'camera')
#: What ROS 2 takes for the name of a topic; rmw takes no more than 247 letters of a whole one.
_TOPIC = re.compile(r'/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*', re.ASCII)
_LONGEST = 200


def topic_roles(inputs: Sequence[str]) -> tuple[str, ...]:
    """Return the roles of topics that a contract with these `inputs` names."""
    return tuple(role for role in TOPICS if 'ball' in inputs or role not in BALL_TOPICS)


def take_topic(section: Section, role: str) -> str:
    """Take the name of a topic; ConfigError where ROS has no such names."""
    name = section.text(role)
    if not _TOPIC.fullmatch(name) or len(name) > _LONGEST:
        section.fail(role, f'{shown(name)} is no name of a topic, such as camera/image_raw')
    return name


def take_frame(section: Section, role: str) -> str:
    """Take the name of a frame: letters, digits and signs without a space."""
    name = section.text(role)
    # A space is printable, and what has no width is not.
    if ' ' in name or not name.isprintable() or len(name) > _LONGEST:
        section.fail(role, f'{shown(name)} is no name of a frame, such as base_link')
    return name


def check_camera(section: Section, name: str) -> None:
    """Refuse what is no name of a camera."""
    if not re.fullmatch('[a-z][a-z0-9_]{0,30}', name) or name in _TAKEN:
        section.fail(
            name,
            'is no name of a camera: small letters, digits and _ are expected, and none of '
            f'{", ".join(_TAKEN)}',
        )


def camera_roles(name: str) -> tuple[str, str]:
    """Return the roles of image and calibration of a camera that is not the first."""
    return f'{name}_image', f'{name}_camera_info'


def read_topics(section: Section, cameras: tuple[str, ...] = ()) -> dict[str, str]:
    """
    Return role -> name of the topics that a robot calls otherwise than its contract.

    :param cameras: names of those that are not the first.
    """
    known = dict.fromkeys((*TOPICS, *DRIVER_TOPICS))
    known.update(dict.fromkeys(role for name in cameras for role in camera_roles(name)))
    names = {}
    for role in section.keys():
        if role not in known:
            section.fail(role, f'is no topic; known: {", ".join(known)}')
        names[role] = take_topic(section, role)
    return names


def read_frames(section: Section) -> dict[str, str]:
    """Return role -> name of the frames that a robot calls otherwise than its contract."""
    for role in section.keys():
        if role not in FRAMES:
            section.fail(role, f'is no frame; known: {", ".join(FRAMES)}')
    return {role: take_frame(section, role) for role in section.keys()}
