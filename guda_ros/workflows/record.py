"""Record episodes over ROS 2: a graph of nodes, one MCAP recording an episode."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from dataclasses import asdict, dataclass
import os
from pathlib import Path

from guda_ros.arguments import as_folder, as_whole
from guda_ros.data.contract import Contract, robot_of
from guda_ros.data.recording.folder import FolderClaim, LOCK_FILE
from guda_ros.data.recording.reader import RecordingReader, set_aside
from guda_ros.data.verdicts import BROKEN_OFF
from guda_ros.errors import GudaError, naming_extras
from guda_ros.evaluation.start_sets import StartSet
from guda_ros.identification.protocol import DRIVE_START, DRIVES, DURATION, ROLL_TIME, ROLLS
from guda_ros.ros.graph.names import RosNames, USUAL_NAMES
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import absolute_if_path, GraphOptions
from guda_ros.soccer.starts import CLEAR_SCENARIOS
from guda_ros.workflows.progress import Say, silent

#: Seeds of the odometry's errors and of the operator's imperfections, apart for each purpose.
_FIRST_SEED = {'demonstration': 0, 'validation': 100_000, 'test': 200_000, 'ros_test': 300_000}


@dataclass(frozen=True)
class Outcome:
    """What became of an episode in a ROS graph."""

    #: Name of the episode, and of its recording.
    id: str
    #: Number of its start.
    start_index: int
    #: How it ended, one of guda_ros.data.verdicts.
    verdict: str
    #: Simulated time from the start to the end [s].
    seconds: float
    #: The same in real time [s]; None for one that was recorded before.
    wall_seconds: float | None
    #: Why it ended so, for a person.
    message: str

    @property
    def scored(self) -> bool:
        """Tell whether it ended with a goal."""
        return self.verdict == 'scored'

    def as_dict(self) -> dict:
        """Return plain values for JSON."""
        return asdict(self)


@naming_extras()
def record(
    out: str | os.PathLike,
    episodes: int = 14,
    *,
    contract: str | os.PathLike = 'soccer_push',
    robot: str | os.PathLike | None = None,
    scenario: str = 'attack',
    guide: str = '',
    images: bool = False,
    domain: int | None = None,
    log_dir: str | os.PathLike | None = None,
    names: RosNames = USUAL_NAMES,
    say: Say = silent,
) -> list[Outcome]:
    """
    Record demonstrations of a scripted operator over ROS 2, as `guda record` does.

        outcomes = guda_ros.record('runs/mine/recordings', 14)
        print(sum(outcome.scored for outcome in outcomes))

    The operator stands in for a person: it publishes a gamepad's messages, and teleop drives.

    :param out: folder for the recordings; episodes that are there already are kept.
    :param episodes: how many the folder is to hold.
    :param contract: task in config/tasks, or a YAML file.
    :param robot: profile, by default the contract's.
    :param scenario: kind of start: attack or centre.
    :param guide: augment by this guide after each episode, into OUT/augmented_GUIDE.h5.
    :param images: record the camera too, as JPEG.
    :param domain: ROS domain, by default the first free one.
    :param log_dir: folder for the nodes' logs, by default a temporary one.
    :param names: namespace, remaps, file of parameters and log level of the nodes.
    :raises GudaError: if the folder holds episodes of another contract or scenario, or a node
        dies.
    """
    as_whole(episodes, 'episodes', 1)
    overrides = {'data_collector': {'guide': absolute_if_path(guide)}} if guide else {}
    loaded, options = _prepare(out, contract, robot, scenario, images, overrides, names)
    return run_episodes('collect', options, episodes, loaded, domain, log_dir, say)


@naming_extras()
def record_drive(
    out: str | os.PathLike,
    *,
    contract: str | os.PathLike = 'soccer_push',
    robot: str | os.PathLike | None = None,
    images: bool = False,
    domain: int | None = None,
    log_dir: str | os.PathLike | None = None,
    names: RosNames = USUAL_NAMES,
    say: Say = silent,
) -> list[Path]:
    """
    Record the drive that `guda_ros.identify` fits a robot to, as `guda record --drive` does.

        drives = guda_ros.record_drive('runs/mine/drive')

    Steps of the walk, then balls that roll, through teleop and safety.

    :param out: folder for the recordings; those that are there already are kept.
    :param contract: task in config/tasks, or a YAML file.
    :param robot: profile, by default the contract's.
    :param images: record the camera too, as JPEG.
    :param domain: ROS domain, by default the first free one.
    :param log_dir: folder for the nodes' logs, by default a temporary one.
    :param names: namespace, remaps, file of parameters and log level of the nodes.
    :return: the recordings.
    :raises GudaError: if an episode breaks off or is not recorded.
    """
    loaded, options = _prepare(
        out, contract, robot, 'attack', images, {'operator': {'style': 'drive'}}, names
    )
    episodes = [(f'drive_{number:03d}', DRIVE_START, DURATION) for number in range(DRIVES)]
    episodes += [(f'roll_{number:03d}', start, ROLL_TIME) for number, start in enumerate(ROLLS)]
    ids = [name for name, _, _ in episodes]
    folder = Path(options.recordings)
    kept = recorded_outcomes(folder, ids, options.scenario, loaded, say)
    if kept:
        say(f'    {len(kept)} of {len(episodes)} recordings were made before and are kept')
    missing = [(index, *episode) for index, episode in enumerate(episodes) if index not in kept]
    if missing:
        _drive(options, missing, domain, log_dir, say)
    return [folder / name for name in ids]


def _prepare(
    out: str | os.PathLike,
    contract: str | os.PathLike,
    robot: str | os.PathLike | None,
    scenario: str,
    images: bool,
    overrides: dict,
    names: RosNames,
) -> tuple[Contract, GraphOptions]:
    loaded = Contract.load(contract, robot)
    robot_of(loaded, robot)
    if scenario not in CLEAR_SCENARIOS:
        raise GudaError(f'unknown scenario {scenario!r}; known: {", ".join(CLEAR_SCENARIOS)}')
    return loaded, GraphOptions(
        contract=os.fspath(contract),
        robot=os.fspath(robot or ''),
        scenario=scenario,
        recordings=str(as_folder(out, 'out')),
        record_images=images,
        overrides=overrides,
        names=names,
    )


def run_episodes(
    graph_name: str,
    options: GraphOptions,
    count: int,
    contract: Contract,
    domain: int | None = None,
    log_dir: str | os.PathLike | None = None,
    say: Say = silent,
    start_set: StartSet | None = None,
) -> list[Outcome]:
    """
    Start a graph, run `count` episodes from its purpose's fixed starts and return their outcomes.

    Recordings that are complete already are not made again; what an interrupted one left is set
    aside, and so is the recording of an episode that was broken off (an error, Ctrl-C).

    :param options: of the graph; its recordings folder, purpose and scenario are used.
    :param start_set: to run instead of the purpose's starts; it names the episodes.
    :raises GudaError: if a recording in the folder is of another contract or scenario.
    :raises GraphError: if a node dies. :raises EpisodeError: if an episode cannot be run.
    """
    prefix = options.purpose if start_set is None else start_set.name
    names = [f'{prefix}_{index:03d}' for index in range(count)]
    outcomes = recorded_outcomes(Path(options.recordings), names, options.scenario, contract, say)
    if outcomes:
        say(f'    {len(outcomes)} of {count} episodes were recorded before and are kept')
    missing = [index for index in range(count) if index not in outcomes]
    if missing:
        for outcome in _run_missing(
            graph_name, options, [(i, names[i]) for i in missing], domain, log_dir, say, start_set
        ):
            outcomes[outcome.start_index] = outcome
    return [outcomes[index] for index in range(count)]


def recorded_outcomes(
    folder: Path, names: list[str], scenario: str, contract: Contract, say: Say = silent
) -> dict[int, Outcome]:
    """
    Return the outcomes of the episodes in a folder that are not to be run again, by index.

    Everything else of those names is set aside; see run_episodes.
    """
    # What a recorder is writing at this moment was not interrupted: refuse to touch it, and let
    # none begin meanwhile.
    recorded_here = (folder / LOCK_FILE).exists()
    with FolderClaim(folder) if recorded_here else contextlib.nullcontext():
        return _outcomes(folder, names, scenario, contract, say)


def _outcomes(
    folder: Path, names: list[str], scenario: str, contract: Contract, say: Say
) -> dict[int, Outcome]:
    outcomes: dict[int, Outcome] = {}
    for index, name in enumerate(names):
        if not (folder / name).exists():
            set_aside(folder, name)
            continue
        with RecordingReader(folder / name) as reader:
            contract.require(reader.contract, str(folder / name))
            info = reader.info
        if info.scenario != scenario:
            raise GudaError(
                f'{folder / name}: is of scenario {info.scenario!r}, not {scenario!r}; '
                'choose another folder'
            )
        if info.verdict in BROKEN_OFF:
            reason = info.message or info.verdict or 'no verdict'
            aside = set_aside(folder, name, finished=True)
            say(f'    {name} was broken off ({reason}) and is run again; it is kept in {aside}')
        else:
            outcomes[index] = _recorded(name, index, info)
    return outcomes


def _recorded(name: str, index: int, info) -> Outcome:
    seconds = max(0, info.end_stamp - info.start_stamp) / 1e9
    return Outcome(name, index, info.verdict, seconds, None, info.message)


@contextlib.contextmanager
def _running(
    graph_name: str,
    options: GraphOptions,
    log_dir: str | os.PathLike[str],
    domain: int | None,
    say: Say,
) -> Iterator:
    """Start a graph and give the EpisodeRunner of it."""
    with GraphProcesses(graph_name, options, log_dir, domain) as graph:
        say(
            f'    graph {graph_name}: {", ".join(graph.pids)}; ROS domain {graph.domain}, '
            f'logs in {graph.log_dir}'
        )
        yield graph.runner()


def _run_missing(
    graph_name: str,
    options: GraphOptions,
    episodes: list[tuple[int, str]],
    domain: int | None,
    log_dir: str | os.PathLike[str] | None,
    say: Say,
    start_set: StartSet | None,
) -> Iterator[Outcome]:
    with _running(graph_name, options, log_dir, domain, say) as runner:
        for index, name in episodes:
            outcome = runner.run(
                start_index=index,
                seed=_FIRST_SEED[options.purpose] + index,
                scenario=options.scenario,
                purpose=options.purpose,
                start=() if start_set is None else start_set.starts[index],
                episode_id=name,
            )
            event = outcome.event
            say(
                f'    {name:<22} {event.verdict:<8} {outcome.duration:5.1f} s simulated, '
                f'{outcome.wall_seconds:5.1f} s real'
            )
            if outcome.recording.get('good') is False:
                say(f'        not good enough: {"; ".join(outcome.recording["reasons"])}')
            _require_recorded(name, outcome)
            yield Outcome(
                name,
                index,
                event.verdict,
                outcome.duration,
                outcome.wall_seconds,
                event.message,
            )


def _drive(
    options: GraphOptions,
    episodes: list[tuple],
    domain: int | None,
    log_dir: str | os.PathLike[str] | None,
    say: Say,
) -> None:
    with _running('collect', options, log_dir, domain, say) as runner:
        for seed, name, start, seconds in episodes:
            outcome = runner.run(
                start=start,
                seed=seed,
                time_limit=seconds,
                episode_id=name,
                scenario=options.scenario,
            )
            _require_recorded(name, outcome)
            say(
                f'    {name:<10} {outcome.duration:5.1f} s simulated, '
                f'{outcome.wall_seconds:5.1f} s real'
            )


def _require_recorded(name: str, outcome) -> None:
    from guda_ros.ros.episode.runner import EpisodeError

    if outcome.recording['state'] != 'closed':
        raise EpisodeError(f'{name} was not recorded: ' + '; '.join(outcome.recording['problems']))
    if outcome.event.verdict in BROKEN_OFF:
        reason = outcome.event.message or outcome.event.verdict or 'no verdict'
        raise EpisodeError(f'{name}: {reason}')
