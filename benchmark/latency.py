"""
Measure what lies between a picture and the command that answers it, on the graph of a robot.

Perception, policy and safety, processes of their own, see a camera of 640x480 at 30 Hz and
odometry of its stamps over DDS, and answer every picture. One more process hears the same pictures
and does nothing else: the bare transport. The last line is a JSON object. In ms, p50, p99 and
p99.9: `command` from an image's stamp to `cmd_vel`, `ball` to `ball/odom`, `transport` to the bare
listener, `policy_tick` of observation and network alone, in this process.
`over_transport_p99_ms` is what the p99 of `command` has over that of `transport`; `answered` the
share of pictures that a command answered; `cpu` the share of one core that each node took.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recording import HEIGHT, pictures, WIDTH

from guda_ros.config.files import find_config, load_yaml
from guda_ros.control.ball_controller import ACTING, BallController, Observed
from guda_ros.control.exported_policy import ExportedPolicy
from guda_ros.control.search import BallSearch
from guda_ros.data.contract import Contract
from guda_ros.data.messages import stamp_to_ns
from guda_ros.ros.graph.names import RosNames
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import NodeSpec

SECOND = 1_000_000_000
RATE = 30
#: Seconds in which nodes warm up and are not measured, and in which the last answers may come.
WARM, REST = 3.0, 1.0
#: Where the robot stands in `map`: x, y [m], yaw [rad]; where the ball lies nobody is told.
START = np.array([1.0, 0.0, 0.0, np.nan, np.nan])
#: Focal length [pixels] of a camera that is 85 degrees high.
FOCAL = 262.0
#: Units of the layers of the policy, as those that `guda train` makes.
HIDDEN = (256, 256)
TICKS = 3000
_PERCENTILES = {'p50': 50, 'p99': 99, 'p99.9': 99.9}


def write_contract(folder: Path, detector: str) -> Path:
    """Write the usual contract, with a control step for every picture and a ball's detector."""
    contract, field, ball = (
        load_yaml(find_config(kind, name))
        for kind, name in (('tasks', 'soccer_push'), ('fields', 'spl'), ('balls', 'spl'))
    )
    ball['detector'] = detector
    contract.update(rate=float(RATE), field=str(folder / 'field.yaml'))
    for name, content in (('field', {**field, 'ball': ball}), ('contract', contract)):
        (folder / f'{name}.yaml').write_text(yaml.safe_dump(content), encoding='utf-8')
    return folder / 'contract.yaml'


def write_policy(path: Path, contract: Contract) -> None:
    """Export a policy of the usual size, of which only the time matters that it takes."""
    import torch

    from guda_ros.learning.export import export_policy
    from guda_ros.learning.networks import Normaliser, PolicyNetwork

    size = len(contract.observation_names)
    same = Normaliser(torch.zeros(size), torch.ones(size))
    export_policy(
        path,
        PolicyNetwork(same, HIDDEN, torch.Generator().manual_seed(0)),
        contract,
        'not trained',
    )


class Robot:
    """
    A camera and an odometry, and ears for what the nodes answer.

    :param node: of the graph that is measured.
    """

    def __init__(self, node, contract: Contract) -> None:
        from geometry_msgs.msg import TwistStamped
        from nav_msgs.msg import Odometry
        from sensor_msgs.msg import CameraInfo, Image

        from guda_ros.ros import qos

        self._contract = contract
        topics = contract.topics
        self._images = node.create_publisher(Image, topics['image'], qos.DEFAULT)
        self._info = node.create_publisher(CameraInfo, topics['camera_info'], qos.DEFAULT)
        self._odometry = node.create_publisher(Odometry, topics['odom'], qos.STREAM)
        #: Stamp of an image [ns] -> time [ms] until its first answer came.
        self.answers: dict[str, dict[int, float]] = {'command': {}, 'ball': {}}
        for role, kind in (('command', TwistStamped), ('ball', Odometry)):
            node.create_subscription(
                kind,
                topics[role],
                lambda message, info, role=role: self._hear(role, message, info),
                qos.DEFAULT,
            )
        self.sent: list[int] = []

    def _hear(self, role: str, message, info: dict) -> None:
        # What this process does meanwhile is not what is measured.
        stamp, came = stamp_to_ns(message.header.stamp), info['received_timestamp']
        self.answers[role].setdefault(stamp, ((came or time.time_ns()) - stamp) * 1e-6)

    @property
    def listeners(self) -> int:
        """How many hear the pictures."""
        return self._images.get_subscription_count()

    def step(self, stamp: int, picture: np.ndarray) -> None:
        """Publish odometry, calibration and picture of one stamp [ns]."""
        from guda_ros.ros import conversions as convert

        frames = self._contract.frames
        walked = np.zeros(3)
        self._odometry.publish(
            convert.odometry_message(walked, stamp, frames['odom'], frames['base'])
        )
        self._info.publish(
            convert.camera_info_message(WIDTH, HEIGHT, FOCAL, stamp, frames['camera'])
        )
        self._images.publish(convert.image_message(picture, stamp, frames['camera']))
        self.sent.append(stamp)


