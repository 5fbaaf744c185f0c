"""Film and report of a demo run, from the files that its stages left."""

from __future__ import annotations

import json
from pathlib import Path
import time
from typing import Protocol, TYPE_CHECKING

import numpy as np

from guda_ros.data.recording.reader import INTERRUPTED

if TYPE_CHECKING:
    from guda_ros.data.contract import Contract
    from guda_ros.data.episodes import Episode
    from guda_ros.soccer.robot import RobotProfile

QUICK_WARNING = 'A quick run that tries every stage: its numbers mean nothing.'


class _Sizes(Protocol):
    """What is asked of the settings of a demonstration."""

    @property
    def demonstrations(self) -> int: ...

    @property
    def ros_episodes(self) -> int: ...

    @property
    def starts(self) -> int: ...
    @property
    def film_speed(self) -> float | None: ...


def make_report(
    folder: Path,
    contract: Contract,
    robot_name: str | None,
    settings: _Sizes,
    seconds: dict[str, float],
    quick: bool,
) -> list[Path]:
    """
    Write film.webm, report.html and report.json to a run's folder.

    :param seconds: wall time of the stages before this one; that of this one is added, as far as
        it is known when the page is written.
    """
    begin = time.monotonic()
    from guda_ros.data.contract import robot_of
    from guda_ros.data.episodes import read_episode
    from guda_ros.data.sets.minari import read_minari
    from guda_ros.evaluation.pages.demo import AugmentedSet, build_report, ReportInputs
    from guda_ros.evaluation.results import load_results

    summaries = {
        path.stem: json.loads(path.read_text()).get('summary', {})
        for path in (folder / 'stages').glob('*.json')
    }
    through_ros = load_results(folder / 'ros')
    judged = [
        read_episode(folder / 'ros' / episode.id, contract)
        for episode in through_ros.policies[0].episodes
        if (folder / 'ros' / episode.id).exists()
    ]
    demonstrations = read_minari(folder / 'convert' / 'dataset')
    films, missing = _films(
        folder, judged, contract, robot_of(contract, robot_name), settings.film_speed
    )
    errors, distances = zip(*(perception_errors(episode) for episode in judged + demonstrations))
    inputs = ReportInputs(
        judged=load_results(folder / 'evaluate'),
        ros=through_ros,
        demonstrations=demonstrations,
        seed_demonstrations=settings.demonstrations,
        augmentation=_augmented(folder, summaries['augment'], AugmentedSet),
        learning=_learning(folder / 'train'),
        perception_error=np.concatenate(errors),
        perception_distance=np.concatenate(distances),
        wall_seconds={**seconds, 'report': time.monotonic() - begin},
        films=films,
        missing=missing,
        notes=_notes(summaries, folder / 'ros'),
        warning=QUICK_WARNING if quick else '',
    )
    files = build_report(inputs, folder, np.random.default_rng(0))
    return [files.html, files.json, *(Path(film.path) for film in films)]


def perception_errors(episode: Episode) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the errors of the ball's place and its true distance (n,) [m], as the robot sees them.

    Both places are taken relative to the robot, where it is and where it believes to be, so that
    drift of the odometry does not count. Steps at which the ball was not known are NaN in the
    error.
    """
    from guda_ros.soccer import world

    truth, known = episode.truth_states, episode.world_states
    true_ball = world.to_frame(truth[:, world.BALL], truth[:, world.ROBOT])
    error = np.linalg.norm(
        world.to_frame(known[:, world.BALL], known[:, world.ROBOT]) - true_ball, axis=1
    )
    return np.where(episode.valid, error, np.nan), np.linalg.norm(true_ball, axis=1)


def _augmented(folder: Path, summary: dict, augmented_set) -> dict:
    from guda_ros.data.transitions import TransitionSet

    result = {}
    for guide, reports in summary['reports'].items():
        path = folder / 'augment' / f'{guide}_0.h5'
        made = TransitionSet.load(path)
        result[guide] = augmented_set.from_transitions(made, reports[0])
    return result


def _learning(folder: Path) -> dict[str, list[dict]]:
    from guda_ros.learning.checkpoint import load_checkpoint

    curves: dict[str, list[dict]] = {}
    for path in sorted(folder.glob('*.pt')):
        arm, _, seed = path.stem.rpartition('_')
        history = load_checkpoint(path)[0].history
        names = [name for name in history if name != 'update']
        for row in range(len(history['update'])):
            curves.setdefault(arm, []).append(
                {
                    'seed': int(seed),
                    'step': int(history['update'][row]),
                    **{
                        name: float(history[name][row])
                        for name in names
                        if history[name][row] is not None
                    },
                }
            )
    return curves


def _films(
    folder: Path,
    judged: list,
    contract: Contract,
    robot: RobotProfile,
    speed: float | None,
) -> tuple[list, dict[str, str]]:
    from guda_ros.evaluation.pages.demo import Film
    from guda_ros.evaluation.pages.film import FilmError, make_film
    from guda_ros.sim.rendering.renderer import RenderingUnavailable

    scored = [episode for episode in judged if episode.success]
    if not judged:
        return [], {'film': 'no episode was recorded in the ROS graph'}
    episode = (scored or judged)[0]
    try:
        files = make_film(
            episode.truth_states,
            contract,
            robot,
            folder / 'film.webm',
            verdict=episode.verdict,
            speed=speed,
        )
    except (FilmError, RenderingUnavailable) as error:
        return [], {'film': str(error)}
    which = 'The first that scored' if scored else 'The first episode; none scored'
    caption = (
        f'{which} of {len(judged)} episodes in the ROS graph ({episode.id}), drawn again from '
        'the ground truth that was recorded beside it. The policy saw only what perception made '
        'of the head camera.'
    )
    return [Film(files.film, files.poster, caption)], {}


def _notes(summaries: dict, recordings: Path) -> list[str]:
    train = summaries['train']
    notes = [
        'Batched simulation: policies know the true state, but the ball only while the head '
        'camera sees it; the demonstrator always knows it. ROS graph: the policy acts on what '
        'perception sees in the rendered camera image, with odometry that drifts.',
        f'The policy in the ROS graph, {train["chosen"]}, was chosen among the guided seeds by '
        'its success on validation starts, none of which is a test start.',
        'The ball out of view is held in odom; after that the robot turns to search. Such steps '
        'are left out of the training data.',
    ]
    repeated = sorted(recordings.glob(f'*{INTERRUPTED}'))
    if repeated:
        notes.append(
            f'Episodes in the ROS graph that were broken off: {len(repeated)}, by an error or '
            'because the run was stopped. They were run again from the same start; kept as '
            f'{", ".join(path.name for path in repeated)}.'
        )
    return notes
