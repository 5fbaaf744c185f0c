"""Training material in memory: whole pictures for the proposer, patches for the refiner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from guda_ros.perception.ball_network import (
    BallNetwork,
    overlap,
    Pyramid,
    SMALLEST,
    STRIDE,
    WINDOW,
)
from guda_ros.perception.encodings import read_picture
from guda_ros.perception_training.labelled import HIDDEN, read_folder, SEEN
from guda_ros.perception_training.renders import read_renders

#: Longer side of pictures that are kept for the proposer [pixels], whole and halved, and bounds of
#: the longer sides that it sees them with.
_KEPT, _SEEN = 640, (280.0, 720.0)
#: Height and width of what the proposer is trained on.
CANVAS = (192, 256)
#: How often what is no ball is drawn for a patch, where a ball is drawn once.
_OTHERS = 2.0
#: Smallest radius of a ball that must be found [pixels of the proposer's image].
_TINY = 1.2


@dataclass(frozen=True)
class Sample:
    """
    A picture to learn from.

    :param group: pictures of a group are drawn as often as those of any other.
    :param boxes: (n, 4) of balls, shares of the picture: left, top, right, bottom.
    :param unsure: (n, 4) of what is neither a ball nor none.
    """

    path: Path
    group: str
    boxes: np.ndarray
    unsure: np.ndarray


def from_renders(folder: Path, group: str = 'renders') -> list[Sample]:
    """Return what was rendered to a folder."""
    samples = []
    for render in read_renders(folder):
        size = np.array([render.camera.width, render.camera.height] * 2)
        box = np.empty((0, 4)) if render.box is None else (render.box[None] + 0.5) / size
        none = np.empty((0, 4))
        sure = render.seen >= SEEN
        unsure = HIDDEN < render.seen < SEEN
        samples.append(Sample(render.path, group, box if sure else none, box if unsure else none))
    return samples


def from_labelled(folder: Path, leave_out: Sequence[str] = ()) -> list[Sample]:
    """Return the pictures of a labelled folder but for whole series."""
    return [
        Sample(picture.path, folder.name, (picture.boxes(1, 1) + 0.5).clip(0, 1), np.empty((0, 4)))
        for picture in read_folder(folder)
        if picture.series not in leave_out
    ]


class Canvases:
    """Random cut-outs of pictures as the proposer sees them, with what it should say."""

    def __init__(self, samples: Sequence[Sample], seed: int) -> None:
        """Read all pictures, small."""
        self._samples, self._seed = samples, seed
        self._pictures = []
        for sample in samples:
            picture = read_picture(sample.path)
            kept = []
            for side in (_KEPT, _KEPT / 2):
                scale = side / max(picture.shape[:2])
                size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
                kept.append(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
            self._pictures.append(kept)
        groups = [sample.group for sample in samples]
        self._groups = {
            group: np.flatnonzero([group == other for other in groups])
            for group in sorted(set(groups))
        }

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self._samples)

    def draw(self, epoch: int, count: int, shares: dict[str, float]) -> Iterator[int]:
        """Yield indices of an epoch; `shares` says how often each group is drawn."""
        rng = np.random.default_rng([self._seed, 5, epoch])
        names = list(self._groups)
        weight = np.array([shares.get(name, 1.0) for name in names])
        chosen = rng.choice(len(names), count, p=weight / weight.sum())
        for group in chosen:
            yield int(rng.choice(self._groups[names[group]]))

    def cut(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """
        Return a canvas (192, 256, 3) and its targets (4, 48, 64).

        Planes of targets: the centres' heat in [0, 1], the logarithm of the radius in cells, where
        that is to be learnt, and what counts at all.
        """
        sample = self._samples[index]
        side = np.exp(rng.uniform(*np.log(_SEEN)))
        picture = self._pictures[index][int(side < 0.55 * _KEPT)]
        height, width = picture.shape[:2]
        scale = side / max(height, width)
        aspect = np.exp(rng.normal(0, 0.06))
        flip = rng.random() < 0.5
        zoom = np.array([scale * aspect * (-1 if flip else 1), scale / aspect])
        shown = np.abs(zoom) * [width, height]
        room = np.array([CANVAS[1], CANVAS[0]]) - shown
        # A corner of the picture, wherever it fits, or more or less within.
        if len(sample.boxes) and rng.random() < 0.7:
            ball = sample.boxes[rng.integers(len(sample.boxes))]
            middle = (ball[:2] + ball[2:]) / 2 * shown
            if flip:
                middle[0] = shown[0] - middle[0]
            wanted = rng.uniform(0.05, 0.95, 2) * [CANVAS[1], CANVAS[0]] - middle
            corner = np.clip(wanted, np.minimum(room, 0), np.maximum(room, 0))
        else:
            corner = rng.uniform(np.minimum(room, 0), np.maximum(room, 0))
        offset = corner + (shown * [1, 0] if flip else 0)
        matrix = np.array(
            [
                [zoom[0], 0, offset[0] + 0.5 * zoom[0] - 0.5],
                [0, zoom[1], offset[1] + 0.5 * zoom[1] - 0.5],
            ]
        )
        canvas = cv2.warpAffine(picture, matrix, (CANVAS[1], CANVAS[0]), flags=cv2.INTER_LINEAR)
        canvas = colours(canvas[None], rng)[0]
        pixels = [
            np.sort((boxes.reshape(-1, 2, 2) * [width, height]) * zoom + offset, axis=1)
            for boxes in (sample.boxes, sample.unsure)
        ]
        return canvas, _targets(*pixels)


def _targets(balls: np.ndarray, unsure: np.ndarray) -> np.ndarray:
    """Return the targets (4, 48, 64) of boxes (n, 2, 2) [pixels from the canvas' corner]."""
    rows, columns = CANVAS[0] // STRIDE, CANVAS[1] // STRIDE
    target = np.zeros((4, rows, columns), np.float32)
    target[3] = 1
    limits = np.array([CANVAS[1], CANVAS[0]], dtype=float)
    y, x = np.mgrid[:rows, :columns] + 0.5
    for ball in balls:
        whole = np.prod(ball[1] - ball[0])
        shown = np.clip(ball, 0, limits)
        sides = shown[1] - shown[0]
        if (sides <= 0).any() or np.prod(sides) < 0.08 * whole:
            continue
        radius = sides.mean() / 2
        middle = (shown[0] + shown[1]) / 2 / STRIDE
        if radius < _TINY:
            target[3][_covered(shown)] = 0
            continue
        spread = np.clip(0.3 * radius / STRIDE, 0.55, 4.0)
        cell = np.minimum(middle.astype(int), [columns - 1, rows - 1])
        heat = np.exp(
            -((x - cell[0] - 0.5) ** 2 + (y - cell[1] - 0.5) ** 2) / (2 * spread**2)
        ).astype(np.float32)
        near = heat > np.maximum(target[0], 0.3)
        target[1, near] = np.log(radius / STRIDE)
        target[2, near] = 1
        np.maximum(target[0], heat, out=target[0])
    for box in unsure:
        target[3][_covered(np.clip(box, 0, limits))] = 0
    return target


def _covered(box: np.ndarray) -> tuple[slice, slice]:
    low, high = np.floor(box[0] / STRIDE).astype(int), np.ceil(box[1] / STRIDE).astype(int)
    return np.s_[low[1] : high[1], low[0] : high[0]]


def colours(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return pictures (n, height, width, 3), uint8, in another light, each by its own."""
    changed = np.empty_like(images)
    for index, image in enumerate(images):
        gain = np.exp(rng.normal(0, 0.2) + rng.normal(0, 0.12, 3))
        offset = rng.normal(0, 8)
        tables = np.clip(np.arange(256)[:, None] * gain + offset, 0, 255)
        gamma = np.exp(rng.normal(0, 0.2))
        tables = (255 * (tables / 255) ** gamma).astype(np.uint8)
        image = cv2.LUT(image, tables.reshape(256, 1, 3))
        if rng.random() < 0.25:
            grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            share = rng.uniform(-0.6, 0.9)
            image = cv2.addWeighted(image, 1 - share, grey, share, 0)
        if rng.random() < 0.25:
            cv2.setRNGSeed(int(rng.integers(2**31)))
            noise = np.empty(image.shape, np.int16)
            cv2.randn(noise, 0, rng.uniform(1, 8))
            image = cv2.add(image, noise, dtype=cv2.CV_8U)
        changed[index] = image
    return changed


@dataclass(frozen=True)
class Patches:
    """
    Patches and what they show.

    :param images: (n, 32, 32, 3). :param balls: (n,) bool.
    :param targets: (n, 4) centre in sides, logarithms of width and height over half a side.
    :param weights: (n,) how often each is drawn.
    """

    images: np.ndarray
    balls: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


def make_patches(
    samples: Sequence[Sample], network: BallNetwork, seed: int, shares: dict[str, float]
) -> Patches:
    """Return patches of balls, near them, and of what the proposer takes for balls."""
    images, balls, targets, groups = [], [], [], []
    for number, sample in enumerate(samples):
        rng = np.random.default_rng([seed, 7, number])
        picture = read_picture(sample.path)
        size = np.array([picture.shape[1], picture.shape[0]] * 2)
        boxes, unsure = (part * size - 0.5 for part in (sample.boxes, sample.unsure))
        centres, radii, _ = network.propose(picture)
        windows = [*_around(boxes, rng), *_beside(boxes, rng), *zip(centres, radii)]
        kept, found = [], []
        for centre, radius in windows:
            window = np.concatenate([centre - radius, centre + radius])
            overlaps = [overlap(window, box) for box in boxes]
            if any(overlap(window, box) > 0.02 for box in unsure):
                continue
            best = int(np.argmax(overlaps)) if overlaps else -1
            if best >= 0 and overlaps[best] > 0.28:
                box = boxes[best]
                if (box[2:] - box[:2]).mean() < 4:
                    continue
                side = max(WINDOW * radius, SMALLEST)
                middle = ((box[:2] + box[2:]) / 2 - centre) / side
                found.append((1, *middle, *np.log((box[2:] - box[:2]) * 2 / side)))
            elif best < 0 or overlaps[best] < 0.12:
                found.append((0, 0, 0, 0, 0))
            else:
                continue
            kept.append((centre, radius))
        if not kept:
            continue
        places, sizes = (np.array(part) for part in zip(*kept))
        images.append(Pyramid(picture).patches(places, np.maximum(WINDOW * sizes, SMALLEST)))
        values = np.array(found, dtype=np.float32)
        balls.append(values[:, 0] > 0)
        targets.append(values[:, 1:])
        groups += [sample.group] * len(kept)
    labels = np.concatenate(balls)
    weights = np.zeros(len(labels))
    names = np.array(groups)
    for name in sorted(set(groups)):
        for kind in (False, True):
            mine = (names == name) & (labels == kind)
            share = shares.get(name, 1.0) * (1.0 if kind else _OTHERS)
            weights[mine] = share / max(int(np.count_nonzero(mine)), 1)
    return Patches(
        np.concatenate(images), labels, np.concatenate(targets), weights / weights.sum()
    )


def _around(boxes: np.ndarray, rng: np.random.Generator) -> list[tuple[np.ndarray, float]]:
    """Return windows that a proposer could have given for balls."""
    windows = []
    for box in boxes:
        middle, radius = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max() / 2)
        for spread in (0.08, 0.08, 0.08, 0.2, 0.2, 0.3, 0.3):
            shift = rng.normal(0, spread, 2) * radius
            windows.append((middle + shift, radius * np.exp(rng.normal(0, 1.1 * spread))))
    return windows


def _beside(boxes: np.ndarray, rng: np.random.Generator) -> list[tuple[np.ndarray, float]]:
    """Return windows beside balls, and of another size."""
    windows = []
    for box in boxes:
        middle, radius = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max() / 2)
        for _ in range(2):
            angle = rng.uniform(0, 2 * np.pi)
            away = rng.uniform(1.3, 3.0) * radius * np.array([np.cos(angle), np.sin(angle)])
            windows.append((middle + away, radius * np.exp(rng.normal(0, 0.4))))
        windows.append((middle + rng.normal(0, 0.3, 2) * radius, radius * rng.uniform(0.25, 0.33)))
        windows.append((middle + rng.normal(0, 0.3, 2) * radius, radius * rng.uniform(3.0, 4.0)))
    return windows
