#!/bin/sh
# Finding: a callback of Context.on_shutdown comes when the publishers of the context's nodes are
#   destroyed already, so that it can publish no last word.
# Versions: ros-rclpy 9.1.2 (Kilted as wheels) with rmw_fastrtps, Python 3.11
# Input: one node with a publisher; a callback of on_shutdown publishes on it; rclpy.shutdown().
# Behaviour: before shutdown publish() works; in the callback it raises InvalidHandle.
# Seen:
#   before published
#   in on_shutdown InvalidHandle
set -eu
. "$(dirname "$0")/common.sh"
environment 'ros-rclpy[fastrtps]==9.1.2' ros-std-msgs==5.5.1
run <<'END'
import sys

import rclpy
from std_msgs.msg import String

rclpy.init()
node = rclpy.create_node('finding')
publisher, said = node.create_publisher(String, 'last_word', 1), []


def publish():
    try:
        publisher.publish(String(data='stop'))
    except Exception as error:
        return type(error).__name__
    return 'published'


print('before', publish(), flush=True)
rclpy.get_default_context().on_shutdown(lambda: said.append(publish()))
rclpy.shutdown()
print('in on_shutdown', *said, flush=True)
if said != ['InvalidHandle']:
    sys.exit('the behaviour has changed')
END
