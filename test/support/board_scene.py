"""Boards before a camera: the picture of a board, traced through the lens of a CameraModel."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from guda_ros.identification.cameras.boards import Board
from guda_ros.perception.camera import CameraModel
from guda_ros.soccer.robot import CameraMount

#: Pixels of the board that make a square, and rays through a pixel of the camera along an axis.
_PIXELS, _RAYS = 60, 2


class Studio:
    """
    A camera with a known lens, and boards that are held before it.

    :param focal: [pixels]. :param centre: principal point [pixels]. :param distortion: k1 to k3.
    """

    def __init__(
        self,
        focal: float = 600.0,
        centre: tuple[float, float] = (331.0, 228.0),
        distortion: tuple[float, ...] = (-0.28, 0.09, 0.001, -0.0008, 0.0),
        size: tuple[int, int] = (640, 480),
    ) -> None:
        fov = float(2 * np.arctan(size[1] / 2 / focal))
        self.mount = CameraMount(
            *size, fov, (0.0, 0.0, 0.5), 0.5, distortion=distortion, principal_point=centre
        )
        self.camera = CameraModel.from_mount(self.mount)
        self.truth = np.array([focal, *centre, *distortion])

    def picture(
        self,
        board: Board,
        turn: np.ndarray,
        move: np.ndarray,
        rng: np.random.Generator,
        bulge: float = 0.0,
        blur: float = 0.6,
        noise: float = 2.0,
    ) -> np.ndarray:
        """
        Return what the camera sees, BGR uint8.

        :param turn: rotation vector (3,), :param move: (3,) [m], of the board as the lens sees it.
        :param bulge: how far the board's middle is lifted [m] off its left and right edges.
        :param blur: standard deviation [pixels]; :param noise: of a pixel, of 255.
        """
        rotation = cv2.Rodrigues(np.asarray(turn, dtype=np.float64))[0]
        rays = _rays(self.mount)
        lift = np.zeros(rays.shape[:2])
        for _ in range(4 if bulge else 1):
            distance = (rotation[:, 2] @ move + lift) / (rays @ rotation[:, 2])
            place = (rays * distance[..., None] - move) @ rotation[:, :2]
            lift = bulge * (1 - (2 * place[..., 0] / board.size[0] - 1) ** 2)
        drawn = cv2.copyMakeBorder(
            _drawn(board), *[_PIXELS] * 4, borderType=cv2.BORDER_CONSTANT, value=255
        )
        where = ((place / board.square + 1) * _PIXELS - 0.5).astype(np.float32)
        where[~(distance > 0)] = -1e4
        grey = cv2.remap(drawn, where, None, cv2.INTER_LINEAR, borderValue=90)
        size = (self.camera.width, self.camera.height)
        grey = 30 + 0.75 * cv2.resize(grey.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        if blur:
            grey = cv2.GaussianBlur(grey, (0, 0), blur)
        grey += rng.normal(0, noise, grey.shape)
        return cv2.cvtColor(grey.clip(0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)

    def pose(
        self,
        board: Board,
        rng: np.random.Generator,
        tilt: tuple[float, float] = (12.0, 40.0),
        size: tuple[float, float] = (0.5, 1.1),
        reach: float = 0.7,
    ) -> tuple[np.ndarray, np.ndarray]:
        """
        Return turn and move of a board somewhere in view.

        :param tilt: angles [degrees]. :param size: width of the board, of the picture's.
        :param reach: how much of the picture its middle may be in.
        """
        camera = self.camera
        low, high = (1 - reach) / 2, (1 + reach) / 2
        pixel = rng.uniform(low, high, 2) * [camera.width, camera.height]
        ray = camera.rays(pixel) @ camera.rotation.T
        middle = ray / ray[2] * board.size[0] * camera.focal[0] / camera.width / rng.uniform(*size)
        axis = rng.normal(size=3) * [1.0, 1.0, 0.4]
        turn = axis / np.linalg.norm(axis) * np.radians(rng.uniform(*tilt))
        return turn, middle - cv2.Rodrigues(turn)[0] @ [board.size[0] / 2, board.size[1] / 2, 0.0]

    def pictures(
        self, board: Board, count: int, seed: int, held: dict | None = None, **seen: float
    ) -> list[np.ndarray]:
        """Return pictures of a board that is held here and there; arguments of the other two."""
        rng = np.random.default_rng(seed)
        return [
            self.picture(board, *self.pose(board, rng, **(held or {})), rng, **seen)
            for _ in range(count)
        ]


@lru_cache(maxsize=4)
def _drawn(board: Board) -> np.ndarray:
    return board.picture(_PIXELS)


@lru_cache(maxsize=4)
def _rays(mount: CameraMount) -> np.ndarray:
    """Return rays (height * _RAYS, width * _RAYS, 3) with z = 1 in the optical frame."""
    camera = CameraModel.from_mount(mount)
    within = (np.arange(_RAYS) + 0.5) / _RAYS - 0.5
    columns, rows = (
        np.add.outer(np.arange(n), within).ravel() for n in (mount.width, mount.height)
    )
    pixels = np.stack(np.meshgrid(columns, rows), axis=-1)
    rays = camera.rays(pixels) @ camera.rotation.T
    return rays / rays[..., 2:]
