"""A graph of nodes as operating system processes, for machines without `ros2 launch`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import yaml

from guda_ros.arguments import as_folder
from guda_ros.data.contract import Contract
from guda_ros.errors import GudaError
from guda_ros.ros.graph import environment as env
from guda_ros.ros.graph.names import USUAL_NAMES
from guda_ros.ros.graph.parameter_file import read_parameter_file
from guda_ros.ros.graph.shared_memory import clean_shared_memory
from guda_ros.ros.graph.table import build_graph, GraphOptions, NodeSpec

if TYPE_CHECKING:
    from guda_ros.ros.episode.runner import EpisodeRunner
    from guda_ros.ros.graph.monitor import GraphMonitor

#: Seconds between the start of the last node and the first use of the graph.
SETTLE = 0.3
_SUPERVISOR = str(Path(__file__).with_name('supervisor.py'))
#: Seconds that nodes get to stop after each signal.
GRACE = ((signal.SIGINT, 3.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0))


class GraphError(GudaError):
    """A graph cannot start or lost a node; the message names the node and shows its last words."""


@dataclass
class _Child:
    spec: NodeSpec
    process: subprocess.Popen
    log: Path


class GraphProcesses:
    """
    Run the nodes of a graph, each in its own process and process group.

    Start it from a thread that lives as long as the graph: the kernel ends the nodes with the
    thread that started them, so that not even SIGKILL to this process leaves orphans.

    :param graph_name: a graph of `guda_ros.ros.graph.table`, or a list of NodeSpec.
    :param options: GraphOptions, or a mapping of its fields.
    :param log_dir: folder for one log a node; a temporary one by default.
    :param domain: ROS domain; None takes the first free one.
    :param join: take part in a domain in which others are, such as a robot's driver; it must be
        named.
    :param environment: further environment variables for the nodes.
    """

    def __init__(
        self,
        graph_name: str | list[NodeSpec],
        options: GraphOptions | dict | None = None,
        log_dir: str | os.PathLike[str] | None = None,
        domain: int | None = None,
        *,
        join: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if not isinstance(options, GraphOptions):
            options = GraphOptions(**(options or {}))
        self.name = graph_name if isinstance(graph_name, str) else 'nodes'
        self.options = options
        self.specs = (
            build_graph(graph_name, options) if isinstance(graph_name, str) else list(graph_name)
        )
        self._names = self.specs[0].names if self.specs else USUAL_NAMES
        if log_dir is None:
            log_dir = tempfile.mkdtemp(prefix='guda_ros_log_')
        self.log_dir = as_folder(log_dir, 'log_dir')
        if join and domain is None:
            raise GraphError(f'graph {self.name}: name the domain that it is to join')
        self._requested, self._join = domain, join
        self._environment = dict(environment or {})
        self._claim: env.DomainClaim | None = None
        self._children: list[_Child] = []
        self._supervisor: subprocess.Popen | None = None
        self._monitor = None

    @property
    def domain(self) -> int:
        """ROS domain of the graph once it is started."""
        if self._claim is None:
            raise GraphError(f'graph {self.name} is not running')
        return self._claim.number

    @property
    def monitor(self) -> GraphMonitor:
        """A GraphMonitor in the graph's domain, closed by `stop`."""
        from guda_ros.ros.graph.monitor import GraphMonitor

        if self._monitor is None:
            self._monitor = GraphMonitor(self.domain, names=self._names)
        return self._monitor

    @property
    def pids(self) -> dict[str, int]:
        """Process numbers by node name."""
        return {child.spec.name: child.process.pid for child in self._children}

    def start(self) -> GraphProcesses:
        """
        Claim the domain and start the processes.

        :raises DomainInUse: if the domain is taken, or its robot by another graph.
        :raises GraphError: if a process cannot be started.
        """
        if self._claim is not None:
            raise GraphError(f'graph {self.name} is running already')
        self._claim = (
            env.join_domain(self._requested) if self._join else env.claim_domain(self._requested)
        )
        try:
            clean_shared_memory()
            self.log_dir.mkdir(parents=True, exist_ok=True)
            variables = env.ros_environment(
                self.domain, self.log_dir / 'ros', local=self.options.local
            )
            # This process talks to the nodes, so it must use the same transport.
            env.adopt(variables)
            self._supervisor = subprocess.Popen(
                [sys.executable, '-S', '-E', _SUPERVISOR, 'keep'],
                stdin=subprocess.PIPE,
                start_new_session=True,
                text=True,
                bufsize=1,
            )
            for spec in self.specs:
                self._spawn(spec, {**variables, **self._environment})
        except BaseException:
            self.stop()
            raise
        return self

    def _spawn(self, spec: NodeSpec, variables: dict[str, str]) -> None:
        parameters = self.log_dir / f'{spec.name}.params.yaml'
        parameters.write_text(
            yaml.safe_dump({'/**': {'ros__parameters': spec.parameters}}, sort_keys=True),
            encoding='utf-8',
        )
        files = [parameters]
        if spec.names.params_file:
            files.append(self.log_dir / f'{spec.name}.file.params.yaml')
            files[-1].write_text(read_parameter_file(spec.names.params_file), encoding='utf-8')
        if spec.names.params_file and spec.overrides:
            # By its name a node takes what goes over the file, whatever stands in that.
            own = {f'{spec.names.prefix}/{spec.name}': {'ros__parameters': spec.overrides}}
            files.append(self.log_dir / f'{spec.name}.set.params.yaml')
            files[-1].write_text(yaml.safe_dump(own, sort_keys=True), encoding='utf-8')
        command = [
            sys.executable,
            '-m',
            f'{spec.package}.nodes.{spec.executable}',
            '--ros-args',
            '-r',
            f'__node:={spec.name}',
        ]
        for file in files:
            command += ['--params-file', str(file)]
        for source, target in spec.remappings.items():
            command += ['-r', f'{source}:={target}']
        command += spec.names.rules
        if spec.names.log_level:
            command += ['--log-level', spec.names.log_level]
        path = self.log_dir / f'{spec.name}.log'
        with open(path, 'wb') as log:
            process = subprocess.Popen(
                [sys.executable, '-S', '-E', _SUPERVISOR, 'exec', str(os.getpid()), *command],
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._children.append(_Child(spec, process, path))
        self._supervisor.stdin.write(f'{process.pid}\n')

    def wait_ready(
        self, timeout: float = 30.0, progress: Callable[[str], None] | None = None
    ) -> GraphProcesses:
        """
        Wait until every node is up and every lifecycle node that starts by itself is active.

        :param progress: called with the name of each node that became ready.
        :raises GraphError: naming what died or what is missing after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        missing = {spec.name: spec for spec in self.specs}
        state = {}
        while missing:
            self.check()
            for name, spec in list(missing.items()):
                state[name] = self.monitor.state(spec)
                if state[name] == 'ready':
                    del missing[name]
                    if progress:
                        progress(name)
            if missing and time.monotonic() > deadline:
                listed = ', '.join(f'{name} ({state[name]})' for name in missing)
                tails = ''.join(
                    _tail(child) for child in self._children if child.spec.name in missing
                )
                raise GraphError(
                    f'graph {self.name}: not ready after {timeout:g} s: {listed}{tails}'
                )
            if missing:
                self.monitor.spin(0.05)
        # Nodes that see each other may need a moment longer until their topics are connected.
        time.sleep(SETTLE)
        self.check()
        return self

    def runner(self) -> EpisodeRunner:
        """Return an EpisodeRunner for this graph, which waits for recordings if it makes any."""
        from guda_ros.ros.episode.runner import EpisodeRunner

        self.wait_ready()
        first = self.specs[0].parameters
        return EpisodeRunner(
            self.monitor.node,
            self.check,
            contract=Contract.load(
                first.get('contract', 'soccer_push'), first.get('robot') or None
            ),
            recorder=any(spec.executable == 'data_collector' for spec in self.specs),
        )

    def check(self) -> None:
        """Raise GraphError with exit code and last log lines if a node is not running any more."""
        dead = [child for child in self._children if child.process.poll() is not None]
        if dead:
            lines = ''.join(
                f'\nnode {child.spec.name} {_ending(child.process.returncode)}{_tail(child)}'
                for child in dead
            )
            raise GraphError(f'graph {self.name}:{lines}')

    def stop(self) -> None:
        """End all nodes, SIGINT first, and leave no process and no shared memory behind."""
        if self._monitor is not None:
            self._monitor.close()
            self._monitor = None
        for number, grace in GRACE:
            alive = [child for child in self._children if _group_alive(child)]
            if not alive:
                break
            for child in alive:
                _signal_group(child, number)
            deadline = time.monotonic() + grace
            while time.monotonic() < deadline and any(map(_group_alive, alive)):
                time.sleep(0.02)
        self._children = []
        if self._supervisor is not None:
            try:
                self._supervisor.communicate('done\n', timeout=5)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                self._supervisor.kill()
                self._supervisor.wait()
            self._supervisor = None
        if self._claim is not None:
            clean_shared_memory()
            self._claim.release()
            self._claim = None

    def __enter__(self) -> GraphProcesses:
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()


def _group_alive(child: _Child) -> bool:
    child.process.poll()
    return _signal_group(child, 0)


def _signal_group(child: _Child, number: int) -> bool:
    try:
        os.killpg(child.process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _ending(code: int) -> str:
    if code < 0:
        return f'was ended by {signal.Signals(-code).name}'
    return f'ended with exit code {code}' if code else 'ended by itself'


def _tail(child: _Child, count: int = 12) -> str:
    try:
        lines = child.log.read_text(encoding='utf-8', errors='replace').splitlines()[-count:]
    except OSError:
        lines = []
    shown = ''.join(f'\n  | {line}' for line in lines) or '\n  | (it said nothing)'
    return f'; end of {child.log}:{shown}'
