"""What a contract names: roles of topics and of frames, and which of them a robot may rename."""

from __future__ import annotations

import re

from guda_ros.config.files import Section, shown

#: Roles of topics that every contract names.
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
#: Roles of further topics of a robot's driver, whose names are usual ones.
DRIVER_TOPICS = (
    'lower_image',
    'lower_camera_info',
    'imu',
    'joint_states',
    'head_command',
    'kick',
)
#: Roles of frames.
FRAMES = ('map', 'odom', 'base', 'camera')
#: What ROS 2 takes for the name of a topic; rmw takes no more than 247 letters of a whole one.
_TOPIC = re.compile(r'/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*', re.ASCII)
_LONGEST = 200


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


def read_topics(section: Section) -> dict[str, str]:
    """Return role -> name of the topics that a robot calls otherwise than its contract."""
    names = {}
    for role in section.keys():
        if role not in (*TOPICS, *DRIVER_TOPICS):
            section.fail(role, f'is no topic; known: {", ".join((*TOPICS, *DRIVER_TOPICS))}')
        names[role] = take_topic(section, role)
    return names


def read_frames(section: Section) -> dict[str, str]:
    """Return role -> name of the frames that a robot calls otherwise than its contract."""
    for role in section.keys():
        if role not in FRAMES:
            section.fail(role, f'is no frame; known: {", ".join(FRAMES)}')
    return {role: take_frame(section, role) for role in section.keys()}
