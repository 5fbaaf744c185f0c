"""The verbs and options of `guda`, from its parsers."""

from __future__ import annotations

import argparse
import textwrap

from tables import code, table

from guda_ros.cli.main import build_parser


def command_line() -> str:
    """Return a section for each verb and action."""
    return '\n'.join(_sections(build_parser(), depth=1))


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    actions = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(actions[0].choices) if actions else {}


def _sections(parser: argparse.ArgumentParser, depth: int) -> list[str]:
    parts = []
    if depth > 1:
        parts.append(f'{"#" * depth} {parser.prog}\n')
        parts.append(_text(parser.description))
        usage = ' '.join(parser.format_usage().removeprefix('usage: ').split())
        parts.append(f'```text\n{textwrap.fill(usage, 96, subsequent_indent="    ")}\n```\n')
        if parser.epilog:
            parts.append(f'```text\n{textwrap.dedent(parser.epilog).strip()}\n```\n')
        rows = [
            _row(parser, action)
            for action in parser._actions
            if not isinstance(action, (argparse._HelpAction, argparse._SubParsersAction))
            and action.help != argparse.SUPPRESS
        ]
        if rows:
            parts.append(table(('argument', 'default', 'meaning'), rows))
    for child in _subparsers(parser).values():
        parts += _sections(child, depth + 1)
    return parts


def _text(text: str | None) -> str:
    """Return a description: what is indented in it stays as it is, as a block of code."""
    blocks = textwrap.dedent(text or '').strip().split('\n\n')
    return (
        '\n\n'.join(
            f'```text\n{block}\n```'
            if block.startswith(' ') or '\n  ' in block
            else _escaped(block)
            for block in blocks
        )
        + '\n'
    )


def _escaped(text: str) -> str:
    return text.replace('<', r'\<').replace('*', r'\*').replace('~', r'\~')


def _row(parser: argparse.ArgumentParser, action: argparse.Action) -> tuple[str, str, str]:
    formatter = parser._get_formatter()
    metavar = formatter._format_args(action, formatter._get_default_metavar_for_optional(action))
    if action.option_strings:
        name = ', '.join(code(f'{o} {metavar}'.strip()) for o in action.option_strings)
    else:
        positional = formatter._get_default_metavar_for_positional(action)
        name = code(formatter._format_args(action, positional))
    default = '' if action.default in (None, False, argparse.SUPPRESS, [], ()) else action.default
    if isinstance(default, (list, tuple)):
        default = ' '.join(map(str, default))
    help_text = formatter._expand_help(action) if action.help else ''
    if action.choices is not None and '{' not in name:
        help_text += f' (one of {", ".join(map(str, action.choices))})'
    return name, code(default), _escaped(help_text)
