"""Start a graph of ROS 2 nodes, as `ros2 launch` does where there is one, until Ctrl-C."""

from __future__ import annotations

import argparse
import time

from guda_ros.cli.common import (
    add_contract,
    add_domain,
    DOMAIN_OR_DRIVERS,
    driver_domain,
)
from guda_ros.errors import GudaError
from guda_ros.ros.graph.table import GraphOptions, GRAPHS

HELP = 'start a graph of nodes: ' + ', '.join(GRAPHS)
EXAMPLE = 'guda up simulation --domain 7\n  guda up robot --domain 0 --policy guided.onnx'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    width = max(map(len, GRAPHS))
    parser.add_argument(
        'graph',
        choices=GRAPHS,
        metavar='GRAPH',
        help='; '.join(f'{name:<{width}}: {graph.description}' for name, graph in GRAPHS.items()),
    )
    add_contract(parser)
    add_domain(parser, domain=DOMAIN_OR_DRIVERS)
    parser.add_argument(
        '--policy',
        default='',
        metavar='FILE',
        help='policy that `guda export` made; simulation and robot can do without',
    )
    parser.add_argument(
        '--mode',
        choices=('free', 'lockstep'),
        default='',
        help="time of the simulator (default: the graph's)",
    )
    parser.add_argument(
        '--recordings',
        default='recordings',
        metavar='DIR',
        help='folder for recorded episodes (default: %(default)s)',
    )
    parser.add_argument(
        '--no-autostart', action='store_true', help='leave lifecycle nodes unconfigured'
    )
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


def read_overrides(texts: list[str]) -> dict[str, dict]:
    """Read NODE.PARAMETER=VALUE texts; GudaError names one that cannot be read."""
    import yaml

    from guda_ros.config.yaml12 import parse

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


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.ros.graph.processes import GraphProcesses

    options = GraphOptions(
        contract=args.contract,
        robot=args.robot or '',
        mode=args.mode,
        policy=args.policy,
        recordings=args.recordings,
        autostart=not args.no_autostart,
        local=not args.network,
        overrides=read_overrides(args.set),
    )
    # A robot's driver is in its domain before us, also when it runs on this machine.
    join = not GRAPHS[args.graph].simulated
    domain = driver_domain(args) if join else args.domain
    with GraphProcesses(args.graph, options, args.log_dir, domain, join=join) as graph:
        print(f'graph {args.graph} in ROS domain {graph.domain}, logs in {graph.log_dir}')
        graph.wait_ready(progress=lambda name: print(f'  {name} is ready'))
        print('running; Ctrl-C stops it')
        while True:
            graph.check()
            time.sleep(0.2)
