"""The subscriptions of the data collector: each message, serialized, as it comes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from geometry_msgs.msg import Twist
import numpy as np
from rclpy.node import Node
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image

from guda_ros.ros.control.sent_commands import SentCommands
from guda_ros.ros.conversions import twist_stamped
from guda_ros.ros.hearing import hear
from guda_ros.ros.images import COMPRESSED, compressed_topic, image_subscription
from guda_ros.ros.qos import RECORD, RECORD_IMAGES, RECORD_LATCHED
from guda_ros.ros.recorder.jpeg import JpegEncoder
from guda_ros.ros.recorder.parameters import RecorderParameters
from guda_ros.ros.robot_check.watch import EndsWatch
from guda_ros.ros.topics import Topics, type_name


class RecorderInputs:
    """
    Subscribe to what is recorded.

    Images become JPEG, but for those that the camera has compressed itself. Commands that come as
    Twist become TwistStamped.

    :param on_message: called with role, time of reception [ns] and serialized message.
    :param on_episode: called with the serialized announcement of an episode instead.
    """

    def __init__(
        self,
        node: Node,
        told: RecorderParameters,
        table: Topics,
        on_message: Callable[[str, int, bytes], None],
        on_episode: Callable[[bytes], None],
    ) -> None:
        self._node, self._on_message = node, on_message
        self._frame = told.contract.frames['base']
        for role, (name, kind) in told.topics.items():
            if role == 'episode':
                node.create_subscription(kind, name, on_episode, RECORD_LATCHED, raw=True)
            elif role == 'command' and not told.stamped:
                SentCommands(node, table, self._on_command, stamped=False, qos=RECORD)
            else:
                # Drivers publish CameraInfo with the quality of their images.
                qos = RECORD_IMAGES if role == 'camera_info' else RECORD
                hear(node, kind, name, partial(self._take, role), qos, raw=True)
        kinds = {name: type_name(kind) for name, kind in told.topics.values()}
        if told.images:
            name, kind = table['image'].name, type_name(Image)
            if told.transport == COMPRESSED:
                name = compressed_topic(node.resolve_topic_name(name))
                kind = type_name(CompressedImage)
            kinds[name] = kind
        if not told.stamped:
            kinds[told.topics['command'][0]] = type_name(Twist)
        #: Who publishes what is to be recorded, but cannot be heard.
        self.ends = EndsWatch(node, kinds)
        if told.images:
            self._jpeg = JpegEncoder(told.jpeg_quality)
            image_subscription(table, node, told.transport, self._on_image, qos=RECORD_IMAGES)

    def _now(self) -> int:
        return self._node.get_clock().now().nanoseconds

    def _take(self, role: str, data: bytes) -> None:
        self._on_message(role, self._now(), data)

    def _on_command(self, command: np.ndarray, stamp: int) -> None:
        self._take('command', serialize_message(twist_stamped(command, stamp, self._frame)))

    def _on_image(self, message: Image | CompressedImage) -> None:
        received = self._now()
        try:
            data = self._jpeg.encode(message)
        except ValueError as error:
            # What else is recorded must not suffer from a camera that sends something else.
            self._node.get_logger().error(f'images are not recorded: {error}', once=True)
            return
        self._on_message('image', received, data)
