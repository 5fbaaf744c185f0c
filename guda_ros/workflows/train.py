"""Train a policy on demonstrations, augmented transitions, or both."""

from __future__ import annotations

from pathlib import Path

from guda_ros.data.contract import robot_of


def load_transitions(paths: list[Path], demonstrations: int | None, seed: int):
    """Join data sets (of which `demonstrations` episodes are drawn) and transition files."""
    from guda_ros.data.sets.minari import read_minari, read_minari_contract
    from guda_ros.data.sets.selection import choose_demonstrations
    from guda_ros.data.transitions import transitions, TransitionSet

    sets = []
    for path in paths:
        if path.is_dir():
            episodes = choose_demonstrations(read_minari(path), demonstrations, seed)
            sets.append(transitions(episodes, read_minari_contract(path)))
        else:
            sets.append(TransitionSet.load(path))
        sets[0].contract.require(sets[-1].contract, str(path))
    return TransitionSet.concatenate(sets)


def train(algorithm: str, data, seed: int, updates: int | None = None, progress=None):
    """
    Train `algorithm` with its default arguments on a TransitionSet; return the finished Learner.

    :param progress: called with the update, the number of updates and the loss of the policy.
    """
    from guda_ros.learning.algorithms import algorithm as find
    from guda_ros.learning.algorithms import shortened
    from guda_ros.learning.memory import keep_freed_memory

    keep_freed_memory()
    kind = find(algorithm)
    config = kind.Config()
    if updates is not None:
        config = shortened(config, updates)
    learner = kind(data, data.contract, config, (seed,))
    return learner.learn(
        progress and (lambda now: progress(now.updates, now.total, policy_loss(now)))
    )


def policy_loss(learner) -> float:
    """Return the last logged loss of the policies, the mean over the seeds."""
    names = ('losses/policy_loss', 'losses/bc_loss')
    row = next(learner.history[name] for name in names if name in learner.history)[-1]
    return sum(row) / len(row)


def _evaluator(contract, count: int, robot: str | None):
    """Return the success of a policy network from validation starts, as a function of it."""
    from guda_ros.evaluation.ball_visibility import SightedPolicy
    from guda_ros.evaluation.rollout import evaluate_policy
    from guda_ros.soccer.starts import fixed_starts

    robot = robot_of(contract, robot)
    starts = fixed_starts('validation', count, contract.field)

    def evaluate(network) -> float:
        controller = SightedPolicy(network.predict, contract, robot, count)
        return evaluate_policy(controller, contract, robot, starts).rate

    return evaluate
