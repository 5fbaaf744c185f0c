"""
Families of what a rendered scene is made of, divided by name: no training sees those of the test.

A family is a way of making things (a ball print, a turf, a light, a camera, a robot, a backdrop)
with its own random values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import math

import numpy as np

from guda_ros.soccer.robot import CameraMount


@dataclass(frozen=True)
class Families:
    """Names of the families that a generator draws from, by kind."""

    prints: tuple[str, ...]
    turfs: tuple[str, ...]
    lights: tuple[str, ...]
    cameras: tuple[str, ...]
    robots: tuple[str, ...]
    backdrops: tuple[str, ...]

    def disjoint(self, other: Families) -> bool:
        """Tell whether no name is in both, of any kind."""
        return not any(set(mine) & set(vars(other)[kind]) for kind, mine in vars(self).items())


TRAINING = Families(
    prints=('pentagons', 'swirls', 'spots', 'plain', 'stripes', 'halves', 'splashes', 'foam'),
    turfs=('fibres', 'mottled', 'mown', 'felt'),
    lights=('hall', 'sun', 'dim', 'lamps'),
    cameras=('low', 'middle', 'high', 'wide', 'looking_down'),
    robots=('blocks', 'capsules', 'people', 'nao'),
    backdrops=('boards', 'wall', 'crowd', 'windows'),
)
TEST = Families(
    prints=('hexagons', 'rings', 'panels'),
    turfs=('clumps', 'worn_carpet'),
    lights=('window_side', 'evening'),
    cameras=('nao_bottom', 'nao_top', 'op3', 'booster'),
    robots=('figure_booster', 'figure_op3'),
    backdrops=('tents', 'pillars'),
)
SPLITS = {'training': TRAINING, 'test': TEST}

#: Height of the optical centre [m], vertical field of view and pitch (down) [degrees], as ranges,
#: and the size of the picture [pixels]. Those of the test are robots': NAO V6 (Aldebaran, 2D
#: cameras: 43.7 degrees, mounts of 39.7 and 1.2 degrees; the head tilts by -38 to 29), OP3 (its
#: webcam, tilted by the head), Booster T1 (its depth camera's colour sensor).
_CAMERAS: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    'low': ((0.15, 0.35), (45, 75), (-2, 30)),
    'middle': ((0.38, 0.65), (38, 70), (0, 45)),
    'high': ((0.7, 1.3), (40, 75), (5, 50)),
    'wide': ((0.3, 0.9), (75, 98), (5, 45)),
    'looking_down': ((0.35, 1.2), (40, 80), (40, 75)),
    'nao_bottom': ((0.46, 0.50), (43.7, 43.7), (12, 50)),
    'nao_top': ((0.50, 0.56), (43.7, 43.7), (0, 28)),
    'op3': ((0.44, 0.50), (42, 47), (8, 50)),
    'booster': ((1.0, 1.15), (52, 60), (12, 50)),
}


def draw_mount(name: str, rng: np.random.Generator) -> CameraMount:
    """Return a camera of a family, with a lens of its own."""
    height, fov, pitch = (float(rng.uniform(*limits)) for limits in _CAMERAS[name])
    # Wide lenses bend more; the fifth of all that hardly bends is a webcam's or a pinhole's.
    bend = 0.0 if rng.random() < 0.2 else rng.uniform(-0.28, 0.04) * (0.7 if fov > 70 else 1.0)
    size = (640, 480) if rng.random() < 0.85 else (640, 360)
    shift = rng.normal(0, 6, 2)
    return CameraMount(
        width=size[0],
        height=size[1],
        vertical_fov=math.radians(fov),
        position=(rng.uniform(0.0, 0.08), 0.0, height),
        pitch=math.radians(pitch),
        distortion=(bend, -0.25 * bend, *rng.normal(0, 0.0007, 2), 0.0),
        principal_point=((size[0] - 1) / 2 + shift[0], (size[1] - 1) / 2 + shift[1]),
    )


def turned_mount(name: str, mount: CameraMount, rng: np.random.Generator) -> CameraMount:
    """Return a camera of a family with the same lens at another height and pitch."""
    height, _, pitch = (float(rng.uniform(*limits)) for limits in _CAMERAS[name])
    return replace(mount, position=(*mount.position[:2], height), pitch=math.radians(pitch))
