"""
Episodes: one trial as arrays, one row a control step, as the robot knew the world.

At stamp k the world is `world_states[k]`; `commands[k]` acts from stamp k to stamp k + 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
import os
from typing import Any

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.messages import (
    are_places,
    planar_pose,
    planar_position,
    planar_twist,
    stamp_to_ns,
)
from guda_ros.data.odometry_join import interpolated, leaps, Row
from guda_ros.data.pairing import control_steps, missing_samples, regular, StepChoice
from guda_ros.data.recording.frames import expected_frames
from guda_ros.data.recording.reader import RecordingError, RecordingReader
from guda_ros.data.verdicts import commander_index, COMMANDERS, INTERVENTION, VERDICTS
from guda_ros.data.world_states import assemble, far_away, LOST_VARIANCE, without_ball
from guda_ros.soccer import world
from guda_ros.soccer.robot_names import topic_roles

#: Parts of a contract that may change without touching what a recording holds.
_FREE = ('name', 'version', 'time_limit', 'observation')
#: Roles that make up a step, and how many numbers are taken from a message of each; those of a
#: ball count in tasks with one.
_WIDTHS = {
    'odom': 3,
    'pose': 3,
    'ball': 5,
    'command': 3,
    'ground_truth_robot': 3,
    'ground_truth_ball': 5,
}


@dataclass(frozen=True, eq=False)
class Episode:
    """
    One trial of N control steps.

    stamps (N+1,) int64 [ns]; world_states (N+1, 10): what the robot knew, in `map`; commands (N,
    3): base_link velocities as sent [m/s, m/s, rad/s]; valid (N+1,) bool: the row is complete and
    the ball, if the task has one, was known (seen within the contract's hold); truth_states (N+1,
    10): ground truth for metrics only, NaN where not recorded. `start_index` is -1 for a start
    that is not of a fixed list. A sample that is missing is NaN, is named in `problems` and is
    never filled in. `contract_hash` is that of the recording. commanded_by (N,) uint8: who
    commanded each step, an index into verdicts.COMMANDERS; none given stands for not recorded.
    Arrays are converted on
    construction, ValueError names one whose shape is wrong.
    """

    id: str
    scenario: str
    seed: int
    start_index: int
    verdict: str
    operator: str
    contract_hash: str
    stamps: np.ndarray
    world_states: np.ndarray
    commands: np.ndarray
    valid: np.ndarray
    truth_states: np.ndarray
    problems: tuple[str, ...] = ()
    # Zeros are made of None on construction.
    commanded_by: np.ndarray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.commanded_by is None:
            object.__setattr__(self, 'commanded_by', np.zeros(len(self.commands)))
        if self.verdict not in VERDICTS:
            raise ValueError(
                f'verdict: one of {", ".join(VERDICTS)} is expected, not {self.verdict!r}'
            )
        count = len(np.atleast_1d(self.stamps))
        for name, dtype, shape in (
            ('stamps', np.int64, (count,)),
            ('world_states', np.float64, (count, world.SIZE)),
            ('commands', np.float64, (count - 1, 3)),
            ('valid', np.bool_, (count,)),
            ('commanded_by', np.uint8, (count - 1,)),
            ('truth_states', np.float64, (count, world.SIZE)),
        ):
            value = np.ascontiguousarray(getattr(self, name), dtype=dtype)
            if value.shape != shape:
                raise ValueError(f'{name}: shape {shape} is expected, not {value.shape}')
            object.__setattr__(self, name, value)
        object.__setattr__(self, 'problems', tuple(self.problems))

    def __len__(self) -> int:
        """Return the number of control steps N."""
        return len(self.commands)

    @property
    def success(self) -> bool:
        """Tell whether the ball was scored."""
        return self.verdict == 'scored'

    @property
    def interventions(self) -> np.ndarray:
        """Tell (N,) at which steps a person corrected a policy."""
        return self.commanded_by == COMMANDERS.index(INTERVENTION)

    @property
    def usable(self) -> np.ndarray:
        """Tell (N,) which steps are whole: valid before and after, with their command recorded."""
        known = self.valid & are_places(self.world_states)
        return known[:-1] & known[1:] & are_places(self.commands)

    @property
    def duration(self) -> float:
        """Length of the episode [s]."""
        return float(self.stamps[-1] - self.stamps[0]) * 1e-9

    def pieces(self, among: np.ndarray | None = None) -> list[slice]:
        """
        Return the longest runs of usable steps, as slices of steps (states: one row more).

        :param among: (N,) bool: only steps that it has.
        """
        usable = self.usable if among is None else self.usable & among
        framed = np.concatenate([[False], usable, [False]])
        edges = np.flatnonzero(framed[1:] != framed[:-1])
        return [slice(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def read_episode(path: str | os.PathLike[str], contract: Contract | None = None) -> Episode:
    """
    Read a finished recording as an episode of what the robot knew, paired by the images' stamps.

    Images count at the contract's rate (StepChoice), odometry is that of their stamps or
    interpolated (odometry_join).

    :param contract: what the recording is to be used with; None stands for its own. The layout of
        the observation, the time limit, name and version may differ: they do not change what was
        recorded.
    :raises ContractMismatch: if anything else differs; the message says what.
    :raises RecordingError: if the recording cannot be read or holds no step.
    """
    with RecordingReader(path) as reader:
        recorded, info = reader.contract, reader.info
        contract = recorded if contract is None else contract
        free = {key: getattr(contract, key) for key in _FREE}
        contract.require(replace(recorded, **free), f'{path}')
        samples, detections = _collect(reader)
    verdict, problems = info.verdict, list(info.problems)
    if verdict not in VERDICTS:
        verdict = 'aborted'
        problems.append('the verdict was not recorded')
    last = info.end_stamp or 2**63 - 1
    steps = control_steps(samples, info.start_stamp, last, StepChoice(contract.period))
    missing = missing_samples(samples, steps, info.start_stamp, contract.period, contract.inputs)
    problems += [problem for problem in missing if problem not in problems]
    if len(steps) < 2:
        raise RecordingError(
            f'{path}: holds no complete control step ({"; ".join(problems)}); '
            'remove it or record the episode again'
        )
    samples['odom'] = interpolated(samples['odom'], steps, limits=contract.limits)
    commanders = np.array([samples['command_source'].get(int(stamp), 0) for stamp in steps[:-1]])
    columns = {
        role: _column(samples[role], steps, width)
        for role, width in _WIDTHS.items()
        if role in samples
    }
    commands = columns['command'][:-1]
    previous = np.concatenate([_before(samples['command'], info.start_stamp, contract), commands])
    previous[1:][~regular(steps, contract.period)] = np.nan
    if steps[0] != info.start_stamp:
        previous[0] = np.nan
    states, truth, known = _states(columns, previous)
    valid = known & are_places(states)
    problems += far_away(states)
    problems += _unknown_places(columns['pose'], samples['pose'], steps)
    seconds = (steps - steps[0]) * 1e-9
    leapt = np.flatnonzero(leaps(seconds, columns['pose'], contract.limits)) + 1
    valid[leapt] = False
    problems += leap_problems(seconds, columns['pose'], leapt)
    if detections:
        valid &= _seen_within(np.array(sorted(detections)), steps, contract.ball_hold)
    return Episode(
        id=info.id,
        scenario=info.scenario,
        seed=info.seed,
        start_index=info.start_index,
        verdict=verdict,
        operator=info.operator,
        contract_hash=recorded.hash,
        stamps=steps,
        world_states=states,
        commands=commands,
        valid=valid,
        truth_states=truth,
        problems=tuple(problems),
        commanded_by=commanders,
    )


def _states(
    columns: Mapping[str, np.ndarray], previous: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what the robot knew and the truth (K, 10), and (K,) whether it knew the ball."""
    pose, odom, robot = (columns[role] for role in ('pose', 'odom', 'ground_truth_robot'))
    if 'ball' not in columns:
        # Without odometry a step is not whole, though here it tells nothing of the world.
        known = np.isfinite(odom).all(axis=1)
        return without_ball(pose, previous), without_ball(robot, previous), known
    ball, truth_ball = columns['ball'], columns['ground_truth_ball']
    states = assemble(pose, odom, ball[:, :2], ball[:, 2:4], previous)
    truth = np.concatenate([robot, truth_ball[:, :4], previous], axis=1)
    return states, truth, ball[:, 4] == 1


