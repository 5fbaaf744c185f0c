"""Judge the ball networks: on labelled pictures in pixels, on renders in metres."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from guda_ros.perception.ball_network import BallFind, BallNetwork
from guda_ros.perception.camera import CameraModel
from guda_ros.perception.encodings import read_picture
from guda_ros.perception.network_ball_detector import NetworkBallDetector
from guda_ros.perception_training.labelled import HIDDEN, Picture, SEEN
from guda_ros.perception_training.metrics import joined, match, Matches
from guda_ros.perception_training.renders import Render
from guda_ros.soccer.field import Ball

#: Precision at which recall is told.
PRECISION = 0.98
#: Bounds of the balls' diameters [pixels] by which results are told apart.
DIAMETERS = (0, 12, 24, 48, 96, 10_000)


@dataclass(frozen=True)
class Judged:
    """
    A labelled picture and what was found in it.

    :param boxes: (n, 4) of the balls [pixels]. :param right: for each find the ball that it is.
    """

    path: Path
    series: str
    boxes: np.ndarray
    finds: list[BallFind]
    right: np.ndarray

    @property
    def matches(self) -> Matches:
        """The finds, right or wrong."""
        scores = np.array([find.score for find in self.finds])
        return Matches(scores, self.right >= 0, len(self.boxes))


def judge_pictures(
    network: BallNetwork,
    pictures: Iterable[Picture],
    report: Callable[[int], None] | None = None,
) -> list[Judged]:
    """Return what the networks find in labelled pictures; GudaError for a broken picture."""
    judged = []
    for number, picture in enumerate(pictures, 1):
        bgr = read_picture(picture.path)
        boxes = picture.boxes(bgr.shape[1], bgr.shape[0])
        finds = network.find(bgr)
        right = match([find.box for find in finds], [find.score for find in finds], boxes)
        judged.append(Judged(picture.path, picture.series, boxes, finds, right))
        if report:
            report(number)
    return judged


def summary(judged: Sequence[Judged]) -> dict:
    """
    Return numbers of all pictures, by series, and by the balls' diameters.

    Of a size, wrong finds count that are of that size themselves.
    """
    everything = joined([one.matches for one in judged])
    series = sorted({one.series for one in judged})
    _, threshold = everything.recall_at(PRECISION)
    return {
        'all': _numbers(everything, len(judged)),
        'series': {
            name: _numbers(
                joined([one.matches for one in judged if one.series == name]),
                sum(one.series == name for one in judged),
            )
            for name in series
        },
        'diameter': {
            f'{low} to {high}' if high < 10_000 else f'{low} or more': _numbers(
                joined([_of_size(one, low, high) for one in judged]), None
            )
            for low, high in zip(DIAMETERS, DIAMETERS[1:])
        },
        'threshold': threshold,
    }


def _numbers(matches: Matches, pictures: int | None) -> dict:
    recall, score = matches.recall_at(PRECISION)
    return {
        'pictures': pictures,
        'balls': matches.balls,
        'ap': matches.average_precision(),
        'recall': recall,
        'score': score,
    }


def _of_size(one: Judged, low: float, high: float) -> Matches:
    def inside(boxes: np.ndarray) -> np.ndarray:
        sides = (boxes[:, 2:] - boxes[:, :2]).mean(axis=1)
        return (sides >= low) & (sides < high)

    balls = inside(one.boxes)
    finds = inside(np.array([find.box for find in one.finds]).reshape(-1, 4))
    scores = np.array([find.score for find in one.finds])
    right = one.right >= 0
    mine = np.where(right, balls[one.right] if len(balls) else False, finds)
    return Matches(scores[mine], right[mine], int(balls.sum()))


def worst(judged: Sequence[Judged], threshold: float, count: int) -> list[tuple[str, Judged]]:
    """Return pictures with surest wrong finds and with missed balls, the worst first, in turn."""
    wrong = []
    missed = []
    for one in judged:
        false = [
            find.score
            for find, ball in zip(one.finds, one.right)
            if ball < 0 and find.score >= threshold
        ]
        if false:
            wrong.append((max(false), one))
        seen = {
            int(ball)
            for find, ball in zip(one.finds, one.right)
            if ball >= 0 and find.score >= threshold
        }
        lost = [box for index, box in enumerate(one.boxes) if index not in seen]
        if lost:
            missed.append((max(float((box[2:] - box[:2]).mean()) for box in lost), one))
    lists = [
        [(text, one) for _, one in sorted(rows, key=lambda row: -row[0])]
        for text, rows in (('false ball', wrong), ('missed ball', missed))
    ]
    mixed = [row for pair in zip(*lists) for row in pair]
    longest = max(lists, key=len)
    return (mixed + longest[min(map(len, lists)) :])[:count]


@dataclass(frozen=True)
class Measured:
    """
    A render with a known pose, and the detection in it.

    :param distance: of the ball along the ground [m], NaN where there is none.
    :param counted: whether a ball that is there must be found: not hidden, in full view.
    :param score: of the detection, NaN without one. :param right: whether it is the ball.
    :param error: of the place on the ground [m]. :param squared: error normalised by covariance.
    """

    path: Path
    distance: float
    counted: bool
    score: float
    right: bool
    error: float
    squared: float
    cut: bool


def measure_renders(
    network: BallNetwork,
    renders: Iterable[Render],
    pose_deviation: float = 0.0,
    seed: int = 0,
    report: Callable[[int], None] | None = None,
) -> list[Measured]:
    """
    Return what the detector says of renders; those with a ball that is half hidden are left out.

    :param pose_deviation: by how much the direction of the camera that the detector is told is
        wrong, about each level axis: the standard deviation [rad].
    """
    found = []
    for number, render in enumerate(renders, 1):
        if render.box is not None and HIDDEN < render.seen < SEEN:
            continue
        rng = np.random.default_rng([seed, number])
        detector = NetworkBallDetector(
            _turned(render, rng.normal(0, pose_deviation, 2)),
            Ball(render.radius, 0.1, 0.3, (1.0, 1.0, 1.0)),
            min_score=0.02,
            pose_deviation=pose_deviation,
            network=network,
        )
        detection = detector.detect(read_picture(render.path))
        box, place = render.box, render.place
        there = box is not None and render.seen >= SEEN
        distance = float('nan')
        score = error = squared = float('nan')
        right = cut = False
        if detection is not None:
            score = detection.score
        if there and box is not None and place is not None:
            distance = float(np.hypot(*place))
            cut = render.cut
            if detection is not None:
                outline = render.camera.sphere_outline(
                    np.append(place, render.radius), render.radius
                )
                reach = outline.half_size.mean() + 1
                right = bool(np.linalg.norm(detection.pixel - outline.centre) < reach)
                away = detection.position - place
                error = float(np.hypot(*away))
                squared = float(away @ np.linalg.solve(detection.covariance, away))
        found.append(Measured(render.path, distance, there, score, right, error, squared, cut))
        if report:
            report(number)
    return found


def _turned(render: Render, angles: np.ndarray) -> CameraModel:
    """Return a render's camera as one believes it who is wrong by small angles (2,) [rad]."""
    x, y = angles
    cx, sx, cy, sy = np.cos(x), np.sin(x), np.cos(y), np.sin(y)
    turn = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]]) @ np.array(
        [[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]
    )
    return replace(render.camera, rotation=turn @ render.camera.rotation)


def renders_summary(measured: Sequence[Measured], bounds: Sequence[float] = (4.0, 6.0)) -> dict:
    """
    Return recall at the fixed precision by distance, and how good places on the ground are.

    Distances: below the first bound, and from each to the next. Errors are of right detections
    of balls in full view.
    """
    scored = [one for one in measured if np.isfinite(one.score)]
    matches = Matches(
        np.array([one.score for one in scored]),
        np.array([one.right for one in scored], dtype=bool),
        sum(one.counted for one in measured),
    )
    recall, threshold = matches.recall_at(PRECISION)
    rows = {}
    for low, high in zip((0.0, *bounds), bounds):
        balls = [one for one in measured if one.counted and low <= one.distance < high]
        hits = [one for one in balls if one.right and one.score >= threshold]
        rows[f'{low:g} to {high:g} m'] = {
            'balls': len(balls),
            'recall': len(hits) / len(balls) if balls else float('nan'),
            'relative_error': _relative_error([one for one in hits if not one.cut]),
        }
    whole = [one for one in measured if one.right and one.score >= threshold and not one.cut]
    squared = np.array([one.squared for one in whole])
    return {
        'pictures': len(measured),
        'balls': matches.balls,
        'recall': recall,
        'threshold': threshold,
        'distance': rows,
        'relative_error': _relative_error(whole),
        # Of a chi-square with two degrees of freedom: .50, .90 and .99.
        'inside': {
            f'{share:g}': float((squared < -2 * np.log(1 - share)).mean()) if len(whole) else None
            for share in (0.5, 0.9, 0.99)
        },
    }


def _relative_error(hits: Sequence[Measured]) -> float:
    """Return the median error as a share of the distance, NaN of none."""
    return float(np.median([one.error / one.distance for one in hits])) if hits else float('nan')
