"""Train a policy by acting: stable-baselines3, PROPS and augmented replay on many episodes."""

from __future__ import annotations

from collections.abc import Callable
import copy
from dataclasses import asdict, dataclass, field
import os
from pathlib import Path
import time

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.noise import NormalActionNoise

from guda_ros.config.files import load_yaml, Section
from guda_ros.errors import GudaError
from guda_ros.learning.compiler import leave_compiler_out
from guda_ros.learning.networks import PolicyNetwork, torch_threads, TrainingError
from guda_ros.online.augmentation_config import AugmentationConfig
from guda_ros.online.augmented_replay import AugmentedReplayBuffer
from guda_ros.online.policies import (
    ALGORITHMS,
    normalised,
    OFF_POLICY,
    policy_arguments,
    to_network,
)
from guda_ros.online.replay_log import AugmentationLog
from guda_ros.online.vec_env import BatchVecEnv, Episodes
from guda_ros.soccer.starts import SCENARIOS

#: Names of a model and of the statistics that normalise its observations, in one folder.
MODEL, NORMALISATION = 'model.zip', 'normalisation.pkl'


@dataclass(frozen=True)
class OnlineConfig:
    """
    An experiment, as in config/online.

    environments: rows of the batch. threads: of the physics. steps: environment steps at most.
    minutes: wall time at most. evaluate_every: environment steps between evaluations. starts:
    validation starts of an evaluation. stop_at: success rate that ends the training when two
    evaluations in a row reach it. hidden: sizes of the layers. arguments: of the algorithm's class
    in stable-baselines3, or of PROPS; action_noise (TD3, DDPG) is a deviation. augmentation: of
    the replay buffer, None for none.
    """

    algorithm: str
    scenario: str
    contract: str
    rewards: str
    randomisation: str
    environments: int
    threads: int
    steps: int
    minutes: float
    evaluate_every: int
    starts: int
    stop_at: float
    hidden: tuple[int, ...]
    arguments: dict = field(default_factory=dict)
    augmentation: AugmentationConfig | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> OnlineConfig:
        """Read a YAML file; ConfigError names file and key of a wrong value."""
        root = Section(load_yaml(path), path)
        arguments = root.section('arguments')
        augmentation = None
        if root.has('augmentation'):
            augmentation = AugmentationConfig.read(root.section('augmentation'))
        config = cls(
            algorithm=root.choice('algorithm', tuple(ALGORITHMS)),
            scenario=root.choice('scenario', SCENARIOS),
            contract=root.text('contract'),
            rewards=root.text('rewards'),
            randomisation=root.text('randomisation'),
            environments=root.integer('environments', 1, 100_000),
            threads=root.integer('threads', 1, 1024),
            steps=root.integer('steps', 1, 10**12),
            minutes=root.number('minutes', 0.01, 1e6),
            evaluate_every=root.integer('evaluate_every', 1, 10**12),
            starts=root.integer('starts', 1, 100_000),
            stop_at=root.number('stop_at', 0, 2),
            hidden=root.integers('hidden', 1, 100_000),
            arguments=arguments.rest(),
            augmentation=augmentation,
        )
        if augmentation and config.algorithm not in OFF_POLICY:
            root.fail('augmentation', f'is for {", ".join(OFF_POLICY)}, not {config.algorithm}')
        root.close()
        return config

    def as_dict(self) -> dict:
        """Return the experiment as plain values."""
        values = {**asdict(self), 'hidden': list(self.hidden)}
        if self.augmentation is None:
            del values['augmentation']
        return values


@dataclass(frozen=True)
class Progress:
    """
    Where a training stands at an evaluation.

    success: on validation starts. episode_reward, train_success: means of the episodes that ended
    since the evaluation before, NaN if none did. terms: their means by `reward/<term>`.
    """

    steps: int
    seconds: float
    success: float
    episode_reward: float
    train_success: float
    terms: dict[str, float]


@dataclass
class OnlineResult:
    """
    What a training gave.

    network: the policy that did best on validation starts, the last of equals. best: its progress.
    history: every evaluation. seconds: wall time, evaluations included.
    """

    network: PolicyNetwork
    best: Progress
    history: list[Progress]
    seconds: float


