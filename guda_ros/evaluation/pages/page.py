"""
What pages of results share: the look, numbers in words, strict JSON, files that are whole.

A page is one HTML file that needs only a browser: no script, nothing from the network, pictures
and films as data URIs.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
import math
from pathlib import Path
import sys
from typing import Any, NamedTuple

import numpy as np

from guda_ros.data.files import atomic_target


class ReportFiles(NamedTuple):
    """The files of a report."""

    html: Path
    json: Path


def render(template: str, **values: Any) -> str:
    """Return a page made of a template in `templates/`."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / 'templates'),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(percent=percent, seconds=seconds, minutes=minutes, count=count)
    return environment.get_template(template).render(**values)


def environment_versions() -> dict[str, str]:
    """Return the versions of Python and of the installed packages that results depend on."""
    from importlib.metadata import PackageNotFoundError, version

    names = (
        'guda_ros',
        'mujoco',
        'torch',
        'numpy',
        'opencv-python-headless',
        'onnxruntime',
        'minari',
        'rosbags',
        'ros-rclpy',
        'rclpy',
    )
    found = {'python': '.'.join(map(str, sys.version_info[:3]))}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    if 'ros-rclpy' in found:
        found.pop('rclpy', None)
    return found


def finite(value: Any) -> Any:
    """Return a value as strict JSON knows it: NumPy becomes plain, NaN and infinity None."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return finite(value.tolist())
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, np.generic):
        return finite(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)


def percent(value: float | None) -> str:
    """Return a share in percent."""
    return 'unknown' if value is None else f'{100 * value:.1f}\u202f%'


def seconds(value: float | None) -> str:
    """Return a time with three digits or so."""
    if value is None or not math.isfinite(value):
        return '–'
    return (
        f'{value:.2f}\u202fs'
        if value < 1
        else f'{value:.1f}\u202fs'
        if value < 100
        else f'{value:.0f}\u202fs'
    )


def minutes(value: float | None) -> str:
    """Return a time in seconds or minutes."""
    if value is None:
        return 'unknown'
    return f'{value:.0f}\u202fs' if value < 90 else f'{value / 60:.1f}\u202fminutes'


def count(value: int) -> str:
    """Return a number with its thousands apart."""
    return f'{value:,}'.replace(',', '\u202f')


def data_uri(kind: str, content: bytes) -> str:
    """Return content of a MIME type as an address that holds it."""
    return f'data:{kind};base64,{base64.b64encode(content).decode()}'


def write(path: Path, text: str) -> None:
    """Write a text in one step."""
    with atomic_target(path) as temporary:
        temporary.write_text(text, encoding='utf-8')
