"""
Episodes from rosbag2 bags (MCAP or sqlite3) that others recorded, without this project's contract.

A mapping (config/imports) says which topic plays which role. Others' samples have stamps of
their own, so poses are interpolated at the control rate, between samples that are close enough; a
command holds until the next one. What is missing stays missing and is named.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import os

import numpy as np

from guda_ros.arguments import as_path
from guda_ros.config.files import find_config, load_yaml, Section
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode, leap_problems
from guda_ros.data.exchange.rosbag_samples import BagSamples, read_bag
from guda_ros.data.messages import are_places
from guda_ros.data.odometry_join import leaps
from guda_ros.data.pairing import truth_roles
from guda_ros.data.recording.reader import RecordingError
from guda_ros.data.sets.editing import cut
from guda_ros.data.verdicts import VERDICTS
from guda_ros.data.world_states import far_away
from guda_ros.soccer import world
from guda_ros.soccer.robot import VelocityLimits

AUTO = 'auto'


@dataclass(frozen=True)
class Mapping:
    """
    Topics by role, and the bag's names of the frames `map`, `odom` and `base`.

    tolerance: largest distance [s] of two samples between which is interpolated. command_hold: how
    long [s] a command holds. verdict: 'auto' or a verdict.
    """

    contract: Contract
    topics: dict[str, str]
    frames: dict[str, str]
    tolerance: float = 0.2
    command_hold: float = 0.5
    verdict: str = AUTO

    @classmethod
    def load(cls, name: str, robot: str | None = None) -> Mapping:
        """
        Read a mapping by name (config/imports) or path.

        :param robot: a robot profile to use instead of the contract's.
        :raises ConfigError: naming file and key of what is wrong.
        """
        path = find_config('imports', name)
        root = Section(load_yaml(path), path)
        contract = Contract.load(root.text('contract'), robot)
        listed = root.section('topics')
        required, optional = _roles(contract)
        topics = {role: listed.text(role) for role in required}
        topics.update({role: listed.text(role) for role in optional if listed.has(role)})
        frames = root.section('frames')
        mapping = cls(
            contract,
            topics,
            {key: frames.text(key) for key in ('map', 'odom', 'base')},
            root.number('tolerance', 0.0, 10.0),
            root.number('command_hold', 0.0, 10.0),
            root.choice('verdict', (AUTO, *VERDICTS)),
        )
        for section in (listed, frames, root):
            section.close()
        return mapping

    @classmethod
    def of_contract(cls, contract: Contract) -> Mapping:
        """Return the mapping of a bag that uses the names of a contract."""
        return cls(
            contract,
            {role: contract.topics[role] for roles in _roles(contract) for role in roles},
            {key: contract.frames[key] for key in ('map', 'odom', 'base')},
        )


def import_bag(path: str | os.PathLike[str], mapping: Mapping) -> Episode:
    """
    Read a bag as one episode.

    :raises RecordingError: if it cannot be read, lacks a topic that is needed (the message names
        what there is instead), or holds no complete step.
    """
    contract = mapping.contract
    samples = read_bag(path, mapping.topics, mapping.frames, _roles(contract)[0])
    problems = list(samples.problems)
    pose = samples.rows['pose']
    odom = samples.rows.get('odom', pose)
    limits = contract.limits
    streams, ball = [pose, odom], None
    if contract.has_ball:
        ball = _ball_in_map(samples, 'ball', pose, odom, mapping)
        streams.append(ball)
    begin = max(rows[0, 0] for rows in streams)
    end = min(rows[-1, 0] for rows in streams)
    count = int((end - begin) * contract.rate + 1e-6) + 1
    if end < begin or count < 2:
        raise RecordingError(
            f'{path}: {" and ".join(contract.inputs)} do not overlap by a step of '
            f'{contract.period:g} s; are their stamps of one clock?'
        )
    times = begin + np.arange(count) * contract.period
    poses = _at(pose, times, mapping.tolerance, problems, 'pose', limits)
    _leave_out_leaps(pose, times, poses, mapping, problems)
    balls = _balls_at(ball, times, mapping, problems, 'ball')
    commands = _held(
        samples.rows['command'], times[:-1] + contract.period / 2, mapping.command_hold, problems
    )
    # Before the first step the robot followed what it was told then, or stood.
    before = np.nan_to_num(
        _held(samples.rows['command'], times[:1] - contract.period / 2, mapping.command_hold, [])
    )
    previous = np.concatenate([before, commands])
    states = _states(poses, balls, previous, contract)
    truth = np.full_like(states, np.nan)
    if set(truth_roles(contract.inputs)) <= samples.rows.keys():
        robot, rolling = samples.rows['ground_truth_robot'], None
        if contract.has_ball:
            rolling = _ball_in_map(samples, 'ground_truth_ball', robot, robot, mapping)
        truth = _states(
            _at(robot, times, mapping.tolerance, problems, 'ground_truth_robot', limits),
            _balls_at(rolling, times, mapping, problems, 'ground_truth_ball'),
            previous,
            contract,
        )
    problems += far_away(states)
    stamps = np.round((times - begin) * 1e9).astype(np.int64) + samples.origin + int(begin * 1e9)
    episode = Episode(
        id=_name(path),
        scenario='imported',
        seed=0,
        start_index=-1,
        verdict='aborted',
        operator='',
        contract_hash=contract.hash,
        stamps=stamps,
        world_states=states,
        commands=commands,
        valid=are_places(states),
        truth_states=truth,
        problems=tuple(problems),
    )
    if not episode.usable.any():
        raise RecordingError(f'{path}: holds no complete step: {"; ".join(problems)}')
    return _judged(episode, mapping)


def _roles(contract: Contract) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the roles that a mapping has to name, and those that it may name."""
    return (*contract.inputs, 'command'), ('odom', *truth_roles(contract.inputs))


