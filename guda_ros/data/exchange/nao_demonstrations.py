"""
Demonstrations out of the logs of the physical NAO: what is whole in them, at the control rate.

The logs (guda_ros.data.exchange.nao_logs) are what the robot believed, row after row:
localisation and the ball jump, the ball seems to be inside the robot when it is lost at its feet,
and the robot is carried back after a goal. All that is found, counted and cut here; what is left
is resampled from rows to control steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
import re
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode
from guda_ros.data.exchange.nao_logs import JUMP, NaoLog, ROWS_PER_SECOND, TURN_JUMP
from guda_ros.errors import GudaError
from guda_ros.soccer import world

if TYPE_CHECKING:
    from guda_ros.soccer.field import Field

#: Way of the ball in a row [m] that no ball rolls: 6 m/s at 60 rows a second.
BALL_JUMP = 0.1
#: Way of the robot in a row [m] after which it stands elsewhere: a person carried it.
CARRIED = 1.0
#: The robot stands still if in so many seconds it goes less than [m] and turns less than [rad].
STILL_TIME, STILL_WAY, STILL_TURN = 1.0, 0.02, 0.1
#: The goal as the authors counted it [m]: this far before the line, and half its width.
GOAL_DEPTH, GOAL_HALF = 0.1, 0.5
#: Attempts with fewer usable steps than this many seconds show nothing.
SHORTEST = 2.0
#: Why rows are cut, in the order in which a row that breaks several rules is counted.
REASONS = (
    'jump of localisation',
    'jump of the ball',
    'ball inside the robot',
    'off the field',
    'ball in the goal',
    'still',
)
_ENDS = ('off the field', 'ball in the goal')


@dataclass(frozen=True, eq=False)
class LogStretch:
    """
    Consecutive logs as one: pose (n, 3), ball (n, 2), actions (n, 3) and reason (n,) of each row.

    reason: index into REASONS of why the row is cut, -1 where it is kept.
    """

    name: str
    pose: np.ndarray
    ball: np.ndarray
    actions: np.ndarray
    reason: np.ndarray


@dataclass(frozen=True, eq=False)
class ImportReport:
    """
    What was found in logs and what was cut of them.

    cut: reason -> rows. clipped: share of the rows in which forward, left, turn were beyond what
    the walk takes and were sent as its limit. repeated: share of rows that bring no news.
    """

    files: int
    rows: int
    cut: dict[str, int]
    jumps: dict[str, int]
    clipped: tuple[float, ...]
    repeated: float
    too_short: int
    stretches: list[LogStretch] = field(repr=False, default_factory=list)

    @property
    def kept(self) -> int:
        """Rows that are not cut for a reason."""
        return self.rows - sum(self.cut.values())


def demonstrations(
    logs: Sequence[NaoLog], contract: Contract, rows_per_second: float = ROWS_PER_SECOND
) -> tuple[list[Episode], ImportReport]:
    """
    Return attempts as episodes of the contract, and what was cut.

    An attempt ends with the ball in the goal or off the field, or when the robot is
    carried. A
    control step holds the means of pose and ball over its rows; its command is the mean of what
    was sent from the middle of its rows to that of the next. Steps with a row that is cut are not
    valid. Ball velocities are differences over two steps about each.

    :param rows_per_second: of the logs, which have no stamps.
    :raises GudaError: if nothing usable is left.
    """
    if rows_per_second < contract.rate:
        raise GudaError(
            f'{rows_per_second:g} rows a second are fewer than the {contract.rate:g} '
            f'control steps a second of {contract.name}'
        )
    stretches = [_judge(*part, contract, rows_per_second) for part in _joined(logs)]
    episodes, too_short = [], 0
    for stretch in stretches:
        found = _attempts(stretch, contract, rows_per_second)
        kept = [one for one in found if one.usable.sum() >= SHORTEST * contract.rate]
        too_short += sum(int(one.usable.sum()) for one in found) - sum(
            int(one.usable.sum()) for one in kept
        )
        episodes += kept
    if not episodes:
        raise GudaError(
            f'{len(logs)} logs were read, and no stretch of {SHORTEST:g} s in them is '
            'whole: there is nothing to learn from'
        )
    return episodes, _report(logs, stretches, too_short)


def _joined(logs: Sequence[NaoLog]) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Join logs whose names are alike but for the number at their end, in its order."""
    groups: dict[str, list[tuple[int, NaoLog]]] = {}
    for log in logs:
        match = re.search(r'(\d+)\.log$', log.name)
        prefix = log.name[: match.start()] if match else log.name
        groups.setdefault(prefix, []).append((int(match[1]) if match else 0, log))
    for prefix, numbered in sorted(groups.items()):
        listed = [log for _, log in sorted(numbered, key=lambda pair: pair[0])]
        pose = np.concatenate([log.pose for log in listed])
        pose[:, 2] = np.unwrap(pose[:, 2])
        name = re.split(r'[/:]', prefix)[-1].strip('_-.') or 'log'
        yield (
            name,
            pose,
            np.concatenate([log.ball for log in listed]),
            np.concatenate([log.actions for log in listed]),
        )


