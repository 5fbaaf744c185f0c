"""What a contract names: roles of topics and of frames, and which of them a robot may rename."""

from __future__ import annotations

import re

from guda_ros.config.files import Section

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
_TOPIC = re.compile(r'/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*', re.ASCII)


def read_topics(section: Section) -> dict[str, str]:
    """Return role -> name of the topics that a robot calls otherwise than its contract."""
    names = {}
    for role in section.keys():
        if role not in (*TOPICS, *DRIVER_TOPICS):
            section.fail(role, f'is no topic; known: {", ".join((*TOPICS, *DRIVER_TOPICS))}')
        names[role] = section.text(role)
        if not _TOPIC.fullmatch(names[role]):
            section.fail(role, f'{names[role]!r} is no name of a topic, such as camera/image_raw')
    return names


def read_frames(section: Section) -> dict[str, str]:
    """Return role -> name of the frames that a robot calls otherwise than its contract."""
    for role in section.keys():
        if role not in FRAMES:
            section.fail(role, f'is no frame; known: {", ".join(FRAMES)}')
    return {role: section.text(role) for role in section.keys()}
