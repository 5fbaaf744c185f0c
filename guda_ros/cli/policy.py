"""Tell what an exported policy is: contract, limits, normalisation, data and training."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

EXAMPLE = 'guda policy info runs/mine/guided.onnx'
#: What is printed on a line of its own, from the metadata of the training.
_LINES = ('command', 'data', 'data_hash', 'demonstrations', 'rules', 'seed', 'validation')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    actions = parser.add_subparsers(
        title='actions', dest='action', metavar='ACTION', required=True
    )
    info = actions.add_parser('info', help='print what a policy file says about itself')
    info.add_argument('file', type=Path, metavar='FILE', help='file that `guda export` made')
    info.add_argument('--json', action='store_true', help='print the metadata as JSON')


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.control.exported_policy import ExportedPolicy
    from guda_ros.data.contract import Contract
    from guda_ros.workflows.inspection.files import policy_info
    from guda_ros.workflows.terminal.tables import print_table

    policy = ExportedPolicy.load(args.file)
    contract = policy.contract
    metadata = policy_info(policy)
    if args.json:
        print(json.dumps(metadata, indent=1, sort_keys=True))
        return 0
    training = metadata['training']
    print(f'{args.file}: {metadata["algorithm"]}, {args.file.stat().st_size / 1000:.0f} kB')
    print(f'contract: {contract.title}, {contract.hash}')
    if isinstance(contract, Contract):
        print(
            f'robot: {contract.robot}, '
            + ', '.join(f'{name} {value:g}' for name, value in metadata.get('limits', {}).items())
            + ' (m/s, rad/s), one action every '
            f'{1000 * contract.period:g} ms'
        )
    else:
        print(f'action: {", ".join(contract.action_names)}')
    if training.get('chunk', 1) > 1:
        print(f'chunk: trained on {training["chunk"]} actions in a row, executes the first one')
    for key in _LINES:
        if training.get(key) is not None:
            print(f'{key}: {_text(training[key])}')
    print('versions: ' + _text(training.get('versions', {})))
    arguments = {
        key: value
        for key, value in sorted(training.items())
        if key not in (*_LINES, 'versions', 'algorithm', 'total', 'seeds')
    }
    print(f'arguments: {_text(arguments)}')
    normalisation = metadata.get('normalisation')
    if normalisation:
        print(f'normalisation, clipped to {normalisation["clip"]:g}:')
        columns = zip(*(normalisation[key] for key in ('observation', 'mean', 'std')))
        print_table([list(row) for row in columns], ['observation', 'mean', 'deviation'])
    return 0


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ', '.join(f'{key} {_text(item)}' for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ' '.join(str(item) for item in value)
    return str(value)
