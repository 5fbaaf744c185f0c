"""The main job: from demonstrations over ROS 2 to a report, in stages that resume."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
import fcntl
import os
from pathlib import Path
import shutil
import time

from guda_ros.config.files import find_config
from guda_ros.data.contract import robot_of
from guda_ros.errors import GudaError
from guda_ros.workflows.stages import Stages

ARMS = ('raw', 'random', 'guided')


TRAINED = (*ARMS, 'td3_bc')


GUIDES = ('guided', 'random')


@dataclass(frozen=True)
class DemoSettings:
    """
    How much of everything.

    recordings: demonstrations to record. demonstrations: how many of them a training seed sees.
    augmented: transitions made by each guide. updates, td3_bc_updates: gradient steps, None for
    the algorithm's. starts, validation_starts: episodes in the batched simulator for each policy.
    ros_episodes: through the ROS graph.
    """

    recordings: int = 14
    demonstrations: int = 6
    seeds: int = 5
    augmented: int = 200_000
    updates: int | None = None
    td3_bc_updates: int | None = None
    starts: int = 200
    validation_starts: int = 100
    ros_episodes: int = 20


QUICK = DemoSettings(
    recordings=3,
    demonstrations=2,
    seeds=2,
    augmented=5_000,
    updates=200,
    td3_bc_updates=50,
    starts=10,
    validation_starts=5,
    ros_episodes=2,
)


def _lock(folder: Path):
    """Return the lock file of a run's folder, locked until it is closed; GudaError if it is."""
    lock = open(folder / '.lock', 'w')
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise GudaError(
            f'{folder}: another run is working here; wait for it or choose another --out'
        ) from error
    return lock


