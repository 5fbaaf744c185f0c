#!/usr/bin/env python3
"""
Learn to score from what a physical NAO logged, and play in the paper's Easy and Hard starts.

Takes a data set that `guda convert --nao-logs` made. It is augmented by hand rules, by the guide
that writes itself, at random or not at all; policies are trained and played in the authors'
environment of their physical experiment (`env`) and in the MuJoCo twin (`twin`), from starts that
nothing was trained or chosen on. Results go to OUT/test.jsonl as they come in, and a run that was
interrupted goes on.

    guda convert --nao-logs LOGS/scoring.tar.gz --out runs/nao
    python experiments/real_demonstrations.py runs/nao --out runs/real
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from guda_ros.evaluation.benchmark.variants import PolicyTrial, seconds_of
from guda_ros.workflows.parallel.variant_trials import add_trial_arguments, complete
from guda_ros.workflows.train import train

#: Worlds, and the guides by arm there.
PLACES = {'env': "authors' environment", 'twin': 'MuJoCo twin'}
GUIDES = {
    'env': {
        'none': None,
        'random': 'physical_random',
        'behaviours': 'physical_behaviours',
        'hand': 'physical_guided',
        'auto': 'physical_auto',
    },
    'twin': {'none': None, 'random': 'random', 'hand': 'nao_guided', 'auto': 'auto'},
}
ARMS = tuple(GUIDES['env'])
#: The paper's scenarios, and the steps that the authors' environment gives each.
SCENARIOS = {'easy': 1000, 'hard': 800}
#: Seconds of a step of the authors' environment: 12 mm at the walk's 250 mm/s.
ENV_PERIOD = 0.048
#: Seeds of the starts in the authors' environment.
PURPOSES = {'test': 20231018, 'validation': 4711}


def training_data(task, path: Path, guide: str | None, count: int, seed: int):
    """Return the recorded steps, and what a guide made of them."""
    from guda_ros.augmentation.guides import load_guide
    from guda_ros.augmentation.pipeline import augment
    from guda_ros.data.transitions import TransitionSet

    data = task.read(path)
    if not guide:
        return data
    made, _ = augment(data, load_guide(guide), count, seed)
    return TransitionSet.concatenate([data, made])


def trial(
    world: str,
    algorithm: str,
    arm: str,
    seed: int,
    path: Path,
    starts: int,
    count: int,
    updates: int | None,
    purpose: str,
) -> list[PolicyTrial]:
    """Train one policy and play it in both scenarios."""
    from guda_ros.augmentation.registry import load_task
    from guda_ros.data.contract import Contract

    task = load_task({'env': 'physical_push', 'twin': 'soccer_push'}[world])
    data = training_data(task, path, GUIDES[world][arm], count, seed)
    if world == 'twin':
        # How fast the ball seems to the real robot is noise, in the simulator it is not.
        observation = Contract.load('soccer_corners').observation
        kept = tuple(name for name in observation if name != 'ball_velocity')
        data = replace(data, contract=replace(data.contract, observation=kept))
    policy = train(data, algorithm, seed=seed, updates=updates, starts=0).policy()
    play = {'env': play_env, 'twin': play_twin}[world]
    return [
        PolicyTrial(
            PLACES[world],
            scenario,
            algorithm,
            arm,
            seed,
            play(policy, data.contract, scenario, starts, purpose),
        )
        for scenario in SCENARIOS
    ]


def play_env(policy, contract, scenario, starts, purpose):
    """Return the seconds to the goal in the authors' environment."""
    from guda_ros.tasks.physical_push.task import PhysicalPush

    contract = replace(contract, start=scenario, max_steps=SCENARIOS[scenario])
    found = PhysicalPush(contract).evaluate(policy.predict, starts, PURPOSES[purpose])
    return seconds_of(found.successes, found.steps * ENV_PERIOD)


def play_twin(policy, contract, scenario, starts, purpose):
    """Return the seconds to the goal in the MuJoCo twin, with what the head camera sees."""
    from guda_ros.evaluation.ball_visibility import SightedPolicy
    from guda_ros.evaluation.rollout import evaluate_policy
    from guda_ros.soccer.robot import RobotProfile
    from guda_ros.soccer.starts import fixed_starts

    robot = RobotProfile.load(contract.robot)
    places = fixed_starts(purpose, starts, contract.field, scenario)
    controller = SightedPolicy(policy.predict, contract, robot, starts)
    played = evaluate_policy(controller, contract, robot, places)
    return seconds_of(played.success, played.steps * played.period)


def main() -> None:
    """Run what is missing, and write table and picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data', type=Path, help='data set that `guda convert --nao-logs` made')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR')
    parser.add_argument('--worlds', nargs='+', choices=tuple(PLACES), default=tuple(PLACES))
    parser.add_argument('--arms', nargs='+', choices=ARMS, default=ARMS)
    parser.add_argument('--algorithms', nargs='+', default=('bc', 'iql'))
    add_trial_arguments(parser)
    args = parser.parse_args()
    purpose = 'validation' if args.validation else 'test'
    jobs = {}
    for seed in range(args.seeds):
        for algorithm in args.algorithms:
            for world in args.worlds:
                for arm in (arm for arm in args.arms if arm in GUIDES[world]):
                    job = (
                        world,
                        algorithm,
                        arm,
                        seed,
                        args.data,
                        args.starts,
                        args.count,
                        args.updates,
                        purpose,
                    )
                    jobs[job] = [
                        (PLACES[world], scenario, algorithm, arm, seed) for scenario in SCENARIOS
                    ]
    places, scenarios = list(PLACES.values()), list(SCENARIOS)
    complete(
        trial,
        jobs,
        args.out / f'{purpose}.jsonl',
        processes=args.processes,
        order=lambda one: (
            places.index(one.place),
            scenarios.index(one.scenario),
            one.algorithm,
            ARMS.index(one.arm),
            one.key,
        ),
    )


if __name__ == '__main__':
    main()
