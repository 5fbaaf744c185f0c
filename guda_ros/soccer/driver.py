"""The `driver` section of a robot profile: what a robot hears, who says it, how images come."""

from __future__ import annotations

from dataclasses import dataclass

from guda_ros.config.files import Section

#: Nobody stands between the safety node and the robot's driver.
NO_ADAPTER = 'none'
#: Ways to speak to a robot, each an adapter of guda_ros.ros.robots, with the topic or service on
#: which it speaks where a profile names none.
CHANNELS = {
    'twist': 'robot/cmd_vel',
    'naoqi': 'naoqi/cmd_vel',
    'op3_walking': '/robotis/walking/set_params',
    'booster_topic': 'LocoApiTopicReq',
    'booster_service': 'booster_rpc_service',
    'unitree_sport': '/api/sport/request',
}
ADAPTERS = (NO_ADAPTER, *CHANNELS)
#: How a driver sends its images: as they are, or as image_transport compresses them.
IMAGE_TRANSPORTS = RAW, COMPRESSED = 'raw', 'compressed'
#: What becomes of a speed within the dead zone: see guda_ros.robots.dead_zone.
SMALL = ('drop', 'nearest', 'raise')


@dataclass(frozen=True)
class Driver:
    """
    How a robot's driver hears velocity commands and sends images.

    stamped: TwistStamped on `cmd_vel`; otherwise Twist. adapter: who turns `cmd_vel` into what the
    robot hears. channel: topic or service on which it does, empty for the usual one;
    channel_stamped: of the adapter `twist`, TwistStamped there. watchdog: silence [s] after which
    the adapter stops the robot. dead_zone: speeds (forward, left [m/s], turn [rad/s]) below which
    the robot does not move, small: what becomes of those. scale: what the robot is told, relative
    to what it is to do. acceleration, jerk: how fast commands (forward, left, turn) may grow
    [m/s^2, rad/s^2; m/s^3, rad/s^3] that are sent to a robot, 0 for any. image_transport: of
    IMAGE_TRANSPORTS.
    """

    stamped: bool = True
    adapter: str = NO_ADAPTER
    channel: str = ''
    channel_stamped: bool = False
    watchdog: float = 0.25
    dead_zone: tuple[float, float, float] = (0.0, 0.0, 0.0)
    small: str = 'nearest'
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    acceleration: tuple[float, float, float] = (0.0, 0.0, 0.0)
    jerk: tuple[float, float, float] = (0.0, 0.0, 0.0)
    image_transport: str = RAW


#: A driver that hears TwistStamped on `cmd_vel` itself.
USUAL_DRIVER = Driver()


def read_driver(section: Section) -> Driver:
    """Read the section; each key may be left out."""
    usual = USUAL_DRIVER
    driver = Driver(
        stamped=section.flag('stamped') if section.has('stamped') else usual.stamped,
        adapter=section.choice('adapter', ADAPTERS) if section.has('adapter') else usual.adapter,
        channel=section.text('channel') if section.has('channel') else usual.channel,
        channel_stamped=section.flag('channel_stamped')
        if section.has('channel_stamped')
        else usual.channel_stamped,
        watchdog=section.number('watchdog', 0.05, 1)
        if section.has('watchdog')
        else usual.watchdog,
        dead_zone=section.numbers('dead_zone', 3, 0, 2)
        if section.has('dead_zone')
        else usual.dead_zone,
        small=section.choice('small', SMALL) if section.has('small') else usual.small,
        scale=section.numbers('scale', 3, 0.1, 10) if section.has('scale') else usual.scale,
        acceleration=section.numbers('acceleration', 3, 0, 1000)
        if section.has('acceleration')
        else usual.acceleration,
        jerk=section.numbers('jerk', 3, 0, 10_000) if section.has('jerk') else usual.jerk,
        image_transport=section.choice('image_transport', IMAGE_TRANSPORTS)
        if section.has('image_transport')
        else usual.image_transport,
    )
    section.close()
    return driver
