"""
Record episodes of a player in the simulator as a data set (Minari), without ROS.

The data set is of the kind that `guda convert` makes of recordings, and goes the same way: `guda
augment`, `guda train`. Its states are the true ones: nothing is lost from view, and no perception
adds noise.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from guda_ros.cli.sim.common import add_player
from guda_ros.data.files import refuse_existing
from guda_ros.workflows.terminal.arguments import natural, positive

if TYPE_CHECKING:
    from guda_ros.data.contract import Contract
    from guda_ros.data.episodes import Episode
    from guda_ros.evaluation.rollout import RolloutResult

HELP = 'episodes of a player as a data set'
EXAMPLE = """\
guda sim collect imperfect --episodes 12 --out runs/sim/dataset
  guda sim collect runs/ppo_penalty/seed_0 --episodes 50 --out runs/penalty_data"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_player(parser)
    parser.add_argument(
        '--episodes',
        type=positive,
        default=12,
        metavar='N',
        help='how many (default: %(default)s)',
    )
    parser.add_argument(
        '--seed',
        type=natural,
        default=0,
        metavar='N',
        help='of the starts and of imperfections (default: %(default)s)',
    )
    parser.add_argument('--successes', action='store_true', help='keep episodes that scored only')
    parser.add_argument(
        '--threads',
        type=positive,
        default=1,
        metavar='N',
        help='of the physics (default: %(default)s)',
    )
    parser.add_argument(
        '--out', type=Path, required=True, metavar='DIR', help='folder of the data set'
    )


def run(args: argparse.Namespace) -> None:
    """Run the episodes and write them."""
    import numpy as np

    from guda_ros.data.sets.minari import write_minari
    from guda_ros.errors import GudaError
    from guda_ros.evaluation.rollout import evaluate_policy
    from guda_ros.sim.physics.obstacles import Obstacle
    from guda_ros.soccer.starts import sample_layouts, sample_starts
    from guda_ros.workflows.players import load_player

    refuse_existing(args.out)
    player, scenario = load_player(args, args.seed)
    contract = player.contract
    if contract.observes_obstacles:
        raise GudaError(
            f'the observations of {contract.name} have obstacles, which a data set '
            'does not record; choose a contract without'
        )
    # A stream of its own: neither the fixed starts nor those that a seed trains on.
    rng = np.random.default_rng([args.seed, 6007])
    starts = sample_starts(scenario, args.episodes, rng, contract.field)
    layouts = sample_layouts(scenario, starts, rng, contract.field)
    result = evaluate_policy(
        player.controller(args.episodes),
        contract,
        player.robot,
        starts,
        args.threads,
        player.max_steps(scenario),
        memoryless=False,
        record=True,
        obstacles=Obstacle.of_scenario(scenario),
        layouts=layouts,
    )
    episodes = [
        episode_of(result, index, contract, scenario, args, player.name)
        for index in range(args.episodes)
        if result.success[index] or not args.successes
    ]
    if not episodes:
        raise GudaError('no episode scored: nothing to write')
    write_minari(args.out, episodes, contract)
    steps = sum(len(episode) for episode in episodes)
    scored = sum(episode.success for episode in episodes)
    print(f'{args.out}: {len(episodes)} episodes of {scenario}, {steps} steps, {scored} scored')


def episode_of(
    result: RolloutResult,
    index: int,
    contract: Contract,
    scenario: str,
    args: argparse.Namespace,
    operator: str,
) -> Episode:
    """Return a rollout's episode as one of a data set."""
    import numpy as np

    from guda_ros.data.episodes import Episode
    from guda_ros.soccer import world

    steps = int(result.steps[index])
    states = result.states[: steps + 1, index]
    verdict = 'scored' if result.success[index] else 'out' if result.out[index] else 'timeout'
    return Episode(
        id=f'sim_{scenario}_{args.seed}_{index:04d}',
        scenario=scenario,
        seed=args.seed,
        start_index=index,
        verdict=verdict,
        operator=operator,
        contract_hash=contract.hash,
        stamps=np.round(np.arange(steps + 1) * contract.period * 1e9).astype(np.int64),
        world_states=states,
        commands=states[1:, world.PREVIOUS_COMMAND],
        valid=np.ones(steps + 1, dtype=bool),
        truth_states=states,
    )
