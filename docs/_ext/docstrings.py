"""Sphinx extension: code that is indented in a docstring is shown as code."""

from __future__ import annotations


def _as_code(app, what, name, thing, options, lines: list[str]) -> None:
    """Put a directive before every indented paragraph that follows one that is not."""
    result: list[str] = []
    inside = False
    for number, line in enumerate(lines):
        indented = line.startswith('    ')
        before = next((one for one in reversed(lines[:number]) if one.strip()), '')
        begins = indented and not inside and number and not lines[number - 1].strip()
        if begins and not before.startswith((' ', ':', '..', '-')):
            result += ['.. code-block:: python', '']
            inside = True
        elif line.strip() and not indented:
            inside = False
        result.append(line)
    lines[:] = result


def setup(app) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect('autodoc-process-docstring', _as_code)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
