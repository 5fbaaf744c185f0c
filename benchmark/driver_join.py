"""
Measure what it costs that a driver stamps images and odometry by clocks of its own.

Two perception nodes, in processes of their own, see the same pictures at the same time over DDS.
One has an odometry with the very stamp of each image, as a simulator in lock-step sends it; the
other's odometry has another rate and phase, so that it is interpolated and the image waits for
the sample after it. The last line is a JSON object: for `exact` and `own` the images that were
answered and the time [ms] from the image's stamp to the arrival of `ball/odom`, p50 and p99; how
much `own` takes more; `period_ms` of its odometry, and whether it takes no more than that.
"""

from __future__ import annotations

import argparse
from functools import partial
import json
from pathlib import Path
import sys
import tempfile
import time

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recording import pictures

from guda_ros.data.contract import Contract
from guda_ros.data.messages import stamp_to_ns
from guda_ros.ros.graph.names import RosNames
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import NodeSpec
from guda_ros.soccer.robot import RobotProfile

SECOND = 1_000_000_000
#: Odometry that has no phase for long against a camera: its period [s] is so much longer.
DRIFT = 1.013
#: Seconds in which nodes warm up and are not measured.
WARM = 2.0


class StandInDriver:
    """
    A camera and an odometry in one namespace, and who hears the answers.

    :param node: of the graph. :param name: namespace. :param period: of the odometry [ns].
    """

    def __init__(self, node, name: str, contract: Contract, period: int) -> None:
        from nav_msgs.msg import Odometry
        from sensor_msgs.msg import Image

        from guda_ros.ros import qos

        self._contract, self.period = contract, period
        topics = contract.topics
        self._images = node.create_publisher(Image, f'/{name}/{topics["image"]}', qos.DEFAULT)
        self._odometry = node.create_publisher(Odometry, f'/{name}/{topics["odom"]}', qos.STREAM)
        node.create_subscription(Odometry, f'/{name}/{topics["ball"]}', self._hear, qos.DEFAULT)
        self._node, self._ball = node, f'/{name}/{topics["ball"]}'
        #: Stamp of an image [ns] -> time [ms] until its answer came.
        self.answers: dict[int, float] = {}

    def connected(self) -> bool:
        """Tell whether the perception node hears and is heard."""
        ends = self._images, self._odometry
        return all(pub.get_subscription_count() for pub in ends) and bool(
            self._node.count_publishers(self._ball)
        )

    def _hear(self, message, info: dict) -> None:
        # What this process does meanwhile is not what is measured.
        stamp, came = stamp_to_ns(message.header.stamp), info['received_timestamp']
        self.answers.setdefault(stamp, ((came or time.time_ns()) - stamp) * 1e-6)

    def odometry(self, stamp: int) -> None:
        """Publish where the robot is."""
        from guda_ros.ros import conversions as convert

        frames = self._contract.frames
        walked = np.array([0.1 * (stamp % (100 * SECOND)) / SECOND, 0.0, 0.0])
        message = convert.odometry_message(walked, stamp, frames['odom'], frames['base'])
        self._odometry.publish(message)

    def image(self, stamp: int, picture: np.ndarray) -> None:
        """Publish a picture."""
        from guda_ros.ros import conversions as convert

        frame = self._contract.frames['camera']
        self._images.publish(convert.image_message(picture, stamp, frame))


def run(graph: GraphProcesses, drivers: list[StandInDriver], seconds: float, seen) -> None:
    """Publish in real time; `seen` are the pictures."""
    first = time.time_ns() + SECOND // 5
    camera = SECOND // 10
    # The image goes before the odometry of its stamp, which is the order that waits.
    due = [[first, 0, camera, None]]
    due += [[first, 1 + index, driver.period, driver] for index, driver in enumerate(drivers)]
    count = 0
    while due[0][0] < first + seconds * SECOND:
        entry = min(due, key=lambda one: one[:2])
        stamp, _, period, driver = entry
        while (wait := (stamp - time.time_ns()) / SECOND) > 0:
            graph.monitor.spin(min(wait, 0.02))
        if driver is not None:
            driver.odometry(stamp)
        else:
            # Each goes first as often as the other.
            for one in drivers if count % 2 else drivers[::-1]:
                one.image(stamp, seen[count % len(seen)])
            count += 1
        entry[0] += period
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        graph.check()
        graph.monitor.spin(0.02)


def measure(seconds: float, rate: float) -> dict:
    """Return what the last line says; `rate` of the odometry [Hz]."""
    contract = Contract.load()
    camera = RobotProfile.load(contract.robot).camera
    seen = [cv2.resize(picture, (camera.width, camera.height)) for picture in pictures()]
    exact = SECOND // 10 // max(1, round(rate / 10))
    periods = {'exact': exact, 'own': round(DRIFT * SECOND / rate)}
    specs = [
        NodeSpec('perception', 'perception', names=RosNames(namespace=name)) for name in periods
    ]
    with tempfile.TemporaryDirectory() as folder, GraphProcesses(specs, log_dir=folder) as graph:
        make = partial(StandInDriver, graph.monitor.node)
        drivers = {name: make(name, contract, period) for name, period in periods.items()}
        deadline = time.monotonic() + 60
        while not all(driver.connected() for driver in drivers.values()):
            graph.check()
            if time.monotonic() > deadline:
                raise SystemExit('perception does not answer')
            graph.monitor.spin(0.05)
        began = time.time_ns()
        run(graph, list(drivers.values()), WARM + seconds, seen)
    result: dict = {}
    for name, driver in drivers.items():
        late = [value for stamp, value in driver.answers.items() if stamp > began + WARM * SECOND]
        p50, p99 = np.percentile(late, [50, 99])
        result[name] = {
            'answered': len(late),
            'p50_ms': round(float(p50), 2),
            'p99_ms': round(float(p99), 2),
        }
    period = periods['own'] * 1e-6
    more = {
        key: round(result['own'][key] - result['exact'][key], 2) for key in ('p50_ms', 'p99_ms')
    }
    return {
        **result,
        'more': more,
        'period_ms': round(period, 2),
        'within_period': all(value <= period for value in more.values()),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--seconds', type=float, default=30.0)
    parser.add_argument('--rate', type=float, default=50.0, help='of the odometry [Hz]')
    args = parser.parse_args()
    print(json.dumps(measure(args.seconds, args.rate)))


if __name__ == '__main__':
    main()
