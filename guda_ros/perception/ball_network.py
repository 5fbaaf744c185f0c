"""
Find balls of any print in an image by two small networks, in pixels.

The first looks at the whole image, or at bands of it where the ground says how large balls are,
and proposes places and sizes; the second looks at a patch of each in full resolution, accepts it
and measures it. What they were
trained on is told in `weights/README.md`, and by the files themselves (`BallNetwork.about`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
import math
from pathlib import Path

import cv2
import numpy as np

from guda_ros.errors import GudaError

#: Where the shipped networks are.
WEIGHTS = Path(__file__).parent / 'weights'
PROPOSER, REFINER = 'ball_proposer.onnx', 'ball_refiner.onnx'
#: The longer side of the image that the first network sees where nothing is known of the camera's
#: place, of what its sides are multiples, and pixels of it that make a cell of its map.
INPUT, MULTIPLE, STRIDE = 640, 16, 4
#: Side of a patch, what its window is in radii of the ball, and the smallest window [pixels].
PATCH, WINDOW, SMALLEST = 32, 4.0, 20.0

#: Bounds of candidates: from pixels (n, 2) and radii (n,) to radii that are possible there (n,),
#: NaN where there can be no ball.
Sizes = Callable[[np.ndarray, np.ndarray], np.ndarray]

_AROUND = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Band:
    """Rows of an image, from `top` up to `bottom`, and pixels that are made of one of its own."""

    top: int
    bottom: int
    scale: float


@dataclass(frozen=True)
class BallFind:
    """
    A ball in an image, in pixels.

    :param box: (4,) left, top, right, bottom of its outline as far as it is in the image.
    :param score: probability of being a ball.
    :param deviation: standard deviation of the box's centre along an axis.
    """

    box: np.ndarray
    score: float
    deviation: float

    @property
    def centre(self) -> np.ndarray:
        """Column and row (2,) of the box's middle."""
        return (self.box[:2] + self.box[2:]) / 2

    @property
    def radius(self) -> float:
        """Half of the box's mean side."""
        return float((self.box[2:] - self.box[:2]).mean() / 2)


