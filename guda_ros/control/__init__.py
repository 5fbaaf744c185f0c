"""Command limits, arbitration, watchdogs, joystick maps and policy inference; no ROS."""
