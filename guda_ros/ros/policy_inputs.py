"""What a policy hears of the world: pose and ball of one stamp, and the odometry at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nav_msgs.msg import Odometry
import numpy as np
from rclpy.node import Node

from guda_ros.control.ball_controller import Observed
from guda_ros.data.contract import Contract
from guda_ros.data.messages import is_place, stamp_to_ns
from guda_ros.data.odometry_join import Joined
from guda_ros.data.stamp_join import StampJoin
from guda_ros.data.step_join import StepJoin
from guda_ros.ros import conversions as convert
from guda_ros.ros.robot_check.watch import EndsWatch
from guda_ros.ros.topics import Topics, type_name


class PolicyInputs:
    """
    Hear the inputs of a contract, `pose` and `ball/odom` or the pose alone, and `odom`.

    What is known at each control step is handed on.

    :param odometry: how it is joined, see declare_odometry.
    :param act: called with the stamp [ns] and what is known at it; a repeated stamp comes again.
    :param forget: called when time began anew.
    """

    def __init__(
        self,
        node: Node,
        contract: Contract,
        odometry: Mapping[str, Any],
        act: Callable[[int, Observed], None],
        forget: Callable[[], None],
    ) -> None:
        self._node, self._act, self._forget = node, act, forget
        self._inputs = contract.inputs
        self._steps = StepJoin(contract.period, ' and '.join(self._inputs), **odometry)
        self._seen = StampJoin(self._inputs)
        self._ends: EndsWatch | None = None
        #: What was wrong with what came last; empty if nothing was.
        self.problem = ''

    def subscriptions(self, topics: Topics) -> list:
        """Subscribe; return the subscriptions."""
        hear = {role: partial(self._on_seen, role) for role in self._inputs}
        hear['odom'] = self._on_odom
        kinds = {topics[role].name: type_name(topics[role].kind) for role in hear}
        self._ends = EndsWatch(self._node, kinds)
        return [topics.subscription(self._node, role, callback) for role, callback in hear.items()]

    @property
    def lack(self) -> str:
        """Why there is nothing to act on, as far as it is the odometry or who publishes."""
        ends = self._ends.problems() if self._ends is not None else []
        return '; '.join(filter(None, [*ends, self._steps.lack]))

    def begin(self, first: int | None) -> None:
        """Forget all at the start of an episode, whose first stamp [ns] is given if known."""
        self._steps.begin(first)
        self._seen.clear()

    def complain(self, problem: str) -> None:
        """Tell once what is wrong."""
        if problem != self.problem:
            self._node.get_logger().error(problem)
        self.problem = problem

    def _on_seen(self, role: str, message) -> None:
        stamp = stamp_to_ns(message.header.stamp)
        seen = self._seen.add(role, stamp, message)
        if seen is None:
            return
        if self._steps.add(stamp, seen):
            self._forget()
        self._hand_on()

    def _on_odom(self, message: Odometry) -> None:
        pose = convert.pose_from_message(message)
        try:
            self._steps.odometry(convert.stamp_or_now(message, self._node), pose)
        except ValueError as error:
            self.complain(str(error))
        self._hand_on()

    def _hand_on(self) -> None:
        for text in self._steps.news():
            self._node.get_logger().warning(text)
        while (joined := self._steps.next()) is not None:
            self._act(joined.stamp, self._observed(joined))

    def _observed(self, joined: Joined) -> Observed:
        pose, ball = convert.pose_from_message(joined.value['pose']), ()
        if 'ball' in joined.value:
            ball = convert.ball_from_message(joined.value['ball'])
        if is_place(np.concatenate([pose, *ball[:2]])):
            self.problem = ''
        else:
            told = ' or '.join(self._inputs)
            self.complain(f'{told} has numbers of no place on a field: not acted upon')
        pose_known = convert.pose_is_known(joined.value['pose'])
        return Observed(pose if pose_known else None, joined.odom, *ball)