def _unknown_places(poses: np.ndarray, samples: Mapping[int, Row], steps: np.ndarray) -> list[str]:
    """Say at how many steps the robot said that it does not know where it is."""
    unknown = [int(step) for step, pose in zip(steps, poses) if np.isnan(pose).any()]
    unknown = [step for step in unknown if step in samples]
    if not unknown:
        return []
    first = (unknown[0] - int(steps[0])) * 1e-9
    where = f'the first {first:.2f} s after the start'
    return [f'pose: unknown at {len(unknown)} of {len(steps)} steps, {where}']


def leap_problems(seconds: np.ndarray, poses: np.ndarray, leapt: np.ndarray) -> list[str]:
    """
    Say how far a robot leapt to some of its poses (N, 3); three are named.

    :param seconds: (N,) after the start. :param leapt: to which poses; see odometry_join.leaps.
    """
    told = [
        f'pose: jumps by {np.hypot(*(poses[row] - poses[row - 1])[:2]):.2f} m '
        f'{seconds[row]:.2f} s after the start; the step over it is left out'
        for row in leapt[:3]
    ]
    return told + ([f'pose: jumps {len(leapt) - 3} times more'] if len(leapt) > 3 else [])


def _before(commands: Mapping[int, Row], start: int, contract: Contract) -> np.ndarray:
    """Return the command (1, 3) that was sent a step before the start; without one it stood."""
    earliest = start - int(1.1e9 * contract.period)
    recent = [stamp for stamp in commands if earliest <= stamp < start]
    return np.array([commands[max(recent)] if recent else (0.0, 0.0, 0.0)])


