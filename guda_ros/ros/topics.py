"""
Every topic and service by its role: name, type, quality of service, who is at its ends.

The names of roles that a contract has are the contract's; the others are derived from those or
fixed here. Nodes, the recorder and the simulator make their publishers and subscriptions from
this table, and docs/interfaces.md is written from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped, PoseWithCovarianceStamped, TwistStamped
from nav_msgs.msg import Odometry
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, Imu, JointState, Joy
from std_msgs.msg import Bool, Header, String
from std_srvs.srv import SetBool, Trigger
from visualization_msgs.msg import MarkerArray

from guda_ros.data.contract import Contract
from guda_ros.data.verdicts import SOURCES
from guda_ros.ros.hearing import hear
from guda_ros.ros.qos import (
    COMMAND,
    DEFAULT,
    EPISODE,
    HEARTBEAT,
    LATCHED,
    SENSOR_DATA,
    STATE,
    STREAM,
)
from guda_ros.soccer.robot import LOWER
from guda_ros.soccer.robot_names import camera_roles

if TYPE_CHECKING:
    from rclpy.client import Client
    from rclpy.publisher import Publisher
    from rclpy.service import Service as Server
    from rclpy.subscription import Subscription

#: Publishers of what a simulator and a real robot both have.
_ROBOT = ('robot or simulator',)


@dataclass(frozen=True)
class Topic:
    """
    One topic.

    role: what the code calls it. name: as a contract usually names it, or derived: `{command}` is
    the name of that role. kind: message class. publish, subscribe: quality of service of who
    publishes it, and of nodes that act on it. owner: the node below whose name it is (`~/` there),
    empty for a name that all share.
    """

    role: str
    name: str
    kind: type
    publish: QoSProfile
    subscribe: QoSProfile
    publishers: tuple[str, ...]
    subscribers: tuple[str, ...]
    meaning: str
    owner: str = ''

    @property
    def own_name(self) -> str:
        """Name that its owner uses: private, where it has one."""
        return '~/' + self.name.removeprefix(f'{self.owner}/') if self.owner else self.name


@dataclass(frozen=True)
class Service:
    """One service: its role, name as clients use it, type, the node that offers it, meaning."""

    role: str
    name: str
    kind: type
    owner: str
    meaning: str

    @property
    def own_name(self) -> str:
        """Name that its owner uses."""
        return '~/' + self.name.removeprefix(f'{self.owner}/')


def _wishes(role: str, name: str, kind: type, meaning: str) -> tuple[Topic, ...]:
    """Return what each source of commands wants of one thing that the safety node passes on."""
    return tuple(
        Topic(
            f'{role}_{source}',
            f'{name}/{source}',
            kind,
            COMMAND,
            COMMAND,
            (source,),
            ('safety', 'data_collector') if role == 'command' else ('safety',),
            f'{meaning} that the {source} node wants',
        )
        for source in SOURCES
    )


TOPICS = (
    Topic(
        'image',
        'image_raw',
        Image,
        DEFAULT,
        SENSOR_DATA,
        _ROBOT,
        ('perception', 'data_collector'),
        'the head camera, in `camera_optical_frame`',
    ),
    Topic(
        'camera_info',
        'camera_info',
        CameraInfo,
        DEFAULT,
        SENSOR_DATA,
        _ROBOT,
        ('perception', 'data_collector'),
        'calibration of the head camera',
    ),
    Topic(
        'lower_image',
        'lower/{image}',
        Image,
        DEFAULT,
        SENSOR_DATA,
        _ROBOT,
        (),
        'a second camera, in `lower_camera_optical_frame`, where the profile has `lower_camera`; '
        'the further ones of `cameras` are called by their names: `top/image_raw`, in '
        '`top_camera_optical_frame`, which perception hears',
    ),
    Topic(
        'lower_camera_info',
        'lower/{camera_info}',
        CameraInfo,
        DEFAULT,
        SENSOR_DATA,
        _ROBOT,
        (),
        'calibration of the second camera',
    ),
    Topic(
        'imu',
        'imu/data',
        Imu,
        STREAM,
        STREAM,
        _ROBOT,
        ('safety', 'data_collector'),
        'gyroscope and accelerometer (with gravity) in `base_link`; an orientation is used if '
        'there is one',
    ),
    Topic(
        'joint_states',
        'joint_states',
        JointState,
        STREAM,
        STREAM,
        _ROBOT,
        ('perception', 'data_collector'),
        'the joints of the head, as `head.joints` of the robot profile names them',
    ),
    Topic(
        'odom',
        'odom',
        Odometry,
        STREAM,
        STREAM,
        _ROBOT,
        ('perception', 'policy', 'data_collector'),
        'odometry, pose and velocity, with drift',
    ),
    Topic(
        'head_command',
        'head/command',
        JointState,
        COMMAND,
        COMMAND,
        ('safety',),
        (*_ROBOT, 'data_collector'),
        'wanted positions of the joints of the head, or of one, as `head.joints` names them',
    ),
    *_wishes('head_command', 'head/command', JointState, 'positions of the head'),
    Topic(
        'head_command_gaze',
        '{head_command}/gaze',
        JointState,
        COMMAND,
        COMMAND,
        ('perception',),
        ('safety',),
        'positions of a head that follows the ball by itself (`head.gaze` of the profile): '
        'passed on while the robot is not stopped and nobody else turns the head',
    ),
    Topic(
        'kick',
        'kick',
        Bool,
        COMMAND,
        COMMAND,
        ('safety',),
        (*_ROBOT, 'data_collector'),
        'true: kick now',
    ),
    *_wishes('kick', 'kick', Bool, 'a kick'),
    Topic(
        'pose',
        'pose',
        PoseWithCovarianceStamped,
        DEFAULT,
        DEFAULT,
        ('perception',),
        ('policy', 'safety', 'data_collector'),
        'the robot in `map`; with a variance of 1000 or more it is unknown, and the policy stands',
    ),
    Topic(
        'initial_pose',
        'initialpose',
        PoseWithCovarianceStamped,
        DEFAULT,
        DEFAULT,
        ('RViz', 'Foxglove', 'a person'),
        ('perception',),
        'where the robot stands now, in `map`',
    ),
    Topic(
        'ball_detection',
        'ball/detection',
        PointStamped,
        DEFAULT,
        DEFAULT,
        ('perception',),
        ('data_collector',),
        'the ball in `base_link`, when it is seen',
    ),
    Topic(
        'ball',
        'ball/odom',
        Odometry,
        DEFAULT,
        DEFAULT,
        ('perception',),
        ('policy', 'teleop', 'simulator', 'data_collector'),
        'the filtered ball in `odom`; a position variance of 1000 m² or more means lost',
    ),
    Topic(
        'debug_image',
        'perception/debug_image',
        Image,
        DEFAULT,
        DEFAULT,
        ('perception',),
        ('RViz', 'Foxglove'),
        'what perception sees in the image, drawn when somebody subscribes',
        owner='perception',
    ),
    Topic(
        'joy',
        'joy',
        Joy,
        DEFAULT,
        DEFAULT,
        ('gamepad driver', 'joystick', 'operator'),
        ('teleop', 'safety', 'data_collector'),
        'sticks and buttons',
    ),
    *_wishes('command', '{command}', TwistStamped, 'the velocity'),
    Topic(
        'command',
        'cmd_vel',
        TwistStamped,
        COMMAND,
        COMMAND,
        ('safety',),
        (*_ROBOT, 'policy', 'data_collector'),
        'what the robot does, from the safety node only; the stamp is that of the wish',
    ),
    Topic(
        'command_source',
        '{command}/source',
        Header,
        DEFAULT,
        DEFAULT,
        ('safety',),
        ('data_collector',),
        'stamp of a command, and in `frame_id` who commanded: `teleop`, `policy`, '
        '`intervention`, `safety`',
    ),
    Topic(
        'lock_takeover',
        'lock/takeover',
        Bool,
        STATE,
        LATCHED,
        ('teleop',),
        ('safety',),
        'true keeps the policy out',
    ),
    Topic(
        'lock_pause',
        'lock/pause',
        Bool,
        STATE,
        LATCHED,
        ('anyone',),
        ('safety',),
        'true keeps everybody out',
    ),
    Topic(
        'episode',
        'episode',
        String,
        EPISODE,
        LATCHED,
        ('simulator', 'who runs episodes on a robot'),
        ('perception', 'policy', 'safety', 'teleop', 'operator', 'data_collector'),
        'JSON: reset, start, end with verdict',
    ),
    Topic(
        'recording',
        'data_collector/recording',
        String,
        STATE,
        LATCHED,
        ('data_collector',),
        ('teleop',),
        'JSON: state of the recording, problems',
        owner='data_collector',
    ),
    Topic(
        'augmentation',
        'data_collector/augmentation',
        String,
        STATE,
        LATCHED,
        ('data_collector with a guide',),
        ('guda teleop',),
        'JSON: what augmentation makes of the recordings so far, and what to demonstrate next',
        owner='data_collector',
    ),
    Topic(
        'augmented',
        'data_collector/augmented',
        MarkerArray,
        STATE,
        LATCHED,
        ('data_collector with a guide',),
        ('RViz', 'Foxglove'),
        'accepted stretches and covered positions in `map`',
        owner='data_collector',
    ),
    Topic(
        'safety_state',
        'safety/state',
        String,
        STATE,
        LATCHED,
        ('safety',),
        ('data_collector', 'guda teleop'),
        'JSON: why the robot moves or stands',
        owner='safety',
    ),
    Topic(
        'heartbeat',
        'safety/heartbeat',
        Header,
        HEARTBEAT,
        HEARTBEAT,
        ('safety',),
        ('adapter',),
        '25 a second while an adapter listens: what the safety node commanded last holds',
        owner='safety',
    ),
    Topic(
        'adapter_state',
        'adapter/state',
        String,
        STATE,
        LATCHED,
        ('adapter',),
        ('safety', 'game'),
        'JSON: mode, fall, battery of the robot, and why its legs move or stand',
        owner='adapter',
    ),
    Topic(
        'game_state',
        'game/state',
        String,
        STATE,
        LATCHED,
        ('game',),
        ('safety',),
        'JSON: what the game controller says, and in `stand` why the robot has to stand',
        owner='game',
    ),
    Topic(
        'whistle',
        'game/whistle',
        Bool,
        DEFAULT,
        DEFAULT,
        ('who hears the whistle',),
        ('game',),
        'true: it was blown; in the state `set` that means `playing`',
        owner='game',
    ),
    Topic(
        'policy_state',
        'policy/state',
        String,
        STATE,
        LATCHED,
        ('policy',),
        ('guda evaluate',),
        'what the policy does: `policy`, `search`, `pose unknown`, `waiting`, `inactive`',
        owner='policy',
    ),
    Topic(
        'teleop_state',
        'teleop/state',
        String,
        STATE,
        LATCHED,
        ('teleop',),
        ('guda teleop',),
        'JSON: joystick, buttons, episode',
        owner='teleop',
    ),
    Topic(
        'ground_truth_robot',
        'ground_truth/odom',
        Odometry,
        DEFAULT,
        DEFAULT,
        ('simulator',),
        ('operator', 'data_collector'),
        'the robot in `map`, for metrics, and the eyes of the scripted operator',
    ),
    Topic(
        'ground_truth_ball',
        'ground_truth/ball',
        Odometry,
        DEFAULT,
        DEFAULT,
        ('simulator',),
        ('operator', 'data_collector'),
        'the ball in `map`, as above',
    ),
    Topic(
        'markers',
        'markers',
        MarkerArray,
        EPISODE,
        LATCHED,
        ('simulator',),
        ('RViz', 'Foxglove'),
        'carpet, lines and goals in `map`',
    ),
    Topic(
        'robot_description',
        'robot_description',
        String,
        STATE,
        LATCHED,
        ('perception',),
        ('RViz', 'Foxglove'),
        'URDF made from the robot profile',
    ),
    Topic('clock', '/clock', Clock, DEFAULT, DEFAULT, ('simulator',), ('all nodes',), 'ROS time'),
    Topic(
        'diagnostics',
        '/diagnostics',
        DiagnosticArray,
        DEFAULT,
        DEFAULT,
        ('all nodes',),
        ('guda teleop',),
        'health of every node, 1 Hz',
    ),
)

SERVICES = (
    Service('reset', 'simulator/reset', Trigger, 'simulator', 'next episode, from the parameters'),
    Service(
        'end',
        'simulator/end',
        Trigger,
        'simulator',
        'end it with the parameter `verdict`',
    ),
    Service(
        'step',
        'simulator/step',
        Trigger,
        'simulator',
        'while paused: parameter `steps` control periods; answers when they are made',
    ),
    Service('pause', 'simulator/pause', SetBool, 'simulator', 'stop the world, or go on'),
    Service(
        'emergency_stop', 'safety/emergency_stop', Trigger, 'safety', 'latch the stop: anyone may'
    ),
    Service(
        'release',
        'safety/release',
        Trigger,
        'safety',
        'release it: for a person, refused while something commands motion',
    ),
    Service(
        'discard',
        'data_collector/discard',
        Trigger,
        'data_collector',
        'put the present or latest recording aside',
    ),
    Service('walk', 'adapter/walk', Trigger, 'adapter', 'make the robot ready to walk'),
    Service('rest', 'adapter/rest', Trigger, 'adapter', 'let the robot stand on stiff legs'),
    Service('get_up', 'adapter/get_up', Trigger, 'adapter', 'get a fallen robot up: for a person'),
    Service('reload', 'policy/reload', Trigger, 'policy', 'read the policy file again'),
)

#: Services that rclpy gives every node, as far as other nodes here call them.
_PARAMETER_SERVICES = (
    Service(
        'simulator_parameters',
        'simulator/set_parameters',
        SetParameters,
        'simulator',
        'parameters of the next episode',
    ),
    Service(
        'teleop_parameters',
        'teleop/get_parameters',
        GetParameters,
        'teleop',
        'the joystick map that is used',
    ),
)

_BY_ROLE = {topic.role: topic for topic in TOPICS}
_SERVICE_BY_ROLE = {service.role: service for service in (*SERVICES, *_PARAMETER_SERVICES)}


def of_camera(name: str, first: bool) -> tuple[str, str, str]:
    """Return a camera's roles: image, calibration, and what its frame has before the name."""
    return ('image', 'camera_info', '') if first else (*camera_roles(name), f'{name}_')


