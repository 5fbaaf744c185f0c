"""The parameters of the data collector and the topics that they make it record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
import importlib
import os
from pathlib import Path

from geometry_msgs.msg import Twist
from rclpy.parameter import Parameter
from std_msgs.msg import Header

from guda_ros.config.files import find_config, load_yaml
from guda_ros.data.contract import Contract
from guda_ros.data.recording.collector import RecorderSettings
from guda_ros.data.recording.info import RecordingInfo
from guda_ros.data.verdicts import SOURCES
from guda_ros.ros.episode.event import EpisodeEvent
from guda_ros.ros.images import declare_transport
from guda_ros.ros.parameters import declare_contract, declare_stamped, Parameters
from guda_ros.ros.topics import Topics
from guda_ros.soccer.robot_names import BALL_TOPICS

#: What teleop and policy want.
_WISHES = tuple(f'command_{source}' for source in SOURCES)
#: What is recorded as it comes. The order is that of the topics in a recording.
_RECORDED = (
    'camera_info',
    'odom',
    'pose',
    'ball',
    'command',
    'episode',
    'ground_truth_robot',
    'ground_truth_ball',
    'joy',
    'ball_detection',
    'kick',
    'head_command',
    'safety_state',
    *_WISHES,
    # Who gave the command of a stamp.
    'command_source',
)
#: Without the angles of the head an image tells nothing of positions on the field.
_WITH_IMAGES = ('joint_states', 'imu')


@dataclass(frozen=True)
class RecorderParameters:
    """
    What the data collector was told.

    topics: role -> (topic name, message class) of what is recorded as it comes; the camera's
    images, which are made smaller, are not among them. stamped: commands to the robot come as
    TwistStamped; otherwise they come as Twist and are recorded with the stamps of their sources.
    """

    contract: Contract
    topics: dict[str, tuple[str, type]]
    folder: str
    operator: str
    guide: str
    stamped: bool
    images: bool
    transport: str
    jpeg_quality: int
    settings: RecorderSettings


def declare_recorder(parameters: Parameters, system_clock: bool) -> RecorderParameters:
    """
    Declare the parameters and return their values.

    :param system_clock: whether ROS time is the system's.
    :raises ConfigError: for an unknown contract, robot or guide.
    """
    contract = declare_contract(parameters)
    declare = partial(parameters.declare, read_only=True)
    folder = os.path.expanduser(declare('directory', 'recordings', 'folder for recordings'))
    operator = declare('operator', '', 'who demonstrates, noted in the recording')
    guide = declare(
        'guide',
        '',
        'guide (name or file) that the data are for, kept in the '
        'recording; after each episode what was recorded is augmented by it',
    )
    images = declare('record_images', False, 'record images, as JPEG')
    transport = declare_transport(parameters)
    quality = declare('jpeg_quality', 80, 'quality of recorded images', low=1, high=100)
    drain = declare(
        'drain_timeout',
        1.0,
        'how long the last samples are waited for after the end of an episode',
        unit='s',
        low=0.0,
        high=30.0,
    )
    pre_roll = declare(
        'pre_roll',
        2.0,
        'how much is recorded of what came before the start',
        unit='s',
        low=0.0,
        high=30.0,
    )
    reserve = declare(
        'disk_reserve',
        200,
        'room on the disk without which no episode begins',
        unit='MB',
        low=0,
        high=10**6,
    )
    lockstep = declare(
        'lockstep',
        False,
        'the simulator goes in lock-step: its stamps are true, however late this node sees them',
    )
    more = declare(
        'more_topics',
        Parameter.Type.STRING_ARRAY,
        'further topics to record, each as NAME=PACKAGE/msg/TYPE',
        check=parse_topics,
    )
    stamped = declare_stamped(parameters, 'hear TwistStamped on cmd_vel; false: Twist')
    stamped_input = declare(
        'stamped_input', True, 'hear TwistStamped on cmd_vel/teleop and cmd_vel/policy'
    )
    rates = declare(
        'rates',
        Parameter.Type.STRING_ARRAY,
        'rates that are wanted, each as '
        'ROLE=HZ, such as image=30; without: the rate of the contract',
        check=parse_rates,
    )
    table = Topics(contract)
    topics = {
        role: (table[role].name, table[role].kind)
        for role in (*_RECORDED, *(_WITH_IMAGES if images else ()))
        if contract.has_ball or role not in (*BALL_TOPICS, 'ball_detection')
    }
    if not stamped_input:
        topics |= {role: (table[role].name, Twist) for role in _WISHES}
    known = {name for name, _ in topics.values()}
    for name, kind in parse_topics(more).items():
        # Twice in one recording, no message could be told from a repeated one.
        if name.strip('/') not in known:
            topics[name.strip('/').replace('/', '_')] = (name, kind)
    wanted = dict.fromkeys(('odom', *contract.inputs, 'command'), contract.rate)
    if images:
        wanted['image'] = contract.rate
    return RecorderParameters(
        contract,
        topics,
        folder,
        operator,
        guide,
        stamped,
        images,
        transport,
        quality,
        RecorderSettings(
            drain=drain,
            pre_roll=pre_roll,
            rates={**wanted, **parse_rates(rates)},
            unstamped=frozenset(role for role, (_, kind) in topics.items() if not _stamped(kind)),
            system_clock=system_clock,
            lockstep=lockstep,
            reserve=reserve * 10**6,
            documents=_documents(parameters['contract'], parameters['robot'], guide),
        ),
    )


def recording_info(event: EpisodeEvent, operator: str, guide: str) -> RecordingInfo:
    """Return what the recording of an episode that starts now says of it."""
    return RecordingInfo(
        id=event.id,
        scenario=event.scenario,
        start_index=event.start_index,
        seed=event.seed,
        robot_start=event.robot_start,
        operator=operator,
        guide=guide,
        start_stamp=event.stamp,
        parameters=event.parameters,
        started=datetime.now(timezone.utc).isoformat(timespec='seconds'),
    )


def parse_topics(texts: Iterable[str]) -> dict[str, type]:
    """
    Return topic -> message class of texts such as `imu/data=sensor_msgs/msg/Imu`.

    :raises ValueError: saying what is wrong.
    """
    topics = {}
    for text in texts:
        name, _, kind = text.partition('=')
        package, _, message = kind.partition('/msg/')
        if not (name and package and message):
            raise ValueError(f'{text!r} is not NAME=PACKAGE/msg/TYPE')
        try:
            topics[name] = getattr(importlib.import_module(f'{package}.msg'), message)
        except (ImportError, AttributeError) as error:
            raise ValueError(f'{text!r}: there is no message type {kind}') from error
    return topics


def parse_rates(texts: Iterable[str]) -> dict[str, float]:
    """
    Return role -> rate [Hz] of texts such as `image=30`.

    :raises ValueError: saying what is wrong.
    """
    rates = {}
    for text in texts:
        role, _, rate = text.partition('=')
        try:
            rates[role] = float(rate)
        except ValueError as error:
            raise ValueError(f'{text!r} is not ROLE=HZ') from error
    return rates


def _stamped(kind: type) -> bool:
    return kind is Header or next(iter(kind.get_fields_and_field_types()), '') == 'header'


def _documents(task: str, robot: str, guide: str) -> dict[str, str]:
    # The contract has the profile's name and limits, not where its file lies.
    robot = robot or load_yaml(find_config('tasks', task))['robot']
    documents = {'profile.yaml': _text('robots', robot)}
    if guide:
        documents['guide.yaml'] = _text('guides', guide)
    return documents


def _text(kind: str, name: str) -> str:
    return Path(find_config(kind, name)).read_text(encoding='utf-8')
