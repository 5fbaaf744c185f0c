"""How good a detector is: average precision, recall at a precision, of scored finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guda_ros.perception.ball_network import overlap

#: Overlap from which a find is the ball that it is on.
OVERLAP = 0.5


@dataclass(frozen=True)
class Matches:
    """
    Finds of many pictures, each right or wrong.

    :param scores: (n,). :param right: (n,) bool. :param balls: how many there were to find.
    """

    scores: np.ndarray
    right: np.ndarray
    balls: int

    def curve(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return scores (m,) from high to low, and precision and recall of finds from each on."""
        order = np.argsort(-self.scores, kind='stable')
        scores = self.scores[order]
        right = np.cumsum(self.right[order])
        count = np.arange(1, len(order) + 1)
        # Finds of one score come together or not at all.
        last = np.append(scores[1:] != scores[:-1], True) if len(scores) else np.zeros(0, bool)
        precision = right / count
        recall = right / max(self.balls, 1)
        return scores[last], precision[last], recall[last]

    def average_precision(self) -> float:
        """
        Return the mean over recalls 0, .01 to 1 of the best precision at that recall or more.

        As COCO does it for one overlap (Lin et al. 2014, https://cocodataset.org/#detection-eval);
        NaN where there is no ball.
        """
        if not self.balls:
            return float('nan')
        _, precision, recall = self.curve()
        best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
        places = np.searchsorted(recall, np.linspace(0, 1, 101) - 1e-12)
        return float(best[places].mean())

    def recall_at(self, precision: float) -> tuple[float, float]:
        """Return the highest recall at which precision is at least this, and its score."""
        if not self.balls:
            return float('nan'), float('nan')
        scores, precisions, recalls = self.curve()
        good = np.flatnonzero(precisions >= precision)
        return (float(recalls[good[-1]]), float(scores[good[-1]])) if len(good) else (0.0, 1.0)


def match(
    boxes: Sequence[np.ndarray] | np.ndarray,
    scores: Sequence[float],
    truth: Sequence[np.ndarray] | np.ndarray,
    least: float = OVERLAP,
) -> np.ndarray:
    """
    Return for finds in one picture the index of the ball that each is, -1 for none.

    Finds choose in the order of their scores, each the ball that it covers best of those left.
    """
    taken: set[int] = set()
    found = np.full(len(scores), -1)
    for index in np.argsort(-np.asarray(scores, dtype=float), kind='stable'):
        overlaps = [
            -1.0 if ball in taken else overlap(boxes[index], box) for ball, box in enumerate(truth)
        ]
        if overlaps and max(overlaps) >= least:
            found[index] = int(np.argmax(overlaps))
            taken.add(int(found[index]))
    return found


def joined(parts: Sequence[Matches]) -> Matches:
    """Return all matches together."""
    return Matches(
        np.concatenate([part.scores for part in parts] or [np.zeros(0)]),
        np.concatenate([part.right for part in parts] or [np.zeros(0, bool)]).astype(bool),
        sum(part.balls for part in parts),
    )
