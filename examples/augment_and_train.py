"""Make many steps of a few demonstrations, and policies of both: what `guda` does, in Python."""

import argparse
from pathlib import Path

import guda_ros


def main():
    """Train with and without augmentation, and compare the two from the same starts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path, help='data set of `guda convert`, or what a task reads')
    parser.add_argument('--guide', default='guided', help='name in config/guides, or a YAML file')
    parser.add_argument('--count', type=int, default=50_000, help='steps to make')
    parser.add_argument('--updates', type=int, default=2000, help='of each training')
    parser.add_argument('--starts', type=int, default=100, help='from which both are judged')
    parser.add_argument('--out', type=Path, default=Path('runs/example'), help='folder to write')
    args = parser.parse_args()

    made = guda_ros.augment(args.data, args.guide, args.count, out=args.out / 'guided.h5')
    print(f'{made.count} steps, {made.report.acceptance:.0%} of the proposals accepted')
    for note in made.report.notes:
        print(f'note: {note}')

    policies = []
    for name, data in (('raw', [made.recorded]), ('guided', [made.recorded, made.path])):
        training = guda_ros.train(data, 'bc', updates=args.updates, starts=0)
        policies.append(training.export(args.out / f'{name}.onnx'))

    judged = guda_ros.evaluate(policies, count=args.starts, out=args.out / 'judged')
    for name, rate in judged.success_rates.items():
        print(f'{name}: success from {rate:.0%} of {args.starts} starts')
    print(f'{args.out / "judged" / "report.html"}: written')


if __name__ == '__main__':
    main()
