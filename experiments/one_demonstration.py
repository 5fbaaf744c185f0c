#!/usr/bin/env python3
"""
Learn to score from the paper's Easy and Hard starts, from one suboptimal demonstration each.

A scripted operator as imperfect as a person (wandering aim, noise, pauses) tries 40 starts, and
the slowest of the attempts that scored is the demonstration. It is augmented, cloned, and the
policy is played in the MuJoCo twin from 100 test starts that nothing was trained or chosen on;
each seed has a demonstration of its own. Results go to OUT/test.jsonl as they come in, and a run
that was interrupted goes on.

    python experiments/one_demonstration.py --out runs/one_demonstration
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from guda_ros.errors import GudaError
from guda_ros.evaluation.benchmark.variants import PolicyTrial, seconds_of
from guda_ros.workflows.parallel.variant_trials import add_trial_arguments, complete
from guda_ros.workflows.train import train

STARTS = ('easy', 'hard')
#: Guides by arm; the demonstrator is no arm that learns.
GUIDES = {
    'demonstrator': None,
    'none': None,
    'random': 'random',
    'hand': 'whole_field',
    'auto': 'auto',
}
#: Where a ball that lies in a corner is pushed first [m before the goal], by the demonstrator too.
BESIDE_GOAL = 0.8
#: Attempts that an operator has for its demonstration.
ATTEMPTS = 40
PLACE = 'MuJoCo twin'
#: Whose observation tells a ball in a corner from one before the goal.
CONTRACT = 'soccer_corners'


def imperfect(seeds):
    """Return the styles of an operator by their seeds."""
    from guda_ros.tasks.soccer.demonstrator import DemonstratorStyle

    return [replace(DemonstratorStyle.imperfect(seed), beside_goal=BESIDE_GOAL) for seed in seeds]


def play_demonstrator(contract, starts, seeds, record=False):
    """Return the RolloutResult of imperfect demonstrators from starts (n, 5), a seed for each."""
    from guda_ros.evaluation.rollout import evaluate_policy
    from guda_ros.soccer.robot import RobotProfile
    from guda_ros.tasks.soccer.demonstrator import Demonstrator

    operator = Demonstrator(
        contract.limits,
        contract.field,
        np.random.default_rng(seeds[0]),
        imperfect(seeds),
        contract.period,
    )
    return evaluate_policy(
        operator,
        contract,
        RobotProfile.load(contract.robot),
        starts,
        memoryless=False,
        record=record,
    )


@lru_cache
def demonstrate(scenario: str, seed: int):
    """Return the steps of the slowest attempt that scored, and how long it took [s]."""
    from guda_ros.data.contract import Contract
    from guda_ros.data.episodes import Episode
    from guda_ros.data.transitions import transitions
    from guda_ros.soccer import world
    from guda_ros.soccer.starts import fixed_starts

    contract = Contract.load(CONTRACT)
    first = ATTEMPTS * seed
    starts = fixed_starts('demonstration', first + ATTEMPTS, contract.field, scenario)[first:]
    played = play_demonstrator(contract, starts, range(first, first + ATTEMPTS), record=True)
    if not played.success.any():
        raise GudaError(f'{scenario}: the demonstrator has not scored in {ATTEMPTS} attempts')
    chosen = int(np.argmax(np.where(played.success, played.steps, 0)))
    states = played.states[: played.steps[chosen] + 1, chosen]
    count = len(states)
    episode = Episode(
        id=f'{scenario}_{first + chosen}',
        scenario=scenario,
        seed=first + chosen,
        start_index=first + chosen,
        verdict='scored',
        operator='imperfect',
        contract_hash=contract.hash,
        stamps=np.round(np.arange(count) * contract.period * 1e9),
        world_states=states,
        commands=states[1:, world.PREVIOUS_COMMAND],
        valid=np.ones(count, dtype=bool),
        truth_states=states,
    )
    return transitions([episode], contract), float(played.steps[chosen] * contract.period)


def trial(
    scenario: str,
    algorithm: str,
    arm: str,
    seed: int,
    starts: int,
    count: int,
    updates: int | None,
    purpose: str,
) -> list[PolicyTrial]:
    """Train and play one policy, or play the demonstrator."""
    from guda_ros.augmentation.guides import load_guide
    from guda_ros.augmentation.pipeline import augment
    from guda_ros.data.contract import Contract
    from guda_ros.data.transitions import TransitionSet
    from guda_ros.evaluation.ball_visibility import SightedPolicy
    from guda_ros.evaluation.rollout import evaluate_policy
    from guda_ros.soccer.robot import RobotProfile
    from guda_ros.soccer.starts import fixed_starts

    contract = Contract.load(CONTRACT)
    places = fixed_starts(purpose, starts, contract.field, scenario)
    if arm == 'demonstrator':
        played = play_demonstrator(
            contract, places, range(10**6 * (seed + 1), 10**6 * (seed + 1) + starts)
        )
    else:
        data, _ = demonstrate(scenario, seed)
        if GUIDES[arm]:
            made, _ = augment(data, load_guide(GUIDES[arm]), count, seed)
            data = TransitionSet.concatenate([data, made])
        network = train(data, algorithm, seed=seed, updates=updates, starts=0).policy()
        controller = SightedPolicy(
            network.predict, contract, RobotProfile.load(contract.robot), starts
        )
        played = evaluate_policy(controller, contract, RobotProfile.load(contract.robot), places)
    return [
        PolicyTrial(
            PLACE,
            scenario,
            algorithm,
            arm,
            seed,
            seconds_of(played.success, played.steps * played.period),
        )
    ]


def main() -> None:
    """Run what is missing, and write table and picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--out', type=Path, required=True, metavar='DIR')
    parser.add_argument('--scenarios', nargs='+', choices=STARTS, default=STARTS)
    parser.add_argument('--arms', nargs='+', choices=tuple(GUIDES), default=tuple(GUIDES))
    parser.add_argument('--algorithm', default='bc')
    add_trial_arguments(parser)
    args = parser.parse_args()
    purpose = 'validation' if args.validation else 'test'
    jobs = {}
    # Arms last: a process that goes on with the next arm has its demonstration.
    for seed in range(args.seeds):
        for scenario in args.scenarios:
            for arm in args.arms:
                algorithm = 'scripted' if arm == 'demonstrator' else args.algorithm
                job = (
                    scenario,
                    algorithm,
                    arm,
                    seed,
                    args.starts,
                    args.count,
                    args.updates,
                    purpose,
                )
                jobs[job] = [(PLACE, *job[:4])]
    arms = list(GUIDES)
    complete(
        trial,
        jobs,
        args.out / f'{purpose}.jsonl',
        processes=args.processes,
        order=lambda one: (STARTS.index(one.scenario), arms.index(one.arm), one.key),
    )


if __name__ == '__main__':
    main()
