"""The documentation: pages that people reach, links, code and commands that hold."""

from __future__ import annotations

import argparse
import ast
from fnmatch import fnmatch
from html.parser import HTMLParser
import importlib.util
import json
import os
from pathlib import Path
import re
import shlex
import subprocess
import sys
from urllib.parse import unquote, urlsplit

import pytest

from guda_ros.cli.main import build_parser, COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob('*.md'), *(ROOT / 'docs').glob('*.md')])
#: Before a block of Python that is not run: it needs what the sentence around it says.
SKETCH = '<!-- a sketch, not run -->'
MARK = re.compile(r'<!-- generated: (\w+) -->')
FENCE = re.compile(r'^ *```(\w*)[^\n]*\n(.*?)^ *```', re.MULTILINE | re.DOTALL)


def text_of(path: Path) -> str:
    """Return the text of a page."""
    return path.read_text(encoding='utf-8')


def named(path: Path) -> str:
    """Return how a page is called in the names of tests."""
    return str(path.relative_to(ROOT))


class Page(HTMLParser):
    """What a page of the site refers to, and what it can be referred to by."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        """Note the links, files and identifiers of a tag."""
        values = dict(attributes)
        self.ids |= {values[key] for key in ('id', 'name') if values.get(key)}
        if tag == 'a' and values.get('href'):
            self.links.append(values['href'])
        elif tag in ('img', 'script', 'source', 'video', 'iframe') and values.get('src'):
            self.loads.append(values['src'])
        elif tag == 'link' and values.get('rel') in ('stylesheet', 'preload', 'icon'):
            self.loads.append(values['href'])


@pytest.fixture(scope='module')
def site(tmp_path_factory) -> Path:
    """Return the folder of the site, as `make docs` builds it."""
    for module in ('sphinx', 'myst_parser', 'furo', 'rclpy'):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'the module {module} is not installed')
    folder = tmp_path_factory.mktemp('docs')
    options = ['-q', '-W', '--keep-going', '-n', '-d', str(folder / 'doctrees')]
    result = subprocess.run(
        [sys.executable, '-m', 'sphinx', *options, str(ROOT / 'docs'), str(folder / 'html')],
        capture_output=True,
        text=True,
        timeout=400,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        check=False,
    )
    assert result.returncode == 0, f'make docs\n{result.stdout}{result.stderr}'
    return folder / 'html'


@pytest.fixture(scope='module')
def pages(site) -> dict[Path, Page]:
    """Return the pages of the site by file."""
    return {
        path: Page(path.read_text(encoding='utf-8'))
        for path in sorted(site.rglob('*.html'))
        if '_static' not in path.parts
    }


def target(page: Path, link: str) -> tuple[Path, str] | None:
    """Return file and fragment that a link of a page leads to; None if it leads elsewhere."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    return path, unquote(parts.fragment)


def test_every_page_is_reached_from_the_start_page(site, pages):
    todo, reached = [site / 'index.html'], set()
    while todo:
        page = todo.pop()
        if page in reached or page not in pages:
            continue
        reached.add(page)
        todo += [found[0] for link in pages[page].links if (found := target(page, link))]
    written = {site / f'{path.stem}.html' for path in (ROOT / 'docs').glob('*.md')}
    assert written <= reached, sorted(path.name for path in written - reached)


def test_every_link_and_picture_of_the_site_is_there(pages):
    broken = []
    for page, content in pages.items():
        for link in [*content.links, *content.loads]:
            found = target(page, link)
            if found is None:
                continue
            path, fragment = found
            if not path.exists() or (
                fragment and path in pages and fragment not in pages[path].ids
            ):
                broken.append(f'{page.name}: {link}')
    assert not broken, '\n'.join(broken)


def test_the_site_loads_nothing_from_the_network(site, pages):
    loaded = [(page.name, one) for page, content in pages.items() for one in content.loads]
    styles = [
        (path.name, one)
        for path in site.rglob('*.css')
        for one in re.findall(r'(?:url\(|@import )\W?([^)"\']+)', text_of(path))
    ]
    assert len(loaded) > 50 and styles
    outside = [one for one in (*loaded, *styles) if re.match(r'(https?:)?//', one[1])]
    assert not outside


