#!/usr/bin/env python3
"""
Draw the pictures of docs/perception.md: renders of both splits, and what the networks get wrong.

    python tools/perception_pictures.py --set pictures/humanoid_ball yellow_static photo_a

draws failures in series of labelled pictures that no training saw; --set may be repeated.
"""

from __future__ import annotations

import argparse
from pathlib import Path
import sys

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from guda_ros.perception.ball_network import load_network  # noqa: E402
from guda_ros.perception.encodings import read_picture  # noqa: E402
from guda_ros.perception_training import judging  # noqa: E402
from guda_ros.perception_training.families import SPLITS  # noqa: E402
from guda_ros.perception_training.labelled import read_folder  # noqa: E402
from guda_ros.perception_training.scenes import SceneRenderer, SEEN  # noqa: E402

IMAGES = ROOT / 'docs/images'
SIZE = (216, 162)


def sheet(tiles: list[np.ndarray], columns: int, path: Path) -> None:
    """Write tiles side by side."""
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    cv2.imwrite(str(path), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 80])


def renders() -> None:
    """Draw a row of each split, with labels."""
    tiles = []
    for split in ('training', 'test'):
        with SceneRenderer(SPLITS[split], seed=3, pictures=1) as renderer:
            for number in range(5):
                drawn = renderer.frame(number)
                if drawn.box is not None and drawn.seen >= SEEN:
                    frame(drawn.image, drawn.box, (80, 255, 80))
                tiles.append(cv2.resize(drawn.image, SIZE, interpolation=cv2.INTER_AREA))
    sheet(tiles, 5, IMAGES / 'perception_renders.jpg')


def failures(sets: list[list[str]]) -> None:
    """Draw the worst cases of series: labels green, finds magenta, around what is wrong."""
    tiles = []
    for folder, *series in sets:
        pictures = [p for p in read_folder(Path(folder)) if not series or p.series in series]
        judged = judging.judge_pictures(load_network(), pictures)
        threshold = judging.summary(judged)['threshold']
        for kind, case in judging.worst(judged, threshold, 10 // len(sets)):
            bgr = read_picture(case.path)
            for box in case.boxes:
                frame(bgr, box, (80, 255, 80))
            for find in case.finds:
                if find.score >= threshold / 2:
                    frame(bgr, find.box, (255, 0, 255))
            tiles.append(part(bgr, wrong(kind, case, threshold)))
    sheet(tiles, 5, IMAGES / 'perception_failures.jpg')


def wrong(kind: str, case: judging.Judged, threshold: float) -> np.ndarray:
    """Return the box (4,) of what is wrong in a picture."""
    if kind == 'false ball':
        return next(find.box for find, ball in zip(case.finds, case.right) if ball < 0)
    sure = [ball for find, ball in zip(case.finds, case.right) if find.score >= threshold]
    lost = [box for index, box in enumerate(case.boxes) if index not in sure]
    return max(lost, key=lambda box: float((box[2:] - box[:2]).mean()))


def part(bgr: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return the quarter of a picture around a box."""
    height, width = bgr.shape[:2]
    half = np.array([width, width * SIZE[1] / SIZE[0]]) / 4
    half = np.maximum(half, 1.2 * (box[2:] - box[:2])).clip(0, [width / 2, height / 2])
    middle = np.clip((box[:2] + box[2:]) / 2, half, np.array([width, height]) - half)
    low, high = (middle - half).astype(int), (middle + half).astype(int)
    return cv2.resize(bgr[low[1] : high[1], low[0] : high[0]], SIZE, interpolation=cv2.INTER_AREA)


def frame(bgr: np.ndarray, box: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Draw a box a little wider than it is."""
    low, high = np.round(box[:2] - 3).astype(int), np.round(box[2:] + 3).astype(int)
    cv2.rectangle(bgr, tuple(map(int, low)), tuple(map(int, high)), colour, 2)


def main() -> int:
    """Draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--set', nargs='+', action='append', default=[], metavar='FOLDER SERIES', help='failures'
    )
    args = parser.parse_args()
    renders()
    if args.set:
        failures(args.set)
    return 0


if __name__ == '__main__':
    sys.exit(main())