def _name(path: str | os.PathLike[str]) -> str:
    path = as_path(path)
    return path.stem if path.is_file() else path.resolve().name


def _balls_at(
    rows: np.ndarray | None, times: np.ndarray, mapping: Mapping, problems: list[str], role: str
) -> np.ndarray:
    """Return balls (K, 4) at times as `_at` does; zeros in a task without one."""
    if rows is None:
        return np.zeros((len(times), 4))
    return _at(rows, times, mapping.tolerance, problems, role, None)


def _states(
    poses: np.ndarray, balls: np.ndarray, previous: np.ndarray, contract: Contract
) -> np.ndarray:
    """Return world states (K, 10); the ball's velocity by differences where none was sent."""
    velocity = balls[:, 2:4]
    silent = np.isnan(velocity).all(axis=1) & np.isfinite(balls[:, :2]).all(axis=1)
    if len(balls) > 2:
        # Central differences over two steps; at a gap they stay missing.
        derived = np.gradient(balls[:, :2], contract.period, axis=0)
        velocity = np.where(silent[:, None], derived, velocity)
    return np.concatenate([poses, balls[:, :2], velocity, previous], axis=1)


def _ball_in_map(
    samples: BagSamples, role: str, pose: np.ndarray, odom: np.ndarray, mapping: Mapping
) -> np.ndarray:
    """Return rows (K, 5): time, x, y in `map`, velocity along its axes or NaN."""
    rows, frames = samples.rows[role], samples.ball_frames[role]
    parts = [
        _moved(rows[frames == frame], frame, role, pose, odom, mapping)
        for frame in ('map', 'odom', 'base')
    ]
    found = np.concatenate(parts)
    if not len(found):
        raise RecordingError(f'{samples.path}: {role}: no sample lies between those of the pose')
    return found[np.argsort(found[:, 0], kind='stable')]


def _moved(
    rows: np.ndarray,
    frame: str,
    role: str,
    pose: np.ndarray,
    odom: np.ndarray,
    mapping: Mapping,
) -> np.ndarray:
    """Return the rows of balls in one frame as they are in `map`."""
    if frame == 'map' or not len(rows):
        return rows
    inside = (rows[:, 0] >= pose[0, 0]) & (rows[:, 0] <= pose[-1, 0])
    if frame == 'odom':
        inside &= (rows[:, 0] >= odom[0, 0]) & (rows[:, 0] <= odom[-1, 0])
    rows = rows[inside]
    if not len(rows):
        return rows
    tolerance, limits = mapping.tolerance, mapping.contract.limits
    where = _at(pose, rows[:, 0], tolerance, [], role, limits)
    point, turn = rows[:, 1:3], where[:, 2]
    if frame == 'odom':
        drift = _at(odom, rows[:, 0], tolerance, [], role, limits)
        point, turn = world.to_frame(point, drift), turn - drift[:, 2]
    moved = np.concatenate(
        [rows[:, :1], world.from_frame(point, where), world.rotate(rows[:, 3:5], turn)], axis=1
    )
    # A velocity that is measured from the walking robot is not that over the field.
    if frame == 'base':
        moved[:, 3:5] = np.nan
    return moved[np.isfinite(moved[:, 1:3]).all(axis=1)]


