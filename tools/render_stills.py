"""Draw every robot, field and ball profile of config/ into docs/images, for docs/profiles.md."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import cv2
import numpy as np

from guda_ros.config.files import config_directories
from guda_ros.sim.rendering.stills import field_view, portrait
from guda_ros.soccer.field import Ball, Field
from guda_ros.soccer.robot import RobotProfile

#: The robot that is drawn on a field, unless it is a NAO.
ROBOT_OF = {'kid_size': 'robotis_op3'}


def names(kind: str) -> list[str]:
    """Return the names of the profiles of a kind."""
    return sorted(file.stem for file in (config_directories()[0] / kind).glob('*.yaml'))


def balls(size: int) -> np.ndarray:
    """Draw all balls beside the feet of a NAO, one picture a ball."""
    robot, field = RobotProfile.load('nao_v6'), Field.load('spl')
    pictures = [
        portrait(robot, size, size, dataclasses.replace(field, ball=Ball.load(name)))
        for name in names('balls')
    ]
    return np.concatenate(pictures, axis=1)


def overview(pictures: dict[str, np.ndarray], width: int) -> np.ndarray:
    """Return the robots in one row over the fields in another, `width` pixels wide."""
    rows = []
    for kind in ('robot_', 'field_'):
        chosen = [image for name, image in pictures.items() if name.startswith(kind)]
        row = np.concatenate(chosen, axis=1)
        size = (width, round(width * row.shape[0] / row.shape[1]))
        rows.append(cv2.resize(row, size, interpolation=cv2.INTER_AREA))
    return np.concatenate(rows)


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=Path('docs/images'), metavar='DIR')
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    pictures = {
        f'robot_{name}': portrait(RobotProfile.load(name), 480, 480) for name in names('robots')
    }
    for name in names('fields'):
        robot = RobotProfile.load(ROBOT_OF.get(name, 'nao_v6'))
        pictures[f'field_{name}'] = field_view(Field.load(name), robot, 800, 450)
    pictures['profiles'] = overview(pictures, 1280)
    pictures['balls'] = balls(240)
    for name, image in pictures.items():
        file = out / f'{name}.jpg'
        cv2.imwrite(str(file), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
        print(f'{file}: {file.stat().st_size / 1000:.0f} kB')


if __name__ == '__main__':
    main()
