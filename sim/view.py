#!/usr/bin/env python3
"""
Watch a player: in MuJoCo's viewer where there is a display, else as a film or stills.

In the viewer episodes follow one another in real time; close its window to end. Without a display,
or with --out, one episode is filmed (.webm) or drawn at a moment (.png, .jpg).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
import time

import numpy as np

from guda_ros.cli.common import natural
from guda_ros.cli.scripts import add_player, load_player, run_script
from guda_ros.errors import GudaError

EXAMPLE = """\
examples:
  python sim/view.py runs/ppo_penalty/seed_0
  python sim/view.py demonstrator --scenario corner --index 3 --out runs/corner.webm
  python sim/view.py demonstrator --scenario hard --time 5 --out runs/hard.png
"""
_PICTURES = ('.png', '.jpg')


def main() -> None:
    """Show, film or draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_player(parser)
    parser.add_argument('--index', type=natural, default=0, metavar='N',
                        help='which validation start comes first (default: %(default)s)')
    parser.add_argument('--out', type=Path, default=None, metavar='FILE',
                        help='.webm, .png or .jpg (default: the viewer, without a display '
                        'view.webm)')
    parser.add_argument('--time', type=float, default=0.0, metavar='S',
                        help='moment of a still (default: %(default)s)')
    parser.add_argument('--speed', type=float, default=1.0, metavar='X',
                        help='of viewer and film, in real times (default: %(default)s)')
    run_script(run, parser)


def run(args: argparse.Namespace) -> None:
    """Show, film or draw."""
    if args.speed <= 0 or args.time < 0:
        raise GudaError('--speed must be above 0 and --time not below')
    player, scenario = load_player(args)
    if args.out is None and (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        show(player, scenario, args)
        return
    path = args.out or Path('view.webm')
    if path.suffix not in ('.webm', *_PICTURES):
        raise GudaError(f'{path}: a name that ends in .webm, .png or .jpg is expected')
    if args.out is None:
        print('there is no display: the episode is filmed instead')
    record(player, scenario, path, args)


def start_of(player, scenario: str, index: int) -> np.ndarray:
    """Return a validation start (5,)."""
    from guda_ros.soccer.starts import fixed_starts

    return fixed_starts('validation', index + 1, player.contract.field, scenario)[index]


def record(player, scenario: str, path: Path, args: argparse.Namespace) -> None:
    """Film an episode, or draw a moment of it."""
    import cv2

    from guda_ros.evaluation.film import make_film, render_still
    from guda_ros.evaluation.rollout import evaluate_policy

    contract = player.contract
    start = start_of(player, scenario, args.index)
    result = evaluate_policy(player.controller(1), contract, player.robot, start[None],
                             max_steps=player.max_steps(scenario), memoryless=False, record=True)
    states = result.states[:int(result.steps[0]) + 1, 0]
    verdict = 'scored' if result.success[0] else 'out' if result.out[0] else 'timeout'
    title = f'{scenario}, validation start {args.index}'
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == '.webm':
        film, _ = make_film(states, contract, player.robot, path, verdict, title, args.speed)
        print(f'{film}: written, {verdict} after {(len(states) - 1) * contract.period:.1f} s')
        return
    row = min(round(args.time * contract.rate), len(states) - 1)
    picture = render_still(states[row], contract, player.robot, title=title,
                           time=row * contract.period)
    if not cv2.imwrite(str(path), picture):
        raise GudaError(f'{path}: cannot be written')
    print(f'{path}: written, {row * contract.period:.1f} s after the start')


def show(player, scenario: str, args: argparse.Namespace) -> None:
    """Run episodes in MuJoCo's viewer until its window is closed."""
    from guda_ros.sim.simulation import SoccerSimulation
    from guda_ros.sim.viewer import Viewer

    contract = player.contract
    simulation = SoccerSimulation(contract, player.robot)
    with Viewer(simulation) as viewer:
        for index in range(args.index, args.index + 1_000_000):
            simulation.reset(start_of(player, scenario, index))
            controller = player.controller(1)
            due = time.monotonic()
            for _ in range(player.max_steps(scenario)):
                simulation.step(controller(simulation.world_state()[None], np.zeros(1, int))[0])
                if not viewer.show():
                    return
                due += contract.period / args.speed
                time.sleep(max(0.0, due - time.monotonic()))
                if simulation.done:
                    break
            word = 'goal' if simulation.scored else 'out' if simulation.out else 'time ran out'
            print(f'start {index}: {word} after {simulation.time:.1f} s')


if __name__ == '__main__':
    main()
