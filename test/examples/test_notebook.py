"""The notebook was executed as it stands, and its cells still run."""

import json
import os
from pathlib import Path
import re
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / 'examples/the_whole_story.ipynb'
RUNNER = ROOT / 'tools/run_notebook.py'


def cells_of(path):
    """Return the cells of a notebook that hold code."""
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    return [cell for cell in cells if cell['cell_type'] == 'code']


def kinds(cell):
    """Return what kinds of output a cell has, in order."""
    return [
        output['name'] if output['output_type'] == 'stream' else sorted(output['data'])
        for output in cell['outputs']
    ]


def execute(*arguments):
    """Run tools/run_notebook.py with little of everything, in a process of its own."""
    return subprocess.run(
        [sys.executable, str(RUNNER), *map(str, arguments)],
        env={**os.environ, 'GUDA_NOTEBOOK_SMALL': '1', 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def test_the_notebook_was_executed_in_order_and_shows_text_and_pictures():
    cells = cells_of(NOTEBOOK)
    assert 5 < len(cells) <= 10
    assert [cell['execution_count'] for cell in cells] == list(range(1, len(cells) + 1))
    assert all(cell['outputs'] for cell in cells)
    assert sum('image/png' in kind for cell in cells for kind in kinds(cell)) >= 5
    # Neither an error nor a warning.
    assert {output['output_type'] for c in cells for output in c['outputs']} == {
        'stream',
        'display_data',
    }
    assert all('stderr' not in kinds(cell) for cell in cells)


def test_the_notebook_is_small_and_of_the_format_that_jupyter_reads():
    text = NOTEBOOK.read_text(encoding='utf-8')
    assert len(text.encode()) < 1_000_000
    notebook = json.loads(text)
    assert (notebook['nbformat'], notebook['nbformat_minor']) == (4, 5)
    assert notebook['metadata']['kernelspec']['language'] == 'python'
    names = [cell['id'] for cell in notebook['cells']]
    assert len(set(names)) == len(names) and all(re.fullmatch('[-a-z0-9]+', n) for n in names)
    # No cell of code without words before it.
    order = [cell['cell_type'] for cell in notebook['cells']]
    assert order == ['markdown', 'code'] * order.count('code') + ['markdown']


def test_links_of_the_notebook_lead_somewhere():
    cells = json.loads(NOTEBOOK.read_text(encoding='utf-8'))['cells']
    text = '\n'.join(''.join(cell['source']) for cell in cells if cell['cell_type'] == 'markdown')
    links = re.findall(r'\]\(([^)#]+)', text)
    assert len(links) > 5
    assert [link for link in links if not (NOTEBOOK.parent / link).exists()] == []


def test_what_the_notebook_shows_was_not_made_with_little_of_everything():
    shown = ''.join(
        line
        for cell in cells_of(NOTEBOOK)
        for output in cell['outputs']
        for line in output.get('text', ())
    )
    (sizes,) = re.findall(
        r'else \((\d+), ([\d_]+), ([\d_]+), (\d+), (\d+)\)',
        ''.join(cells_of(NOTEBOOK)[0]['source']),
    )
    demonstrations, made, updates, seeds, starts = map(int, sizes)
    assert f'became {made} transitions' in shown
    assert f'guided: {seeds} networks, {updates} updates each' in shown
    assert f'of {seeds * starts} episodes' in shown
    assert f'\n{demonstrations}: ' in shown
    assert '/tmp' not in shown


@pytest.mark.needs('torch', 'mujoco', 'onnx', 'minari', 'matplotlib', 'PIL', 'drawing')
def test_the_cells_run_today_and_show_outputs_of_the_same_kinds(tmp_path):
    out = tmp_path / 'again.ipynb'
    result = execute('--out', out)
    assert result.returncode == 0, result.stderr[-2000:]
    again, before = cells_of(out), cells_of(NOTEBOOK)
    assert [cell['source'] for cell in again] == [cell['source'] for cell in before]
    assert [kinds(cell) for cell in again] == [kinds(cell) for cell in before]


@pytest.mark.needs('matplotlib')
def test_a_cell_that_raises_leaves_the_notebook_as_it_was(tmp_path):
    path = tmp_path / 'broken.ipynb'
    cell = {'cell_type': 'code', 'execution_count': None, 'outputs': [], 'source': ['1 / 0']}
    path.write_text(json.dumps({'cells': [cell]}))
    before = path.read_bytes()
    result = execute(path)
    assert result.returncode == 1 and 'ZeroDivisionError' in result.stderr
    assert 'cell 1' in result.stderr and path.read_bytes() == before
