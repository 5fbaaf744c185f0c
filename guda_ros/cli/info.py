"""Say what a recording, data set, set of transitions, checkpoint or policy holds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from guda_ros.errors import GudaError

if TYPE_CHECKING:
    from guda_ros.data.contract_base import ContractBase

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
    path = args.path
    if not path.exists():
        raise GudaError(f'{path}: no such file or folder')
    if path.is_dir():
        from guda_ros.data.recording.reader import list_recordings, METADATA_FILE

        if (path / METADATA_FILE).is_file():
            return _recordings([path])
        if (path / 'metadata.json').is_file():
            return _dataset(path)
        found = list_recordings(path)
        if found:
            return _recordings(found)
        # One level deeper, as the stages of `guda demo` leave it.
        inner = [child.parent for child in sorted(path.glob('*/metadata.json'))]
        if inner:
            return max(_dataset(child) for child in inner)
    describe = {'.h5': _transitions, '.pt': _checkpoint, '.onnx': _policy}.get(path.suffix)
    if describe is None:
        raise GudaError(
            f'{path}: neither a recording, nor a data set, nor a .h5, .pt or .onnx file'
        )
    return describe(path)


def _installed() -> int:
    from importlib.metadata import PackageNotFoundError, version

    from guda_ros import __version__
    from guda_ros.config.files import config_directories

    print(f'guda_ros {__version__}')
    for name in (
        'ros-rclpy',
        'rclpy',
        'mujoco',
        'torch',
        'numpy',
        'opencv-python-headless',
        'onnxruntime',
        'rosbags',
        'minari',
    ):
        try:
            print(f'  {name:<24} {version(name)}')
        except PackageNotFoundError:
            continue
    for directory in config_directories():
        print(f'config: {directory}')
        for kind in (
            'robots',
            'fields',
            'balls',
            'randomisation',
            'tasks',
            'guides',
            'imports',
            'joysticks',
        ):
            names = ', '.join(sorted(file.stem for file in (directory / kind).glob('*.yaml')))
            print(f'  {kind:<13} {names}')
    return 0


def _contract_line(contract: ContractBase) -> str:
    from guda_ros.data.contract import Contract

    robot = f', robot {contract.robot}' if isinstance(contract, Contract) else ''
    return f'contract {contract.title}, {contract.hash}{robot}'


def _recordings(paths: list[Path]) -> int:
    from guda_ros.data.recording.reader import RecordingError, RecordingReader
    from guda_ros.workflows.terminal.tables import print_table

    rows, damaged = [], []
    contract = None
    for path in paths:
        try:
            with RecordingReader(path) as reader:
                info, contract = reader.info, reader.contract
                rows.append(
                    [
                        path.name,
                        info.verdict,
                        sum(reader.topics.values()),
                        sum(file.stat().st_size for file in path.iterdir()) / 1000,
                        contract.hash,
                        '; '.join(info.problems),
                    ]
                )
        except RecordingError as error:
            damaged.append(error)
    if rows:
        print_table(rows, ['recording', 'verdict', 'messages', 'kB', 'contract', 'problems'])
    for error in damaged:
        print(f'damaged: {error}')
    if len(paths) == 1 and not damaged:
        with RecordingReader(paths[0]) as reader:
            for topic, count in sorted(reader.topics.items()):
                print(f'  {count:6d}  {topic}')
    return 1 if damaged else 0


def _dataset(path: Path) -> int:
    from guda_ros.data.sets.minari import read_minari, read_minari_contract

    contract, episodes = read_minari_contract(path), read_minari(path)
    print(
        f'{path}: Minari data set of {len(episodes)} episodes, '
        f'{sum(episode.success for episode in episodes)} scored'
    )
    print(_contract_line(contract))
    print(f'observation: {", ".join(contract.observation_names)}')
    for episode in episodes:
        print(
            f'  {episode.id:<22} {episode.verdict:<8} {episode.duration:5.1f} s  '
            f'{int(episode.usable.sum()):4d} of {len(episode):4d} steps usable'
        )
    return 0


def _transitions(path: Path) -> int:
    from guda_ros.data.transitions import TransitionSet

    made = TransitionSet.load(path)
    print(
        f'{path}: {len(made)} transitions from {len(made.episode_ids)} episodes '
        f'({sum(made.episode_success)} scored)'
    )
    print(_contract_line(made.contract))
    for rule, count in made.rule_counts().items():
        print(f'  {count:8d}  {rule}')
    return 0


def _checkpoint(path: Path) -> int:
    from guda_ros.learning.checkpoint import load_checkpoint

    result, contract, info = load_checkpoint(path)
    print(f'{path}: checkpoint after {result.updates} updates ({result.seconds:.1f} s)')
    print(_contract_line(contract))
    print(json.dumps({**result.config, **info}, indent=1, sort_keys=True))
    return 0


def _policy(path: Path) -> int:
    from guda_ros.control.exported_policy import ExportedPolicy

    policy = ExportedPolicy.load(path)
    print(f'{path}: policy, {path.stat().st_size / 1000:.0f} kB')
    print(_contract_line(policy.contract))
    print(f'observation: {", ".join(policy.contract.observation_names)}')
    for key, value in sorted(policy.metadata.items()):
        if key != 'contract':
            print(f'{key}: {value}')
    return 0
