"""What a person wants, from a sensor_msgs/Joy as it arrives."""

from __future__ import annotations

from rclpy.clock import ROSClock
from sensor_msgs.msg import Joy

from guda_ros.control.joystick import JoystickMap, JoystickState
from guda_ros.data.messages import stamp_to_ns


def read_joy(
    message: Joy, joystick: JoystickMap, clock: ROSClock, patience: float
) -> JoystickState:
    """
    Return what a message says by a map of a joystick.

    By its stamp, if it has one, it may be old by `patience` [s]: who is heard late lets go late,
    and clocks of two computers are never quite the same. Simulated time tells no age, it jumps
    between episodes.
    """
    stamp = stamp_to_ns(message.header.stamp)
    late = (
        stamp > 0
        and not clock.ros_time_is_active
        and clock.now().nanoseconds - stamp > patience * 1e9
    )
    return joystick.decode(message.axes, message.buttons, late)
