"""
Read thousands of damaged files of each kind: python test/fuzz --inputs 5000 --seed 1.

Prints a table, and of every fault its first input; the exit code is 1 where there is one.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
import sys

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / 'support'), str(HERE)]

from fuzz_kinds import KINDS  # noqa: E402
from fuzz_runner import FAULTS, fuzz, MEMORY_BOUND, read_one, rng_of, table, work  # noqa: E402


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('kinds', nargs='*', metavar='KIND', help=f'of {", ".join(KINDS)}')
    parser.add_argument('--inputs', type=int, default=5000, metavar='N', help='of each kind')
    parser.add_argument('--seed', type=int, default=1, metavar='N', help='of all that is drawn')
    parser.add_argument('--results', type=Path, metavar='FILE', help='JSON file to write, too')
    parser.add_argument('--keep', type=int, metavar='I', help='keep input I of a kind in --folder')
    parser.add_argument('--folder', type=Path, metavar='DIR', help='where --keep puts it')
    parser.add_argument('--worker', nargs=2, type=int, metavar='N', help=argparse.SUPPRESS)
    args = parser.parse_args()
    kinds = args.kinds or list(KINDS)
    unknown = [name for name in kinds if name not in KINDS]
    if unknown:
        parser.error(f'unknown kind {unknown[0]}; known: {", ".join(KINDS)}')
    if args.worker:
        return _work(kinds[0], args.seed, *args.worker)
    if args.keep is not None:
        return _keep(kinds[0], args.seed, args.keep, args.folder or Path('fuzz'))
    results = []
    for name in kinds:
        command = [sys.executable, str(HERE), name, '--seed', str(args.seed), '--worker']
        result = fuzz(name, args.seed, args.inputs, command)
        results.append(result)
        told = f'{name}: {dict(result.counts)}, at most {result.peak / 1e6:.0f} MB more'
        print(told, file=sys.stderr, flush=True)
        for (what, where), found in result.faults.items():
            print(
                f'{what}: {where}: {len(found)} inputs, the first is {found[0]}', file=sys.stderr
            )
            print(result.texts[what, where], file=sys.stderr, flush=True)
    print(table(results))
    if args.results:
        content = {
            one.kind: {**one.counts, 'peak_bytes': one.peak, 'seed': args.seed} for one in results
        }
        args.results.write_text(json.dumps(content, indent=1, sort_keys=True) + '\n')
    return int(any(one.counts[what] for one in results for what in FAULTS))


def _work(name: str, seed: int, first: int, count: int) -> int:
    # What a reader prints, in C too, goes elsewhere: the pipe is for reports.
    pipe = os.fdopen(os.dup(1), 'w')
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for report in work(KINDS[name](), name, seed, first, count, MEMORY_BOUND):
        print(json.dumps(report), file=pipe, flush=True)
    return 0


def _keep(name: str, seed: int, index: int, folder: Path) -> int:
    kind, rng = KINDS[name](), rng_of(seed, name, index)
    kind.prepare(folder / 'seeds')
    mutant = kind.mutant(rng)
    outcome = read_one(kind, mutant, folder, rng)
    print(f'{folder / "given" / mutant.path}: {outcome.what}: {outcome.where}\n{outcome.text}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
