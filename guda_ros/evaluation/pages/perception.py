"""A page about how well balls are found: numbers by series and size, and the worst cases."""

from __future__ import annotations

from collections.abc import Sequence
import json
import os
from pathlib import Path

from guda_ros.evaluation.pages import page
from guda_ros.evaluation.pages.page import data_uri, finite, ReportFiles


def build_perception_report(
    numbers: dict, cases: Sequence[dict], folder: str | os.PathLike[str]
) -> ReportFiles:
    """
    Write report.html and report.json to a folder, each in one step.

    :param numbers: of guda_ros.perception_training.judging.summary, with `folder`, and `ground`
        where places on the ground were judged.
    :param cases: the worst, each with text, name, series and picture (bytes of a JPEG).
    """
    folder = Path(folder)
    numbers = finite(numbers)
    text = page.render(
        'perception.html.j2',
        numbers=numbers,
        cases=[{**case, 'picture': data_uri('image/jpeg', case['picture'])} for case in cases],
    )
    content = json.dumps(numbers, indent=1, sort_keys=True, allow_nan=False)
    page.write(folder / 'report.json', content)
    page.write(folder / 'report.html', text)
    return ReportFiles(folder / 'report.html', folder / 'report.json')