class Topics(Mapping):
    """
    The topics of one graph by role, with the names that its contract gives them.

    :param contract: None stands for the usual names.
    :param prefix: before every relative name, such as `red/`.
    :param cameras: names of a robot's cameras that are not the first.
    """

    def __init__(
        self,
        contract: Contract | None = None,
        prefix: str = '',
        cameras: Iterable[str] = (),
    ) -> None:
        table = dict(_BY_ROLE)
        for camera in cameras:
            for role, like in zip(camera_roles(camera), camera_roles(LOWER)):
                same = table[like]
                name = same.name.replace(f'{LOWER}/', f'{camera}/', 1)
                table[role] = replace(same, role=role, name=name)
        named = {role: topic.name for role, topic in table.items()}
        if contract is not None:
            named.update(contract.topics)
        self._topics = {}
        for role, topic in table.items():
            name = named[role].format(**named)
            if not name.startswith('/'):
                name = prefix + name
            self._topics[role] = replace(topic, name=name)

    def __getitem__(self, role: str) -> Topic:
        """Return the topic of a role."""
        return self._topics[role]

    def __iter__(self):
        """Iterate over the roles."""
        return iter(self._topics)

    def __len__(self) -> int:
        """Return the number of topics."""
        return len(self._topics)

    def publisher(
        self,
        node: Node,
        role: str,
        *,
        kind: type | None = None,
        qos: QoSProfile | None = None,
        transport: str = '',
    ) -> Publisher:
        """
        Create the publisher of a role; that of a lifecycle node is silent while it is inactive.

        :param kind: message class, where it is not the table's. :param qos: likewise.
        :param transport: as in `subscription`.
        """
        topic = self[role]
        create = node.create_publisher
        if isinstance(node, LifecycleNode):
            create = node.create_lifecycle_publisher
        name = _transported(node, topic.name, transport) if transport else topic.own_name
        return create(kind or topic.kind, name, qos or topic.publish)

    def subscription(
        self,
        node: Node,
        role: str,
        callback: Callable,
        *,
        kind: type | None = None,
        qos: QoSProfile | None = None,
        raw: bool = False,
        transport: str = '',
    ) -> Subscription:
        """
        Create a subscription to a role; `raw`: the callback gets the serialized message.

        Best-effort publishers are heard, too (ros.hearing).

        :param transport: of image_transport, whose topic is named after the role's, remapped.
        """
        topic = self[role]
        name = _transported(node, topic.name, transport) if transport else topic.name
        return hear(node, kind or topic.kind, name, callback, qos or topic.subscribe, raw=raw)


