"""The Python files follow the ROS style as pyproject.toml says it."""

import importlib.util
from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(importlib.util.find_spec('ruff') is None, reason='ruff is not installed')
def test_ruff_finds_nothing():
    result = subprocess.run(
        [sys.executable, '-m', 'ruff', 'check', '--output-format', 'concise', '.'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, f'make lint\n{result.stdout}{result.stderr}'
