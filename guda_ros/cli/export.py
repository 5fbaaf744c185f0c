"""Make the ONNX file that runs on a robot, with contract and normalisation inside."""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.workflows.terminal.arguments import natural

EXAMPLE = 'guda export runs/mine/guided.pt --out runs/mine/guided.onnx'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument('checkpoint', type=Path, help='file that `guda train` wrote')
    parser.add_argument(
        '--out', type=Path, required=True, metavar='FILE', help='policy to write (.onnx)'
    )
    parser.add_argument(
        '--seed',
        type=natural,
        default=None,
        metavar='N',
        help='which of several seeds (default: the best by validation)',
    )
    parser.add_argument('--overwrite', action='store_true', help='replace FILE')


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.data.contract import Contract
    from guda_ros.workflows.export import export

    policy = export(args.checkpoint, args.out, args.seed, overwrite=args.overwrite, say=print)
    contract = policy.contract
    robot = f', for robot {contract.robot}' if isinstance(contract, Contract) else ''
    print(
        f'{args.out}: {args.out.stat().st_size / 1000:.0f} kB, contract {contract.name} '
        f'{contract.hash}{robot}'
    )
    return 0
