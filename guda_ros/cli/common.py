"""Arguments and small things that several verbs share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guda_ros.data.contract import Contract


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
    logs: str = 'a temporary one',
    domain: str = 'the first free one',
) -> None:
    """Add --domain and --log-dir for verbs that start ROS 2 nodes; the texts: their defaults."""
    parser.add_argument(
        '--domain',
        type=int,
        default=None,
        metavar='N',
        help=f'ROS domain to use (default: {domain})',
    )
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


#: The default of --domain for verbs that can work with a robot.
DOMAIN_OR_DRIVERS = 'the first free one; on a robot $ROS_DOMAIN_ID or 0, where its driver is'


def load_contract(args: argparse.Namespace) -> Contract:
    """Return the contract that --contract and --robot name."""
    from guda_ros.data.contract import Contract

    return Contract.load(args.contract, args.robot)