def test_no_generated_part_is_empty_or_left_out(site):
    marks = {name for path in PAGES for name in MARK.findall(text_of(path))}
    source = ast.parse(text_of(ROOT / 'docs/_ext/generated.py'))
    parts = {
        ast.literal_eval(key)
        for node in source.body
        if isinstance(node, ast.AnnAssign) and node.target.id == 'PARTS'
        for key in node.value.keys
    }
    assert marks == parts
    for path in site.rglob('*.html'):
        assert 'generated: ' not in text_of(path), path.name
    words = {
        'cli.html': ('guda data split', '--share'),
        'nodes.html': ('max_acceleration', 'cmd_vel/source', 'best effort', 'safety/release'),
        'yaml_keys.html': (
            *('ball_hold', 'bc_updates', 'rotate.spread', 'camera.vertical_fov'),
            *('repeat_hold', 'move.KEY', 'buttons.deadman', 'stop_at', 'curve.points'),
            *('algorithms.NAME', 'starts.NUMBER.heading'),
        ),
        'state.html': ('command_turn', 'push_yaw_sin'),
        'the_whole_story.html': ('guda_ros.collect(', '95 % interval', 'steps in all'),
        'architecture.html': ('augmentation   control',),
    }
    for name, expected in words.items():
        text = re.sub(r'<[^>]+>', '', text_of(site / name))
        assert [word for word in expected if word not in text] == [], name


def test_the_notebook_is_a_page_with_its_pictures(pages, site):
    content = pages[site / 'the_whole_story.html']
    drawn = [one for one in content.loads if one.startswith('data:image/png;base64,')]
    assert len(drawn) >= 5 and all(len(one) > 2000 for one in drawn)
    assert 'augmentation.html' in content.links


def test_each_folder_of_yaml_files_has_a_section_of_keys():
    text = text_of(ROOT / 'docs/yaml_keys.md')
    folders = {path.parent.name for path in (ROOT / 'config').glob('*/*.yaml')}
    assert len(folders) > 10
    assert {name for name in folders if f'`config/{name}`' not in text} == set()


def test_each_shipped_guide_is_in_the_table_of_guides():
    text = text_of(ROOT / 'docs/augmentation.md')
    table = re.search(r'\| guide \| task.*?\n\n', text, re.DOTALL).group()
    named = re.findall(r'`([\w*]+)`', ''.join(re.findall(r'^\|([^|]*)\|', table, re.MULTILINE)))
    guides = [path.stem for path in (ROOT / 'config/guides').glob('*.yaml')]
    assert len(guides) > 20
    assert [name for name in guides if not any(fnmatch(name, one) for one in named)] == []


def test_each_verb_is_in_the_table_of_the_read_me():
    text = text_of(ROOT / 'README.md')
    assert [verb for verb in COMMANDS if f'\n| `guda {verb}` |' not in text] == []


def test_each_change_stands_below_a_topic():
    text = text_of(ROOT / 'CHANGELOG.rst')
    topics = re.findall(r'^\* (.*(?:\n  \S.*)*)', text, re.MULTILINE)
    assert 5 < len(topics) == len(set(topics))
    assert [topic for topic in topics if len(topic) > 50] == []
    assert len(re.findall(r'^  \* ', text, re.MULTILINE)) > 30


def links_of(text: str) -> list[str]:
    """Return where the links and pictures of a Markdown page lead."""
    return re.findall(r'\]\(([^)\s]+)\)', re.sub(FENCE, '', text))


def anchor(heading: str) -> str:
    """Return the anchor that GitHub and MyST give a heading."""
    plain = re.sub(r'[`*]|\[|\]\([^)]*\)', '', heading).strip().lower()
    return re.sub(r'[^\w\- ]', '', plain).replace(' ', '-')


@pytest.mark.parametrize('path', PAGES, ids=named)
def test_links_of_the_files_lead_somewhere(path):
    broken = []
    for link in links_of(text_of(path)):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        file = path.parent / parts.path if parts.path else path
        if not file.exists():
            broken.append(link)
        elif parts.fragment and not MARK.search(text_of(file)):
            headings = re.findall(r'^#+ (.*)$', text_of(file), re.MULTILINE)
            if parts.fragment not in map(anchor, headings):
                broken.append(link)
    assert not broken


def python_blocks() -> list:
    """Return every block of Python in the pages: page, line, code and whether it is run."""
    blocks = []
    for path in PAGES:
        text = text_of(path)
        for match in FENCE.finditer(text):
            if match.group(1) == 'python':
                before = text[: match.start()].rstrip().rpartition('\n')[2].strip()
                line = text.count('\n', 0, match.start()) + 2
                blocks.append(
                    pytest.param(match.group(2), before != SKETCH, id=f'{named(path)}:{line}')
                )
    return blocks