def _judge(
    name: str,
    pose: np.ndarray,
    ball: np.ndarray,
    actions: np.ndarray,
    contract: Contract,
    rows_per_second: float,
) -> LogStretch:
    """Say of every row why it is cut; a jump is counted at the row after it."""
    pitch = contract.field
    step, turn = _ways(pose)
    rolled = np.hypot(*np.diff(ball, axis=0, prepend=ball[:1]).T)
    away = ball - pose[:, :2]
    in_goal = _in_goal(ball, pitch)
    reasons = (
        (step > JUMP) | (turn > TURN_JUMP),
        rolled > BALL_JUMP,
        # Feet leave no room for it: such a ball is lost, not seen.
        np.hypot(*away.T) < world.OVERLAP,
        _off(pose, ball, pitch) & ~in_goal,
        in_goal,
        _still(pose, round(STILL_TIME * rows_per_second)),
    )
    reason = np.full(len(pose), -1, dtype=np.int8)
    for index in range(len(reasons), 0, -1):
        reason[reasons[index - 1]] = index - 1
    return LogStretch(name, pose, ball, actions, reason)


def _ways(pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far the robot went [m] and turned [rad] since the row before, (n,) each."""
    way = np.diff(pose, axis=0, prepend=pose[:1])
    return np.hypot(way[:, 0], way[:, 1]), np.abs(world.wrap_angle(way[:, 2]))


def _in_goal(ball: np.ndarray, pitch: Field) -> np.ndarray:
    return (ball[:, 0] > pitch.goal_line - GOAL_DEPTH) & (np.abs(ball[:, 1]) < GOAL_HALF)


def _off(pose: np.ndarray, ball: np.ndarray, pitch: Field) -> np.ndarray:
    """Tell (n,) whether the ball is over a line or the robot beside the carpet."""
    edge = np.array([pitch.length / 2, pitch.width / 2])
    return (np.abs(ball) > edge).any(axis=1) | (np.abs(pose[:, :2]) > edge + pitch.border).any(
        axis=1
    )


def _still(pose: np.ndarray, window: int) -> np.ndarray:
    """Tell (n,) which rows are in a stretch of `window` rows in which nothing moves."""
    rows = len(pose)
    still = np.zeros(rows, dtype=bool)
    if rows <= window:
        return still
    way = pose[window:] - pose[:-window]
    rests = (np.hypot(way[:, 0], way[:, 1]) < STILL_WAY) & (np.abs(way[:, 2]) < STILL_TURN)
    # A row belongs to every window that began in it or up to `window` rows before it.
    count = np.cumsum(np.concatenate([[0], np.pad(rests, (0, window))]))
    begin = np.maximum(np.arange(rows) - window, 0)
    return count[1:] - count[begin] > 0


def _attempts(stretch: LogStretch, contract: Contract, rows_per_second: float) -> list[Episode]:
    """Return the attempts of a stretch, the short ones too."""
    per_step = rows_per_second / contract.rate
    steps = int(len(stretch.pose) / per_step) - 1
    if steps < 2:
        return []
    bounds = np.round(np.arange(steps + 2) * per_step).astype(int)
    middle = np.round((np.arange(steps + 1) + 0.5) * per_step).astype(int)

    def over(rows: np.ndarray) -> np.ndarray:
        """Return the sums (steps + 1, ...) of rows over the control steps."""
        return np.add.reduceat(rows[: bounds[-1]], bounds[:-1])

    width = np.diff(bounds)[:, None]
    pose, ball = over(stretch.pose) / width, over(stretch.ball) / width
    pose[:, 2] = world.wrap_angle(pose[:, 2])
    action = np.add.reduceat(stretch.actions[: middle[-1]], middle[:-1])
    command = contract.to_command(action / np.diff(middle)[:, None])
    # The goal and the lines are where an attempt ends; its last state may lie behind them.
    inside = [index for index, name in enumerate(REASONS) if name not in _ENDS]
    valid = over(np.isin(stretch.reason, inside).astype(int)) == 0
    carried = over((_ways(stretch.pose)[0] > CARRIED).astype(int)) > 0
    states = np.concatenate(
        [
            pose,
            ball,
            _velocity(ball, valid, contract.rate),
            np.concatenate([np.zeros((1, 3)), command]),
        ],
        axis=1,
    )
    goal = _in_goal(ball, contract.field)
    out = ~goal & _off(pose, ball, contract.field)
    ends = carried | goal | out
    episodes = []
    for begin in np.flatnonzero(~ends & np.concatenate([[True], ends[:-1]])):
        after = np.flatnonzero(ends[begin:])
        last = int(begin + after[0]) if len(after) else steps
        verdict = 'aborted'
        if valid[last] and not carried[last] and (goal | out)[last]:
            verdict = 'scored' if goal[last] else 'out'
        rows = slice(int(begin), last + 1)
        episodes.append(
            _episode(
                f'{stretch.name}_{begin:05d}',
                verdict,
                states[rows],
                command[begin:last],
                valid[rows],
                contract,
            )
        )
    return episodes


def _episode(
    name: str,
    verdict: str,
    states: np.ndarray,
    command: np.ndarray,
    valid: np.ndarray,
    contract: Contract,
) -> Episode:
    states = states.copy()
    states[0, world.PREVIOUS_COMMAND] = 0.0
    lost = int((~valid).sum())
    return Episode(
        id=name,
        scenario='real',
        seed=0,
        start_index=-1,
        verdict=verdict,
        operator='network on the robot',
        contract_hash=contract.hash,
        stamps=np.round(np.arange(len(states)) * contract.period * 1e9),
        world_states=states,
        commands=command,
        valid=valid,
        truth_states=np.full_like(states, np.nan),
        problems=(f'{lost} of {len(states)} states cut',) if lost else (),
    )


def _velocity(ball: np.ndarray, valid: np.ndarray, rate: float) -> np.ndarray:
    """Return the velocities (n, 2) [m/s] of balls: differences inside each run of valid steps."""
    velocity = np.zeros_like(ball)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], valid.astype(int), [0]]))).reshape(-1, 2)
    for begin, stop in edges:
        if stop - begin > 1:
            velocity[begin:stop] = np.gradient(ball[begin:stop], axis=0) * rate
    return velocity


def _report(logs: Sequence[NaoLog], stretches: list[LogStretch], too_short: int) -> ImportReport:
    reason = np.concatenate([stretch.reason for stretch in stretches])
    ways = [_ways(stretch.pose) for stretch in stretches]
    rolled = np.concatenate(
        [
            np.hypot(*np.diff(stretch.ball, axis=0, prepend=stretch.ball[:1]).T)
            for stretch in stretches
        ]
    )
    step = np.concatenate([way for way, _ in ways])
    turn = np.concatenate([turn for _, turn in ways])
    actions = np.concatenate([log.actions for log in logs])
    return ImportReport(
        files=len(logs),
        rows=len(reason),
        cut={name: int((reason == index).sum()) for index, name in enumerate(REASONS)},
        jumps={
            f'of position, over {1000 * JUMP:.0f} mm': int((step > JUMP).sum()),
            f'of heading, over {TURN_JUMP:g} rad': int((turn > TURN_JUMP).sum()),
            f'of the ball, over {1000 * BALL_JUMP:.0f} mm': int((rolled > BALL_JUMP).sum()),
            f'in which the robot was carried, over {CARRIED:g} m': int((step > CARRIED).sum()),
        },
        clipped=tuple(float(share) for share in (np.abs(actions) >= 1).mean(axis=0)),
        repeated=float(((step == 0) & (turn == 0) & (rolled == 0)).mean()),
        too_short=too_short,
        stretches=stretches,
    )
