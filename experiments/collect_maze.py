#!/usr/bin/env python3
"""
Make the initial data of a maze with its scripted demonstrator (extra [benchmarks]).

OUT/TASK/initial_0.h5, initial_1.h5 ... are written; the number in the name is the seed, and the
same seed gives the same bytes. `guda augment` takes such a file, `guda benchmark` the folder OUT.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.workflows.players import run_script
from guda_ros.workflows.terminal.arguments import natural, positive
from guda_ros.workflows.terminal.tables import print_table

EXAMPLE = """\
example:
  python experiments/collect_maze.py pointmaze_umaze --sets 5 --out runs/initial
"""


def main() -> None:
    """Write initial data."""
    from guda_ros.augmentation.registry import task_names

    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'task', choices=[name for name in task_names() if 'maze_' in name], help='which maze'
    )
    parser.add_argument(
        '--sets',
        type=positive,
        default=5,
        metavar='N',
        help='files to make (default: %(default)s)',
    )
    parser.add_argument(
        '--first',
        type=natural,
        default=0,
        metavar='N',
        help='number and seed of the first one (default: %(default)s)',
    )
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='data folder')
    run_script(run, parser)


def run(args: argparse.Namespace) -> None:
    """Record and write the sets."""
    from guda_ros.augmentation.registry import load_task
    from guda_ros.tasks.maze.demonstrator import record

    task = load_task(args.task)()
    rows = []
    for seed in range(args.first, args.first + args.sets):
        recorded = record(task, seed)
        path = args.out / args.task / f'initial_{seed}.h5'
        recorded.save(path)
        rows.append(
            [
                path,
                len(recorded),
                len(recorded.episode_ids),
                sum(recorded.episode_success),
                recorded.rewards.sum() / len(recorded.episode_ids),
            ]
        )
    print_table(rows, ['', 'steps', 'episodes', 'reached the goal', 'mean return'])


if __name__ == '__main__':
    main()