#: Runs each block in a copy of one process, which has imported what takes long.
FORKS = """
import contextlib, json, os, sys, traceback
import numpy, torch
import guda_ros

for name, code, folder in json.load(sys.stdin):
    child = os.fork()
    if not child:
        os.chdir(folder)
        status = 1
        with open('said', 'w', buffering=1) as said:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                try:
                    exec(compile(code, name, 'exec'), {'__name__': '__main__'})
                    status = 0
                except BaseException:
                    traceback.print_exc()
        os._exit(status)
    print(json.dumps([name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]), flush=True)
"""


@pytest.fixture(scope='module')
def endings(tmp_path_factory) -> dict[str, tuple[int, str]]:
    """Return exit code and output of each block of Python that is run, by page and line."""
    blocks = {
        block.id: (block.values[0], tmp_path_factory.mktemp('block'))
        for block in python_blocks()
        if block.values[1]
    }
    result = subprocess.run(
        [sys.executable, '-c', FORKS],
        input=json.dumps([(name, code, str(where)) for name, (code, where) in blocks.items()]),
        capture_output=True,
        text=True,
        timeout=120 * len(blocks),
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        check=False,
    )
    assert result.returncode == 0, result.stderr
    codes = dict(map(json.loads, result.stdout.splitlines()))
    return {name: (codes[name], text_of(where / 'said')) for name, (_, where) in blocks.items()}


@pytest.mark.parametrize('code, runs', python_blocks())
def test_python_of_the_pages_compiles_and_runs(code, runs, request):
    ast.parse(code)
    if runs:
        status, said = request.getfixturevalue('endings')[request.node.callspec.id]
        assert status == 0, said


def command_lines(text: str) -> list[str]:
    """Return the `guda` commands in blocks of code, continued lines joined and comments cut."""
    blocks = [match.group(2) for match in FENCE.finditer(text) if match.group(1) != 'python']
    blocks.append(re.sub(FENCE, '', text))
    lines = []
    for number, block in enumerate(blocks):
        indent = r'(?:^|(?<=\n))' + ('    ' if number == len(blocks) - 1 else r' *') + r'(?:\$ )?'
        for line in re.findall(indent + r'(guda [^\n]*)', re.sub(r'\\\n\s*', '', block)):
            # What a program prints is no command: `guda train: ...`.
            if re.match(r'guda \w+( |$)', line):
                lines.append(line.partition(' #')[0].strip())
    return lines


@pytest.fixture(scope='module')
def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    return build_parser()


@pytest.mark.parametrize('path', PAGES, ids=named)
def test_commands_of_the_pages_are_understood(path, parser, capsys):
    refused = []
    for line in command_lines(text_of(path)):
        if '...' in line:
            continue
        try:
            parser.parse_args(shlex.split(line)[1:])
        except SystemExit as error:
            if error.code:
                refused.append(f'{line}\n{capsys.readouterr().err}')
    assert not refused, '\n'.join(refused)


def subparser(parser: argparse.ArgumentParser, words: list[str]) -> argparse.ArgumentParser | None:
    """Return the parser of a verb and action; None if there is no such verb."""
    for depth, word in enumerate(words):
        children = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        if not children:
            break
        if word not in children[0].choices:
            return None if depth == 0 else parser
        parser = children[0].choices[word]
    return parser


@pytest.mark.parametrize('path', PAGES, ids=named)
def test_verbs_and_options_that_are_mentioned_exist(path, parser):
    wrong = []
    for mention in re.findall(r'`guda ([^`\n]+)`', re.sub(FENCE, '', text_of(path))):
        words = mention.split()
        if not re.fullmatch(r'[a-z][a-z-]*', words[0]):
            continue
        found = subparser(parser, words)
        options = [word.partition('=')[0] for word in words if word.startswith('--')]
        if found is None or [o for o in options if o not in found._option_string_actions]:
            wrong.append(f'guda {mention}')
    assert not wrong


@pytest.mark.parametrize('path', PAGES, ids=named)
def test_make_targets_that_are_mentioned_exist(path):
    known = set(re.findall(r'^([a-z-]+):', text_of(ROOT / 'Makefile'), re.MULTILINE))
    mentioned = re.findall(r'(?:`|^    |^)make ([a-z][a-z-]*)', text_of(path), re.MULTILINE)
    assert {'docs', 'test'} <= known
    assert not set(mentioned) - known


def test_the_pages_have_commands_code_and_links():
    # The tests above would hold for pages that are not found, too.
    text = '\n'.join(map(text_of, PAGES))
    assert len(command_lines(text)) > 50
    assert len(python_blocks()) > 2
    assert len(links_of(text)) > 80