def _collect(reader: RecordingReader) -> tuple[dict[str, dict[int, Any]], set[int]]:
    """Return the samples by role and stamp, and the stamps at which the ball was seen."""
    roles_of_task = topic_roles(reader.contract.inputs)
    topics = {
        role: reader.info.topics.get(role, '/' + reader.contract.topics[role])
        for role in _WIDTHS
        if role in roles_of_task
    }
    roles = {topic: role for role, topic in topics.items()}
    # What was detected where there is no ball in the task says nothing.
    detection = reader.info.topics.get('ball_detection', '') if 'ball' in topics else ''
    source = reader.info.topics.get('command_source', '')
    expected = expected_frames(reader.contract)
    samples: dict[str, dict[int, Any]] = {role: {} for role in (*topics, 'command_source')}
    detections = set()
    for topic, _, message in reader.messages([*roles, detection, source]):
        if topic == source:
            samples['command_source'].setdefault(
                stamp_to_ns(message.stamp), commander_index(message.frame_id)
            )
            continue
        if not hasattr(message, 'header'):
            raise RecordingError(
                f'{reader.path}: {topic}: messages without a stamp cannot be '
                'paired; record with stamped commands'
            )
        stamp = stamp_to_ns(message.header.stamp)
        if topic == detection:
            detections.add(stamp)
            continue
        role = roles[topic]
        frame = message.header.frame_id
        if frame != expected.get(role, frame):
            raise RecordingError(
                f'{reader.path}: {topic}: frame {frame!r} was recorded where '
                f'{expected[role]!r} is expected'
            )
        # Of two with one stamp the first counts: it is the one that the robot acted on.
        try:
            values = _values(role, message)
        except AttributeError as error:
            kind = type(message).__name__.replace('__', '/')
            raise RecordingError(
                f'{reader.path}: {topic}: {kind} is no message for {role.replace("_", " ")}'
            ) from error
        samples[role].setdefault(stamp, values)
    return samples, detections


def _values(role: str, message: Any) -> tuple[float, ...]:
    if role == 'command':
        return planar_twist(message.twist)
    pose = message.pose.pose
    if role in ('ball', 'ground_truth_ball'):
        known = float(message.pose.covariance[0] < LOST_VARIANCE)
        return *planar_position(pose), *planar_twist(message.twist.twist)[:2], known
    if role == 'pose' and message.pose.covariance[0] >= LOST_VARIANCE:
        return np.nan, np.nan, np.nan
    return planar_pose(pose)


def _column(samples: Mapping[int, Row], steps: np.ndarray, width: int) -> np.ndarray:
    """Return the samples at the steps (K, width); a missing one is NaN."""
    absent = (np.nan,) * width
    return np.array([samples.get(int(stamp), absent) for stamp in steps], dtype=np.float64)


def _seen_within(detections: np.ndarray, steps: np.ndarray, hold: float) -> np.ndarray:
    """Tell (K,) at which steps the ball had been seen no longer than `hold` seconds ago."""
    latest = np.searchsorted(detections, steps, side='right') - 1
    age = (steps - detections[np.maximum(latest, 0)]) * 1e-9
    return (latest >= 0) & (age <= hold + 1e-6)
