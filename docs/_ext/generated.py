"""
Sphinx extension: `<!-- generated: NAME -->` in a page becomes what the code says.

Nothing of it is committed, so it cannot fall behind the code.
"""

from __future__ import annotations

from collections.abc import Callable
import re

import code_tables
import command_line
import node_tables
import notebook
import yaml_keys

#: What can be asked for, by name.
PARTS: dict[str, Callable[[], str]] = {
    'command_line': command_line.command_line,
    'the_whole_story': notebook.the_whole_story,
    'parameters': node_tables.parameters,
    'topics': node_tables.topics,
    'services': node_tables.services,
    'floors': code_tables.floors,
    'world_state': code_tables.world_state,
    'observations': code_tables.observations,
    'public_names': code_tables.public_names,
    'robots': yaml_keys.robots,
    'fields': yaml_keys.fields_,
    'balls': yaml_keys.balls,
    'contracts': yaml_keys.contracts,
    'guides': yaml_keys.guides,
    'learning': yaml_keys.learning,
    'randomisation': yaml_keys.randomisation,
    'rewards': yaml_keys.rewards,
    'imports': yaml_keys.imports,
    'joysticks': yaml_keys.joysticks,
    'keyboards': yaml_keys.keyboards,
    'online': yaml_keys.online,
    'benchmarks': yaml_keys.benchmarks,
    'starts': yaml_keys.starts,
}
MARK = re.compile(r'^<!-- generated: (\w+) -->$', re.MULTILINE)


#: A link to a Markdown file outside docs/, which is no page of the site.
OUTSIDE = re.compile(r'\[([^]]+)\]\((\.\./[^)#]+\.md)\)')


def filled_in(text: str) -> str:
    """Return a page with its generated parts; links to files beside docs/ are downloads."""
    text = MARK.sub(lambda match: PARTS[match.group(1)](), text)
    return OUTSIDE.sub(r'{download}`\1 <\2>`', text)


def setup(app) -> dict[str, bool]:
    """Register with Sphinx."""

    def fill_in(app, name: str, source: list[str]) -> None:
        source[0] = filled_in(source[0])

    app.connect('source-read', fill_in)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
