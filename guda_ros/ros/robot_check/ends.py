"""Whether the ends of a topic fit: their types, and their qualities of service."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

TWIST, TWIST_STAMPED = 'geometry_msgs/msg/Twist', 'geometry_msgs/msg/TwistStamped'
IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
#: Nodes that look on: who hears commands among them is no robot.
_ONLOOKERS = (
    'data_collector',
    'policy',
    'operator_station',
    'referee',
    'teleop',
    'perception',
    'rosbag2_recorder',
    'rviz',
    'foxglove_bridge',
)


@dataclass(frozen=True)
class End:
    """
    A publisher or subscription that was discovered.

    node: with its namespace, such as `/red/safety`. type: such as `std_msgs/msg/Bool`. reliable,
    latched: what its quality of service offers, or asks for.
    """

    node: str
    type: str
    reliable: bool = True
    latched: bool = False

    @property
    def name(self) -> str:
        """The node without its namespace."""
        return self.node.rpartition('/')[2]

    @property
    def quality(self) -> str:
        """Its quality of service in words."""
        words = 'reliable' if self.reliable else 'best effort'
        return f'{words}, latched' if self.latched else words


def is_onlooker(end: End) -> bool:
    """Tell whether who hears a command only looks on: a recorder, a screen, `ros2 topic echo`."""
    return end.name.startswith(('_', 'rviz')) or end.name in _ONLOOKERS


def unfit_publishers(
    topic: str, kinds: Collection[str], latched: bool, ends: Iterable[End]
) -> list[str]:
    """
    Return a sentence for each publisher that a subscription of ours does not hear.

    :param kinds: types that it takes. :param latched: whether it asks for latched messages.
    """
    told = []
    for end in ends:
        if end.type not in kinds:
            told.append(
                f'{end.node} publishes {end.type} on {topic}, where '
                f'{" or ".join(sorted(kinds))} is expected'
            )
        elif latched and not end.latched:
            told.append(f'{end.node} publishes {topic} without latching (transient local)')
    return told


def unfit_hearers(topic: str, kind: str, latched: bool, ends: Iterable[End]) -> list[str]:
    """Return a sentence for each subscription that does not hear a publisher of ours."""
    told = []
    for end in ends:
        if end.type != kind:
            told.append(f'{end.node} hears {end.type} on {topic}, but {kind} is sent')
        elif end.latched and not latched:
            told.append(
                f'{end.node} wants {topic} latched (transient local), as commands are not sent'
            )
    return told


def commands_problem(topic: str, kind: str, ends: Iterable[End]) -> tuple[str, str] | None:
    """
    Return what keeps the robot from hearing commands and what to do; None if it hears them.

    :param kind: type that is sent. :param ends: all subscriptions to the topic.
    """
    robots = [end for end in ends if not is_onlooker(end)]
    if not robots:
        return (
            f'nobody hears {topic}',
            f"start the robot's driver, or say what it hears: --remap {topic}:=TOPIC",
        )
    unfit = unfit_hearers(topic, kind, False, robots)
    if len(unfit) < len(robots):
        return None
    todo = 'let the driver subscribe as others do: volatile'
    if {end.type for end in robots} & {TWIST, TWIST_STAMPED} - {kind}:
        stamped = str(kind == TWIST).lower()
        todo = (
            f'put `driver: {{stamped: {stamped}}}` into the robot profile, or give '
            f'--set safety.stamped={stamped}'
        )
    return '; '.join(unfit), todo