class Pyramid:
    """An image and halves of it, made when they are needed."""

    def __init__(self, bgr: np.ndarray) -> None:
        self._levels = [bgr]

    def level(self, index: int) -> np.ndarray:
        """Return the image, halved so many times."""
        while len(self._levels) <= index:
            last = self._levels[-1]
            size = max(1, last.shape[1] // 2), max(1, last.shape[0] // 2)
            self._levels.append(cv2.resize(last, size, interpolation=cv2.INTER_AREA))
        return self._levels[index]

    def patches(self, centres: np.ndarray, sides: np.ndarray) -> np.ndarray:
        """
        Return square windows as patches (n, 32, 32, 3); black where the image ends.

        :param centres: (n, 2) column and row. :param sides: (n,) of the windows [pixels].
        """
        found = np.empty((len(centres), PATCH, PATCH, 3), np.uint8)
        height, width = self._levels[0].shape[:2]
        for index, (centre, side) in enumerate(zip(centres, sides)):
            halvings = int(np.clip(math.log2(max(side, 1) / PATCH), 0, 4))
            image = self.level(halvings)
            ratio = np.array([image.shape[1] / width, image.shape[0] / height])
            step = side / PATCH * ratio
            corner = (centre - side / 2 + 0.5) * ratio - 0.5 + step / 2
            matrix = np.array([[step[0], 0, corner[0]], [0, step[1], corner[1]]])
            cv2.warpAffine(
                image,
                matrix,
                (PATCH, PATCH),
                dst=found[index],
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_CONSTANT,
            )
        return found


def shrunk(bgr: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """
    Return what the first network sees (1, h, w, 3) of an image, and its pixels per image pixel.

    What is missing to a multiple is black.
    """
    height, width = bgr.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = bgr if size == (width, height) else cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    missing = [-size[axis] % MULTIPLE for axis in (1, 0)]
    if any(missing):
        small = cv2.copyMakeBorder(small, 0, missing[0], 0, missing[1], cv2.BORDER_CONSTANT)
    return np.ascontiguousarray(small)[None], np.array([size[0] / width, size[1] / height])


class BallNetwork:
    """
    Both networks, on one thread of the CPU.

    :param folder: with the two ONNX files.
    :param candidates: the most that are looked at closely.
    :param side: longer side of the image that the first network sees [pixels].
    :raises GudaError: if a file is missing or is no such network.
    """

    #: Least logit of a proposal, and of a patch that is looked at again.
    _PROPOSED, _AGAIN = -4.5, -3.0
    #: How many are looked at twice, and the overlap at which two boxes are one ball.
    _TWICE, _SAME = 4, 0.35
    #: Weight of the first network's logit in the score.
    _TOGETHER = 1.0

    def __init__(self, folder: Path = WEIGHTS, candidates: int = 32, side: int = INPUT) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._sessions = []
        for name in (PROPOSER, REFINER):
            path = Path(folder) / name
            if not path.is_file():
                raise GudaError(f'{path}: there is no such file; `guda perceive train` writes it')
            try:
                session = onnxruntime.InferenceSession(
                    path.read_bytes(), options, providers=['CPUExecutionProvider']
                )
            except Exception as error:  # onnxruntime has no common class of errors
                raise GudaError(f'{path}: no network that can be run: {error}') from error
            self._sessions.append(session)
        self._candidates, self._side = candidates, side
        about = self.about
        try:
            self._spread = float(about.get('deviation_scale', 1.0))
        except ValueError as error:
            raise GudaError(f'{folder}: deviation_scale is no number: {error}') from error

    @property
    def about(self) -> dict[str, str]:
        """What the files say about themselves: command, data, licences."""
        return dict(self._sessions[1].get_modelmeta().custom_metadata_map)

    def propose(
        self, bgr: np.ndarray, bands: Sequence[Band] = ()
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """
        Return candidates in an image (height, width, 3), the best first.

        :param bands: where to look, and how closely; by default everywhere alike.
        :return: centres (n, 2) and radii (n,) [pixels], logits (n,).
        """
        height, width = bgr.shape[:2]
        if not bands:
            bands = [Band(0, height, min(1.0, self._side / max(height, width)))]
        parts = []
        for band in bands:
            small, scale = shrunk(bgr[band.top : band.bottom], band.scale)
            heat, size = self._sessions[0].run(None, {'image': small})[0][0]
            peaks = (heat >= cv2.dilate(heat, _AROUND)) & (heat > self._PROPOSED)
            rows, columns = np.nonzero(peaks)
            cells = np.stack([columns, rows], axis=1)
            centres = ((cells + 0.5) * STRIDE) / scale - 0.5 + [0, band.top]
            radii = np.exp(np.clip(size[rows, columns], -3, 5)) * STRIDE / scale.mean()
            parts.append((centres, radii, heat[rows, columns]))
        centres, radii, logits = (np.concatenate(part) for part in zip(*parts))
        order = np.argsort(-logits, kind='stable')[: self._candidates]
        return centres[order], radii[order], logits[order]

    def refine(self, patches: np.ndarray) -> np.ndarray:
        """Return what the second network says (n, 6) of patches (n, 32, 32, 3)."""
        return self._sessions[1].run(None, {'patches': patches})[0]

    def find(
        self, bgr: np.ndarray, sizes: Sizes | None = None, bands: Sequence[Band] = ()
    ) -> list[BallFind]:
        """
        Return the balls in an image (height, width, 3), uint8 BGR, the surest first.

        :param sizes: what the ground geometry allows, where the camera's pose is known.
        :param bands: see `propose`.
        """
        centres, radii, logits = self.propose(bgr, bands)
        if sizes is not None:
            radii = sizes(centres, radii)
            possible = np.isfinite(radii)
            centres, radii, logits = centres[possible], radii[possible], logits[possible]
        if not len(centres):
            return []
        pyramid = Pyramid(bgr)
        said, boxes, deviations = self._look(pyramid, centres, radii)
        order = np.argsort(-said, kind='stable')[: self._TWICE]
        order = order[said[order] > self._AGAIN]
        if not len(order):
            return []
        again = boxes[order]
        centres = (again[:, :2] + again[:, 2:]) / 2
        # Of a ball that the border or something else cuts, the longer side is the ball's.
        radii = (again[:, 2:] - again[:, :2]).max(axis=1) / 2
        once, (said, boxes, deviations) = said[order], self._look(pyramid, centres, radii)
        # Both networks have a say: what the whole picture tells is not in a patch.
        logit = (once + said) / 2 + self._TOGETHER * np.minimum(logits[order], 0)
        scores = 1 / (1 + np.exp(-logit))
        finds: list[BallFind] = []
        limits = np.array([bgr.shape[1], bgr.shape[0]]) - 0.5
        for index in np.argsort(-scores, kind='stable'):
            box = np.concatenate(
                [np.maximum(boxes[index, :2], -0.5), np.minimum(boxes[index, 2:], limits)]
            )
            if (box[2:] - box[:2] < 1).any():
                continue
            if all(overlap(box, other.box) < self._SAME for other in finds):
                finds.append(BallFind(box, float(scores[index]), float(deviations[index])))
        return finds

    def _look(
        self, pyramid: Pyramid, centres: np.ndarray, radii: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return logits (n,), boxes (n, 4) and deviations (n,) [pixels] at places."""
        sides = np.maximum(WINDOW * radii, SMALLEST)
        found = self.refine(pyramid.patches(centres, sides)).astype(np.float64)
        middle = centres + found[:, 1:3] * sides[:, None]
        half = np.exp(np.clip(found[:, 3:5], -3, 1.5)) * sides[:, None] / 4
        deviations = np.exp(np.clip(found[:, 5], -7, 0)) * sides * self._spread
        return found[:, 0], np.concatenate([middle - half, middle + half], axis=1), deviations


def overlap(one: Sequence[float] | np.ndarray, other: Sequence[float] | np.ndarray) -> float:
    """Return the intersection over union of two boxes left, top, right, bottom."""
    one, other = np.asarray(one), np.asarray(other)
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    if (sides <= 0).any():
        return 0.0
    common = float(np.prod(sides))
    return common / float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - common)


@lru_cache(maxsize=4)
def load_network(folder: Path = WEIGHTS) -> BallNetwork:
    """Return the networks of a folder, read once."""
    return BallNetwork(folder)
