"""Look at pictures, videos and bags with the ball networks, and draw what they find."""

from __future__ import annotations

from dataclasses import dataclass, replace
import json
from pathlib import Path

import cv2
import numpy as np

from guda_ros.arguments import as_folder, as_path
from guda_ros.data.files import atomic_target, refuse_existing
from guda_ros.errors import GudaError, naming_extras
from guda_ros.perception.ball_detector import BallDetection
from guda_ros.perception.ball_network import BallFind, BallNetwork, WEIGHTS
from guda_ros.perception.camera import CameraModel
from guda_ros.perception.network_ball_detector import NetworkBallDetector
from guda_ros.soccer.field import Ball
from guda_ros.soccer.robot import FIRST, LOWER, RobotProfile
from guda_ros.workflows.perception.pictures import Film, is_film, read_pictures
from guda_ros.workflows.progress import Say, silent

FOUND, ON_GROUND = (255, 0, 255), (0, 255, 255)


@dataclass(frozen=True)
class Look:
    """
    What was found in a picture.

    :param name: of the picture. :param finds: the balls, the surest first.
    :param ground: the ball as it lies on the ground, where the camera's place was told.
    """

    name: str
    finds: tuple[BallFind, ...]
    ground: BallDetection | None = None

    def as_dict(self) -> dict:
        """Return it as plain values."""
        return {
            'name': self.name,
            'balls': [
                {
                    'box': [round(float(value), 2) for value in find.box],
                    'score': round(find.score, 4),
                }
                for find in self.finds
            ],
            'position': None
            if self.ground is None
            else [round(float(value), 4) for value in self.ground.position],
        }


@naming_extras()
def perceive(
    path: str | Path,
    out: str | Path,
    *,
    robot: str | None = None,
    camera: str = 'camera',
    ball: str = 'spl_foam',
    min_score: float = 0.5,
    topic: str = '',
    rate: float = 15.0,
    weights: str | Path = WEIGHTS,
    overwrite: bool = False,
    say: Say = silent,
) -> list[Look]:
    """
    Find balls in a picture, video, folder of pictures or bag, as `guda perceive` does.

        for look in guda_ros.perceive('camera.jpg', 'runs/mine/perceived'):
            print(look.name, look.finds)

    Writes annotated pictures, of what follows in time a video, and `found.jsonl`.

    :param path: of the file, folder or bag. :param out: folder for what is written.
    :param robot: profile whose camera took them with the head at zero: tells places on the ground.
    :param camera: `camera` for the profile's first, `lower_camera`, or a name of its `cameras`.
    :param ball: profile of the ball; only its radius matters.
    :param min_score: least probability of a ball. :param topic: of a bag's images.
    :param weights: folder of the networks.
    :param rate: pictures a second of the video; 0: pictures instead.
    :raises GudaError: if there is nothing to see, or `out` has something already.
    """
    path, out = as_path(path), as_folder(out, 'out')
    refuse_existing(out / 'found.jsonl', overwrite)
    network = BallNetwork(as_path(weights, 'weights'))
    model = _camera(robot, camera) if robot else None
    profile = Ball.load(ball)
    looks: list[Look] = []
    film: Film | None = None
    try:
        for name, bgr in read_pictures(path, topic):
            finds = tuple(find for find in network.find(bgr) if find.score >= min_score)
            ground = None
            if model is not None:
                detector = NetworkBallDetector(
                    _scaled(model, bgr, path), profile, min_score, network=network
                )
                ground = detector.detect(bgr)
            looks.append(Look(name, finds, ground))
            drawn = draw(bgr, looks[-1])
            out.mkdir(parents=True, exist_ok=True)
            if is_film(path) and rate > 0:
                film = film or Film(out / f'{path.stem}.mp4', (bgr.shape[1], bgr.shape[0]), rate)
                film.add(drawn)
            else:
                cv2.imwrite(str(out / f'{name}.jpg'), drawn)
            say(_told(looks[-1]))
    finally:
        if film:
            film.close()
    with atomic_target(out / 'found.jsonl') as temporary:
        lines = [json.dumps(look.as_dict()) + '\n' for look in looks]
        temporary.write_text(''.join(lines), encoding='utf-8')
    return looks


def draw(bgr: np.ndarray, look: Look) -> np.ndarray:
    """Return a copy of a picture with what was found in it."""
    drawn = bgr.copy()
    for find in look.finds:
        low, high = (
            tuple(int(v) for v in np.round(part)) for part in (find.box[:2], find.box[2:])
        )
        cv2.rectangle(drawn, low, high, FOUND, 2)
        place = (low[0], max(low[1] - 4, 10))
        cv2.putText(drawn, f'{find.score:.2f}', place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, FOUND, 1)
    if look.ground is not None:
        x, y = look.ground.position
        text = f'{x:+.2f} {y:+.2f} m'
        cv2.putText(drawn, text, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ON_GROUND, 1)
    return drawn


def _told(look: Look) -> str:
    balls = ', '.join(
        f'ball at {find.centre[0]:.0f} {find.centre[1]:.0f}, radius {find.radius:.0f}, '
        f'score {find.score:.2f}'
        for find in look.finds
    )
    ground = look.ground
    place = ''
    if ground is not None:
        x, y = ground.position
        place = f'; on the ground {x:.2f} m ahead, {y:.2f} m to the left'
    return f'{look.name}: {balls or "no ball"}{place}'


def _camera(robot: str, name: str) -> CameraModel:
    profile = RobotProfile.load(robot)
    known = {'camera': profile.camera, **profile.cameras}
    mount = known.get(LOWER if name == 'lower_camera' else name)
    if mount is None:
        names = ', '.join(name for name in known if name not in (FIRST, LOWER))
        raise GudaError(f'{robot} has no {name!r}: {names} or, if it has two, lower_camera')
    return CameraModel.from_mount(mount)


def _scaled(camera: CameraModel, bgr: np.ndarray, path: Path) -> CameraModel:
    """Return a camera whose pictures have this size; GudaError if they have another shape."""
    height, width = bgr.shape[:2]
    ratio = width / camera.width
    if abs(height - camera.height * ratio) > 1:
        raise GudaError(
            f'{path}: pictures of {width}x{height} are not those of a camera of '
            f'{camera.width}x{camera.height}: another --robot or --camera'
        )
    return replace(
        camera,
        width=width,
        height=height,
        focal=(camera.focal[0] * ratio, camera.focal[1] * ratio),
        centre=tuple((value + 0.5) * ratio - 0.5 for value in camera.centre),
    )
