"""
Measure how fast the simulator node runs: 100 Hz sensors and one 320x240 camera at 30 Hz.

The node runs alone in a process and draws because this one subscribes. The last line is a JSON
object: `real_time_factor` is the highest speed, in simulated seconds per real one, at which the
camera still gave at least 29 images for each simulated second.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys
import tempfile
import time

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from guda_ros.config.files import find_config, load_yaml
from guda_ros.data.recording.collector import header_stamp
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import NodeSpec

RATE, CAMERA_RATE, WIDTH, HEIGHT = 100.0, 30.0, 320, 240
#: Images for each simulated second that count as the camera keeping its rate.
ENOUGH = 29.0


def write_profile(folder: Path, robot: str) -> Path:
    """Write the profile of a robot with the benchmark's camera and IMU, and return the file."""
    values = load_yaml(find_config('robots', robot))
    values['camera'].update(width=WIDTH, height=HEIGHT, rate=CAMERA_RATE)
    values['imu'].update(rate=RATE)
    values.pop('lower_camera', None)
    path = folder / 'benchmark_robot.yaml'
    path.write_text(yaml.safe_dump(values), encoding='utf-8')
    return path


def measure(speed: float, seconds: float = 8.0, robot: str = 'nao_v6') -> dict[str, float]:
    """
    Run the node at a wanted speed and return what it reached.

    :param speed: simulated seconds that shall pass in a real one.
    :param seconds: real seconds of the measurement.
    :return: `speed`, `real_time_factor`, and messages for each simulated second on `image_raw`,
        `odom` and `imu/data`.
    """
    from nav_msgs.msg import Odometry
    from sensor_msgs.msg import Image, Imu

    from guda_ros.ros import qos

    with tempfile.TemporaryDirectory() as folder:
        spec = NodeSpec(
            'simulator',
            'simulator',
            lifecycle=True,
            parameters={
                'mode': 'free',
                'rate': RATE,
                'real_time_factor': float(speed),
                'robot': str(write_profile(Path(folder), robot)),
                'time_limit': 3600.0,
            },
        )
        with GraphProcesses([spec], log_dir=Path(folder) / 'log') as graph:
            graph.wait_ready(60)
            stamps: dict[str, list[int]] = {'image_raw': [], 'odom': [], 'imu/data': []}
            for kind, name in ((Image, 'image_raw'), (Odometry, 'odom'), (Imu, 'imu/data')):
                graph.monitor.node.create_subscription(
                    kind,
                    name,
                    lambda data, found=stamps[name]: found.append(header_stamp(data)),
                    qos.SENSOR_DATA if kind is Image else qos.DEFAULT,
                    raw=True,
                )
            _spin(graph, lambda: all(len(found) > 10 for found in stamps.values()), 30.0)
            first = {name: found[-1] for name, found in stamps.items()}
            for found in stamps.values():
                found.clear()
            began = time.monotonic()
            _spin(graph, lambda: time.monotonic() - began > seconds, seconds + 30.0)
            passed = time.monotonic() - began
    simulated = (stamps['odom'][-1] - first['odom']) / 1e9
    return {
        'speed': float(speed),
        'real_time_factor': round(simulated / passed, 3),
        **{name: round(len(found) / simulated, 2) for name, found in stamps.items()},
    }


def real_time_factor(
    speeds=(1.0, 1.5, 2.0, 3.0), seconds: float = 8.0, robot: str = 'nao_v6'
) -> dict:
    """Return the highest factor at which the camera keeps its rate, and all `runs`."""
    runs, best = [], 0.0
    for speed in speeds:
        runs.append(measure(speed, seconds, robot))
        if runs[-1]['image_raw'] < ENOUGH:
            break
        best = max(best, runs[-1]['real_time_factor'])
    return {'real_time_factor': best, 'runs': runs}


def _spin(graph: GraphProcesses, done, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not done():
        graph.check()
        if time.monotonic() > deadline:
            raise SystemExit('the simulator does not publish what is to be measured')
        graph.monitor.spin(0.05)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0].strip())
    parser.add_argument('--seconds', type=float, default=8.0, help='real seconds of each run')
    parser.add_argument('--speeds', type=float, nargs='+', default=[1.0, 1.5, 2.0, 3.0])
    parser.add_argument('--robot', default='nao_v6', help='robot profile')
    options = parser.parse_args()
    print(json.dumps(real_time_factor(options.speeds, options.seconds, options.robot)))


if __name__ == '__main__':
    main()
