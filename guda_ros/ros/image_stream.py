"""Hear the images of a topic, one after the other, for who looks at them in a loop of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
import time

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from guda_ros.errors import GudaError
from guda_ros.ros.conversions import bgr_from_message
from guda_ros.ros.graph import environment
from guda_ros.ros.graph.monitor import GraphMonitor
from guda_ros.ros.hearing import hear
from guda_ros.ros.qos import LOOK

_KINDS = {'sensor_msgs/msg/Image': Image, 'sensor_msgs/msg/CompressedImage': CompressedImage}


def hear_images(
    topic: str,
    domain: int | None = None,
    *,
    local: bool = True,
    seconds: float = 180.0,
    patience: float = 10.0,
) -> Iterator[np.ndarray]:
    """
    Yield the latest picture (height, width, 3), BGR uint8, of a topic, again and again.

    Nothing is sent. What came while the last picture was looked at is left out, but for its end.

    :param domain: by default ROS_DOMAIN_ID or 0. :param local: hear this machine only.
    :param seconds: how long to hear. :param patience: how long somebody may take to publish [s].
    :raises GudaError: if nobody publishes images there, or one cannot be decoded.
    """
    domain = environment.driver_domain(domain)
    environment.adopt(environment.ros_environment(domain, local=local))
    monitor = GraphMonitor(domain, '_guda_calibrate')
    latest: deque[Image | CompressedImage] = deque(maxlen=1)
    try:
        name = monitor.node.resolve_topic_name(topic)
        _subscribe(monitor, name, latest, patience)
        begin = heard = time.monotonic()
        while time.monotonic() - begin < seconds:
            monitor.spin(0.1)
            if latest:
                heard = time.monotonic()
                try:
                    yield bgr_from_message(latest.pop())
                except ValueError as error:
                    raise GudaError(f'{name}: {error}') from error
            elif time.monotonic() - heard > patience:
                raise GudaError(f'{name}: no image for {patience:g} s: does the camera run?')
    finally:
        monitor.close()


def _subscribe(monitor: GraphMonitor, name: str, latest: deque, patience: float) -> None:
    end = time.monotonic() + patience

    def take(message: Image | CompressedImage) -> None:
        # A function: rclpy asks for the signature, which append itself has not.
        latest.append(message)

    while True:
        monitor.spin(0.1)
        kinds = {info.topic_type for info in monitor.node.get_publishers_info_by_topic(name)}
        fitting = sorted(kinds & set(_KINDS))
        if fitting:
            hear(monitor.node, _KINDS[fitting[-1]], name, take, LOOK)
            return
        if time.monotonic() > end:
            others = sorted(
                topic
                for topic, types in monitor.node.get_topic_names_and_types()
                if set(types) & set(_KINDS)
            )
            raise GudaError(
                f'nobody publishes images on {name}; there is '
                f'{", ".join(others) or "no topic of images"}'
            )
