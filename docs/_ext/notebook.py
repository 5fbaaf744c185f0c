"""Markdown of a notebook: its text, its code, and what that printed and drew."""

from __future__ import annotations

import json
from pathlib import Path
import re

EXAMPLES = Path(__file__).resolve().parents[2] / 'examples'


def the_whole_story() -> str:
    """Return the notebook of the examples as a page."""
    return as_markdown(EXAMPLES / 'the_whole_story.ipynb')


def as_markdown(path: Path) -> str:
    """Return a notebook as MyST Markdown; its links to pages in docs/ lead to their neighbours."""
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    parts, title = [], ''
    for cell in cells:
        source = ''.join(cell['source'])
        if cell['cell_type'] == 'markdown':
            parts.append(source.replace('](../docs/', ']('))
            title = re.findall(r'^#+ (?:\d+\. )?(.*)$', source, re.MULTILINE)[-1]
        else:
            parts.append(f'```python\n{source}\n```')
            parts += [_shown(output, title) for output in cell['outputs']]
    return '\n\n'.join(parts) + '\n'


def _shown(output: dict, title: str) -> str:
    """Return an output: text as it was printed, a picture within the page."""
    if output['output_type'] == 'stream':
        return f'```text\n{"".join(output["text"]).rstrip()}\n```'
    picture = ''.join(output['data']['image/png']).replace('\n', '')
    return f'![Drawn by the cell above: {title}](data:image/png;base64,{picture})'
