#!/bin/sh
# Finding: two types on one topic raise an error within a process, and nothing at all between processes.
# Versions: ros-rclpy 9.1.2 with ros-rmw-fastrtps-cpp 9.3.3, ros-std-msgs 5.5.1, Python 3.11
# Input: a publisher of Int32 and a subscription to String on the same topic, with event callbacks for
#   incompatible types and incompatible QoS on both.
# Behaviour: in one process the second of the two cannot be created. In two processes they are not
#   matched and hear nothing, and no event of either kind comes in five seconds; the graph lists
#   both types, so that only asking for the endpoints of the topic tells.
# Seen:
#   one process: RCLError
#   two processes: heard 0, events 0, types ['std_msgs/msg/Int32', 'std_msgs/msg/String']
set -eu
. "$(dirname "$0")/common.sh"
environment 'ros-rclpy[fastrtps]==9.1.2' ros-std-msgs==5.5.1
run <<'END'
import subprocess
import sys
import time

import rclpy
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import Int32, String

rclpy.init()
node, heard, events = rclpy.create_node('finding'), [], []
if sys.argv[1:] == ['publish']:
    publisher = node.create_publisher(
        Int32, 'topic', 1, event_callbacks=PublisherEventCallbacks(
            incompatible_type=events.append, incompatible_qos=events.append))
else:
    node.create_subscription(
        String, 'topic', heard.append, 1, event_callbacks=SubscriptionEventCallbacks(
            incompatible_type=events.append, incompatible_qos=events.append))
    try:
        node.create_publisher(Int32, 'topic', 1)
        sys.exit('both types are taken in one process now')
    except Exception as error:
        print(f'one process: {type(error).__name__}', flush=True)
    other = subprocess.Popen([sys.executable, __file__, 'publish'])
executor, types, end = SingleThreadedExecutor(), set(), time.monotonic() + 8
executor.add_node(node)
while time.monotonic() < end:
    executor.spin_once(timeout_sec=0.1)
    if sys.argv[1:] == ['publish']:
        publisher.publish(Int32())
    for found in (node.get_publishers_info_by_topic, node.get_subscriptions_info_by_topic):
        types |= {end_point.topic_type for end_point in found('topic')}
if sys.argv[1:] == ['publish']:
    sys.exit(1 if events else 0)
told = other.wait() + len(events)
print(f'two processes: heard {len(heard)}, events {told}, types {sorted(types)}')
if told or heard or len(types) != 2:
    sys.exit('two types on a topic are told now, or were not found by both')
END
