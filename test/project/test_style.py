"""The Python files follow the ROS style and are typed as pyproject.toml says."""

import importlib.util
from pathlib import Path
import re
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(importlib.util.find_spec('ruff') is None, reason='ruff is not installed')
@pytest.mark.parametrize(
    'command',
    [['check', '--output-format', 'concise'], ['format', '--check']],
    ids=['style', 'format'],
)
def test_ruff_finds_nothing(command):
    result = subprocess.run(
        [sys.executable, '-m', 'ruff', *command, '.'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, f'make lint\n{result.stdout}{result.stderr}'


def test_make_test_begins_with_make_lint_which_runs_the_type_checker():
    rules = dict(
        re.findall(r'^([a-z-]+):(.*(?:\n\t.*)*)', (ROOT / 'Makefile').read_text(), re.MULTILINE)
    )
    assert ' lint ' in rules['test'].partition('##')[0]
    for command in ('ruff format --check', 'ruff check', 'mypy'):
        assert command in rules['lint']
