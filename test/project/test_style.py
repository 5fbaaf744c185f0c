"""The Python files follow the ROS style and are typed as pyproject.toml says."""

import ast
import importlib.util
from pathlib import Path
import re
import shutil
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


def test_make_lint_runs_the_type_checker():
    rules = dict(
        re.findall(r'^([a-z-]+):(.*(?:\n\t.*)*)', (ROOT / 'Makefile').read_text(), re.MULTILINE)
    )
    for command in ('ruff format --check', 'ruff check', 'mypy'):
        assert command in rules['lint']


@pytest.mark.parametrize('fails', ['ruff', 'mypy', 'python', ''])
@pytest.mark.parametrize('target', ['test', 'test-all'])
def test_make_test_runs_tests_and_make_lint_and_fails_if_one_does(tmp_path, fails, target):
    shutil.copy(ROOT / 'Makefile', tmp_path)
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'tools' / 'setup.sh').touch()
    programs = tmp_path / '.venv' / 'bin'
    programs.mkdir(parents=True)
    for name in ('ruff', 'mypy', 'python'):
        program = programs / name
        program.write_text(f'#!/bin/sh\necho "{name} says $@"\nexit {int(name == fails)}\n')
        program.chmod(0o755)
    result = subprocess.run(
        ['make', '-C', tmp_path, target], capture_output=True, text=True, timeout=60, check=False
    )
    assert 'python says -m pytest' in result.stdout
    assert bool(result.returncode) == bool(fails), result.stdout + result.stderr
    if fails:
        assert f'{fails} says' in result.stdout


def untyped(tree):
    """Return line and name of the public functions, methods included, that lack an annotation."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith('_'):
            yield from untyped(node)
        elif isinstance(node, ast.FunctionDef) and (
            not node.name.startswith('_') or node.name == '__init__'
        ):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = [a for a in arguments if a.annotation is None and a.arg not in ('self', 'cls')]
            if bare or (node.returns is None and node.name != '__init__'):
                yield node.lineno, node.name


def test_every_public_function_says_what_it_takes_and_returns():
    found = [
        f'{path.relative_to(ROOT)}:{line}: {name}'
        for path in sorted((ROOT / 'guda_ros').rglob('*.py'))
        for line, name in untyped(ast.parse(path.read_text(encoding='utf-8')))
    ]
    assert not found, '\n' + '\n'.join(found)


def test_the_search_for_untyped_functions_finds_them():
    text = (
        'def a(x): pass\ndef b(x: int): pass\ndef c(x: int) -> int: pass\n'
        'class D:\n def e(self): pass'
    )
    assert [name for _, name in untyped(ast.parse(text))] == ['a', 'b', 'e']
