"""
Watch a player: in MuJoCo's viewer where there is a display, else as a film or stills.

In the viewer episodes follow one another in real time; close its window to end. Without a display,
or with --out, one episode is filmed (.webm) or drawn at a moment (.png, .jpg).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import itertools
import os
from pathlib import Path
import time
from typing import TYPE_CHECKING

from guda_ros.cli.sim.common import add_player
from guda_ros.errors import GudaError
from guda_ros.workflows.terminal.arguments import natural

if TYPE_CHECKING:
    from guda_ros.sim.physics.simulation import SoccerSimulation
    from guda_ros.workflows.players import Player

HELP = "watch a player: MuJoCo's viewer, a film or stills"
EXAMPLE = """\
guda sim view runs/ppo_penalty/seed_0
  guda sim view demonstrator --scenario corner --index 3 --out runs/corner.webm
  guda sim view demonstrator --scenario hard --time 5 --out runs/hard.png"""
_PICTURES = ('.png', '.jpg')
#: Cameras of films and stills with their widths, and the height [pixels].
_VIEWS, _HEIGHT = (('overview', 440), ('follow', 400), ('head', 400)), 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_player(parser)
    parser.add_argument(
        '--index',
        type=natural,
        default=0,
        metavar='N',
        help='which validation start comes first (default: %(default)s)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=None,
        metavar='FILE',
        help='.webm, .png or .jpg (default: the viewer, without a display view.webm)',
    )
    parser.add_argument(
        '--time',
        type=float,
        default=0.0,
        metavar='S',
        help='moment of a still (default: %(default)s)',
    )
    parser.add_argument(
        '--speed',
        type=float,
        default=1.0,
        metavar='X',
        help='of viewer and film, in real times (default: %(default)s)',
    )


def run(args: argparse.Namespace) -> None:
    """Show, film or draw."""
    from guda_ros.sim.physics.obstacles import Obstacle
    from guda_ros.sim.physics.simulation import SoccerSimulation
    from guda_ros.workflows.players import load_player

    if args.speed <= 0 or args.time < 0:
        raise GudaError('--speed must be above 0 and --time not below')
    player, scenario = load_player(args.player, args.contract, args.scenario)
    simulation = SoccerSimulation(
        player.contract, player.robot, obstacles=Obstacle.of_scenario(scenario)
    )
    if args.out is None and (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        show(simulation, player, scenario, args)
        return
    path = args.out or Path('view.webm')
    if path.suffix not in ('.webm', *_PICTURES):
        raise GudaError(f'{path}: a name that ends in .webm, .png or .jpg is expected')
    if args.out is None:
        print('there is no display: the episode is filmed instead')
    with simulation:
        record(simulation, player, scenario, path, args)


def episode(
    simulation: SoccerSimulation, player: Player, scenario: str, index: int
) -> Iterator[None]:
    """Run a validation start; yields before the first step and after each."""
    import numpy as np

    from guda_ros.workflows.players import fixed_world

    fixed = fixed_world(scenario, 'validation', index + 1, player.contract)
    simulation.reset(fixed['starts'][index])
    if fixed['obstacles']:
        simulation.place_obstacles(fixed['layouts'][index])
    controller = player.controller(1)
    yield
    for _ in range(player.max_steps(scenario)):
        seen = (simulation.obstacle_states()[None],) if fixed['obstacles'] else ()
        state = simulation.world_state()[None]
        simulation.step(controller(state, np.zeros(1, int), *seen)[0])
        yield
        if simulation.done:
            return


def verdict_of(simulation: SoccerSimulation) -> str:
    """Tell how an episode ended."""
    return 'goal' if simulation.scored else 'out' if simulation.out else 'time ran out'


def record(
    simulation: SoccerSimulation,
    player: Player,
    scenario: str,
    path: Path,
    args: argparse.Namespace,
) -> None:
    """Film an episode, or draw a moment of it."""
    import cv2
    import numpy as np

    from guda_ros.evaluation.pages.film import encode

    def picture() -> np.ndarray:
        return np.hstack([simulation.render(camera, width, _HEIGHT) for camera, width in _VIEWS])[
            ..., ::-1
        ]

    rate = player.contract.rate
    path.parent.mkdir(parents=True, exist_ok=True)
    steps = episode(simulation, player, scenario, args.index)
    if path.suffix == '.webm':
        frames = [picture() for _ in steps]
        film = encode(frames, path, rate * args.speed, round(1.5 * rate * args.speed))
        print(f'{film}: written, {verdict_of(simulation)} after {simulation.time:.1f} s')
        return
    for _ in itertools.islice(steps, 1 + round(args.time * rate)):
        pass
    if not cv2.imwrite(str(path), picture()):
        raise GudaError(f'{path}: cannot be written')
    print(f'{path}: written, {simulation.time:.1f} s after the start')


def show(
    simulation: SoccerSimulation, player: Player, scenario: str, args: argparse.Namespace
) -> None:
    """Run episodes in MuJoCo's viewer until its window is closed."""
    from guda_ros.sim.rendering.viewer import Viewer

    with Viewer(simulation) as viewer:
        for index in itertools.count(args.index):
            due = time.monotonic()
            for _ in episode(simulation, player, scenario, index):
                if not viewer.show():
                    return
                due += player.contract.period / args.speed
                time.sleep(max(0.0, due - time.monotonic()))
            print(f'start {index}: {verdict_of(simulation)} after {simulation.time:.1f} s')
