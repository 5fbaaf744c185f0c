"""Somebody else's rosbag2 becomes a policy: foreign_bag.py BAG... --mapping MAPPING.yaml."""

import argparse
from pathlib import Path

import guda_ros


def main():
    """Read bags by a mapping of their topics, make more of them, train, export and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('bags', type=Path, nargs='+', help='bags: folders, .mcap or .db3 files')
    # Which topic is the robot's pose, the ball and the command, and what frames are called; it
    # names the contract, too. `guda data info BAG` lists what a bag holds.
    parser.add_argument('--mapping', default='example', help='of config/imports, or a YAML file')
    parser.add_argument('--guide', default='guided', help='name in config/guides, or a YAML file')
    parser.add_argument('--count', type=int, default=50_000, help='steps to make')
    parser.add_argument('--updates', type=int, default=2000, help='of the training')
    parser.add_argument('--starts', type=int, default=100, help='from which the policy is judged')
    parser.add_argument('--out', type=Path, default=Path('runs/foreign'), help='folder to write')
    args = parser.parse_args()

    # What is missing in a bag stays missing, and is told.
    theirs = guda_ros.import_bags(args.bags, args.out / 'dataset', mapping=args.mapping, say=print)
    usable = sum(int(episode.usable.sum()) for episode in theirs.episodes)
    print(f'{len(theirs.episodes)} episodes, {usable} usable steps')

    made = guda_ros.augment(theirs.path, args.guide, args.count, out=args.out / 'guided.h5')
    print(f'{made.count} steps, {made.report.acceptance:.0%} of the proposals accepted')

    training = guda_ros.train([theirs.path, made.path], 'bc', updates=args.updates, starts=0)
    policy = training.export(args.out / 'policy.onnx')
    judged = guda_ros.evaluate(policy, count=args.starts, out=args.out / 'judged')
    (rate,) = judged.success_rates.values()
    print(f'success from {rate:.0%} of {args.starts} starts: {args.out / "judged"}/report.html')


if __name__ == '__main__':
    main()
