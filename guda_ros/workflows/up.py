"""Start a graph of ROS 2 nodes."""

from __future__ import annotations

import os

import yaml

from guda_ros.config.yaml12 import parse
from guda_ros.errors import GudaError, naming_extras
from guda_ros.ros.graph.environment import driver_domain
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import GraphOptions, GRAPHS


@naming_extras()
def up(
    graph: str,
    options: GraphOptions | None = None,
    *,
    domain: int | None = None,
    log_dir: str | os.PathLike | None = None,
    **more,
) -> GraphProcesses:
    """
    Return a graph of nodes, not started, as `guda up` runs it; use it by `with`.

        with guda_ros.up('simulation', policy='runs/mine/guided.onnx') as graph:
            graph.wait_ready()

    Each node is a process of its own, in its group; none outlives the block, nor this process.

    :param graph: simulation, drive, collect, evaluate or robot.
    :param options: what may differ from one start to the next; or its fields by name.
    :param domain: ROS domain, by default the first free one; of a robot that of its driver,
        ROS_DOMAIN_ID or 0.
    :param log_dir: folder for the nodes' logs, by default a temporary one.
    :raises GudaError: if there is no such graph, or it cannot be started.
    """
    # A robot's driver is in its domain before us, also when it runs on this machine.
    join = graph in GRAPHS and not GRAPHS[graph].simulated
    return GraphProcesses(
        graph,
        options or GraphOptions(**more),
        log_dir,
        driver_domain(domain) if join else domain,
        join=join,
    )


def read_overrides(texts: list[str]) -> dict[str, dict]:
    """Read NODE.PARAMETER=VALUE texts; GudaError names one that cannot be read."""
    overrides: dict[str, dict] = {}
    for text in texts:
        name, equals, value = text.partition('=')
        node, dot, parameter = name.partition('.')
        if not (equals and dot and node and parameter):
            raise GudaError(f'--set {text}: NODE.PARAMETER=VALUE is expected')
        try:
            overrides.setdefault(node, {})[parameter] = parse(value)
        except yaml.YAMLError as error:
            raise GudaError(f'--set {text}: {value!r} is not a YAML value') from error
    return overrides
