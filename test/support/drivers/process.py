"""A stand-in driver as a process, and a person with a gamepad in its domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import json
import os
from pathlib import Path
import subprocess
import sys
import threading
import time

import numpy as np

from drivers.description import Description
from guda_ros.ros.graph.environment import ros_environment
from guda_ros.workflows.robots.making import new_robot

SUPPORT = Path(__file__).resolve().parents[1]


def make_profile(description: Description, folder: Path) -> Path:
    """Write the profile of a driver's robot as `guda robot new` does; return its file."""
    path = folder / 'mine.yaml'
    new_robot('mine', base=description.robot, values=description.values, out=path)
    return path


class DriverProcess:
    """
    A driver in a process of its own; `state` is what it told last of the world.

    :param name: of the driver. :param robot: profile. :param domain: ROS domain.
    """

    def __init__(self, name: str, robot: Path, domain: int, log: Path) -> None:
        environment = ros_environment(domain, log.parent)
        paths = [str(SUPPORT), environment.get('PYTHONPATH', '')]
        environment['PYTHONPATH'] = os.pathsep.join(paths)
        self._log = log
        with open(log, 'wb') as errors:
            self.process = subprocess.Popen(
                [sys.executable, '-m', 'drivers.driver', name, '--robot', str(robot)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                text=True,
                bufsize=1,
            )
        self.state: dict = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.state = json.loads(line)

    def wait(self, condition: Callable[[dict], bool], seconds: float = 60.0) -> None:
        """Wait until a condition holds for what the driver tells."""
        deadline = time.monotonic() + seconds
        while not (self.state and condition(self.state)):
            assert self.process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, f'the driver is at {self.state}'
            time.sleep(0.02)

    def place(self, start: Sequence[float]) -> None:
        """Put robot and ball to x, y, yaw, x, y, and wait until they are there."""
        start = [float(value) for value in start]
        self._order(place=start)
        self.wait(lambda state: np.allclose([*state['robot'], *state['ball']], start, atol=0.02))

    def look(self, pan: float, tilt: float) -> None:
        """Turn the head by hand, as behaviour of the robot's own does."""
        self._order(look=[pan, tilt])
        self.wait(lambda state: np.allclose(state['head'], [pan, tilt], atol=0.01))

    def _order(self, **order) -> None:
        self.process.stdin.write(json.dumps(order) + '\n')

    def close(self) -> None:
        """End the driver."""
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)
        self.process.stdout.close()

    def __enter__(self) -> DriverProcess:
        return self

    def __exit__(self, *_) -> None:
        self.close()
