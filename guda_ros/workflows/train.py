"""Train a policy on demonstrations, augmented transitions, or both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
import os
from pathlib import Path

from guda_ros.arguments import as_folder, as_list, as_path, as_paths_or, as_whole, if_given
from guda_ros.augmentation.registry import load_task
from guda_ros.control.exported_policy import ExportedPolicy
from guda_ros.data.contract import Contract, refuse_robot, robot_of
from guda_ros.data.contract_base import ContractBase
from guda_ros.data.files import refuse_existing
from guda_ros.data.registry import SOCCER
from guda_ros.data.transitions import transitions, TransitionSet
from guda_ros.errors import GudaError, naming_extras
from guda_ros.learning.algorithms import algorithm as find_algorithm
from guda_ros.learning.algorithms import read_config, shortened
from guda_ros.learning.batches import data_problems
from guda_ros.learning.checkpoint import (
    load_checkpoint,
    resume_checkpoint,
    save_checkpoint,
    versions,
)
from guda_ros.learning.learner import Learner, LearnerConfig
from guda_ros.learning.memory import keep_freed_memory
from guda_ros.learning.networks import PolicyNetwork, TrainingResult
from guda_ros.learning.training import tensorboard_writer, train_to_file
from guda_ros.workflows.augment import choose
from guda_ros.workflows.export import export, write_policy
from guda_ros.workflows.own_task import success_of
from guda_ros.workflows.progress import Say, silent

#: A data set (folder), augmented transitions (.h5), or transitions in memory.
Data = str | os.PathLike | TransitionSet


@dataclass(frozen=True)
class Training:
    """A training that has come to its end, or was stopped by Ctrl-C."""

    #: The algorithm with its networks, history and arguments.
    learner: Learner
    #: The checkpoint, None if none was asked for.
    path: Path | None
    #: What is to be known about it: data, rules, how it was judged; plain values.
    info: dict
    #: False if Ctrl-C stopped it before all updates were made.
    finished: bool = True
    #: True if the checkpoint was complete already, and nothing was left to do.
    done_before: bool = False

    def result(self, seed: int | None = None) -> TrainingResult:
        """Return network and history of a seed, by default the one that validation liked best."""
        if self.path is not None:
            return load_checkpoint(self.path, seed)[0]
        if seed is None:
            values = [best['value'] if best else 0.0 for best in self.learner.best]
            seed = self.learner.seeds[values.index(max(values))]
        return self.learner.result(seed)

    def policy(self, seed: int | None = None) -> PolicyNetwork:
        """Return the policy of a seed, by default of the one that validation liked best."""
        return self.result(seed).network

    def save(self, path: str | os.PathLike) -> Path:
        """Write the checkpoint, of all seeds; OSError if that fails."""
        save_checkpoint(path, self.learner, self.info)
        return Path(path)

    def export(
        self, out: str | os.PathLike, seed: int | None = None, overwrite: bool = False
    ) -> ExportedPolicy:
        """Write a policy file (ONNX) and return the policy in it; see `guda_ros.export`."""
        if self.path is not None:
            return export(self.path, out, seed, overwrite=overwrite)
        refuse_existing(out, overwrite)
        learner = self.learner
        info = {
            **self.info,
            'data_hash': learner.data_hash,
            'versions': versions(),
            'total': learner.total,
            'seeds': list(learner.seeds),
        }
        return write_policy(out, self.result(seed), learner.contract, info)


def load_transitions(
    data: Data | Iterable[Data],
    demonstrations: int | None = None,
    seed: int = 0,
    task: str | None = None,
    say: Say = silent,
) -> TransitionSet:
    """
    Join data sets, of which `demonstrations` episodes are drawn by a seed, and transitions.

        steps = guda_ros.read_transitions(['runs/mine/dataset', 'runs/mine/guided.h5'])

    What is in several of them counts once; another episode of the same name gets a new one.

    :param data: one or several: data sets (folders), files of transitions (.h5), TransitionSets.
    :param demonstrations: how many episodes of a data set, all if None.
    :param task: whose recordings are given; by default that of the transitions, without any that
        of the robots.
    :param say: hears what was in several of them.
    :raises GudaError: if one cannot be read, or was made for another contract than the first.
    """
    from guda_ros.data.sets.editing import Joined, merge
    from guda_ros.data.sets.minari import read_minari, read_minari_contract
    from guda_ros.data.sets.selection import choose_demonstrations, without_repeats

    if isinstance(data, TransitionSet):
        return data
    given = as_paths_or(data, TransitionSet, 'data')
    if not given:
        raise GudaError('no data are given; name a data set or a file of transitions')
    parts = [TransitionSet.load(one) if _is_transitions(one) else one for one in given]
    named = (one.contract.task for one in parts if isinstance(one, TransitionSet))
    task = task or next(named, SOCCER)
    sets: list[TransitionSet] = []
    joined = Joined()
    for name, one in zip(given, parts):
        if isinstance(one, TransitionSet):
            sets.append(one)
        elif task != SOCCER:
            recorded = load_task(task).read(one)
            sets.append(
                recorded if demonstrations is None else choose(recorded, demonstrations, seed)
            )
        elif one.is_dir():
            once, _ = merge([read_minari(one)])
            episodes = choose_demonstrations(once, demonstrations, seed)
            before = len(joined.episodes)
            for note in filter(None, map(joined.add, episodes)):
                say(f'{name}: {note}')
            sets.append(transitions(joined.episodes[before:], read_minari_contract(one)))
        else:
            sets.append(TransitionSet.load(one))
        what = 'a set' if isinstance(name, TransitionSet) else str(name)
        sets[0].contract.require(sets[-1].contract, what)
    sets, repeats = without_repeats(sets)
    for name, count in zip(given, repeats):
        if count:
            what = 'a set' if isinstance(name, TransitionSet) else str(name)
            say(f'{what}: {count} transitions are in an earlier set, too, and count once')
    return TransitionSet.concatenate(sets)


def _is_transitions(one: Path | TransitionSet) -> bool:
    return not isinstance(one, TransitionSet) and one.suffix == '.h5'


@naming_extras()
def train(
    data: Data | Iterable[Data],
    algorithm: str | None = None,
    *,
    config: str | os.PathLike | LearnerConfig | None = None,
    updates: int | None = None,
    demonstrations: int | None = None,
    task: str | None = None,
    seed: int = 0,
    seeds: int = 1,
    starts: int = 50,
    evaluations: int = 5,
    robot: str | os.PathLike | None = None,
    out: str | os.PathLike | None = None,
    overwrite: bool = False,
    resume: bool = False,
    tensorboard: str | os.PathLike | None = None,
    command: str = '',
    progress: Callable[[Learner], None] | None = None,
    say: Say = silent,
) -> Training:
    """
    Train policies by behaviour cloning or offline RL, as `guda train` does.

        done = guda_ros.train(['runs/mine/dataset', 'runs/mine/guided.h5'], 'bc', out='bc.pt')
        done.export('bc.onnx')

    :param data: see `guda_ros.read_transitions`.
    :param algorithm: bc (the default), td3_bc, awac, cql, iql or rebrac.
    :param config: arguments: name in config/learning, a YAML file, or the algorithm's Config.
    :param updates: of the critics, or of a clone; the cloning before it keeps its share.
    :param demonstrations: use only this many episodes of a data set, drawn by `seed`.
    :param task: whose recordings are given; see read_transitions.
    :param seed: of the first policy. :param seeds: policies to train together, with the numbers
        after it.
    :param starts: validation starts to judge by in simulation; 0 for no validation.
    :param evaluations: how often to judge, evenly spread and at the end; the best is kept.
    :param robot: profile to judge with, by default the contract's.
    :param out: checkpoint (.pt), written every half minute; without it nothing is written.
    :param resume: go on from `out` if it is there.
    :param tensorboard: folder for logs that TensorBoard shows.
    :param command: the command line, noted in checkpoint and policy.
    :param progress: called after every log entry.
    :raises GudaError: if the data cannot be learnt from, the arguments do not fit, or `out` is
        there and neither `overwrite` nor `resume`.
    """
    path = if_given(as_path, out, 'out')
    logs = if_given(as_folder, tensorboard, 'tensorboard')
    if path is not None and not resume:
        refuse_existing(path, overwrite)
    for name, value, least in (
        ('seed', seed, 0),
        ('seeds', seeds, 1),
        ('starts', starts, 0),
        ('evaluations', evaluations, 1),
    ):
        as_whole(value, name, least)
    if updates is not None:
        as_whole(updates, 'updates', 1)
    if demonstrations is not None:
        as_whole(demonstrations, 'demonstrations', 1)
    keep_freed_memory()
    kind, arguments = _arguments(algorithm, config, updates)
    given = as_list(data, 'data', TransitionSet)
    steps = load_transitions(
        data if isinstance(data, TransitionSet) else given, demonstrations, seed, task, say
    )
    say(
        f'{kind.name}: {len(steps)} transitions, '
        + ', '.join(f'{count} {rule}' for rule, count in steps.rule_counts().items())
    )
    learner = kind(steps, steps.contract, arguments, range(seed, seed + seeds))
    for problem in data_problems(steps):
        say(f'note: {problem}')
    judged = {'starts': starts, 'evaluations': evaluations, 'robot': robot}
    info = {
        'data': ['in memory' if isinstance(one, TransitionSet) else str(one) for one in given],
        'demonstrations': demonstrations,
        'rules': steps.rule_counts(),
        'command': command,
        **judged,
    }
    if resume and path is not None and path.exists():
        if not resume_checkpoint(path, learner, judged):
            return Training(learner, path, info, done_before=True)
        say(f'goes on after update {learner.updates}')
    with nullcontext() if logs is None else tensorboard_writer(logs, learner.updates) as writer:
        finished = train_to_file(
            learner,
            path,
            info,
            evaluate=_evaluator(steps.contract, starts, robot) if starts else None,
            evaluations=evaluations,
            report=progress,
            writer=writer,
        )
    return Training(learner, path, info, finished)


def _arguments(algorithm, config, updates) -> tuple[type[Learner], LearnerConfig]:
    kind = find_algorithm(algorithm or 'bc')
    if config is None:
        arguments = kind.Config()
    elif isinstance(config, LearnerConfig):
        arguments = config
        if not isinstance(config, kind.Config):
            raise GudaError(f'{type(config).__name__} is not the Config of {kind.name}')
    else:
        kind, arguments = read_config(config)
        if algorithm not in (None, kind.name):
            raise GudaError(f'{config} is for {kind.name}, not for --algo {algorithm}')
    return kind, arguments if updates is None else shortened(arguments, updates)


def _evaluator(
    contract: ContractBase, count: int, robot: str | os.PathLike | None
) -> Callable[[PolicyNetwork], float]:
    """Return the success of a policy network from validation starts, as a function of it."""
    if not isinstance(contract, Contract):
        refuse_robot(contract, robot)
        return success_of(contract, count)
    from guda_ros.evaluation.ball_visibility import seeing_controller
    from guda_ros.evaluation.rollout import evaluate_policy
    from guda_ros.soccer.starts import fixed_starts

    profile = robot_of(contract, robot)
    starts = fixed_starts('validation', count, contract.field)

    def evaluate(network: PolicyNetwork) -> float:
        controller = seeing_controller(network.predict, contract, profile, count)
        return evaluate_policy(controller, contract, profile, starts).rate

    return evaluate
