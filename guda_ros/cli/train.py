"""Train a policy on demonstrations, augmented transitions, or both."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from guda_ros.cli.common import natural, positive, refuse_existing
from guda_ros.errors import GudaError

HELP = 'train a policy by behaviour cloning or offline RL'
EXAMPLE = (
    'guda train --algo bc --data runs/mine/dataset runs/mine/guided.h5 --out runs/mine/guided.pt'
)
ALGORITHMS = ('bc', 'td3_bc')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        '--data',
        type=Path,
        nargs='+',
        required=True,
        metavar='PATH',
        help='data sets (folders) and augmented transitions (.h5), joined',
    )
    parser.add_argument('--algo', choices=ALGORITHMS, default='bc', help='default: %(default)s')
    parser.add_argument(
        '--updates',
        type=positive,
        default=None,
        metavar='N',
        help="gradient steps, with td3_bc those of the critics (default: the algorithm's)",
    )
    parser.add_argument(
        '--demonstrations',
        type=positive,
        default=None,
        metavar='N',
        help='use only this many episodes of a data set, drawn by --seed (default: all)',
    )
    parser.add_argument(
        '--seed',
        type=natural,
        default=0,
        metavar='N',
        help='of all that is drawn (default: %(default)s)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='FILE',
        help='checkpoint to write (.pt); `guda export` makes a policy of it',
    )
    parser.add_argument('--overwrite', action='store_true', help='replace FILE')


def load_transitions(paths: list[Path], demonstrations: int | None, seed: int):
    """Join data sets (of which `demonstrations` episodes are drawn) and transition files."""
    from guda_ros.data.datasets import read_minari, read_minari_contract
    from guda_ros.data.selection import choose_demonstrations
    from guda_ros.data.transitions import transitions, TransitionSet

    sets = []
    for path in paths:
        if path.is_dir():
            episodes = choose_demonstrations(read_minari(path), demonstrations, seed)
            sets.append(transitions(episodes, read_minari_contract(path)))
        else:
            sets.append(TransitionSet.load(path))
    return TransitionSet.concatenate(sets)


def train(algorithm: str, data, seed: int, updates: int | None = None, progress=None):
    """Train `algorithm` on a TransitionSet and return the TrainingResult."""
    if algorithm == 'bc':
        from guda_ros.learning.bc import BCConfig as Config
        from guda_ros.learning.bc import train_bc as learn
    elif algorithm == 'td3_bc':
        from guda_ros.learning.td3_bc import TD3BCConfig as Config
        from guda_ros.learning.td3_bc import train_td3_bc as learn
    else:
        raise GudaError(f'unknown algorithm {algorithm!r}; known: {", ".join(ALGORITHMS)}')
    config = Config()
    if updates is not None:
        shorter = {'updates': updates}
        if algorithm == 'td3_bc':
            # The cloning that comes before the critics keeps its share.
            shorter['bc_updates'] = round(config.bc_updates * updates / config.updates)
        config = replace(config, **shorter)
    return learn(data, data.contract, config, seed=seed, progress=progress)


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.learning.checkpoint import save_checkpoint

    refuse_existing(args.out, args.overwrite)
    data = load_transitions(args.data, args.demonstrations, args.seed)
    print(
        f'{args.algo}: {len(data)} transitions, '
        + ', '.join(f'{count} {rule}' for rule, count in data.rule_counts().items())
    )
    shown = {'next': 0.0}

    def progress(update: int, total: int, loss: float) -> None:
        if update / total >= shown['next']:
            shown['next'] += 0.1
            print(f'  update {update:6d} of {total}   loss {loss:.4f}')

    result = train(args.algo, data, args.seed, args.updates, progress)
    save_checkpoint(
        args.out,
        result,
        data.contract,
        {
            'data': [str(path) for path in args.data],
            'seed': args.seed,
            'demonstrations': args.demonstrations,
            'rules': data.rule_counts(),
        },
    )
    print(f'{args.out}: {result.updates} updates in {result.seconds:.1f} s')
    return 0