def _at(
    rows: np.ndarray,
    times: np.ndarray,
    tolerance: float,
    problems: list[str],
    role: str,
    limits: VelocityLimits | None,
) -> np.ndarray:
    """
    Return the values (K, D) of rows (time, values...) at times; NaN where none are close.

    :param limits: of the robot whose poses (x, y, yaw) they are: none is made up over a leap.
    """
    after = np.clip(np.searchsorted(rows[:, 0], times), 1, max(len(rows) - 1, 1))
    if len(rows) < 2:
        raise RecordingError(f'{role}: one sample is not enough')
    gap = rows[after, 0] - rows[after - 1, 0]
    exact = np.minimum(np.abs(times - rows[after, 0]), np.abs(times - rows[after - 1, 0])) < 1e-6
    outside = (times < rows[0, 0]) | (times > rows[-1, 0])
    apart = gap > tolerance
    values = rows[:, 1:].copy()
    if limits is not None:
        apart |= leaps(rows[:, 0], rows[:, 1:4], limits)[after - 1]
        values[:, 2] = np.unwrap(values[:, 2])
    missing = (apart | outside) & ~exact
    found = np.stack([np.interp(times, rows[:, 0], column) for column in values.T], axis=1)
    if limits is not None:
        found[:, 2] = world.wrap_angle(found[:, 2])
    found[missing] = np.nan
    if missing.any():
        first = times[np.flatnonzero(missing)[0]] - times[0]
        problems.append(
            f'{role}: {int(missing.sum())} of {len(times)} steps have no sample '
            f'within {tolerance:g} s, the first {first:.2f} s after the start'
        )
    return found


def _leave_out_leaps(
    rows: np.ndarray, times: np.ndarray, poses: np.ndarray, mapping: Mapping, problems: list[str]
) -> None:
    """
    Set poses (K, 3) at times to NaN, in place, where a step would lead over a leap of the samples.

    An odometry that stands for the map (one frame is both) has another origin after a leap: what
    follows is left out, too.
    """
    leapt = np.flatnonzero(leaps(rows[:, 0], rows[:, 1:4], mapping.contract.limits)) + 1
    leapt = leapt[(rows[leapt, 0] > times[0]) & (rows[leapt - 1, 0] < times[-1])]
    if not len(leapt):
        return
    told = leap_problems(rows[:, 0] - times[0], rows[:, 1:4], leapt)
    after = np.minimum(np.searchsorted(times, rows[leapt, 0]), len(times) - 1)
    if mapping.frames['map'] == mapping.frames['odom']:
        poses[after[0] :] = np.nan
        told = [
            told[0].replace('the step over it is left out', 'what follows has another origin')
            + ' and is left out: cut the bag there'
        ]
    poses[after] = np.nan
    problems += told


def _held(rows: np.ndarray, times: np.ndarray, hold: float, problems: list[str]) -> np.ndarray:
    """Return the commands (K, 3) that hold at times; NaN where there was none."""
    latest = np.searchsorted(rows[:, 0], times, side='right') - 1
    age = times - rows[np.maximum(latest, 0), 0]
    missing = (latest < 0) | (age > hold)
    found = np.where(missing[:, None], np.nan, rows[np.maximum(latest, 0), 1:])
    if missing.any():
        first = times[np.flatnonzero(missing)[0]] - times[0]
        problems.append(
            f'command: at {int(missing.sum())} of {len(times)} steps none was given '
            f'within {hold:g} s, the first {first:.2f} s after the start'
        )
    return found


def _judged(episode: Episode, mapping: Mapping) -> Episode:
    """Give an episode its verdict; with 'auto' it ends when the ball is in the goal or out."""
    if mapping.verdict != AUTO:
        return replace(episode, verdict=mapping.verdict)
    contract = mapping.contract
    # Of a ball the place will do; who is to be judged by a heading needs it, too.
    needed = world.BALL if contract.has_ball else world.ROBOT
    known = np.isfinite(episode.world_states[:, needed]).all(axis=1)
    over = np.flatnonzero(known & contract.terminated(episode.world_states))
    if not len(over) or over[0] == 0:
        return replace(episode, verdict='timeout')
    last = int(over[0])
    scored = bool(contract.succeeded(episode.world_states[last]))
    return replace(
        cut(episode, 0, last), verdict='scored' if scored else 'out', problems=episode.problems
    )
