"""Look at all that must be right before a robot moves for the first time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import os
from pathlib import Path
import time

from guda_ros.arguments import as_folder, as_path, if_given
from guda_ros.control.exported_policy import ExportedPolicy
from guda_ros.control.joystick import JoystickMap
from guda_ros.data.contract import Contract
from guda_ros.data.recording.folder import DiskSpace
from guda_ros.errors import GudaError, naming_extras
from guda_ros.ros.graph.environment import driver_domain
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import GraphOptions
from guda_ros.ros.robot_check import preflight_checks as checks
from guda_ros.ros.robot_check.findings import Finding
from guda_ros.workflows.robots.checking import AT_START, check_graph, expected_of, RobotCheck

#: Room [bytes] without which the recorder begins no episode, see its parameter `disk_reserve`.
RESERVE = 200_000_000


@naming_extras()
def preflight(
    options: GraphOptions | None = None,
    *,
    policy: str | os.PathLike | None = None,
    domain: int | None = None,
    seconds: float = AT_START,
    log_dir: str | os.PathLike | None = None,
    say: Callable[[str], None] = print,
    **more,
) -> RobotCheck:
    """
    Start the nodes of a robot beside its driver and look whether it may move.

        found = guda_ros.preflight(robot='nao_v6', domain=0, policy='guided.onnx')
        print(found.fits, [finding.sentence for finding in found.lacks])

    Nothing is moved: no policy runs, and the emergency stop is pressed and released.

    :param options: those of the graph `robot`, or its fields by name: contract, robot, names,
        overrides, require_deadman, recordings, local.
    :param policy: file of the policy that is to drive; its contract is compared.
    :param domain: ROS domain of the driver, by default ROS_DOMAIN_ID or 0.
    :param seconds: how long its messages are heard.
    :param log_dir: folder for the nodes' logs, by default a temporary one.
    :raises GudaError: if profile or policy cannot be read, or the nodes cannot start.
    """
    policy, log_dir = if_given(as_path, policy, 'policy'), if_given(as_folder, log_dir, 'log_dir')
    options = replace(options or GraphOptions(**more), policy='')
    # Before anything starts: what cannot be read is told at once.
    expected_of(options)
    if policy is not None:
        ExportedPolicy.load(policy)
    with GraphProcesses('robot', options, log_dir, driver_domain(domain), join=True) as graph:
        say(f'graph robot in ROS domain {graph.domain}, logs in {graph.log_dir}')
        graph.wait_ready()
        return preflight_graph(graph, policy=policy, seconds=seconds, say=say)


def preflight_graph(
    graph: GraphProcesses,
    *,
    policy: str | os.PathLike | None = None,
    seconds: float = AT_START,
    say: Callable[[str], None] = print,
) -> RobotCheck:
    """Look at a graph that runs and at the driver that it has joined; nothing may drive yet."""
    from guda_ros.ros.robot_check.stop_trial import StopBench

    options, expected = graph.options, expected_of(graph.options)
    contract, robot = expected.contract, expected.robot
    safety = next(spec.parameters for spec in graph.specs if spec.name == 'safety')
    joystick = JoystickMap.load(safety.get('joystick') or 'xbox')
    bench = StopBench(graph.monitor, contract, robot, joystick, graph.check)
    try:
        looked = check_graph(graph, seconds, say, tell=False)
        say('pressing the emergency stop, and looking whether the robot stands')
        trial, pad = bench.run(), bench.gamepad()
    finally:
        bench.close()
    found = [
        *looked.findings,
        checks.check_contract(contract, robot),
        checks.check_limits(contract.limits, robot.driver),
        *([] if policy is None else [_policy(policy, contract)]),
        _disk(options.recordings),
        checks.check_clock(time.time(), Path(__file__).stat().st_mtime),
        *checks.check_gamepad(pad, bool(safety.get('require_deadman', True))),
        *checks.check_stop(trial),
    ]
    return RobotCheck(graph.domain, looked.seconds, tuple(found))


def _policy(policy: str | os.PathLike, contract: Contract) -> Finding:
    try:
        ExportedPolicy.load(policy, contract)
    except GudaError as error:
        return checks.check_policy(os.fspath(policy), str(error))
    return checks.check_policy(os.fspath(policy), '')


def _disk(recordings: str) -> Finding:
    folder = existing = Path(recordings).expanduser().absolute()
    while not existing.exists():
        existing = existing.parent
    writable = existing.is_dir() and os.access(existing, os.W_OK)
    free = DiskSpace(existing, RESERVE).free if writable else None
    return checks.check_disk(os.fspath(folder), free, RESERVE)
