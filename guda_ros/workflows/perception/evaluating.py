"""Judge the ball networks on labelled pictures or renders, and write a page about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from guda_ros.arguments import as_folder, as_path
from guda_ros.errors import GudaError, naming_extras
from guda_ros.evaluation.pages.page import ReportFiles
from guda_ros.perception.ball_network import BallNetwork, WEIGHTS
from guda_ros.perception.encodings import read_picture
from guda_ros.workflows.progress import Say, silent

if TYPE_CHECKING:
    from guda_ros.perception_training.judging import Judged

#: The worst cases that a page shows, and the width of their pictures [pixels].
_CASES, _WIDTH = 12, 300


@naming_extras()
def evaluate_perception(
    folder: str | Path,
    out: str | Path,
    *,
    series: tuple[str, ...] = (),
    weights: str | Path = WEIGHTS,
    say: Say = silent,
) -> tuple[dict, ReportFiles]:
    """
    Judge the ball networks on labelled pictures, as `guda perceive evaluate` does.

        numbers, page = guda_ros.evaluate_perception('humanoid_ball', 'runs/mine/eyes')
        print(numbers['all']['ap'])

    :param folder: pictures with `.txt` files of boxes; of renders (`frames.jsonl`), places on the
        ground are judged too.
    :param series: only these, by default all. :param weights: folder of the networks.
    :param out: folder for report.html and report.json.
    :return: numbers, and the files of the page.
    :raises GudaError: if there are no labelled pictures, or a series is unknown.
    """
    from guda_ros.evaluation.pages.perception import build_perception_report
    from guda_ros.perception_training import judging
    from guda_ros.perception_training.labelled import read_folder
    from guda_ros.perception_training.renders import read_renders

    folder, out = as_path(folder, 'folder'), as_folder(out, 'out')
    pictures = read_folder(folder)
    known = sorted({picture.series for picture in pictures})
    unknown = set(series) - set(known)
    if unknown:
        raise GudaError(
            f'{folder}: no series {", ".join(sorted(unknown))}; there are {", ".join(known)}'
        )
    pictures = [picture for picture in pictures if not series or picture.series in series]
    network = BallNetwork(as_path(weights, 'weights'))

    def report(number: int) -> None:
        if number % 200 == 0:
            say(f'{number} of {len(pictures)} pictures')

    judged = judging.judge_pictures(network, pictures, report)
    numbers = judging.summary(judged)
    numbers |= {'folder': folder.name, 'weights': network.about}
    if (folder / 'frames.jsonl').exists() and not series:
        measured = judging.measure_renders(network, read_renders(folder))
        numbers['ground'] = judging.renders_summary(measured)
    cases = [
        {'text': text, 'name': case.path.name, 'series': case.series, 'picture': _drawn(case)}
        for text, case in judging.worst(judged, numbers['threshold'], _CASES)
    ]
    return numbers, build_perception_report(numbers, cases, out)


def _drawn(case: Judged) -> bytes:
    """Return a small JPEG with the balls that there are, green, and finds, magenta."""
    bgr = read_picture(case.path)
    for boxes, colour in (
        (case.boxes, (80, 255, 80)),
        (np.array([find.box for find in case.finds]).reshape(-1, 4), (255, 0, 255)),
    ):
        for box in np.round(boxes).astype(int):
            cv2.rectangle(bgr, tuple(box[:2] - 3), tuple(box[2:] + 3), colour, 2)
    scale = _WIDTH / bgr.shape[1]
    small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode('.jpg', small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
