"""Write rendered pictures with labels to a folder, and read them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
import json
import math
import os
from pathlib import Path
import time
from typing import Any

import cv2
import numpy as np

from guda_ros.data.files import atomic_target, write_json
from guda_ros.errors import GudaError
from guda_ros.perception.camera import CameraModel
from guda_ros.perception_training.families import SPLITS
from guda_ros.perception_training.labelled import SEEN, write_boxes

#: Pictures written at once, after which an interrupted run goes on.
_BLOCK = 24


@dataclass(frozen=True)
class Render:
    """
    A rendered picture on disk.

    :param path: of the picture.
    :param box: (4,) left, top, right, bottom of the ball [pixels], None without one.
    :param seen: share of the ball's outline that is seen.
    :param place: (2,) of the ball in base_link [m], None without one.
    """

    path: Path
    camera: CameraModel
    radius: float
    box: np.ndarray | None
    seen: float
    place: np.ndarray | None
    families: dict[str, str]

    @property
    def cut(self) -> bool:
        """Whether the border of the picture cuts the ball; not of a picture without one."""
        if self.box is None:
            return False
        size = np.array([self.camera.width, self.camera.height])
        return bool((self.box[:2] < 1).any() or (self.box[2:] > size - 2).any())


def write_renders(
    folder: str | os.PathLike[str],
    split: str,
    count: int,
    seed: int = 1,
    report: Callable[[int, float], None] | None = None,
) -> float:
    """
    Write pictures 0 to `count` of a split's families; what is there already is kept.

    A picture is `frame_NNNNNN.jpg` with its boxes in a `.txt` of the same name (see
    guda_ros.perception_training.labelled); `frames.jsonl` says camera, place and families, and
    `scenes.json` of which split and seed they are.

    :param folder: for them. :param count: how many the folder is to hold.
    :param split: `training` or `test`. :param seed: of the scenes.
    :param report: is called with the pictures that there are and pictures a second.
    :return: pictures a second of this call, NaN if none was missing.
    :raises GudaError: if the split is unknown, the folder has pictures of another split or seed,
        or nothing can be drawn.
    """
    from guda_ros.perception_training.scenes import SceneRenderer

    if split not in SPLITS:
        raise GudaError(f'unknown split {split!r}: {" or ".join(SPLITS)} is expected')
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / 'frames.jsonl'
    _require_same(folder, {'split': split, 'seed': seed})
    lines = index.read_text(encoding='utf-8').splitlines() if index.exists() else []
    start, done, begin = len(lines), 0, time.perf_counter()
    if start >= count:
        return math.nan
    with SceneRenderer(SPLITS[split], seed, _BLOCK) as renderer:
        for number in range(start, count):
            frame = renderer.frame(number)
            name = f'frame_{number:06}'
            cv2.imwrite(str(folder / f'{name}.jpg'), frame.image, [cv2.IMWRITE_JPEG_QUALITY, 95])
            boxes = [frame.box] if frame.box is not None and frame.seen >= SEEN else []
            size = frame.image.shape[1], frame.image.shape[0]
            write_boxes(folder / f'{name}.txt', boxes, size)
            camera = frame.camera
            lines.append(
                json.dumps(
                    {
                        'name': name,
                        'size': size,
                        'focal': camera.focal,
                        'centre': camera.centre,
                        'position': camera.position.tolist(),
                        'rotation': camera.rotation.tolist(),
                        'distortion': camera.distortion and list(camera.distortion),
                        'radius': frame.radius,
                        'place': None if frame.place is None else frame.place.tolist(),
                        'box': None if frame.box is None else frame.box.tolist(),
                        'seen': round(frame.seen, 3),
                        'families': frame.families,
                    }
                )
            )
            done += 1
            if (number + 1) % _BLOCK == 0 or number + 1 == count:
                with atomic_target(index) as temporary:
                    temporary.write_text('\n'.join(lines) + '\n', encoding='utf-8')
                if report:
                    report(number + 1, done / (time.perf_counter() - begin))
    return done / (time.perf_counter() - begin)


def _require_same(folder: Path, scenes: dict[str, Any]) -> None:
    """Note of which scenes a folder holds pictures; GudaError if it has those of others."""
    note = folder / 'scenes.json'
    if not note.exists():
        write_json(note, scenes)
        return
    try:
        there = json.loads(note.read_text(encoding='utf-8', errors='replace'))
    except ValueError:
        there = None
    if there != scenes:
        wanted, found = (
            f'split {told["split"]}, seed {told["seed"]}'
            if isinstance(told, dict) and {'split', 'seed'} <= told.keys()
            else 'scenes that cannot be told'
            for told in (scenes, there)
        )
        raise GudaError(
            f'{folder}: has pictures of {found}, not of {wanted}; give another folder, for mixed '
            'pictures would be taken for one set'
        )


def read_renders(folder: Path) -> Iterator[Render]:
    """Yield what `write_renders` wrote; GudaError if there is no frames.jsonl that can be read."""
    index = folder / 'frames.jsonl'
    if not index.exists():
        raise GudaError(
            f'{folder}: there is no frames.jsonl: `guda perceive train` writes renders'
        )
    lines = index.read_text(encoding='utf-8', errors='replace').splitlines()
    for number, line in enumerate(lines, 1):
        try:
            render = _read(folder, json.loads(line))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise GudaError(
                f'{index}:{number}: no picture that `guda perceive` rendered ({error}); remove '
                'the folder and render it again'
            ) from error
        yield render


def _read(folder: Path, values: dict[str, Any]) -> Render:
    width, height = values['size']
    camera = CameraModel(
        width,
        height,
        tuple(values['focal']),
        tuple(values['centre']),
        np.array(values['position']),
        np.array(values['rotation']),
        values['distortion'] and tuple(values['distortion']),
    )
    return Render(
        folder / f'{values["name"]}.jpg',
        camera,
        values['radius'],
        None if values['box'] is None else np.array(values['box']),
        values['seen'],
        None if values['place'] is None else np.array(values['place']),
        values['families'],
    )
