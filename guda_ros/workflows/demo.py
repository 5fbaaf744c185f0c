"""The main job: from demonstrations over ROS 2 to a report, in stages that resume."""

from __future__ import annotations

from dataclasses import dataclass
import fcntl
import os
from pathlib import Path
import shutil
import time

from guda_ros.arguments import as_folder
from guda_ros.config.files import find_config
from guda_ros.data.contract import Contract, robot_of
from guda_ros.errors import GudaError, naming_extras
from guda_ros.evaluation.usual_starts import USUAL_SETS
from guda_ros.workflows.progress import Say, silent
from guda_ros.workflows.stages import move_aside, Stages

ARMS = ('raw', 'random', 'guided')


TRAINED = (*ARMS, 'td3_bc')
#: In the order of the report.
JUDGED = ('guided', 'raw', 'random', 'td3_bc')


GUIDES = ('guided', 'random')


@dataclass(frozen=True)
class DemoSettings:
    """How much of everything."""

    #: Demonstrations to record.
    recordings: int = 14
    #: How many of them a training seed sees.
    demonstrations: int = 6
    #: Trainings of each arm.
    seeds: int = 5
    #: Transitions made by each guide, for each seed.
    augmented: int = 200_000
    #: Gradient steps of behaviour cloning, None for the algorithm's.
    updates: int | None = None
    #: The same of TD3+BC.
    td3_bc_updates: int | None = None
    #: Test episodes in the batched simulator for each policy.
    starts: int = 200
    #: Episodes by which a guided policy is chosen.
    validation_starts: int = 100
    #: Episodes of that policy through the ROS graph.
    ros_episodes: int = 20
    #: Speed of the film, None for one that suits the episode.
    film_speed: float | None = None