def _transported(node: Node, name: str, transport: str) -> str:
    return f'{node.resolve_topic_name(name)}/{transport}'


def count_publishers(node: Node, name: str) -> int:
    """Return how many publish a topic, by its name here: rclpy's own count does not remap it."""
    return node.count_publishers(node.resolve_topic_name(name))


def count_subscribers(node: Node, name: str) -> int:
    """Return how many subscribe to a topic, likewise."""
    return node.count_subscribers(node.resolve_topic_name(name))


def offer_service(node: Node, role: str, callback: Callable, **options) -> Server:
    """Create the server of a role; `options` are those of `Node.create_service`."""
    service = _SERVICE_BY_ROLE[role]
    return node.create_service(service.kind, service.own_name, callback, **options)


def service_client(node: Node, role: str) -> Client:
    """Create a client of a role."""
    service = _SERVICE_BY_ROLE[role]
    return node.create_client(service.kind, service.name)


def topic_rows() -> list[tuple[str, str, str, str, str, str]]:
    """
    Return a row for each topic, as docs/interfaces.md shows it.

    In each: name, type, quality of service, publishers, subscribers, meaning.
    """
    rows = []
    for topic in Topics().values():
        qos = describe_qos(topic.publish)
        if topic.subscribe != topic.publish and topic.subscribers:
            qos += f'; subscribed {describe_qos(topic.subscribe)}'
        ends = (', '.join(nodes) for nodes in (topic.publishers, topic.subscribers))
        rows.append((topic.name, type_name(topic.kind), qos, *ends, topic.meaning))
    return rows


def service_rows() -> list[tuple[str, str, str]]:
    """Return name, type and meaning of each service, as docs/interfaces.md shows it."""
    return [(service.name, type_name(service.kind), service.meaning) for service in SERVICES]


def describe_qos(profile: QoSProfile) -> str:
    """Return a quality of service in words, such as `reliable, depth 10, latched`."""
    reliable = profile.reliability == ReliabilityPolicy.RELIABLE
    latched = profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
    words = f'{"reliable" if reliable else "best effort"}, depth {profile.depth}'
    return words + ', latched' if latched else words


def type_name(kind: type) -> str:
    """Return the name of a message or service class, such as `std_msgs/msg/String`."""
    package, folder, _ = kind.__module__.split('.', 2)
    return f'{package}/{folder}/{kind.__name__}'
