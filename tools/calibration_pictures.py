#!/usr/bin/env python3
"""Draw the pictures of docs/calibration.md: a lens by a board, a mount by lines in the twin."""

from __future__ import annotations

import json
from pathlib import Path
import sys
import tempfile

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'test/support')]

from board_scene import Studio  # noqa: E402
from mount_scene import Twin, wrong  # noqa: E402

from guda_ros.identification.cameras.boards import Board  # noqa: E402
from guda_ros.workflows.calibration.lens import calibrate_camera  # noqa: E402
from guda_ros.workflows.calibration.mount import calibrate_mount  # noqa: E402

IMAGES = ROOT / 'docs/images'


def main() -> None:
    """Draw both."""
    with tempfile.TemporaryDirectory() as temporary:
        board = Path(temporary) / 'board'
        board.mkdir()
        for number, bgr in enumerate(Studio().pictures(Board(), 18, 3)):
            cv2.imwrite(str(board / f'{number:02}.png'), bgr)
        plot = IMAGES / 'calibration_lens.jpg'
        calibrate_camera(board, camera='lower_camera', plot=plot, overwrite=True)
        print(plot)
        heads = Path(temporary) / 'heads'
        heads.mkdir()
        twin = Twin(wrong(0.03, -0.012), 0.04)
        views = []
        for sight in twin.look_around(np.array([3.1, 0.4, 0.2])):
            name = f'{sight.name}.png'
            cv2.imwrite(str(heads / name), sight.bgr)
            views.append({'image': name, 'pan': sight.pan, 'tilt': sight.tilt})
        twin.close()
        (heads / 'views.yaml').write_text(json.dumps({'views': views}), encoding='utf-8')
        plot = IMAGES / 'calibration_mount.jpg'
        calibrate_mount(
            heads, camera='lower_camera', poses=[(3.1, 0.4, 0.2)], plot=plot, overwrite=True
        )
        print(plot)


if __name__ == '__main__':
    main()
