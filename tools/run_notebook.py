"""
Execute the cells of a notebook in order, in one process, and keep what they print and draw.

What Jupyter would show, without Jupyter: text on stdout, and the figures of pyplot that are open
at the end of a cell. Nothing is written if a cell raises.
"""

from __future__ import annotations

import argparse
import base64
from contextlib import redirect_stdout
import io
import json
import os
from pathlib import Path
import sys

STORY = Path(__file__).resolve().parents[1] / 'examples/the_whole_story.ipynb'
#: Of the pictures, which are small.
DPI, COLOURS = 80, 256


def as_lines(text: str) -> list[str]:
    """Return text as a notebook holds it."""
    return text.splitlines(keepends=True)


def pictures() -> list[dict]:
    """Return the open figures as outputs, and close them."""
    from matplotlib import pyplot
    from PIL import Image

    outputs = []
    for number in pyplot.get_fignums():
        drawn, small = io.BytesIO(), io.BytesIO()
        pyplot.figure(number).savefig(drawn, dpi=DPI, bbox_inches='tight')
        # The method that keeps a rare colour: a ball is a few pixels.
        picture = Image.open(drawn).convert('RGB').quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
        picture.save(small, 'png', optimize=True)
        data = {
            'image/png': base64.b64encode(small.getvalue()).decode(),
            'text/plain': ['<Figure>'],
        }
        outputs.append({'output_type': 'display_data', 'data': data, 'metadata': {}})
    pyplot.close('all')
    return outputs


def execute(notebook: dict, say=print) -> None:
    """Run the code cells of a notebook, whose outputs and counts are replaced."""
    names = {'__name__': '__main__'}
    cells = [cell for cell in notebook['cells'] if cell['cell_type'] == 'code']
    for number, cell in enumerate(cells, 1):
        say(f'cell {number} of {len(cells)}')
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(''.join(cell['source']), f'cell {number}', 'exec'), names)
        text = as_lines(printed.getvalue())
        stream = [{'output_type': 'stream', 'name': 'stdout', 'text': text}] if text else []
        cell['execution_count'], cell['outputs'] = number, stream + pictures()


def main() -> None:
    """Execute a notebook and write it."""
    parser = argparse.ArgumentParser(description=__doc__.strip().partition('\n')[0])
    parser.add_argument('notebook', type=Path, nargs='?', default=STORY)
    parser.add_argument('--out', type=Path, help='file to write, by default the notebook itself')
    args = parser.parse_args()
    os.environ['MPLBACKEND'] = 'agg'
    sys.path.insert(0, str(STORY.parents[1]))
    notebook = json.loads(args.notebook.read_text(encoding='utf-8'))
    execute(notebook)
    out = args.out or args.notebook
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + '\n'
    out.write_text(text, encoding='utf-8')
    print(f'{out}: {len(text.encode()) / 1000:.0f} kB')


if __name__ == '__main__':
    main()
