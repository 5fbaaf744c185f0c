"""Arguments and small things that several verbs share."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guda_ros.data.contract import Contract
    from guda_ros.ros.graph.names import RosNames
    from guda_ros.workflows.robots.checking import RobotCheck


def add_contract(parser: argparse.ArgumentParser) -> None:
    """Add --contract and --robot."""
    parser.add_argument(
        '--contract',
        default='soccer_push',
        metavar='NAME',
        help='task in config/tasks, or a YAML file (default: %(default)s)',
    )
    parser.add_argument(
        '--robot',
        default=None,
        metavar='NAME',
        help="robot profile in config/robots, or a YAML file (default: the contract's)",
    )


def add_domain(
    parser: argparse.ArgumentParser,
    logs: str | None = 'a temporary one',
    domain: str = 'the first free one',
) -> None:
    """
    Add --domain and, for verbs that start ROS 2 nodes, --log-dir; the texts are their defaults.

    :param logs: None for no --log-dir.
    """
    parser.add_argument(
        '--domain',
        type=int,
        default=None,
        metavar='N',
        help=f'ROS domain to use (default: {domain})',
    )
    if logs is None:
        return
    parser.add_argument(
        '--log-dir',
        type=Path,
        default=None,
        metavar='DIR',
        help=f"folder for the nodes' logs (default: {logs})",
    )


def add_node_settings(parser: argparse.ArgumentParser) -> None:
    """Add --set and --network for verbs that start a graph."""
    parser.add_argument(
        '--set',
        action='append',
        default=[],
        metavar='NODE.PARAMETER=VALUE',
        help='a parameter of a node, as YAML; may be repeated',
    )
    parser.add_argument(
        '--network',
        action='store_true',
        help='let nodes on other computers in (default: this machine only)',
    )


def add_no_check(parser: argparse.ArgumentParser) -> None:
    """Add --no-check for verbs that join a robot's driver."""
    parser.add_argument(
        '--no-check',
        action='store_true',
        help="do not look at the robot's driver first, as `guda check robot` does",
    )


def add_adapter(parser: argparse.ArgumentParser) -> None:
    """Add --adapter for verbs that speak to a robot."""
    from guda_ros.soccer.driver import ADAPTERS

    parser.add_argument(
        '--adapter',
        choices=ADAPTERS,
        default='',
        help='of robot: how it is spoken to; none: its driver hears cmd_vel itself (default: the '
        "robot profile's)",
    )


def add_names(parser: argparse.ArgumentParser) -> None:
    """Add --remap, --namespace, --params-file and --log-level for verbs that start nodes."""
    parser.add_argument(
        '--remap',
        action='append',
        default=[],
        metavar='FROM:=TO',
        help='call a topic or service of all nodes (NODE:FROM: of one) otherwise; may be repeated',
    )
    parser.add_argument(
        '--namespace', default='', metavar='NAME', help='namespace of all nodes, such as red'
    )
    parser.add_argument(
        '--params-file',
        default='',
        metavar='FILE',
        help='parameters of nodes, as ROS 2 reads them; --set goes over it',
    )
    parser.add_argument(
        '--log-level',
        default='',
        metavar='LEVEL',
        help='of all nodes: debug, info, warn, error or fatal, or LOGGER:=LEVEL',
    )


def names_of(args: argparse.Namespace) -> RosNames:
    """Return what `add_names` has read; GudaError for what ROS 2 would not take."""
    from guda_ros.ros.graph.names import read_remaps, RosNames

    return RosNames(args.namespace, read_remaps(args.remap), args.params_file, args.log_level)


#: The default of --domain for verbs that can work with a robot.
DOMAIN_OR_DRIVERS = 'the first free one; on a robot $ROS_DOMAIN_ID or 0, where its driver is'


def load_contract(args: argparse.Namespace) -> Contract:
    """Return the contract that --contract and --robot name."""
    from guda_ros.data.contract import Contract

    return Contract.load(args.contract, args.robot)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add --json for verbs that print what they found as a table."""
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')


def print_check(found: RobotCheck, as_json: bool, head: str, fits: str, warning: str = '') -> int:
    """
    Print what a look at a robot has found, and return the exit code.

    :param head: first line of the table, if there is one. :param fits: last line if nothing lacks.
    :param warning: what the last line adds if something does.
    """
    from guda_ros.ros.robot_check.findings import table

    if as_json:
        print(json.dumps(found.as_dict()))
        return 0 if found.fits else 1
    if head:
        print(head)
    for line in table(found.findings):
        print(line)
    if found.fits:
        print(fits)
        return 0
    print(f'{len(found.lacks)} of what is needed lack{"s" * (len(found.lacks) == 1)}{warning}')
    return 1
