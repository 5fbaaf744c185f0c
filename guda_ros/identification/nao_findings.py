"""
What the logs of the physical NAO tell of its walk and of its eyes, with uncertainties over files.

The logs have no time stamps. What they determine is in rows and in walking steps; seconds follow
from one assumption, ROWS_PER_SECOND, which is kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guda_ros.data.exchange.nao_logs import JUMP, NaoLog, ROWS_PER_SECOND, TURN_JUMP
from guda_ros.soccer import world

AXES = ('forward', 'left', 'turn')
_WALKED = (0.04, 0.04, 0.1)
#: Response times and delays that are tried [rows].
_TIMES = np.array([2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 23, 26, 29, 32, 36, 40, 45, 50, 60], float)
_DELAYS = np.arange(0, 25, 2)
_WARM_UP, _BLOCK, _BOOTSTRAPS = 120, 4, 500


@dataclass(frozen=True)
class Value:
    """A finding: value and standard deviation over resampled files, unit, and what it rests on."""

    value: float
    deviation: float
    unit: str
    note: str = ''


@dataclass(frozen=True, eq=False)
class NaoFindings:
    """
    What was found, by name, and what is drawn.

    frequencies (f,) [1/row] and spectra (2, f) of forward and turning motion; lags (m,) [rows] and
    answers: axis -> (lags, commands, velocities) averaged over reversals of the command.
    """

    values: dict[str, Value]
    files: int
    rows: int
    frequencies: np.ndarray
    spectra: np.ndarray
    answers: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


def find(logs: Sequence[NaoLog], seed: int = 0) -> NaoFindings:
    """Return what logs of at least two files tell."""
    if len(logs) < 2:
        raise ValueError('uncertainties come from differences between files: at least two')
    rng = np.random.default_rng(seed)
    samples = rng.integers(0, len(logs), (_BOOTSTRAPS, len(logs)))
    steps, walked = zip(*(_steps(log) for log in logs))
    values: dict[str, Value] = {}
    frequencies, spectra = _gait(steps, samples, values)
    rows_per_step = values['rows a step'].value
    for axis, name in enumerate(AXES):
        _response(logs, steps, walked, axis, name, samples, values)
    _speed(logs, steps, walked, rows_per_step, samples, values)
    _noise(logs, steps, samples, values)
    answers = {name: _answer(logs, steps, walked, axis) for axis, name in enumerate(AXES)}
    return NaoFindings(
        values, len(logs), sum(len(log.pose) for log in logs), frequencies, spectra, answers
    )


def table(found: NaoFindings) -> list[list[str]]:
    """Return the findings as rows of a table: what, value, deviation, unit, note."""
    return [
        [name, f'{value.value:.4g}', f'{value.deviation:.2g}', value.unit, value.note]
        for name, value in found.values.items()
    ]


def _steps(log: NaoLog) -> tuple[np.ndarray, np.ndarray]:
    """Return displacements a row (n - 1, 3) in base_link, and which of them were walked."""
    turn = np.diff(log.pose[:, 2])
    moved = world.rotate(np.diff(log.pose[:, :2], axis=0), -(log.pose[:-1, 2] + turn / 2))
    step = np.column_stack([moved, turn])
    return step, (np.abs(step) < _WALKED).all(axis=1)


def _gait(
    steps: tuple[np.ndarray, ...], samples: np.ndarray, values: dict
) -> tuple[np.ndarray, np.ndarray]:
    """Find the walking steps as a line in the spectrum of forward and turning motion."""
    length = 512
    frequencies = np.arange(0.02, 0.12, 0.0002)
    wave = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(length))) * np.hanning(length)
    spectra = np.empty((2, len(steps), len(frequencies)))
    for row, (axis, limit) in enumerate(((0, 0.015), (2, 0.05))):
        for number, step in enumerate(steps):
            motion = np.clip(step[:, axis], -limit, limit)
            parts = np.stack(
                [
                    motion[start : start + length]
                    for start in range(0, len(motion) - length + 1, 128)
                ]
            )
            parts = parts - parts.mean(axis=1, keepdims=True)
            power = np.abs(parts @ wave.T) ** 2
            spectra[row, number] = (power / (parts.var(axis=1, keepdims=True) + 1e-12)).mean(0)
    # Turning swings once in two steps and has the sharper line.
    stride = frequencies[np.argmax(spectra[1].mean(axis=0))]
    boots = frequencies[np.argmax(spectra[1][samples].mean(axis=1), axis=1)]
    rows, spread = 0.5 / stride, float(np.std(0.5 / boots))
    line = spectra[1].mean(axis=0)
    values['rows a step'] = Value(
        rows,
        spread,
        'rows',
        f'line of the stride, {line.max() / np.median(line):.0f} x the median power',
    )
    forward = frequencies[np.argmax(spectra[0].mean(axis=0) * (frequencies > 0.045))]
    boots = frequencies[
        np.argmax(spectra[0][samples].mean(axis=1) * (frequencies > 0.045), axis=1)
    ]
    values['rows a step, forward motion'] = Value(
        1 / forward, float(np.std(1 / boots)), 'rows', 'the same from another axis'
    )
    return frequencies, spectra.mean(axis=1)


def _lagged(command: np.ndarray) -> np.ndarray:
    """Return the answers (times, delays, n) of unit walks to a command (n,)."""
    keep = np.exp(-1.0 / _TIMES)
    answer = np.empty((len(_TIMES), len(command)))
    state = np.full(len(_TIMES), command[0])
    for row, value in enumerate(command):
        state = keep * state + (1 - keep) * value
        answer[:, row] = state
    out = np.empty((len(_TIMES), len(_DELAYS), len(command)))
    for column, delay in enumerate(_DELAYS):
        out[:, column, delay:] = answer[:, : len(command) - delay]
        out[:, column, :delay] = command[0]
    return out


def _response(
    logs: Sequence[NaoLog],
    steps: tuple[np.ndarray, ...],
    walked: tuple[np.ndarray, ...],
    axis: int,
    name: str,
    samples: np.ndarray,
    values: dict[str, Value],
) -> None:
    """Find response time and delay [rows] that explain the motion of an axis best."""
    sums = np.zeros((len(logs), len(_TIMES), len(_DELAYS), 5))
    for number, (log, step, good) in enumerate(zip(logs, steps, walked)):
        count = (len(step) - _WARM_UP) // _BLOCK
        rows = slice(_WARM_UP, _WARM_UP + count * _BLOCK)
        x = (
            _lagged(log.actions[:-1, axis])[..., rows]
            .reshape(len(_TIMES), len(_DELAYS), count, _BLOCK)
            .mean(axis=-1)
        )
        y = step[rows, axis].reshape(count, _BLOCK).mean(axis=1)
        # A block with a jump in it says nothing.
        w = good[rows].reshape(count, _BLOCK).all(axis=1).astype(float)
        sums[number] = np.stack(
            [
                (w * x * x).sum(-1),
                (w * x).sum(-1),
                (w * x * y).sum(-1),
                np.broadcast_to((w * y).sum(), x.shape[:2]),
                np.broadcast_to(w.sum(), x.shape[:2]),
            ],
            axis=-1,
        )

    def best(total: np.ndarray) -> tuple[float, int, float]:
        xx, x, xy, y, n = np.moveaxis(total, -1, 0)
        covariance, variance = xy - x * y / n, xx - x * x / n
        explained = np.where(covariance > 0, covariance**2 / variance, 0.0)
        time, delay = np.unravel_index(np.argmax(explained), explained.shape)
        return _TIMES[time], _DELAYS[delay], covariance[time, delay] / variance[time, delay]

    found = np.array(best(sums.sum(axis=0)))
    boots = np.array([best(sums[sample].sum(axis=0)) for sample in samples])
    note = f'{found[0] / ROWS_PER_SECOND:.2f} s at {ROWS_PER_SECOND:.0f} rows/s'
    values[f'response time {name}'] = Value(found[0], float(boots[:, 0].std()), 'rows', note)
    values[f'delay {name}'] = Value(
        found[1], float(boots[:, 1].std()), 'rows', f'{found[1] / ROWS_PER_SECOND:.2f} s'
    )
    lag, spread = found[0] + found[1], float((boots[:, 0] + boots[:, 1]).std())
    values[f'lag in all {name}'] = Value(
        lag,
        spread,
        'rows',
        f'{lag / ROWS_PER_SECOND:.2f} +- {spread / ROWS_PER_SECOND:.2f} s; '
        f'{lag / values["rows a step"].value:.1f} steps',
    )


def _speed(
    logs: Sequence[NaoLog],
    steps: tuple[np.ndarray, ...],
    walked: tuple[np.ndarray, ...],
    rows_per_step: float,
    samples: np.ndarray,
    values: dict[str, Value],
) -> None:
    """Find displacement a walking step under full command that has lasted, and its scatter."""
    window, settle = round(rows_per_step), 60
    for axis, (name, unit) in enumerate(zip(AXES, ('mm', 'mm', 'rad'))):
        factor = 1000.0 if axis < 2 else 1.0
        found = []
        for log, step, good in zip(logs, steps, walked):
            action = log.actions[:-1, axis]
            mine = []
            for start in range(settle, len(step) - window, window):
                told = action[start - settle : start + window]
                if (
                    (np.abs(told) >= 0.95).all()
                    and np.ptp(np.sign(told)) == 0
                    and good[start : start + window].all()
                ):
                    mine.append(np.sign(told[0]) * step[start : start + window, axis].sum())
            found.append(np.array(mine) * factor)
        count = sum(map(len, found))
        if count < 10:
            continue

        def typical(selected: list[np.ndarray]) -> tuple[float, float]:
            together = np.concatenate(selected)
            low, middle, high = np.quantile(together, (0.16, 0.5, 0.84))
            return middle, (high - low) / 2

        middle, scatter = typical(found)
        picks = [[found[i] for i in sample] for sample in samples[:200]]
        boots = np.array([typical(pick) for pick in picks if sum(map(len, pick))])
        per_second = middle * ROWS_PER_SECOND / window
        values[f'step {name}'] = Value(
            middle,
            float(boots[:, 0].std()),
            unit,
            f'{count} steps under full command; {per_second:.3g} {unit}/s',
        )
        values[f'scatter of steps {name}'] = Value(
            scatter, float(boots[:, 1].std()), unit, 'of localisation and slip together'
        )


def _noise(
    logs: Sequence[NaoLog],
    steps: tuple[np.ndarray, ...],
    samples: np.ndarray,
    values: dict[str, Value],
) -> None:
    def pooled(name: str, unit: str, parts: list[np.ndarray], measure, note: str = '') -> None:
        whole = measure(np.concatenate(parts))
        boots = [measure(np.concatenate([parts[i] for i in sample])) for sample in samples[:200]]
        values[name] = Value(float(whole), float(np.std(boots)), unit, note)

    def jitter(bend: np.ndarray) -> float:
        # Of second differences, whose variance is six times that of a sample.
        return 1.483 * np.median(np.abs(bend)) / np.sqrt(6.0)

    def bends(signal: np.ndarray) -> np.ndarray:
        return signal[2:] - 2 * signal[1:-1] + signal[:-2]

    pooled(
        'jitter of position',
        'mm',
        [1000 * bends(log.pose[:, :2]).ravel() for log in logs],
        jitter,
        'from row to row',
    )
    pooled(
        'jitter of heading',
        'rad',
        [bends(log.pose[:, 2]) for log in logs],
        jitter,
        'from row to row',
    )
    for low, high in ((0.0, 0.5), (0.5, 1.5), (1.5, 4.0)):
        parts = []
        for log in logs:
            ball = world.to_frame(log.ball, log.pose)
            distance = np.hypot(*ball.T)[1:-1]
            parts.append(1000 * bends(ball)[(distance >= low) & (distance < high)].ravel())
        if sum(map(len, parts)) > 100:
            pooled(
                f'jitter of the ball, {low:g} to {high:g} m', 'mm', parts, jitter, 'in base_link'
            )
    far = [np.hypot(step[:, 0], step[:, 1]) > JUMP for step in steps]
    turned = [np.abs(step[:, 2]) > TURN_JUMP for step in steps]

    def thousand(flags: np.ndarray) -> float:
        return 1000 * np.mean(flags)

    pooled('jumps of position', 'in 1000 rows', far, thousand, f'over {1000 * JUMP:.0f} mm')
    pooled('jumps of heading', 'in 1000 rows', turned, thousand, f'over {TURN_JUMP} rad')
    pooled(
        'rows without news',
        '%',
        [(np.diff(log.pose, axis=0) == 0).all(axis=1) for log in logs],
        lambda flags: 100 * np.mean(flags),
        'same pose as in the row before',
    )


def _answer(
    logs: Sequence[NaoLog],
    steps: tuple[np.ndarray, ...],
    walked: tuple[np.ndarray, ...],
    axis: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return lags, mean command and mean velocity [per row] about reversals of a command."""
    before, after, held = 45, 75, 15
    commands, motions = [], []
    for log, step, good in zip(logs, steps, walked):
        action = log.actions[:-1, axis]
        side = np.sign(action)
        for row in np.flatnonzero(side[1:] * side[:-1] < 0) + 1:
            if (
                row < before
                or row + after > len(step)
                or not (side[row - held : row] == -side[row]).all()
                or not (side[row : row + held] == side[row]).all()
            ):
                continue
            rows = slice(row - before, row + after)
            commands.append(action[rows] * side[row])
            motions.append(np.where(good[rows], step[rows, axis], np.nan) * side[row])
    lags = np.arange(-before, after)
    if not commands:
        return lags, np.full(len(lags), np.nan), np.full(len(lags), np.nan)
    return lags, np.mean(commands, axis=0), np.nanmean(motions, axis=0)
