#!/usr/bin/env python3
"""Search the numbers of the ant's scripted gait (guda_ros.tasks.ant_gait) from a seed."""

from __future__ import annotations

import argparse

import numpy as np

from guda_ros.cli.common import natural, positive
from guda_ros.cli.scripts import run_script

#: Share of the gaits that the next generation is drawn around.
ELITE = 0.15


def main() -> None:
    """Print the best gait."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--generations', type=positive, default=14, metavar='N')
    parser.add_argument('--gaits', type=positive, default=64, metavar='N',
                        help='in a generation (default: %(default)s)')
    parser.add_argument('--steps', type=positive, default=160, metavar='N',
                        help='actions that a gait is tried for (default: %(default)s)')
    parser.add_argument('--seed', type=natural, default=0, metavar='N')
    run_script(run, parser)


def run(args: argparse.Namespace) -> None:
    """Search by the cross-entropy method."""
    from guda_ros.tasks.ant_gait import FIRST
    from guda_ros.tasks.maze import ant_on_a_plain

    step, rest = ant_on_a_plain()
    rng = np.random.default_rng(args.seed)
    mean, spread = FIRST
    best = (-np.inf, None)
    for generation in range(args.generations):
        gaits = mean + spread * rng.standard_normal((args.gaits, len(mean)))
        gaits[:, 0] = np.clip(gaits[:, 0], 0.5, 4.0)
        scores = judge(gaits, args.steps, step, rest)
        order = np.argsort(scores)[::-1][:max(int(ELITE * args.gaits), 2)]
        mean, spread = gaits[order].mean(axis=0), gaits[order].std(axis=0) + 0.01
        if scores[order[0]] > best[0]:
            best = scores[order[0]], gaits[order[0]]
        print(f'generation {generation}: best {scores[order[0]]:.2f}, '
              f'elite {scores[order].mean():.2f}')
        print(f'  {np.round(best[1], 3).tolist()}')


class Turn:
    """A way along x for the first half of some steps, along y for the second."""

    def __init__(self, steps: int) -> None:
        self._steps, self._step = steps, 0

    def targets(self, places, near):
        """Return where (count, 2) [m] runs at `places` are to go."""
        self._step += 1
        return places + self.direction()

    def direction(self) -> np.ndarray:
        """Return the direction (2,) of the step taken last."""
        return np.array([1.0, 0.0] if 2 * self._step <= self._steps else [0.0, 1.0])


def judge(gaits, steps: int, step, rest) -> np.ndarray:
    """Return the mean speed (count,) [m/s] along the way; -1 for a fall."""
    from guda_ros.tasks.ant_gait import PERIOD, upright
    from guda_ros.tasks.maze_demonstrator import AntController

    states, way = np.tile(rest, (len(gaits), 1)), Turn(steps)
    controller = AntController(way, np.random.default_rng(0), gaits)
    score, fallen = np.zeros(len(gaits)), np.zeros(len(gaits), dtype=bool)
    for _ in range(steps):
        after = step(states, controller.actions(states))
        score += (after[:, :2] - states[:, :2]) @ way.direction() / (steps * PERIOD)
        fallen |= upright(after) < 0.7
        states = after
    return np.where(fallen, -1.0, score)


if __name__ == '__main__':
    main()
