"""The calibrations and images of all cameras that perception uses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from guda_ros.perception.camera import Calibration
from guda_ros.perception.pipeline import Perception
from guda_ros.ros import conversions as convert
from guda_ros.ros.images import grey_of, image_subscription
from guda_ros.ros.topics import of_camera, Topics
from guda_ros.soccer.robot import RobotProfile


class CameraInputs:
    """
    Hear the cameras of a robot profile.

    :param topics: with the robot's further cameras. :param transport: of the images.
    :param on_image: called with the name of the camera and the message.
    """

    def __init__(
        self,
        node: Node,
        topics: Topics,
        transport: str,
        robot: RobotProfile,
        perception: Perception,
        on_image: Callable[[str, Image | CompressedImage], None],
    ) -> None:
        self._node, self._topics, self._transport = node, topics, transport
        self._mounts, self._perception, self._on_image = robot.eyes, perception, on_image
        self._roles = {
            name: of_camera(name, first=name == perception.first) for name in self._mounts
        }
        self._told: dict[str, Calibration] = {}
        self._calibrated: set[str] = set()
        self._not_understood: dict[str, str] = {}
        self._grey: dict[str, str] = {}

    def hear_calibrations(self) -> list[Subscription]:
        """Subscribe to the calibration of each camera."""
        return [
            self._topics.subscription(self._node, info, partial(self._on_info, name))
            for name, (_, info, _) in self._roles.items()
        ]

    def hear_images(self) -> list[Subscription]:
        """Subscribe to the images of each camera; the first one comes last."""
        roles = reversed(self._roles.items())
        return [
            image_subscription(
                self._topics, self._node, self._transport, partial(self._take, name), role=image
            )
            for name, (image, _, _) in roles
        ]

    @property
    def calibration(self) -> str:
        """Where the calibrations are from."""
        if self._calibrated == set(self._mounts):
            return 'camera_info'
        if not self._calibrated:
            return 'robot profile'
        return f'camera_info of {", ".join(sorted(self._calibrated))}, else robot profile'

    @property
    def problems(self) -> list[str]:
        """What is wrong with calibrations and encodings, for as long as it lasts."""
        return [text for told in (self._not_understood, self._grey) for text in told.values()]

    def _on_info(self, name: str, message: CameraInfo) -> None:
        told = convert.calibration_from_message(message)
        if told == self._told.get(name):
            return
        self._told[name] = told
        try:
            camera = told.camera(self._mounts[name])
        except ValueError as error:
            used = 'camera_info' if name in self._calibrated else 'robot profile'
            problem = f'{self._of(name)}{error}; the {used} is used instead'
            self._not_understood[name] = problem
            self._node.get_logger().error(problem)
        else:
            self._perception.set_camera(camera, name)
            self._calibrated.add(name)
            self._not_understood.pop(name, None)

    def _take(self, name: str, message: Image | CompressedImage) -> None:
        grey = grey_of(message)
        if grey and name not in self._grey:
            self._node.get_logger().warning(f'{self._of(name)}{grey}')
        self._grey.pop(name, None)
        if grey:
            self._grey[name] = f'{self._of(name)}{grey}'
        self._on_image(name, message)

    def _of(self, name: str) -> str:
        """Return what a text begins with that is about one of several cameras."""
        return f'camera {name}: ' if len(self._mounts) > 1 else ''