class Demo:
    """The stages of the main job; each method with a folder argument is the work of one stage."""

    def __init__(
        self, folder: Path, contract, args: argparse.Namespace, settings: DemoSettings
    ) -> None:
        self._folder = folder
        self._contract = contract
        self._args = args
        self._settings = settings
        self._seconds: dict[str, float] = {}
        self._logs = args.log_dir or folder / 'log'

    def run(self) -> None:
        """Run all stages and print where the report is."""
        begin = time.monotonic()
        s = self._settings
        stages = Stages(self._folder, 7)
        base = {
            'contract': self._contract.hash,
            'robot': robot_of(self._contract, self._args.robot).as_dict(),
        }
        work = (
            (
                'record',
                f'{s.recordings} episodes, a scripted operator drives through teleop over ROS 2',
                {**base, 'recordings': s.recordings},
                self.record,
            ),
            ('convert', 'recordings to a Minari data set', {}, self.convert),
            (
                'augment',
                f'{s.augmented} guided and as many random transitions, {s.seeds} seeds',
                {
                    'augmented': s.augmented,
                    'seeds': s.seeds,
                    'demonstrations': s.demonstrations,
                    'guides': {name: find_config('guides', name).read_text() for name in GUIDES},
                },
                self.augment,
            ),
            (
                'train',
                f'BC on {", ".join(ARMS)} data and TD3+BC on guided data, {s.seeds} seeds each',
                {
                    'updates': s.updates,
                    'td3_bc_updates': s.td3_bc_updates,
                    'validation_starts': s.validation_starts,
                },
                self.train,
            ),
            (
                'ros',
                f'{s.ros_episodes} episodes of the guided policy in the ROS graph',
                {'ros_episodes': s.ros_episodes},
                self.ros,
            ),
            (
                'evaluate',
                f'{s.starts} test starts for every policy in the batched simulator',
                {'starts': s.starts},
                self.evaluate,
            ),
            ('report', 'film and report', {}, self.report),
        )
        for name, title, settings, method in work:
            self._seconds[name] = stages.run(name, title, settings, method)['wall_seconds']
        print(f'\nreport: {self._folder / "report.html"}\n        {self._folder / "report.json"}')
        print(
            f'stages {sum(self._seconds.values()):.0f} s in all, '
            f'this run {time.monotonic() - begin:.0f} s'
        )

    def record(self, folder: Path) -> dict:
        """Record the demonstrations."""
        from guda_ros.ros.graph.table import GraphOptions
        from guda_ros.workflows.record import run_episodes

        options = GraphOptions(
            contract=self._args.contract,
            robot=self._args.robot or '',
            purpose='demonstration',
            recordings=str(folder),
        )
        outcomes = run_episodes(
            'collect',
            options,
            self._settings.recordings,
            self._contract,
            self._args.domain,
            self._logs / 'record',
        )
        return {'episodes': outcomes}

    def convert(self, folder: Path) -> dict:
        """Convert the recordings."""
        from guda_ros.data.recording.reader import list_recordings
        from guda_ros.workflows.convert import convert

        target = folder / 'dataset'
        if target.exists():
            shutil.rmtree(target)
        episodes = convert(list_recordings(self._folder / 'record'), target)
        return {
            'episodes': len(episodes),
            'steps': sum(len(episode) for episode in episodes),
            'usable': sum(int(episode.usable.sum()) for episode in episodes),
        }

    @property
    def _dataset(self) -> Path:
        return self._folder / 'convert' / 'dataset'

    def augment(self, folder: Path) -> dict:
        """Make the augmented transitions of every seed."""
        from guda_ros.workflows.augment import augment_dataset

        reports: dict[str, list] = {name: [] for name in GUIDES}
        for seed in range(self._settings.seeds):
            for guide in reports:
                recorded, report = augment_dataset(
                    self._dataset,
                    guide,
                    self._settings.augmented,
                    seed,
                    self._settings.demonstrations,
                    folder / f'{guide}_{seed}.h5',
                )
                reports[guide].append(report.as_dict())
                print(
                    f'    {guide:<7} seed {seed}: {self._settings.augmented} transitions from '
                    f'{len(recorded.episode_ids)} episodes '
                    f'({sum(recorded.episode_success)} scored), '
                    f'{report.acceptance:.0%} accepted, {report.seconds:.2f} s'
                )
        return {'reports': reports}

    def train(self, folder: Path) -> dict:
        """Train and export all policies, and choose a guided one by validation starts."""
        from guda_ros.workflows.jobs import train_and_export, validate
        from guda_ros.workflows.workers import run_jobs

        s = self._settings
        jobs = [
            (
                arm,
                seed,
                self._dataset,
                self._folder / 'augment',
                folder,
                s.demonstrations,
                s.td3_bc_updates if arm == 'td3_bc' else s.updates,
            )
            # The longest first, so that no core waits for the last one.
            for arm in ('td3_bc', 'guided', 'random', 'raw')
            for seed in range(s.seeds)
        ]
        done = 0
        for (arm, seed, *_), seconds in run_jobs(train_and_export, jobs):
            done += 1
            print(f'    {done:2d} of {len(jobs)}: {arm:<7} seed {seed}: {seconds:.0f} s')
        rates = {}
        checks = [
            (folder / f'guided_{seed}.onnx', s.validation_starts, self._args.robot)
            for seed in range(s.seeds)
        ]
        for (policy, *_), rate in run_jobs(validate, checks):
            rates[policy.name] = rate
        best = max(sorted(rates), key=rates.get)
        print(
            f'    guided policies on {s.validation_starts} validation starts: '
            + ', '.join(f'{rates[name]:.2f}' for name in sorted(rates))
            + f'; {best} goes on'
        )
        return {'validation': rates, 'chosen': best}

    def ros(self, folder: Path) -> dict:
        """Run the chosen guided policy through the ROS graph."""
        from guda_ros.ros.graph.table import GraphOptions
        from guda_ros.workflows.record import run_episodes

        options = GraphOptions(
            contract=self._args.contract,
            robot=self._args.robot or '',
            purpose='ros_test',
            policy=str(self._policy()),
            recordings=str(folder),
        )
        outcomes = run_episodes(
            'evaluate',
            options,
            self._settings.ros_episodes,
            self._contract,
            self._args.domain,
            self._logs / 'ros',
        )
        scored = sum(outcome['verdict'] == 'scored' for outcome in outcomes)
        print(f'    {scored} of {len(outcomes)} scored')
        return {'episodes': outcomes}

    def _policy(self) -> Path:
        return self._folder / 'train' / self._summary('train')['chosen']

    def _summary(self, stage: str) -> dict:
        import json

        return json.loads((self._folder / 'stages' / f'{stage}.json').read_text())['summary']

    def evaluate(self, folder: Path) -> dict:
        """Run all policies and the demonstrators in the batched simulator."""
        from guda_ros.workflows.jobs import evaluate_arm
        from guda_ros.workflows.workers import run_jobs

        s = self._settings
        jobs = [
            (arm, seed, self._folder / 'train', folder, s.starts, self._contract, self._args.robot)
            for arm in ('demonstrator', *TRAINED)
            for seed in range(s.seeds)
        ]
        jobs.append(('demonstrator_clean', 0, *jobs[0][2:]))
        rates: dict[str, list] = {}
        done = 0
        for (arm, seed, *_), rate in run_jobs(evaluate_arm, jobs):
            done += 1
            print(f'    {done:2d} of {len(jobs)}: {arm} {seed}: {rate:.2f}')
            rates.setdefault(arm, []).append(rate)
        for arm in ('demonstrator_clean', 'demonstrator', *TRAINED):
            mean = sum(rates[arm]) / len(rates[arm])
            print(
                f'    {arm:<18} {mean:.3f}   seeds: '
                + ' '.join(f'{r:.2f}' for r in sorted(rates[arm]))
            )
        return {'rates': rates}

    def report(self, folder: Path) -> dict:
        """Make film and report."""
        from guda_ros.workflows.demo_report import make_report

        files = make_report(
            self._folder,
            self._contract,
            self._args.robot,
            self._settings,
            self._seconds,
            self._args.quick,
        )
        return {'files': [os.path.relpath(path, self._folder) for path in files]}
