#!/usr/bin/env python3
"""
Measure how long the ball networks take for a frame of 640 x 480; the last line is one JSON object.

- ms_p50, ms_p99: `NetworkBallDetector.detect`, with the camera's pose known.
- stages: median milliseconds of its stages: propose (shrink the frame, first network, peaks),
  patches, refine (second network, once for all candidates).
- floor_ms: OpenCV's conversion of the same frame to HSV, as the detector by colour needs it, and
  its resize to 320 x 240. proposing_over_floor: the stage that proposes over it.
- network_mb: both files.
- frame_to_ball_ms_p50: from the bytes of a sensor_msgs/Image to pose and filtered ball
  (`Perception.process`), of the NAO's lower camera with the white and black ball.

Frames are drawn: turf with noise, lines, and many round things, so that as many candidates are
looked at as ever are. Times are those that the thread computes: nothing in it waits, and other
programs of a busy machine do not count. `--pictures DIR` measures with real frames.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
import json
from pathlib import Path
import sys
import time

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from guda_ros.data.contract import Contract  # noqa: E402
from guda_ros.perception.ball_network import (  # noqa: E402
    load_network,
    PROPOSER,
    Pyramid,
    REFINER,
    SMALLEST,
    WEIGHTS,
    WINDOW,
)
from guda_ros.perception.camera import CameraModel  # noqa: E402
from guda_ros.perception.encodings import decode_image, read_picture  # noqa: E402
from guda_ros.perception.network_ball_detector import NetworkBallDetector  # noqa: E402
from guda_ros.perception.pipeline import Perception  # noqa: E402
from guda_ros.soccer.field import Ball  # noqa: E402
from guda_ros.soccer.robot import RobotProfile  # noqa: E402
from guda_ros.workflows.terminal.arguments import positive  # noqa: E402

WIDTH, HEIGHT = 640, 480


def drawn(seed: int) -> np.ndarray:
    """Return a frame with turf, lines and round things."""
    rng = np.random.default_rng(seed)
    image = np.full((HEIGHT, WIDTH, 3), (50, 120, 45), np.float32)
    image += rng.normal(0, 9, image.shape)
    image = image.clip(0, 255).astype(np.uint8)
    for _ in range(4):
        ends = rng.integers(0, [WIDTH, HEIGHT], (2, 2))
        cv2.line(image, *(tuple(int(v) for v in end) for end in ends), (235, 235, 235), 7)
    for _ in range(24):
        centre = tuple(int(v) for v in rng.integers(20, [WIDTH - 20, HEIGHT - 20]))
        radius = int(rng.integers(5, 30))
        cv2.circle(image, centre, radius, (230, 230, 230), -1, cv2.LINE_AA)
        spot = tuple(int(c + rng.uniform(-0.5, 0.5) * radius) for c in centre)
        cv2.circle(image, spot, radius // 3, (20, 20, 20), -1, cv2.LINE_AA)
    return cv2.GaussianBlur(image, (0, 0), 0.8)


def floor(frame: np.ndarray) -> None:
    """Do what the detector by colour cannot do without."""
    cv2.cvtColor(frame, cv2.COLOR_BGR2HSV)
    cv2.resize(frame, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)


def cut(frame: np.ndarray, centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return the patches of candidates."""
    return Pyramid(frame).patches(centres, np.maximum(WINDOW * radii, SMALLEST))


def answer(perception: Perception, data: bytes, stamp: float) -> None:
    """Turn the bytes of a message into pose and ball."""
    perception.process(decode_image('bgr8', data, WIDTH, HEIGHT), np.zeros(3), stamp)


def milliseconds(work: Callable, *arguments: object) -> float:
    """Return how long a call computes."""
    begin = time.thread_time()
    work(*arguments)
    return (time.thread_time() - begin) * 1e3


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--turns', type=positive, default=400, help='frames (default: 400)')
    parser.add_argument('--pictures', type=Path, help='folder of pictures, scaled to 640 x 480')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.pictures:
        files = sorted(args.pictures.rglob('*.jpg'))[:50]
        frames = [cv2.resize(read_picture(path), (WIDTH, HEIGHT)) for path in files]
    else:
        frames = [drawn(seed) for seed in range(12)]
    robot = RobotProfile.load('nao_v6')
    mount = robot.lower_camera
    if mount is None:
        raise SystemExit('nao_v6 has lost its lower camera')
    camera = CameraModel.from_mount(mount)
    ball = Ball.load('spl_foam')
    network = load_network()
    detector = NetworkBallDetector(camera, ball)
    contract = Contract.load()
    contract = replace(contract, field=replace(contract.field, ball=ball))
    perception = Perception(contract, replace(robot, camera=mount))
    rows = []
    for turn in range(-20, args.turns):
        frame = frames[turn % len(frames)]
        centres, radii, _ = network.propose(frame, detector.bands)
        patches = cut(frame, centres, radii)
        row = {
            'floor': milliseconds(floor, frame),
            'propose': milliseconds(network.propose, frame, detector.bands),
            'patches': milliseconds(cut, frame, centres, radii),
            'refine': milliseconds(network.refine, patches) if len(patches) else 0.0,
            'all': milliseconds(detector.detect, frame),
            'whole': milliseconds(answer, perception, frame.tobytes(), 0.05 * (turn + 21)),
            'candidates': float(len(radii)),
        }
        if turn >= 0:
            rows.append(row)
    values = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    size = sum((WEIGHTS / name).stat().st_size for name in (PROPOSER, REFINER))
    result = {
        'ms_p50': float(np.median(values['all'])),
        'ms_p99': float(np.quantile(values['all'], 0.99)),
        'stages': {key: float(np.median(values[key])) for key in ('propose', 'patches', 'refine')},
        'floor_ms': float(np.median(values['floor'])),
        'proposing_over_floor': float(np.median(values['propose'] / values['floor'])),
        'network_mb': size / 1e6,
        'frame_to_ball_ms_p50': float(np.median(values['whole'])),
        'candidates': float(values['candidates'].mean()),
    }
    print(f'{args.turns} frames of {WIDTH} x {HEIGHT}, one core')
    print(json.dumps({key: rounded(value) for key, value in result.items()}))
    return 0


def rounded(value):
    """Return numbers with three digits after the point."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, 3)


if __name__ == '__main__':
    sys.exit(main())
