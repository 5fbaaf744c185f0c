"""The set-up says what is missing before it spends minutes, and leaves no half environment."""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import subprocess

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    not (ROOT / 'tools' / 'setup.sh').is_file(), reason='the tests run outside of a checkout'
)


@pytest.fixture
def checkout(tmp_path):
    """Return a checkout without .venv, in a folder with a space in its name."""
    folder = tmp_path / 'a checkout'
    folder.mkdir()
    for name in ('tools', 'requirements'):
        shutil.copytree(ROOT / name, folder / name)
    for name in ('Makefile', 'setup.py', 'pyproject.toml'):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def commands(tmp_path):
    """Return a function that puts a command in front of the system's."""
    folder = tmp_path / 'bin'
    folder.mkdir()

    def add(name: str, script: str) -> None:
        (folder / name).write_text(f'#!/bin/sh\n{script}\n', encoding='utf-8')
        (folder / name).chmod(0o755)

    add.folder = folder
    return add


def set_up(checkout, commands, **variables):
    path = f'{commands.folder}{os.pathsep}{os.environ["PATH"]}'
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(('MAKE', 'MFLAGS', 'PYTHON'))
    }
    return subprocess.run(
        ['bash', 'tools/setup.sh'],
        cwd=checkout,
        env={**environment, 'PATH': path, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def no_graphics(tmp_path):
    """Return the environment of a machine whose OpenGL libraries do not load."""
    folder = tmp_path / 'broken'
    folder.mkdir()
    for name in ('libEGL.so.1', 'libOSMesa.so.8'):
        (folder / name).write_text('not a library', encoding='utf-8')
    return {'LD_LIBRARY_PATH': str(folder)}


def test_a_python_that_does_not_fit_is_refused(checkout, commands):
    result = set_up(checkout, commands, PYTHON='/bin/false')
    assert result.returncode == 1
    assert 'PYTHON=/bin/false is not a Python 3.11 to 3.13' in result.stderr
    assert not (checkout / '.venv').exists()


def test_a_machine_without_wheels_is_told_the_other_way(checkout, commands):
    commands('uname', '[ "$1" = -m ] && echo aarch64 || echo Linux')
    result = set_up(checkout, commands)
    assert result.returncode == 1
    assert 'aarch64' in result.stderr and 'docs/installation.md' in result.stderr


def test_a_user_gets_one_line_that_installs_all_that_is_missing(checkout, commands, no_graphics):
    commands('id', 'echo 1000')
    commands('apt-get', 'echo apt-get was called; exit 1')
    result = set_up(checkout, commands, **no_graphics)
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if 'apt-get install' in line]
    assert len(lines) == 1
    assert lines[0].endswith('libegl1 libopengl0 libgl1-mesa-dri')
    assert 'apt-get was called' not in result.stdout + result.stderr
    assert not (checkout / '.venv').exists()


def test_root_gets_the_packages_installed_with_fresh_lists_when_needed(
    checkout, commands, no_graphics, tmp_path
):
    log = tmp_path / 'calls'
    commands('id', 'echo 0')
    # The first install finds no package lists; the one after the update works.
    commands('apt-get', f'echo "$1" >>"{log}"; [ "$1" = update ] || [ $(wc -l <"{log}") -gt 1 ]')
    result = set_up(checkout, commands, **no_graphics)
    assert log.read_text(encoding='utf-8').split() == ['install', 'update', 'install']
    # The libraries still do not load, so it stops there.
    assert result.returncode == 1
    assert 'cannot draw without a display' in result.stderr
    assert not (checkout / '.venv').exists()


def test_make_help_lists_the_targets():
    result = subprocess.run(['make', 'help'], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = {line.split()[0] for line in result.stdout.splitlines() if line[:1].isalpha()}
    assert {'help', 'setup', 'demo', 'test', 'test-all', 'lint', 'clean'} <= targets


def test_continuous_integration_runs_make_test():
    script = ROOT / '.ci' / 'run'
    assert os.access(script, os.X_OK)
    assert 'make test' in script.read_text(encoding='utf-8')


def test_githubs_workflow_runs_what_continuous_integration_runs():
    text = (ROOT / '.github' / 'workflows' / 'tests.yml').read_text(encoding='utf-8')
    jobs = yaml.safe_load(text)['jobs']
    commands = [step['run'] for job in jobs.values() for step in job['steps'] if 'run' in step]
    assert {'.ci/run', 'make docs', 'python -m build'} <= set(commands)
    assert jobs['test']['strategy']['matrix']['python'] == ['3.11', '3.12']
    assert '{{ secrets' not in text


def test_the_hooks_before_a_commit_are_the_tools_of_make_lint():
    text = (ROOT / '.pre-commit-config.yaml').read_text(encoding='utf-8')
    hooks = [hook for repo in yaml.safe_load(text)['repos'] for hook in repo['hooks']]
    assert all(hook['language'] == 'system' for hook in hooks)
    assert [hook['entry'].split()[0] for hook in hooks] == ['.venv/bin/ruff'] * 2 + [
        '.venv/bin/mypy'
    ]