QUICK = DemoSettings(
    recordings=2,
    demonstrations=2,
    seeds=2,
    augmented=5_000,
    updates=200,
    td3_bc_updates=50,
    starts=10,
    validation_starts=5,
    ros_episodes=2,
    film_speed=10.0,
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


@naming_extras()
def demo(
    out: str | os.PathLike = 'runs/demo',
    *,
    quick: bool = False,
    fresh: bool = False,
    contract: str | os.PathLike = 'soccer_push',
    robot: str | os.PathLike | None = None,
    domain: int | None = None,
    log_dir: str | os.PathLike | None = None,
    settings: DemoSettings | None = None,
    say: Say = silent,
) -> Path:
    """
    Run the whole loop on this machine, from demonstrations over ROS 2 to a report.

        report = guda_ros.demo('runs/demo', say=print)

    An interrupted run continues with the stage that it was in; what is finished is kept.

    :param out: folder of the run.
    :param quick: a small run that tries every stage; its numbers mean nothing.
    :param fresh: begin anew; an earlier run in that folder is kept under another name.
    :param contract: task in config/tasks, or a YAML file.
    :param robot: profile, by default the contract's.
    :param domain: ROS domain, by default the first free one.
    :param log_dir: folder for the nodes' logs, by default `log` in that of the run.
    :param settings: how much of everything, instead of `quick`.
    :return: the page, report.html; its numbers are in report.json beside it.
    :raises GudaError: if another run works in the folder, or a stage cannot be done.
    """
    loaded = Contract.load(contract, robot)
    robot_of(loaded, robot)
    folder = as_folder(out, 'out').resolve()
    logs = folder / 'log' if log_dir is None else as_folder(log_dir, 'log_dir')
    if fresh and (folder / 'stages').exists():
        with _lock(folder):
            say(f'the earlier run is kept in {move_aside(folder)}')
    folder.mkdir(parents=True, exist_ok=True)
    settings = settings or (QUICK if quick else DemoSettings())
    with _lock(folder):
        run = Demo(folder, loaded, contract, robot, settings, say)
        run.domain = domain
        run.logs = logs
        run.quick = quick
        run.run()
    return folder / 'report.html'


class Demo:
    """The stages of the main job; each method with a folder argument is the work of one stage."""

    def __init__(
        self,
        folder: Path,
        contract: Contract,
        task: str,
        robot: str | os.PathLike | None,
        settings: DemoSettings,
        say: Say,
    ) -> None:
        self._folder, self._contract, self._settings, self._say = folder, contract, settings, say
        #: How contract and robot profile were named.
        self._task, self._robot = task, robot
        self.domain: int | None = None
        self.logs = folder / 'log'
        self.quick = False
        self._seconds: dict[str, float] = {}

    def run(self) -> None:
        """Run all stages and say where the report is."""
        begin = time.monotonic()
        s = self._settings
        stages = Stages(self._folder, 7, self._say)
        base = {
            'contract': self._contract.hash,
            'robot': robot_of(self._contract, self._robot).as_dict(),
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
                {'ros_episodes': s.ros_episodes, 'starts': USUAL_SETS['ros']},
                self.ros,
            ),
            (
                'evaluate',
                f'{s.starts} test starts for every policy in the batched simulator',
                {'starts': s.starts, 'set': USUAL_SETS['batch']},
                self.evaluate,
            ),
            ('report', 'film and report', {}, self.report),
        )
        for name, title, settings, method in work:
            self._seconds[name] = stages.run(name, title, settings, method)['wall_seconds']
        self._say(
            f'\nreport: {self._folder / "report.html"}\n        {self._folder / "report.json"}'
        )
        self._say(
            f'stages {sum(self._seconds.values()):.0f} s in all, '
            f'this run {time.monotonic() - begin:.0f} s'
        )

    def record(self, folder: Path) -> dict:
        """Record the demonstrations."""
        from guda_ros.ros.graph.table import GraphOptions
        from guda_ros.workflows.record import run_episodes

        options = GraphOptions(
            contract=self._task,
            robot=self._robot or '',
            purpose='demonstration',
            recordings=str(folder),
        )
        outcomes = run_episodes(
            'collect',
            options,
            self._settings.recordings,
            self._contract,
            self.domain,
            self.logs / 'record',
            self._say,
        )
        return {'episodes': [outcome.as_dict() for outcome in outcomes]}

    def convert(self, folder: Path) -> dict:
        """Convert the recordings."""
        from guda_ros.data.recording.reader import list_recordings
        from guda_ros.workflows.convert import convert

        target = folder / 'dataset'
        if target.exists():
            shutil.rmtree(target)
        episodes = convert(
            list_recordings(self._folder / 'record'), target, say=self._say
        ).episodes
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
        from guda_ros.workflows.augment import augment

        reports: dict[str, list] = {name: [] for name in GUIDES}
        for seed in range(self._settings.seeds):
            for guide in reports:
                made = augment(
                    self._dataset,
                    guide,
                    self._settings.augmented,
                    out=folder / f'{guide}_{seed}.h5',
                    seed=seed,
                    demonstrations=self._settings.demonstrations,
                    overwrite=True,
                )
                recorded, report = made.recorded, made.report
                reports[guide].append(report.as_dict())
                self._say(
                    f'    {guide:<7} seed {seed}: {self._settings.augmented} transitions from '
                    f'{len(recorded.episode_ids)} episodes '
                    f'({sum(recorded.episode_success)} scored), '
                    f'{report.acceptance:.0%} accepted, {report.seconds:.2f} s'
                )
        return {'reports': reports}

    def train(self, folder: Path) -> dict:
        """Train and export all policies, and choose a guided one by validation starts."""
        from guda_ros.workflows.demo_stages.jobs import train_and_export, validate
        from guda_ros.workflows.parallel.workers import run_jobs

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
            self._say(f'    {done:2d} of {len(jobs)}: {arm:<7} seed {seed}: {seconds:.0f} s')
        rates = {}
        checks = [
            (folder / f'guided_{seed}.onnx', s.validation_starts, self._robot)
            for seed in range(s.seeds)
        ]
        for (policy, *_), rate in run_jobs(validate, checks):
            rates[policy.name] = rate
        best = max(sorted(rates), key=rates.get)
        self._say(
            f'    guided policies on {s.validation_starts} validation starts: '
            + ', '.join(f'{rates[name]:.2f}' for name in sorted(rates))
            + f'; {best} goes on'
        )
        return {'validation': rates, 'chosen': best}

    def ros(self, folder: Path) -> dict:
        """Judge the chosen guided policy through the ROS graph, and write results.json."""
        from guda_ros.ros.graph.table import GraphOptions
        from guda_ros.workflows.evaluate_ros import judge_through_ros
        from guda_ros.workflows.judging import choose_starts, list_policies, make_evaluation

        (policy,), contract = list_policies([self._policy()], 'ros', self._contract)
        starts = choose_starts(None, 'ros', contract, self._settings.ros_episodes)
        options = GraphOptions(
            contract=self._task, robot=self._robot or '', recordings=str(folder)
        )
        judged = judge_through_ros(
            policy, contract, starts, options, self.domain, self.logs / 'ros', self._say
        )
        evaluation = make_evaluation(contract, self._robot, starts, [judged], [self._command])
        evaluation.save(folder)
        scored = sum(episode.scored for episode in judged.episodes)
        self._say(f'    {scored} of {len(judged.episodes)} scored')
        return {'scored': scored, 'episodes': len(judged.episodes)}

    def _policy(self) -> Path:
        return self._folder / 'train' / self._summary('train')['chosen']

    def _summary(self, stage: str) -> dict:
        import json

        return json.loads((self._folder / 'stages' / f'{stage}.json').read_text())['summary']

    def evaluate(self, folder: Path) -> dict:
        """Judge all policies and the demonstrators in simulation, and write results.json."""
        from guda_ros.evaluation.results import FILE, load_results, PolicyResult
        from guda_ros.workflows.evaluate import demonstrator, judge
        from guda_ros.workflows.judging import (
            choose_starts,
            list_policies,
            make_evaluation,
            save_report,
        )

        seeds = range(self._settings.seeds)
        files = [self._folder / 'train' / f'{arm}_{seed}.onnx' for arm in JUDGED for seed in seeds]
        policies, contract = list_policies(files, 'batch', self._contract)
        policies += [demonstrator('imperfect', seed) for seed in seeds]
        policies.append(demonstrator('clean'))
        starts = choose_starts(None, 'batch', contract, self._settings.starts)
        known = {}
        if (folder / FILE).exists():
            known = {(one.name, one.sha256): one for one in load_results(folder).policies}
        done: list[PolicyResult] = [
            known[one.name, one.sha256] for one in policies if (one.name, one.sha256) in known
        ]

        def evaluation(judged):
            return make_evaluation(contract, self._robot, starts, judged, [self._command])

        def keep(policy: PolicyResult) -> None:
            # What is finished is not judged again after an interruption.
            done.append(policy)
            evaluation(done).save(folder)

        missing = [one for one in policies if (one.name, one.sha256) not in known]
        if missing:
            judge(missing, contract, starts, self._robot, self._say, keep)
        found = {one.name: one for one in done}
        result = evaluation([found[one.name] for one in policies])
        save_report(result, folder)
        rates = {
            name: [result.success_rates[one.name] for one in group]
            for name, group in result.groups.items()
        }
        for arm in ('demonstrator_clean', 'demonstrator', *TRAINED):
            mean = sum(rates[arm]) / len(rates[arm])
            self._say(
                f'    {arm:<18} {mean:.3f}   seeds: '
                + ' '.join(f'{r:.2f}' for r in sorted(rates[arm]))
            )
        return {'rates': rates}

    @property
    def _command(self) -> str:
        return 'guda demo --quick' if self.quick else 'make demo'

    def report(self, folder: Path) -> dict:
        """Make film and report."""
        from guda_ros.workflows.demo_stages.report import make_report

        files = make_report(
            self._folder,
            self._contract,
            self._robot,
            self._settings,
            self._seconds,
            self.quick,
        )
        return {'files': [os.path.relpath(path, self._folder) for path in files]}
