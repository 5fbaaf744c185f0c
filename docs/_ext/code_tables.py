"""Smaller tables: floors of the package, the world state, observations, the public names."""

from __future__ import annotations

import ast
import importlib.util
import inspect
from pathlib import Path
import re

from tables import code, table

import guda_ros

ROOT = Path(__file__).resolve().parents[2]


def floors() -> str:
    """Return the floors of the package as the test of the architecture has them, top first."""
    source = (ROOT / 'test/project/test_architecture.py').read_text(encoding='utf-8')
    tree = ast.parse(source)
    layers = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        and any(
            getattr(target, 'id', '') == 'LAYERS'
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        )
    )
    width = max(len('   '.join(layer)) for layer in layers) + 4
    edge = f'    +{"-" * width}+'
    lines = [edge]
    for layer in reversed(layers):
        lines += [f'    |{"   ".join(layer):^{width}}|', edge]
    rows = [
        (code(f'guda_ros.{name}'), len(layers) - 1 - rank, _purpose(name))
        for rank, layer in reversed(list(enumerate(layers)))
        for name in layer
    ]
    drawing = '```text\n' + '\n'.join(line[4:] for line in lines) + '\n```\n'
    return drawing + '\n' + table(('package', 'floors from the top', 'what it is for'), rows)


def _purpose(name: str) -> str:
    spec = importlib.util.find_spec(f'guda_ros.{name}')
    tree = ast.parse(Path(spec.origin).read_text(encoding='utf-8'))
    return (ast.get_docstring(tree) or '').split('\n\n')[0]


def world_state() -> str:
    """Return the columns of the world state."""
    from guda_ros.soccer import world

    units = {'yaw': 'rad', 'turn': 'rad/s', 'x': 'm', 'y': 'm'}
    rows = []
    for column, name in enumerate(world.FIELDS):
        last = name.rpartition('_')[2]
        rows.append((column, code(name), units.get(last, 'm/s')))
    return inspect.getdoc(world) + '\n\n' + table(('column', 'name', 'unit'), rows)


def observations() -> str:
    """Return the numbers of an observation by feature, and those of every shipped contract."""
    from guda_ros.config.files import config_names
    from guda_ros.data.contract import Contract
    from guda_ros.soccer.observation import FEATURES, observe

    text = inspect.getdoc(observe).split('\n\n', 1)[1].split(':param')[0]
    rows = [(code(k), ', '.join(code(name) for name in v.names)) for k, v in FEATURES.items()]
    parts = [text, table(('feature', 'numbers'), rows)]
    for name in config_names('tasks'):
        contract = Contract.load(name)
        parts.append(
            f'\n**`{name}`** ({len(contract.observation_names)} numbers, in this order): '
            + ', '.join(code(one) for one in contract.observation_names)
            + '. Action: '
            + ', '.join(code(one) for one in contract.action_names)
            + ', each in [-1, 1].\n'
        )
    return '\n'.join(parts)


def public_names() -> str:
    """Return what documents every public name, under the headings of guda_ros/api.py."""
    from guda_ros import api

    parts, headed = [], set()
    for line in inspect.getsource(api).splitlines():
        if match := re.match(r'    # (.*)\.$', line):
            parts.append(f'## {match[1].replace("`", "")}\n')
        elif (match := re.match(r"    '(\w+)': '", line)) and match[1] in api.HOMES:
            headed.add(match[1])
            parts.append(_documented(match[1]))
    assert headed == set(api.__all__)
    return '\n'.join(parts)


def _documented(name: str) -> str:
    if inspect.isclass(getattr(guda_ros, name)):
        lines = [f'.. autoclass:: guda_ros.{name}', '   :members:', '   :show-inheritance:']
    else:
        lines = [f'.. autofunction:: guda_ros.{name}']
    return '\n'.join(['```{eval-rst}', *lines, '```', ''])
