"""A Booster K1 or T1, by the topic or by the service of its remote procedure calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import math
import uuid

import numpy as np
from rclpy.node import Node
from rclpy.task import Future

from guda_ros.control.head_joints import joint_names
from guda_ros.robots import booster
from guda_ros.robots.motion import RobotStatus
from guda_ros.ros.robots.foreign import interface, MissingMessages
from guda_ros.ros.robots.link import Link
from guda_ros.soccer.robot import RobotProfile

#: Calls that may wait for their answers; stops go out whatever waits.
_WAITING = 5


class BoosterLink(Link):
    """What both ways to a Booster robot have in common; a subclass sends the calls."""

    LOOKS = KICKS = True

    def __init__(self, node: Node, robot: RobotProfile, status: RobotStatus) -> None:
        super().__init__(node, robot, status)
        joints = robot.head.joints
        self._yaw, self._pitch = joint_names(joints)
        self._head = dict(zip((self._yaw, self._pitch), joints.offsets))
        hear = self._hear_if_there
        lacks = (
            hear('FallDownState', '/fall_down', self._on_fall, 'to know of falls'),
            hear('BatteryState', '/battery_state', self._on_battery, 'to know the battery'),
            hear('Odometer', '/odometer_state', self._on_odometry, 'odometry of older firmware'),
        )
        self.lack = '; '.join(filter(None, lacks))

    def call(self, call: booster.Call) -> None:
        """Send a call."""
        raise NotImplementedError

    def move(self, told: np.ndarray) -> None:
        """Walk."""
        self.call(booster.move(told))

    def look(self, positions: Mapping[str, float]) -> None:
        """Turn the head; a joint that is not told stays where it was told to be."""
        self._head.update({k: v for k, v in positions.items() if k in self._head})
        self.call(booster.rotate_head(self._head[self._pitch], self._head[self._yaw]))

    def kick(self) -> None:
        """Kick with the robot's own motion."""
        self.call(booster.Call(booster.SHOOT))

    def ask(self) -> None:
        """Ask for the mode."""
        self.call(booster.Call(booster.GET_MODE))

    def walk(self) -> str:
        """Change to the mode in which it walks."""
        if self.status.fall:
            return f'the robot is {self.status.fall}: get it up first'
        self.call(booster.change_mode(booster.WALKING))
        return ''

    def rest(self) -> str:
        """Change to the mode in which it stands on stiff legs."""
        if self.status.fall:
            return f'the robot is {self.status.fall}: its legs would move'
        self.call(booster.change_mode(booster.PREPARE))
        return ''

    def get_up(self) -> str:
        """Get up, from where it lies."""
        self.call(booster.Call(booster.GET_UP))
        return ''

    def finish(self, seconds: float) -> None:
        """Leave it standing on stiff legs, if it is known to walk."""
        if self.status.walks and not self.status.fall:
            self.rest()
        super().finish(seconds)

    def answered(self, call: booster.Call, status: int, body: str) -> None:
        """Take the answer to a call."""
        self.status.problem = booster.problem_of(status, call)
        if call.api_id == booster.GET_MODE and (mode := booster.mode_of(body)):
            self.status.mode, self.status.walks = mode, booster.walks(mode)

    def _hear_if_there(self, kind: str, topic: str, callback: Callable, need: str) -> str:
        """Hear a topic; return what cannot be done for want of its messages, else nothing."""
        try:
            self.hear(interface(f'booster_interface/msg/{kind}', need), topic, callback)
        except MissingMessages as error:
            return str(error)
        return ''

    def _on_odometry(self, message) -> None:
        self.on_odometry(np.array([message.x, message.y, message.theta], dtype=np.float64))

    def _on_fall(self, message) -> None:
        self.status.fall = booster.fall_of(message.fall_down_state)

    def _on_battery(self, message) -> None:
        charge = float(message.soc) / 100
        self.status.battery = charge if math.isfinite(charge) else None


class BoosterTopicLink(BoosterLink):
    """
    Calls on the topic `LocoApiTopicReq`, answers on `LocoApiTopicResp`.

    A robot that has a name has it behind both: `driver.channel: LocoApiTopicReq/NAME`.
    """

    NAME = 'booster_topic'

    def __init__(self, node: Node, robot: RobotProfile, status: RobotStatus) -> None:
        super().__init__(node, robot, status)
        self._kind = interface('booster_msgs/msg/RpcReqMsg', 'speaking to a Booster robot')
        answer = interface('booster_msgs/msg/RpcRespMsg', 'hearing a Booster robot')
        self._pub = self.publisher(self._kind, self.channel, 10)
        self._sent: dict[str, booster.Call] = {}
        topic = self.channel.replace('TopicReq', 'TopicResp')
        self.hear(answer, topic, self._on_answer)

    def call(self, call: booster.Call) -> None:
        """Publish a call."""
        number = str(uuid.uuid4())
        if call.api_id == booster.GET_MODE:
            self._sent = {number: call}
        self._pub.publish(self._kind(uuid=number, header=call.header, body=call.body))

    def _on_answer(self, message) -> None:
        if (call := self._sent.pop(message.uuid, None)) is not None:
            self.answered(call, 0, message.body)


class BoosterServiceLink(BoosterLink):
    """Calls of the service `booster_rpc_service`."""

    NAME = 'booster_service'

    def __init__(self, node: Node, robot: RobotProfile, status: RobotStatus) -> None:
        super().__init__(node, robot, status)
        kind = interface('booster_interface/srv/RpcService', 'speaking to a Booster robot')
        self._message = interface(
            'booster_interface/msg/BoosterApiReqMsg', 'speaking to a Booster robot'
        )
        self._kind, self._client = kind, node.create_client(kind, self.channel)
        self._waiting: dict[Future, booster.Call] = {}

    def heard(self) -> bool:
        """Tell whether the service is there."""
        return bool(self._client.service_is_ready())

    def move(self, told: np.ndarray) -> None:
        """Walk, unless the robot is slow to answer; a stop goes out in any case."""
        if len(self._waiting) < _WAITING or not np.any(told):
            super().move(told)
        else:
            self.status.problem = f'{len(self._waiting)} calls wait for an answer'

    def call(self, call: booster.Call) -> None:
        """Call the service, if it is there."""
        if not self.heard():
            self._waiting.clear()
            return
        request = self._kind.Request()
        request.msg = self._message(api_id=call.api_id, body=call.body)
        future = self._client.call_async(request)
        if len(self._waiting) >= 2 * _WAITING:
            oldest = next(iter(self._waiting))
            self._client.remove_pending_request(oldest)
            del self._waiting[oldest]
        self._waiting[future] = call
        future.add_done_callback(self._on_answer)

    def _on_answer(self, future: Future) -> None:
        call = self._waiting.pop(future, None)
        if call is not None and future.result() is not None:
            self.answered(call, int(future.result().msg.status), future.result().msg.body)
