"""
What decides about commands: limits, arbitration, watchdogs, devices, exported policies; no ROS.

guda_ros.ros.control has their parameters, messages and topics.
"""
