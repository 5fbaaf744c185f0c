"""
Train a policy on demonstrations, augmented transitions, or both.

While it trains, the policy is judged from validation starts in the batched simulator, and the
best one is kept. A checkpoint is written every half minute and at Ctrl-C; --resume goes on from it
as if nothing had happened.
"""

from __future__ import annotations

import argparse
from pathlib import Path
import shutil
import sys
from typing import TextIO, TYPE_CHECKING

from guda_ros.data.files import refuse_existing
from guda_ros.workflows.terminal.arguments import natural, positive

if TYPE_CHECKING:
    from guda_ros.learning.learner import Learner

EXAMPLE = (
    'guda train --algo bc --data runs/mine/dataset runs/mine/guided.h5 --out runs/mine/guided.pt'
)
#: As in guda_ros.learning.algorithms, which needs torch.
ALGORITHMS = ('bc', 'td3_bc', 'awac', 'cql', 'iql', 'rebrac')


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
    parser.add_argument(
        '--task',
        default=None,
        metavar='NAME',
        help='of recordings that are not of the robots (default: that of the .h5 files)',
    )
    parser.add_argument(
        '--algo',
        choices=ALGORITHMS,
        default=None,
        help="default: the configuration's, without one bc",
    )
    parser.add_argument(
        '--config',
        default=None,
        metavar='NAME',
        help="arguments in config/learning, or a YAML file (default: the algorithm's)",
    )
    parser.add_argument(
        '--updates',
        type=positive,
        default=None,
        metavar='N',
        help='updates of the critics, or of a clone; the cloning before the critics begin is '
        "shortened or lengthened alike (default: the configuration's)",
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
        '--seeds',
        type=positive,
        default=1,
        metavar='N',
        help='policies to train together, with --seed and the numbers after it; the best by '
        'validation is what `guda export` takes (default: %(default)s)',
    )
    parser.add_argument(
        '--starts',
        type=natural,
        default=50,
        metavar='N',
        help='validation starts to judge by; 0: no validation (default: %(default)s)',
    )
    parser.add_argument(
        '--evaluations',
        type=positive,
        default=5,
        metavar='N',
        help='how often to judge, the last time at the end (default: %(default)s)',
    )
    parser.add_argument(
        '--robot',
        default=None,
        metavar='NAME',
        help="robot profile to judge with (default: the contract's)",
    )
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='FILE',
        help='checkpoint to write (.pt); `guda export` makes a policy of it',
    )
    parser.add_argument(
        '--tensorboard',
        type=Path,
        default=None,
        metavar='DIR',
        help='folder for logs that TensorBoard shows (needs the package tensorboard)',
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument('--overwrite', action='store_true', help='replace FILE')
    group.add_argument(
        '--resume', action='store_true', help='go on from FILE if it is there; same arguments'
    )


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    if not args.resume:
        # Before torch is imported, which takes a while.
        refuse_existing(args.out, args.overwrite)
    from guda_ros.workflows.train import train

    training = train(
        args.data,
        args.algo,
        config=args.config,
        updates=args.updates,
        demonstrations=args.demonstrations,
        task=args.task,
        seed=args.seed,
        seeds=args.seeds,
        starts=args.starts,
        evaluations=args.evaluations,
        robot=args.robot,
        out=args.out,
        overwrite=args.overwrite,
        resume=args.resume,
        tensorboard=args.tensorboard,
        command=args.command,
        progress=Progress(),
        say=print,
    )
    learner = training.learner
    if training.done_before:
        print(f'{args.out}: done before')
        return 0
    if not training.finished:
        print(
            f'{args.out}: stopped after {learner.updates} of {learner.total} updates; the policy '
            + ('of the best validation so far' if any(learner.best) else 'of this moment')
            + ' can be exported, and --resume goes on'
        )
        return 130
    print(f'{args.out}: {learner.updates} updates in {learner.seconds:.1f} s')
    for seed, best in zip(learner.seeds, learner.best):
        if best:
            print(
                f'  seed {seed}: success {best["value"]:.2f} from {args.starts} validation starts '
                f'at update {best["update"]}, kept'
            )
    judged = [best['value'] for best in learner.best if best]
    if judged and not any(judged):
        print(
            'no policy succeeded: see how many recorded steps are usable (`guda info`), what the '
            'guide makes of them (`guda guide check`), and docs/write_a_guide.md'
        )
    return 0


class Progress:
    """Losses and validation of a training: a line that is written over, or one for each tenth."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()
        self._next = 0.0

    def __call__(self, learner: Learner) -> None:
        """Show where a learner stands."""
        share = learner.updates / learner.total
        judged = learner.history.get('validation/success', [None])[-1]
        if not self._live and share < self._next and judged is None:
            return
        self._next = max(self._next, (int(share * 10) + 1) / 10)
        values = [
            f'{name.partition("/")[2]} {sum(rows[-1]) / len(rows[-1]):.4f}'
            for name, rows in learner.history.items()
            if name != 'update' and rows and rows[-1] is not None and 'validation' not in name
        ]
        if judged is not None:
            values.append('validation ' + ' '.join(f'{rate:.2f}' for rate in judged))
        bar = '#' * round(20 * share)
        line = (
            f'  [{bar:<20}] {learner.updates} of {learner.total}, {learner.seconds:.0f} s   '
            + ', '.join(values)
        )
        if not self._live:
            print(line, file=self._stream)
            return
        kept = judged is not None or share == 1
        if not kept:
            # A line that wraps could not be written over.
            line = line[: shutil.get_terminal_size().columns - 1]
        print(f'\r\x1b[K{line}', end='\n' if kept else '', file=self._stream, flush=True)
