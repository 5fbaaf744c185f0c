"""Say what a recording, data set, set of transitions, checkpoint or policy holds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from guda_ros.control.exported_policy import ExportedPolicy
    from guda_ros.data.contract_base import ContractBase
    from guda_ros.data.sets.sources import Source
    from guda_ros.data.transitions import TransitionSet
    from guda_ros.workflows.inspection.files import Checkpoint, ForeignBag, Recordings

EXAMPLE = 'guda info runs/demo/train/guided_0.onnx'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        'path',
        type=Path,
        nargs='?',
        default=None,
        help='recording, folder of recordings, data set, .h5, .pt or .onnx',
    )


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    if args.path is None:
        return _installed()
    return describe(args.path, foreign=False)


def describe(path: Path, *, foreign: bool) -> int:
    """Print what there is at a path, a foreign bag too if asked; 1 if something is damaged."""
    from guda_ros.workflows.inspection.files import inspect

    return max(_print(path, found) for found in inspect(path, foreign=foreign))


def _print(path: Path, found: Any) -> int:
    printers: dict[str, Callable[[Path, Any], int]] = {
        'Recordings': _recordings,
        'Source': _data_set,
        'TransitionSet': _transitions,
        'Checkpoint': _checkpoint,
        'ExportedPolicy': _policy,
        'ForeignBag': _bag,
    }
    return printers[type(found).__name__](path, found)


def _installed() -> int:
    from guda_ros.workflows.inspection.installation import installation

    found = installation()
    print(f'guda_ros {found.version}')
    for name, version in found.packages.items():
        print(f'  {name:<24} {version}')
    for directory, kinds in found.names.items():
        print(f'config: {directory}')
        for kind, names in kinds.items():
            print(f'  {kind:<13} {", ".join(names)}')
    return 0


def _contract_line(contract: ContractBase) -> str:
    from guda_ros.data.contract import Contract

    robot = f', robot {contract.robot}' if isinstance(contract, Contract) else ''
    return f'contract {contract.title}, {contract.hash}{robot}'


def _recordings(path: Path, found: Recordings) -> int:
    from guda_ros.workflows.terminal.tables import print_table

    rows = [
        [
            one.path.name,
            one.info.verdict,
            sum(one.topics.values()),
            one.size / 1000,
            one.contract.hash,
            '; '.join(one.info.problems),
        ]
        for one in found.recordings
    ]
    if rows:
        print_table(rows, ['recording', 'verdict', 'messages', 'kB', 'contract', 'problems'])
    for problem in found.damaged:
        print(f'damaged: {problem}')
    if len(found.recordings) == 1 and not found.damaged:
        for topic, count in sorted(found.recordings[0].topics.items()):
            print(f'  {count:6d}  {topic}')
    return 1 if found.damaged else 0


def _data_set(path: Path, found: Source) -> int:
    from guda_ros.workflows.convert import describe as line_of

    print(
        f'{found.path}: Minari data set of {len(found.episodes)} episodes, '
        f'{sum(episode.success for episode in found.episodes)} {found.contract.words.past}'
    )
    print(_contract_line(found.contract))
    print(f'observation: {", ".join(found.contract.observation_names)}')
    for episode in found.episodes:
        print('  ' + line_of(episode).lstrip())
    return 0


def _transitions(path: Path, made: TransitionSet) -> int:
    print(
        f'{path}: {len(made)} transitions from {len(made.episode_ids)} episodes '
        f'({sum(made.episode_success)} {made.contract.words.past})'
    )
    print(_contract_line(made.contract))
    for rule, count in made.rule_counts().items():
        print(f'  {count:8d}  {rule}')
    return 0


def _checkpoint(path: Path, found: Checkpoint) -> int:
    result = found.result
    print(f'{path}: checkpoint after {result.updates} updates ({result.seconds:.1f} s)')
    print(_contract_line(found.contract))
    print(json.dumps({**result.config, **found.info}, indent=1, sort_keys=True))
    return 0


def _policy(path: Path, policy: ExportedPolicy) -> int:
    print(f'{path}: policy, {path.stat().st_size / 1000:.0f} kB')
    print(_contract_line(policy.contract))
    print(f'observation: {", ".join(policy.contract.observation_names)}')
    for key, value in sorted(policy.metadata.items()):
        if key != 'contract':
            print(f'{key}: {value}')
    return 0


def _bag(path: Path, found: ForeignBag) -> int:
    from guda_ros.workflows.terminal.tables import print_table

    print(
        f'{path}: a bag of others, {sum(count for _, count in found.topics.values())} messages; '
        '`guda data import` makes a data set of it'
    )
    print_table(
        [[topic, kind, count] for topic, (kind, count) in sorted(found.topics.items())],
        ['topic', 'type', 'messages'],
    )
    return 0
