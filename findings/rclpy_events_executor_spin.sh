#!/bin/sh
# Finding: EventsExecutor.spin() calls no timer, while spin_once() of the same executor does.
# Versions: ros-rclpy 9.1.2 (Kilted as wheels) with rmw_fastrtps, Python 3.11
# Input: one node with a timer of 0.1 s, spun for 2 s.
# Behaviour: spin() in a thread of its own returns not and fires nothing; with SingleThreadedExecutor,
#   or with a loop of spin_once(timeout_sec=...), the timer fires some twenty times.
# Seen:
#   SingleThreadedExecutor.spin 20
#   EventsExecutor.spin_once 20
#   EventsExecutor.spin 0
set -eu
. "$(dirname "$0")/common.sh"
environment 'ros-rclpy[fastrtps]==9.1.2'
run <<'END'
import os
import sys
import threading
import time

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.experimental import EventsExecutor

rclpy.init()
node, calls = rclpy.create_node('finding'), []
node.create_timer(0.1, lambda: calls.append(1))
executor = SingleThreadedExecutor()
executor.add_node(node)
thread = threading.Thread(target=executor.spin, daemon=True)
thread.start()
time.sleep(2)
executor.shutdown()
thread.join()
print('SingleThreadedExecutor.spin', len(calls), flush=True)
calls.clear()
executor, end = EventsExecutor(), time.monotonic() + 2
executor.add_node(node)
while time.monotonic() < end:
    executor.spin_once(timeout_sec=0.1)
print('EventsExecutor.spin_once', len(calls), flush=True)
once = len(calls)
calls.clear()
threading.Thread(target=executor.spin, daemon=True).start()
time.sleep(2)
print('EventsExecutor.spin', len(calls), flush=True)
problem = None
if once < 5:
    problem = 'spin_once fires no timer either'
elif len(calls) > 2:
    problem = 'spin fires timers now'
if problem:
    print(problem, file=sys.stderr, flush=True)
# The thread that spins would keep an ordinary exit waiting.
os._exit(1 if problem else 0)
END
