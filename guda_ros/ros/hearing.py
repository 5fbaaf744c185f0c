"""Subscriptions that hear every publisher of their type, be it reliable or best effort."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from weakref import WeakKeyDictionary

from rclpy.event_handler import QoSRequestedIncompatibleQoSInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

#: A subscription -> the one that has taken its place.
_SUCCESSORS: WeakKeyDictionary[Subscription, Subscription] = WeakKeyDictionary()


def hear(
    node: Node,
    kind: type,
    name: str,
    callback: Callable,
    qos: QoSProfile,
    *,
    raw: bool = False,
) -> Subscription:
    """
    Subscribe; a reliable subscription becomes best effort when a publisher offers no more.

    DDS connects a reliable subscription to reliable publishers only, and drivers of sensors are
    often best effort (REP-2003). What is latched stays as it is: only nodes of ours publish it.

    :return: the subscription; `destroy_entities` destroys what has taken its place, too.
    """
    if (
        qos.reliability != ReliabilityPolicy.RELIABLE
        or qos.durability == DurabilityPolicy.TRANSIENT_LOCAL
    ):
        return node.create_subscription(kind, name, callback, qos, raw=raw)

    def give_way(info: QoSRequestedIncompatibleQoSInfo) -> None:
        if first in _SUCCESSORS:
            return
        if info.last_policy_kind != QoSPolicyKind.RELIABILITY:
            node.get_logger().warning(
                f'{first.topic_name}: a publisher offers a quality of service that does not fit '
                f'({QoSPolicyKind(info.last_policy_kind).name.lower()}); it is not heard'
            )
            return
        node.get_logger().info(f'{first.topic_name}: is published best effort, and heard so')
        modest = copy(qos)
        modest.reliability = ReliabilityPolicy.BEST_EFFORT
        # Made before the other goes: at no moment is nobody there.
        _SUCCESSORS[first] = node.create_subscription(kind, name, callback, modest, raw=raw)
        node.destroy_subscription(first)

    first = node.create_subscription(
        kind,
        name,
        callback,
        qos,
        raw=raw,
        event_callbacks=SubscriptionEventCallbacks(incompatible_qos=give_way),
    )
    return first


def heard_by(subscription: Subscription) -> Subscription:
    """Return the subscription that `hear` uses now in place of what it returned."""
    return _SUCCESSORS.get(subscription, subscription)
