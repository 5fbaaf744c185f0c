"""Make the ONNX file that runs on a robot, with contract and normalisation inside."""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.common import natural, refuse_existing

HELP = 'make a policy file (ONNX) of a checkpoint'
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
    from guda_ros.learning.checkpoint import load_checkpoint
    from guda_ros.learning.export import export_policy

    refuse_existing(args.out, args.overwrite)
    result, contract, info = load_checkpoint(args.checkpoint, args.seed)
    if result.updates < info['total']:
        print(f'note: stopped after {result.updates} of {info["total"]} updates')
    export_policy(
        args.out,
        result.network,
        contract,
        result.config['algorithm'],
        {**result.config, **info},
    )
    robot = f', for robot {contract.robot}' if isinstance(contract, Contract) else ''
    print(
        f'{args.out}: {args.out.stat().st_size / 1000:.0f} kB, contract {contract.name} '
        f'{contract.hash}{robot}'
    )
    return 0
