"""Images as a camera's driver sends them: as they are, or compressed."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from guda_ros.ros.parameters import Parameters, profile_of
from guda_ros.ros.topics import Topics
from guda_ros.soccer.driver import COMPRESSED, IMAGE_TRANSPORTS, RAW


def compressed_topic(image: str) -> str:
    """Return the topic where image_transport publishes the images of a topic, compressed."""
    return f'{image}/{COMPRESSED}'


def image_topic(node: Node, image: str, transport: str) -> str:
    """Return the topic on which the images of a topic of this node are sent."""
    return image if transport == RAW else compressed_topic(node.resolve_topic_name(image))


def declare_transport(parameters: Parameters) -> str:
    """Declare `image_transport`, by default as the robot profile says, and return it."""
    return parameters.declare(
        'image_transport',
        profile_of(parameters).driver.image_transport,
        'raw: hear sensor_msgs/Image; '
        'compressed: hear sensor_msgs/CompressedImage on <image>/compressed; default: the robot '
        "profile's",
        choices=IMAGE_TRANSPORTS,
        read_only=True,
    )


def image_publisher(topics: Topics, node: Node, role: str, transport: str) -> Publisher:
    """Create the publisher of a camera's images; `transport` as declare_transport returns it."""
    if transport == RAW:
        return topics.publisher(node, role)
    return topics.publisher(node, role, kind=CompressedImage, transport=COMPRESSED)


def image_subscription(
    topics: Topics,
    node: Node,
    transport: str,
    callback: Callable,
    *,
    qos: QoSProfile | None = None,
    role: str = 'image',
) -> Subscription:
    """Subscribe to a camera's images; `transport` as declare_transport returns it."""
    if transport == RAW:
        return topics.subscription(node, role, callback, qos=qos)
    return topics.subscription(
        node, role, callback, kind=CompressedImage, qos=qos, transport=COMPRESSED
    )


def grey_of(message: Image | CompressedImage) -> str:
    """Return a warning for an image without colours, an empty text for another."""
    # Here, because the recorder does without OpenCV unless it records images.
    from guda_ros.perception.encodings import is_grey

    if isinstance(message, Image) and is_grey(message.encoding):
        return f'the images are grey ({message.encoding}), but balls are found by their colour'
    return ''
