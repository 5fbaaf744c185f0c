"""
Success of a policy, a model or the demonstrator over fixed starts, with a 95 % interval.

The player knows the true state. (`guda evaluate` shows it the ball only while its camera does.)
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.sim.common import add_player, add_threads
from guda_ros.workflows.terminal.arguments import positive

HELP = 'success of a player over fixed starts'
EXAMPLE = """\
guda sim evaluate runs/ppo_penalty/seed_0
  guda sim evaluate demonstrator --scenario hard --starts 100 --purpose validation"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_player(parser)
    parser.add_argument(
        '--starts',
        type=positive,
        default=200,
        metavar='N',
        help='number of starts (default: %(default)s)',
    )
    parser.add_argument(
        '--purpose',
        choices=('test', 'validation'),
        default='test',
        help='validation to choose by, test to report (default: %(default)s)',
    )
    add_threads(parser)
    parser.add_argument(
        '--out', type=Path, default=None, metavar='FILE', help='write the outcomes as JSON'
    )


def run(args: argparse.Namespace) -> None:
    """Run the episodes."""
    import numpy as np

    from guda_ros.data.files import write_json
    from guda_ros.evaluation.rollout import evaluate_policy
    from guda_ros.evaluation.statistics import wilson_interval
    from guda_ros.workflows.players import fixed_world, load_player
    from guda_ros.workflows.terminal.tables import print_table

    player, scenario = load_player(args.player, args.contract, args.scenario)
    contract, steps = player.contract, player.max_steps(scenario)
    result = evaluate_policy(
        player.controller(args.starts),
        contract,
        player.robot,
        threads=args.threads,
        max_steps=steps,
        memoryless=player.memoryless,
        **fixed_world(scenario, args.purpose, args.starts, contract),
    )
    scored, out = int(result.success.sum()), int(result.out.sum())
    interval = wilson_interval(scored, args.starts)
    print_table(
        [
            [
                player.name,
                scenario,
                steps * contract.period,
                interval.value,
                f'{interval.low:.3f} to {interval.high:.3f}',
                float(np.median(result.seconds_to_goal)) if scored else float('nan'),
                out,
                args.starts - scored - out,
            ]
        ],
        [
            'player',
            'scenario',
            'limit s',
            'success',
            '95 % interval',
            'median s to goal',
            'ball out',
            'time out',
        ],
    )
    print(
        f'{args.starts} {args.purpose} starts; the interval (Wilson) covers the starts, not the '
        'training seeds'
    )
    if args.out:
        write_json(
            args.out,
            {
                'player': player.name,
                'scenario': scenario,
                'purpose': args.purpose,
                'time_limit': steps * contract.period,
                **interval.as_dict(),
                'success': result.success.tolist(),
                'steps': result.steps.tolist(),
                'out': result.out.tolist(),
            },
        )
        print(f'{args.out}: written')
