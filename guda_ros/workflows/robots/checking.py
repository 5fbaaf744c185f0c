"""Look at a robot's driver, whether it sends and hears what these nodes need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
import os
from typing import TYPE_CHECKING

from guda_ros.data.contract import Contract
from guda_ros.errors import naming_extras
from guda_ros.ros.graph import environment
from guda_ros.ros.graph.parameter_file import node_parameters
from guda_ros.ros.graph.table import GraphOptions
from guda_ros.ros.robot_check.findings import Finding, FITS, LACKS, LEVELS, NOTE
from guda_ros.soccer.driver import COMPRESSED
from guda_ros.soccer.robot import RobotProfile

if TYPE_CHECKING:
    from guda_ros.ros.graph.processes import GraphProcesses
    from guda_ros.ros.robot_check.checks import Expected

#: How long a check listens [s], by itself and before a graph is said to run.
SECONDS, AT_START = 5.0, 3.0
#: How long the first of a graph is waited for [s].
PATIENCE = 5.0


@dataclass(frozen=True)
class RobotCheck:
    """
    What a look at a driver has found.

    domain: ROS domain. seconds: how long messages were heard. findings: in the order in which data
    flow.
    """

    domain: int
    seconds: float
    findings: tuple[Finding, ...]

    @property
    def fits(self) -> bool:
        """Whether nothing lacks."""
        return not self.lacks

    @property
    def lacks(self) -> list[Finding]:
        """What keeps the robot from working."""
        return [finding for finding in self.findings if finding.level == LACKS]

    @property
    def problems(self) -> list[Finding]:
        """What lacks, and what works badly, the worst first."""
        found = [finding for finding in self.findings if finding.level not in (FITS, NOTE)]
        return sorted(found, key=lambda finding: -LEVELS.index(finding.level))

    def as_dict(self) -> dict:
        """Return it as plain values, for JSON."""
        return {
            'fits': self.fits,
            'domain': self.domain,
            'seconds': round(self.seconds, 3),
            'findings': [
                {**asdict(finding), 'level': finding.level.lower()} for finding in self.findings
            ],
        }


@naming_extras()
def check_robot(
    options: GraphOptions | None = None,
    *,
    domain: int | None = None,
    seconds: float = SECONDS,
    patience: float = PATIENCE,
    **more,
) -> RobotCheck:
    """
    Look at a running driver for some seconds, as `guda check robot` does; nothing is moved.

        found = guda_ros.check_robot(robot='nao_v6', domain=0)
        print(found.fits, [finding.sentence for finding in found.problems])

    :param options: those with which the graph `robot` is to be started, or their fields by name:
        contract, robot, names, overrides, local.
    :param domain: ROS domain of the driver, by default ROS_DOMAIN_ID or 0.
    :param seconds: how long its messages are heard.
    :param patience: how long to wait at most for somebody to be discovered [s].
    :raises GudaError: if a profile cannot be read, or ROS 2 cannot run.
    """
    options = options or GraphOptions(**more)
    expected = expected_of(options)
    domain = environment.driver_domain(domain)
    environment.adopt(environment.ros_environment(domain, local=options.local))
    from guda_ros.ros.graph.monitor import GraphMonitor
    from guda_ros.ros.robot_check.checks import check
    from guda_ros.ros.robot_check.look import look

    monitor = GraphMonitor(domain, '_guda_check', options.names)
    try:
        snapshot = look(monitor, expected, seconds, patience)
    finally:
        monitor.close()
    return RobotCheck(domain, snapshot.seconds, tuple(check(snapshot, expected)))


def check_graph(
    graph: GraphProcesses,
    seconds: float = AT_START,
    say: Callable[[str], None] = print,
    tell: bool = True,
) -> RobotCheck:
    """
    Look at the driver that a graph which runs has joined, and say what lacks.

    :param tell: say what lacks, too.
    """
    from guda_ros.ros.robot_check.checks import check
    from guda_ros.ros.robot_check.look import look

    expected = expected_of(graph.options)
    say(f"looking at the robot's driver for {seconds:g} s (--no-check leaves it out)")
    snapshot = look(graph.monitor, expected, seconds, check=graph.check)
    found = RobotCheck(graph.domain, snapshot.seconds, tuple(check(snapshot, expected)))
    for finding in found.problems if tell else ():
        say(f'  {finding.level}: {finding.sentence}')
    return found


def but(lacks: Sequence[Finding]) -> str:
    """Return what follows the word running: nothing, or how much lacks."""
    if not lacks:
        return ''
    subjects = ', '.join(dict.fromkeys(finding.subject for finding in lacks))
    return f', but it lacks {subjects} (`guda check robot` looks again)'


def expected_of(options: GraphOptions) -> Expected:
    """Return what a driver is measured by; a file of parameters goes over the options."""
    from guda_ros.ros.robot_check.checks import Expected

    asked = {name: _parameters(options, name) for name in ('safety', 'perception', 'adapter')}
    heard = asked['perception']
    name = os.fspath(heard.get('robot') or options.robot)
    contract = Contract.load(heard.get('contract') or options.contract, name or None)
    robot = RobotProfile.load(name or contract.robot)
    return Expected(
        contract,
        robot,
        bool(asked['safety'].get('stamped', robot.driver.stamped)),
        heard.get('image_transport', robot.driver.image_transport) == COMPRESSED,
        asked['adapter'].get('adapter') or options.adapter or robot.driver.adapter,
    )


def _parameters(options: GraphOptions, node: str) -> dict:
    """Return the parameters that a node is told by a file and, over it, by the options."""
    names = options.names
    told = node_parameters(names.params_file, node, names.prefix) if names.params_file else {}
    return {**told, **options.overrides.get(node, {})}
