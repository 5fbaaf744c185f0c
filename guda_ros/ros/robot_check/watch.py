"""What running nodes say of the ends of their topics, and of what a driver sends them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
import statistics

from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo

from guda_ros.data.contract import Contract
from guda_ros.data.pairing import slowest_rate
from guda_ros.data.recording.frames import unfit_frame
from guda_ros.ros.images import image_topic, RAW
from guda_ros.ros.parameters import Parameters
from guda_ros.ros.robot_check.ends import COMPRESSED, End, IMAGE, unfit_publishers
from guda_ros.ros.topics import of_camera, Topics, type_name
from guda_ros.soccer.robot import RobotProfile

#: Images whose stamps tell the camera's rate.
_STAMPS = 20
#: Stamps that are farther apart [ns] tell of a pause, not of a rate.
_PAUSE = 1_500_000_000


def ends_of(infos: Sequence[TopicEndpointInfo], without: str = '') -> tuple[End, ...]:
    """Return publishers or subscriptions that rclpy has discovered, without those of one node."""
    found = (
        End(
            f'{info.node_namespace.rstrip("/")}/{info.node_name}',
            info.topic_type,
            info.qos_profile.reliability != ReliabilityPolicy.BEST_EFFORT,
            info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL,
        )
        for info in infos
    )
    return tuple(end for end in found if end.node != without)


class EndsWatch:
    """
    Name publishers that a node does not hear.

    :param kinds: topic, as the node names it -> type that the node takes.
    """

    def __init__(self, node: Node, kinds: Mapping[str, str]) -> None:
        self._node = node
        self._kinds = {node.resolve_topic_name(name): kind for name, kind in kinds.items()}

    def publishers(self, name: str) -> tuple[End, ...]:
        """Return who publishes a topic, by its name here."""
        name = self._node.resolve_topic_name(name)
        return ends_of(self._node.get_publishers_info_by_topic(name))

    def problems(self) -> list[str]:
        """Return a sentence for each publisher that is not heard."""
        return [
            text
            for name, kind in self._kinds.items()
            for text in unfit_publishers(name, (kind,), False, self.publishers(name))
        ]


class DriverWatch:
    """
    Notice what keeps a driver's images and odometry from being used, and name the cause.

    :param transport: of the images.
    """

    def __init__(
        self,
        node: Node,
        parameters: Parameters,
        contract: Contract,
        robot: RobotProfile,
        transport: str,
    ) -> None:
        self._node, self._contract, self._robot = node, contract, robot
        self._tolerance = parameters.declare(
            'clock_tolerance',
            0.5,
            "how far images' stamps may be from this computer's clock without a warning; 0: any",
            unit='s',
            low=0.0,
            high=1e9,
            read_only=True,
        )
        cameras = [of_camera(name, first=not index)[:2] for index, name in enumerate(robot.eyes)]
        topics = Topics(contract, cameras=list(robot.eyes)[1:])
        self._images, self._infos = (list(roles) for roles in zip(*cameras))
        roles = (*self._images, *self._infos, 'odom', 'joint_states')
        self._names = {role: topics[role].name for role in roles}
        kinds = {self._names[role]: type_name(topics[role].kind) for role in self._names}
        for role in self._images:
            del kinds[self._names[role]]
            self._names[role] = image_topic(node, self._names[role], transport)
            kinds[self._names[role]] = IMAGE if transport == RAW else COMPRESSED
        self._ends = EndsWatch(node, kinds)
        self._stamps: deque[int] = deque(maxlen=_STAMPS)
        self._ages: deque[float] = deque(maxlen=_STAMPS)
        self._children: set[str] = set()
        self._unstated = ''

    def odometry(self, message: Odometry) -> None:
        """
        Look at the frames of an odometry.

        :raises ValueError: if it is in another frame than the robot's odometry, with what to do.
        """
        frames = self._contract.frames
        if message.child_frame_id not in (frames['base'], *self._children):
            self._children.add(message.child_frame_id)
            self._node.get_logger().warning(
                f'{self._names["odom"]} tells where {message.child_frame_id!r} is; '
                f'{frames["base"]!r} is taken to be there'
            )
        if message.header.frame_id != frames['odom']:
            problem = unfit_frame('odom', message.header.frame_id, frames['odom'])
            raise ValueError(f'{self._names["odom"]} {": ".join(problem)}')

    def image(self, stamp: int, frame: str) -> None:
        """Look at an image's stamp [ns] and frame."""
        clock = self._node.get_clock()
        if stamp and not clock.ros_time_is_active:
            self._ages.append((clock.now().nanoseconds - stamp) * 1e-9)
        self._stamps.append(stamp)
        wanted = self._robot.frames.get('camera', frame)
        unfit = () if frame == wanted else unfit_frame('camera', frame, wanted)
        self._unstated = ': '.join(unfit)

    def warnings(self) -> list[str]:
        """Return what is wrong for as long as it lasts, as sentences."""
        told, names = self._ends.problems(), self._names
        told += [
            f"nobody publishes {names[role]}: the profile's lens is used"
            for role in self._infos
            if not self._ends.publishers(names[role])
        ]
        told += [
            f'nobody publishes {names[role]}: only the other camera is used'
            for role in self._images[1:]
            if not self._ends.publishers(names[role])
        ]
        if self._robot.head.moves and not self._ends.publishers(names['joint_states']):
            told.append(
                f'nobody publishes {names["joint_states"]}: the head is taken to look straight '
                'ahead'
            )
        if self._unstated:
            told.append(f'{names["image"]} {self._unstated}')
        if len(self._ages) and self._tolerance:
            age = statistics.median(self._ages)
            if abs(age) > self._tolerance:
                told.append(
                    f'images have stamps {abs(age):.1f} s {"old" if age > 0 else "ahead"}: the '
                    "clocks of the driver's computer and of this one are apart (chrony)"
                )
        rate = self.rate
        if rate and rate < slowest_rate(self._contract.rate):
            told.append(f'images come at {rate:.1f} Hz, the contract has {self._contract.rate:g}')
        return told

    @property
    def rate(self) -> float:
        """Images a second by their stamps [Hz]; 0 as long as it is not known."""
        gaps = [later - earlier for earlier, later in zip(self._stamps, [*self._stamps][1:])]
        gaps = [gap for gap in gaps if 0 < gap < _PAUSE]
        return 1e9 / statistics.median(gaps) if len(gaps) >= 5 else 0.0

    def nobody(self, role: str) -> str:
        """Return a sentence if nobody publishes the topic of a role that the node can hear."""
        ends = self._ends.publishers(self._names[role])
        return '' if ends else f'nobody publishes {self._names[role]}'
