"""Start a graph of ROS 2 nodes, as `ros2 launch` does where there is one, until Ctrl-C."""

from __future__ import annotations

import argparse
import time

from guda_ros.cli.common import (
    add_adapter,
    add_contract,
    add_domain,
    add_names,
    add_no_check,
    add_node_settings,
    DOMAIN_OR_DRIVERS,
    names_of,
)
from guda_ros.ros.graph.table import GraphOptions, GRAPHS
from guda_ros.workflows.terminal.arguments import within

EXAMPLE = """\
guda up simulation --domain 7
  guda up robot --domain 0 --policy runs/demo/train/guided_0.onnx
      # with a robot whose driver is in domain 0"""


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
    add_adapter(parser)
    parser.add_argument(
        '--team',
        type=within(1, 254),
        default=0,
        metavar='N',
        help="number of the robot's team: hear a game controller (see `guda game`) and obey it",
    )
    parser.add_argument(
        '--player',
        type=within(1, 20),
        default=1,
        metavar='N',
        help='number of the robot in its team (default: %(default)s)',
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
    add_no_check(parser)
    add_node_settings(parser)
    add_names(parser)


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.workflows.robots.checking import but, check_graph
    from guda_ros.workflows.up import read_overrides, up

    options = GraphOptions(
        contract=args.contract,
        robot=args.robot or '',
        adapter=args.adapter,
        team=args.team,
        player=args.player,
        mode=args.mode,
        policy=args.policy,
        recordings=args.recordings,
        autostart=not args.no_autostart,
        local=not args.network,
        overrides=read_overrides(args.set),
        names=names_of(args),
    )
    with up(args.graph, options, domain=args.domain, log_dir=args.log_dir) as graph:
        print(f'graph {args.graph} in ROS domain {graph.domain}, logs in {graph.log_dir}')
        graph.wait_ready(progress=lambda name: print(f'  {name} is ready'))
        lacks = []
        if not (GRAPHS[args.graph].simulated or args.no_check):
            lacks = check_graph(graph).lacks
        print(f'running{but(lacks)}; Ctrl-C stops it')
        while True:
            graph.check()
            time.sleep(0.2)