def listen(domain: int, topic: str) -> None:
    """Hear pictures until stdin ends, and print when each came: the bare transport."""
    import threading

    import rclpy
    from sensor_msgs.msg import Image

    from guda_ros.ros import qos
    from guda_ros.ros.executor import QuietExecutor

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    came: dict[int, float] = {}

    def hear(message) -> None:
        stamp = stamp_to_ns(message.header.stamp)
        came.setdefault(stamp, (time.time_ns() - stamp) * 1e-6)

    rclpy.init(domain_id=domain, signal_handler_options=rclpy.signals.SignalHandlerOptions.NO)
    node = rclpy.create_node('listener')
    node.create_subscription(Image, topic, hear, qos.SENSOR_DATA)
    executor = QuietExecutor()
    executor.add_node(node)
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.is_set():
        executor.spin_once(timeout_sec=0.1)
    print(json.dumps(came))


def percentiles(times: list[float]) -> dict[str, float]:
    """Return what stands in the last line of times [ms]."""
    if not times:
        raise SystemExit('latency.py: nothing was answered; see the logs of the nodes')
    values = np.percentile(times, list(_PERCENTILES.values()))
    return {name: round(float(value), 2) for name, value in zip(_PERCENTILES, values)}


def policy_ticks(policy: ExportedPolicy) -> list[float]:
    """Return times [ms] from what is seen to the command, without ROS."""
    controller = BallController(policy.contract, BallSearch(1.0))
    rng = np.random.default_rng(0)
    times = []
    for tick, (x, y) in enumerate(rng.uniform(-2, 2, (TICKS + 100, 2))):
        seen = Observed(np.zeros(3), np.zeros(3), np.array([x, y]), np.zeros(2), True)
        began = time.perf_counter()
        controller.command(seen, tick * SECOND // RATE, policy.predict)
        times.append(1e3 * (time.perf_counter() - began))
    return times[100:]


def cpu_seconds(pid: int) -> float:
    """Return what a process has computed."""
    fields = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def play(graph: GraphProcesses, robot: Robot, seconds: float, seen: list[np.ndarray]) -> None:
    """Publish pictures in real time."""
    first = time.time_ns()
    for count in range(round(seconds * RATE)):
        stamp = first + count * SECOND // RATE
        while (wait := (stamp - time.time_ns()) / SECOND) > 0:
            graph.monitor.spin(min(wait, 0.02))
        robot.step(stamp, seen[count % len(seen)])
    graph.check()


def measure(seconds: float, detector: str) -> dict:
    """Return what the last line says."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        contract_file, policy_file = write_contract(folder, detector), folder / 'policy.onnx'
        contract = Contract.load(contract_file)
        write_policy(policy_file, contract)
        names = RosNames()
        nodes = {'perception': {}, 'policy': {'policy': str(policy_file)}, 'safety': {}}
        specs = [
            NodeSpec(name, name, parameters={'contract': str(contract_file), **own})
            for name, own in nodes.items()
        ]
        graph = stack.enter_context(GraphProcesses(specs, log_dir=folder / 'log'))
        graph.wait_ready(60)
        from guda_ros.ros.episode.referee import Referee

        robot = Robot(graph.monitor.node, contract)
        referee = stack.enter_context(Referee(graph.domain, contract, names=names))
        listener = stack.enter_context(
            subprocess.Popen(
                [
                    sys.executable,
                    __file__,
                    '--listen',
                    str(graph.domain),
                    contract.topics['image'],
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        # Perception and the bare listener.
        deadline = time.monotonic() + 60
        while robot.listeners < 2:
            graph.check()
            if time.monotonic() > deadline:
                raise SystemExit('latency.py: perception or the listener hears no pictures')
            graph.monitor.spin(0.05)
        referee.begin('latency', START, 0, 'latency')
        seen = pictures()
        play(graph, robot, WARM, seen)
        computed = {name: cpu_seconds(pid) for name, pid in graph.pids.items()}
        robot.sent.clear()
        began = time.monotonic()
        play(graph, robot, seconds, seen)
        took = time.monotonic() - began
        cpu = {
            name: round((cpu_seconds(pid) - computed[name]) / took, 3)
            for name, pid in graph.pids.items()
        }
        deadline = time.monotonic() + REST
        while time.monotonic() < deadline:
            graph.monitor.spin(0.02)
        referee.spin(0.2)
        if referee.policy_state != ACTING:
            raise SystemExit(f'latency.py: the policy does not act: {referee.policy_state}')
        bare = {int(key): value for key, value in json.loads(listener.communicate('')[0]).items()}
        tick = policy_ticks(ExportedPolicy.load(policy_file, contract))
    times = {**robot.answers, 'transport': bare}
    late = {
        name: percentiles([found[stamp] for stamp in robot.sent if stamp in found])
        for name, found in times.items()
    }
    answered = sum(stamp in robot.answers['command'] for stamp in robot.sent)
    return {
        **late,
        'over_transport_p99_ms': round(late['command']['p99'] - late['transport']['p99'], 2),
        'policy_tick': percentiles(tick),
        'sent': len(robot.sent),
        'answered': round(answered / len(robot.sent), 4),
        'cpu': cpu,
        'image': f'{WIDTH}x{HEIGHT} at {RATE} Hz',
        'detector': detector,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--seconds', type=float, default=60.0)
    parser.add_argument('--detector', choices=('colour', 'network'), default='colour')
    parser.add_argument('--listen', nargs=2, metavar=('DOMAIN', 'TOPIC'), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.listen:
        listen(int(args.listen[0]), args.listen[1])
        return
    print(json.dumps(measure(args.seconds, args.detector)))


if __name__ == '__main__':
    main()
