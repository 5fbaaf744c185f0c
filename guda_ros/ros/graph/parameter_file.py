"""Parameter files of ROS 2 as people write them: whole numbers among the reals of a list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from guda_ros.arguments import as_path
from guda_ros.config.files import read_config_text
from guda_ros.errors import GudaError


def read_parameter_file(path: str | Path) -> str:
    """
    Return the text of a parameter file in which all numbers of a list are reals if one is.

    :raises GudaError: if it cannot be read, or is none.
    """
    path = as_path(path, 'params_file')
    if not path.is_file():
        raise GudaError(f'{path}: no such file of parameters')
    text = read_config_text(path)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise GudaError(f'{path}: not valid YAML: {" ".join(str(error).split())}') from error
    nodes = root.value if isinstance(root, yaml.MappingNode) else []
    if not nodes or not any(_has_parameters(node) for _, node in nodes):
        raise GudaError(f'{path}: is no file of parameters: NODE: {{ros__parameters: ...}}')
    return yaml.serialize(root) if _make_reals(root) else text


def node_parameters(path: str | Path, node: str, prefix: str = '') -> dict[str, Any]:
    """
    Return the parameters that a file gives a node: those of all nodes, and over them its own.

    Names with dots are kept as they are; mappings become such names.

    :param prefix: the namespace of the node with the slash before it, or nothing.
    :raises GudaError: if it cannot be read, or is none.
    """
    root = yaml.safe_load(read_parameter_file(path))
    told: dict[str, Any] = {}
    for wanted in ('/**', f'{prefix}/{node}'):
        for name, values in _nodes(root, ''):
            if name == wanted:
                told.update(_flat(values, ''))
    return told


def _nodes(values: dict, namespace: str) -> Iterator[tuple[str, dict]]:
    """Yield the full name of each node of a file of parameters, and its parameters."""
    for key, value in values.items():
        name = f'{namespace}/{str(key).strip("/")}'
        if not isinstance(value, dict):
            continue
        if isinstance(value.get('ros__parameters'), dict):
            yield name, value['ros__parameters']
        else:
            yield from _nodes(value, name)


def _flat(values: dict, before: str) -> dict[str, Any]:
    flat = {}
    for key, value in values.items():
        flat |= (
            _flat(value, f'{before}{key}.')
            if isinstance(value, dict)
            else {f'{before}{key}': value}
        )
    return flat


def _has_parameters(node: yaml.Node) -> bool:
    """Tell whether a node of YAML is a mapping with `ros__parameters`, or namespaces of such."""
    return isinstance(node, yaml.MappingNode) and any(
        key.value == 'ros__parameters' or _has_parameters(value) for key, value in node.value
    )


def _make_reals(node: yaml.Node) -> bool:
    """Turn whole numbers among reals into reals, in place; tell whether there were any."""
    if isinstance(node, yaml.MappingNode):
        changed = [_make_reals(value) for _, value in node.value]
        return any(changed)
    if not isinstance(node, yaml.SequenceNode):
        return False
    tags = {entry.tag for entry in node.value}
    integer, real = 'tag:yaml.org,2002:int', 'tag:yaml.org,2002:float'
    if not {integer, real} <= tags:
        return False
    for entry in node.value:
        if entry.tag == integer:
            entry.tag, entry.value = real, f'{int(yaml.safe_load(entry.value))}.0'
    return True
