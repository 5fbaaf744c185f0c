#!/bin/sh
# Finding: assigning an ndarray of uint8 to Image.data takes thousands of times as long as its bytes.
# Versions: ros-rclpy 9.1.2, ros-sensor-msgs 5.5.1 (Kilted as wheels), Python 3.11
# Input: 640 x 480 x 3 bytes as bytes, array.array('B'), list and ndarray.
# Behaviour: all four are taken, and stored as array.array. Bytes and an array.array are copied at once;
#   the numbers of a list and, slower still, of an ndarray are checked one by one in Python, which is
#   longer than the period of a camera. data.tobytes() of the ndarray avoids it.
# Seen (times of a busy machine: their ratios are meant):
#   bytes 0.045 ms
#   array 0.029 ms
#   list 107.401 ms
#   ndarray 416.377 ms
set -eu
. "$(dirname "$0")/common.sh"
environment 'ros-rclpy[fastrtps]==9.1.2' ros-sensor-msgs==5.5.1
run <<'END'
import array
import sys
import time

import numpy as np
from sensor_msgs.msg import Image

pixels = np.random.default_rng(0).integers(0, 256, 640 * 480 * 3, dtype=np.uint8)
kinds = {
    'bytes': pixels.tobytes(),
    'array': array.array('B', pixels.tobytes()),
    'list': pixels.tolist(),
    'ndarray': pixels,
}
took = {}
for name, data in kinds.items():
    took[name] = float('inf')
    for _ in range(5):
        image, begin = Image(), time.perf_counter()
        image.data = data
        took[name] = min(took[name], time.perf_counter() - begin)
    print(f'{name} {took[name] * 1e3:.3f} ms', flush=True)
    if image.data.tobytes() != pixels.tobytes():
        sys.exit(f'{name}: other bytes are stored')
if took['ndarray'] < 100 * took['bytes']:
    sys.exit('an ndarray is taken fast now')
END