def train_online(
    config: OnlineConfig,
    episodes: Episodes,
    evaluate: Callable[[PolicyNetwork], float],
    folder: str | os.PathLike[str],
    seed: int = 0,
    report: Callable[[Progress], None] = lambda progress: None,
    checkpoints: bool = False,
    tensorboard: str | os.PathLike[str] | None = None,
) -> OnlineResult:
    """
    Train from scratch, and leave model and normalisation in `folder`.

    :param episodes: the batch to learn in.
    :param evaluate: success rate of a policy on validation starts.
    :param report: called after every evaluation.
    :param checkpoints: keep model and normalisation of every evaluation, in folders of their own.
    :param tensorboard: folder for its logs.
    :raises TrainingError: if the algorithm refuses an argument of the config.
    """
    folder = Path(folder)
    env = normalised(BatchVecEnv(episodes, world_states=config.augmentation is not None))
    callback = _Evaluation(config, evaluate, folder, report, checkpoints)
    callbacks: list[BaseCallback] = [callback]
    augmented = {}
    if config.augmentation is not None:
        augmented = {
            'replay_buffer_class': AugmentedReplayBuffer,
            'replay_buffer_kwargs': config.augmentation.arguments(episodes),
        }
        callbacks.append(AugmentationLog(every=config.evaluate_every))
    arguments = dict(config.arguments)
    if isinstance(noise := arguments.get('action_noise'), (int, float)):
        size = env.action_space.shape
        arguments['action_noise'] = NormalActionNoise(np.zeros(size), np.full(size, float(noise)))
    with torch_threads(1):
        try:
            model = ALGORITHMS[config.algorithm](
                env=env,
                seed=seed,
                device='cpu',
                tensorboard_log=tensorboard,
                **policy_arguments(config.algorithm, config.hidden),
                **{**arguments, **augmented},
            )
        except GudaError:
            raise
        except (TypeError, AssertionError, ValueError) as error:
            raise TrainingError(
                f'{config.algorithm}: stable-baselines3 refuses the arguments '
                f'{config.arguments}: {error}'
            ) from error
        try:
            model.learn(config.steps, callback=CallbackList(callbacks), tb_log_name=f'seed_{seed}')
        except ImportError as error:
            raise TrainingError(f'{error}; install it, or leave --tensorboard out') from error
        callback.finish()
    save_model(model, folder)
    return OnlineResult(
        callback.network, callback.best, callback.history, time.monotonic() - callback.began
    )


def save_model(model: BaseAlgorithm, folder: str | os.PathLike[str]) -> None:
    """Write a model and its normalisation to a folder, as stable-baselines3 reads them."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / MODEL)
    model.get_vec_normalize_env().save(str(folder / NORMALISATION))


def load_network(
    folder: str | os.PathLike[str], algorithm: str, episodes: Episodes
) -> PolicyNetwork:
    """
    Return the deterministic policy of a model that save_model wrote.

    :param episodes: any of the contract it was trained for.
    :raises TrainingError: if it cannot be read.
    """
    from stable_baselines3.common.vec_env import VecNormalize

    folder = Path(folder)
    try:
        env = VecNormalize.load(str(folder / NORMALISATION), BatchVecEnv(episodes))
        leave_compiler_out()
        return to_network(ALGORITHMS[algorithm].load(folder / MODEL, env=env, device='cpu'))
    except (OSError, ValueError, KeyError, EOFError, AssertionError) as error:
        raise TrainingError(
            f'{folder}: holds no {algorithm} model that `guda sim train` wrote ({error})'
        ) from error


class _Evaluation(BaseCallback):
    """Evaluate, report, keep the best policy, and stop in time."""

    def __init__(self, config, evaluate, folder: Path, report, checkpoints) -> None:
        super().__init__()
        self._config, self._evaluate, self._folder = config, evaluate, folder
        self._report, self._checkpoints = report, checkpoints
        self._ended: list[dict] = []
        self._next = config.evaluate_every
        self.began = time.monotonic()
        self.history: list[Progress] = []
        self.best: Progress | None = None
        self.network: PolicyNetwork | None = None

    def _on_training_start(self) -> None:
        self._judge()

    def _on_step(self) -> bool:
        infos = self.locals['infos']
        self._ended += [infos[row] for row in np.flatnonzero(self.locals['dones'])]
        if self.num_timesteps >= self._next:
            self._next += self._config.evaluate_every
            self._judge()
        late = time.monotonic() - self.began > 60 * self._config.minutes
        good = min(progress.success for progress in self.history[-2:]) >= self._config.stop_at
        return not (late or good)

    def finish(self) -> None:
        """Judge what was learned since the last evaluation."""
        if self.history[-1].steps < self.num_timesteps:
            self._judge()

    def _judge(self) -> None:
        network = copy.deepcopy(to_network(self.model))
        terms = [key for key in (self._ended or [{}])[0] if key.startswith('reward/')]
        mean = {
            key: float(np.mean([info[key] for info in self._ended] or [np.nan]))
            for key in ('episode_reward', 'is_success', *terms)
        }
        progress = Progress(
            self.num_timesteps,
            time.monotonic() - self.began,
            self._evaluate(network),
            mean['episode_reward'],
            mean['is_success'],
            {key: mean[key] for key in terms},
        )
        self._ended = []
        self.history.append(progress)
        if self.best is None or progress.success >= self.best.success:
            self.best, self.network = progress, network
        for key in terms:
            self.logger.record(key, mean[key])
        self.logger.record('validation/success', progress.success)
        if self._checkpoints:
            save_model(self.model, self._folder / f'step_{self.num_timesteps}')
        self._report(progress)
