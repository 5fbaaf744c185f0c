"""The UDP socket between a game controller and a robot, and what the robot tells of itself."""

from __future__ import annotations

from collections.abc import Iterable
import json
import socket
import time

from geometry_msgs.msg import PointStamped, PoseWithCovarianceStamped
from rclpy.node import Node
from std_msgs.msg import String

from guda_ros.game.packets import Status, write_status
from guda_ros.ros.conversions import pose_from_message, pose_is_known
from guda_ros.ros.running import NodeStartError
from guda_ros.ros.topics import Topics

#: Packets that are read in one go; more than that is a flood, whose rest the socket drops.
_AT_ONCE = 50


class GameSocket:
    """
    Hear control packets, and answer their sender.

    :param address: of this computer's, `0.0.0.0` for all. :param port: 0 takes a free one.
    :raises NodeStartError: if the port cannot be had.
    """

    def __init__(self, address: str, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # Several robots of one computer hear what is broadcast.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setblocking(False)
        try:
            self._socket.bind((address, port))
        except OSError as error:
            self._socket.close()
            raise NodeStartError(
                f'UDP port {port} of {address} cannot be had: {error.strerror}; another program '
                'may have it: parameters address and port'
            ) from error
        #: What the operating system objected to, empty if nothing.
        self.problem = ''

    @property
    def port(self) -> int:
        """The port that it has."""
        return self._socket.getsockname()[1]

    def packets(self) -> list[tuple[bytes, str]]:
        """Return what came since the last call, with the addresses of the senders."""
        found = []
        for _ in range(_AT_ONCE):
            try:
                data, sender = self._socket.recvfrom(2048)
            except BlockingIOError:
                break
            except OSError as error:
                # What was sent before and reached nobody is told here.
                self.problem = f'UDP: {error.strerror}'
                continue
            found.append((data, sender[0]))
        return found

    def answer(self, data: bytes, address: str, port: int) -> None:
        """Send a packet to an address; what does not get out is told by `problem`."""
        try:
            self._socket.sendto(data, (address, port))
            self.problem = ''
        except OSError as error:
            self.problem = f'no status to {address}:{port}: {error.strerror}'

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


def _is_near(place: Iterable[float]) -> bool:
    # Beyond that it is no place on a field, and no float of a packet; nor is NaN.
    return all(abs(value) < 100 for value in place)


class OwnStatus:
    """Keep what a robot knows of itself, for the game controller."""

    def __init__(self, node: Node, topics: Topics) -> None:
        self._pose, self._ball = (0.0, 0.0, 0.0), (0.0, 0.0)
        self._seen_at: float | None = None
        self._fallen: bool | None = None
        #: Subscriptions, for who destroys them.
        self.entities = [
            topics.subscription(node, 'pose', self._on_pose),
            topics.subscription(node, 'ball_detection', self._on_ball),
            topics.subscription(node, 'adapter_state', self._on_robot),
        ]

    def packet(self, team: int, player: int) -> bytes:
        """Return the status packet of now."""
        age = None if self._seen_at is None else time.monotonic() - self._seen_at
        return write_status(Status(player, team, self._fallen, self._pose, age, self._ball))

    def _on_pose(self, message: PoseWithCovarianceStamped) -> None:
        pose = pose_from_message(message)
        if pose_is_known(message) and _is_near(pose[:2]):
            self._pose = float(pose[0]), float(pose[1]), float(pose[2])

    def _on_ball(self, message: PointStamped) -> None:
        ball = message.point.x, message.point.y
        if _is_near(ball):
            self._ball, self._seen_at = ball, time.monotonic()

    def _on_robot(self, message: String) -> None:
        try:
            fall = json.loads(message.data)['fall']
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        self._fallen = None if fall is None else bool(fall)
