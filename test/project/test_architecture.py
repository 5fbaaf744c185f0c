"""Imports point one way, and what runs on a robot needs neither training nor physics packages."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
import inspect
import os
from pathlib import Path
import subprocess
import sys
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / 'guda_ros'

#: Packages import from lower layers only; those of one layer do not import each other.
LAYERS = (
    ('config',),
    ('soccer',),
    ('data',),
    ('augmentation', 'control', 'game', 'learning', 'perception', 'robots', 'sim'),
    ('tasks',),
    ('evaluation',),
    ('identification', 'online', 'perception_training'),
    ('ros',),
    ('nodes', 'workflows'),
    ('cli', 'api'),
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
#: Modules of the package itself that every layer may use.
BASE = (
    'guda_ros',
    'guda_ros.arguments',
    'guda_ros.errors',
    'guda_ros.interrupts',
    'guda_ros.environments',
)
#: What a user imports hands on what is listed there.
FRONT_DOOR = ('guda_ros', 'guda_ros.api')
#: External packages that only the named layers may import.
ONLY_IN = {
    'mujoco': {'sim', 'perception_training'},
    'numba': {'augmentation'},
    'torch': {'learning', 'online', 'perception_training'},
    'stable_baselines3': {'online'},
    'rclpy': {'ros', 'nodes', 'workflows', 'cli'},
    'launch': {'ros'},
    'launch_ros': {'ros'},
}
HEAVY = (
    'torch',
    'mujoco',
    'stable_baselines3',
    'gymnasium',
    'minari',
    'matplotlib',
    'h5py',
    'numba',
    'onnx',
)
ROBOT_LAYERS = ('config', 'soccer', 'data', 'perception', 'control', 'robots', 'game', 'ros')
ROBOT_NODES = (
    'perception',
    'policy',
    'safety',
    'adapter',
    'teleop',
    'joystick',
    'data_collector',
)
#: Only where a distribution brings `launch`.
NOT_WITHOUT_LAUNCH = ('guda_ros.ros.graph.launching',)

FILES = sorted(PACKAGE.rglob('*.py'))
NODES = sorted(path.stem for path in (PACKAGE / 'nodes').glob('[a-z]*.py'))


def name_of(path: Path) -> str:
    """Return the dotted name of a module of the package."""
    parts = path.relative_to(ROOT).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def tree_of(path: Path) -> ast.Module:
    """Return a file's syntax tree, which several tests walk."""
    return _parsed(path.read_text(encoding='utf-8'))


def layer_of(module: str) -> str | None:
    """Return the sub-package of a module, or None for modules of the package itself."""
    if module == 'guda_ros.__main__':
        return 'cli'
    parts = module.split('.')
    return parts[1] if len(parts) > 1 and parts[1] in RANK else None


def imports_of(path: Path) -> list[tuple[str, int]]:
    """Return every module that a file imports, inside functions too, with the line."""
    module = name_of(path)
    package = module if path.name == '__init__.py' else module.rpartition('.')[0]
    found = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ''
            if node.level:
                above = package.split('.')[: len(package.split('.')) - node.level + 1]
                base = '.'.join(above + ([base] if base else []))
            if base == 'guda_ros':
                found += [(f'guda_ros.{alias.name}', node.lineno) for alias in node.names]
            else:
                found.append((base, node.lineno))
    return found


def modules_imported(path: Path, modules: set[str]) -> set[str]:
    """
    Return which of the package's modules a file imports when it runs, inside functions too.

    What only a type checker reads (`if TYPE_CHECKING:`) does not count.
    """
    tree = tree_of(path)
    unread = {
        node
        for condition in ast.walk(tree)
        if isinstance(condition, ast.If) and ast.unparse(condition.test).endswith('TYPE_CHECKING')
        for branch in condition.body
        for node in ast.walk(branch)
    }
    found = set()
    for node in ast.walk(tree):
        if node in unread:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f'{path}:{node.lineno}: give the whole name of the module'
            inner = {f'{node.module}.{alias.name}' for alias in node.names}
            found |= inner if inner <= modules else {node.module} | inner
    return found & modules


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return groups of modules that lead back to themselves by their imports."""
    graph = {name: set(targets) for name, targets in graph.items()}
    while True:
        # What imports nothing any more, or is imported by nothing, is in no circle.
        imported = set().union(*graph.values())
        ends = {name for name, targets in graph.items() if not targets or name not in imported}
        if not ends:
            break
        graph = {name: targets - ends for name, targets in graph.items() if name not in ends}
    groups, left = [], set(graph)
    while left:
        group, wave = set(), {min(left)}
        while wave:
            group |= wave
            wave = set().union(*(graph[name] for name in wave)) - group
        groups.append(sorted(group))
        left -= group
    return groups


def is_allowed(source: str, target: str) -> bool:
    """Tell whether a module may import another one of the package."""
    if target in BASE or target == 'guda_ros.__version__' or (source, target) == FRONT_DOOR:
        return True
    mine, other = layer_of(source), layer_of(target)
    if mine is None or other is None:
        return mine == other
    return mine == other or RANK[other] < RANK[mine]


def ros_packages() -> set[str]:
    """Return the ROS packages that package.xml names."""
    root = ElementTree.parse(ROOT / 'package.xml').getroot()
    return {element.text for element in root.findall('depend')}


def test_every_package_has_a_layer():
    folders = {path.parent.name for path in PACKAGE.glob('*/__init__.py')}
    assert folders <= set(RANK), f'give {folders - set(RANK)} a layer in {__file__}'


def test_imports_point_one_way():
    wrong = [
        f'{path.relative_to(ROOT)}:{line}: {name_of(path)} imports {target}'
        for path in FILES
        for target, line in imports_of(path)
        if target.split('.')[0] == 'guda_ros' and not is_allowed(name_of(path), target)
    ]
    assert not wrong, '\n' + '\n'.join(wrong)


@pytest.mark.parametrize('name', NODES)
def test_a_node_is_wiring_only(name):
    lines = (PACKAGE / 'nodes' / f'{name}.py').read_text(encoding='utf-8').splitlines()
    assert len(lines) <= 200, 'put what needs no ROS into control or perception, the rest into ros'


def test_no_folder_is_a_corridor():
    files = Counter(path.parent.relative_to(ROOT) for path in FILES if path.stem != '__init__')
    crowded = {str(folder): count for folder, count in files.items() if count > 20}
    assert not crowded, f'make sub-packages of {crowded}'


def test_the_rule_refuses_what_it_should():
    assert is_allowed('guda_ros.nodes.policy', 'guda_ros.control.limits')
    assert is_allowed('guda_ros.sim.physics.batch', 'guda_ros.data.contract')
    assert is_allowed('guda_ros.soccer.field', 'guda_ros.errors')
    assert not is_allowed('guda_ros.sim.physics.batch', 'guda_ros.learning.bc')
    assert not is_allowed('guda_ros.data.contract', 'guda_ros.tasks.soccer.demonstrator')
    assert not is_allowed('guda_ros.ros.qos', 'guda_ros.nodes.policy')


def test_no_module_imports_itself_by_way_of_others():
    modules = {name_of(path) for path in FILES}
    found = circles({name_of(path): modules_imported(path, modules) for path in FILES})
    assert not found, '\n' + '\n'.join(' <-> '.join(group) for group in found)


def test_circles_are_found_also_where_a_function_closes_them(tmp_path):
    names = ('one', 'two', 'three')
    texts = ('import two', 'def f():\n    from three import g', 'import one\nimport json')
    paths = [tmp_path / f'{name}.py' for name in names]
    for path, text in zip(paths, texts):
        path.write_text(text, encoding='utf-8')
    graph = {path.stem: modules_imported(path, set(names)) for path in paths}
    assert graph == {'one': {'two'}, 'two': {'three'}, 'three': {'one'}}
    assert circles({**graph, 'other': {'one'}}) == [['one', 'three', 'two']]
    paths[2].write_text('if TYPE_CHECKING:\n    import one', encoding='utf-8')
    assert modules_imported(paths[2], set(names)) == set()
    assert circles({**graph, 'three': set()}) == []


def test_external_packages_stay_in_their_layer():
    allowed = {**dict.fromkeys(ros_packages(), ONLY_IN['rclpy']), **ONLY_IN}
    wrong = [
        f'{path.relative_to(ROOT)}:{line}: imports {target}'
        for path in FILES
        for target, line in imports_of(path)
        if layer_of(name_of(path))
        not in allowed.get(target.split('.')[0], {layer_of(name_of(path))})
    ]
    assert not wrong, '\n' + '\n'.join(wrong)


def robot_modules() -> list[str]:
    """Return all modules that may run on a robot."""
    names = [name_of(path) for path in FILES]
    return [
        name
        for name in names
        if name not in NOT_WITHOUT_LAUNCH
        and (
            layer_of(name) in ROBOT_LAYERS
            or (layer_of(name) is None and name != 'guda_ros.__main__')
            or name in [f'guda_ros.nodes.{node}' for node in ROBOT_NODES]
        )
    ]


def run(code: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run Python code in a process of its own, with this checkout on its path."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get('PYTHONPATH', '')]))
    return subprocess.run(
        [sys.executable, '-c', code, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': path},
        timeout=120,
        check=False,
    )


REFUSE = """
import importlib
import sys

heavy = set(sys.argv[1].split(','))


class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in heavy:
            raise SystemExit(f'{module} imports {name}')


sys.meta_path.insert(0, Refuse())
for module in sys.argv[2].split(','):
    importlib.import_module(module)
print('done')
"""


def test_what_runs_on_the_robot_imports_no_heavy_package():
    pytest.importorskip('rclpy', reason='no ROS 2: neither a distribution nor the extra [ros]')
    result = run(REFUSE, ','.join(HEAVY), ','.join(robot_modules()))
    assert result.stdout == 'done\n', result.stderr[-2000:]


def test_the_proof_notices_a_heavy_import():
    result = run(REFUSE, 'json', 'json.decoder')
    assert result.returncode == 1
    assert 'json.decoder imports json' in result.stderr


def test_the_command_line_starts_without_heavy_packages():
    result = run(REFUSE, ','.join((*HEAVY, 'rclpy')), 'guda_ros.cli.main')
    assert result.stdout == 'done\n', result.stderr[-2000:]


def own_attributes(tree: ast.AST) -> set[str]:
    """Return the names that code assigns to attributes of `self`."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == 'self'
    }


@pytest.mark.parametrize('name', NODES)
def test_a_node_leaves_the_attributes_of_rclpy_alone(name):
    # `self._services = ...`, say, would take the parameter services out of the node.
    lifecycle = pytest.importorskip('rclpy.lifecycle.node', reason='no ROS 2')
    node = pytest.importorskip('rclpy.node', reason='no ROS 2')
    theirs = set().union(
        *(own_attributes(ast.parse(inspect.getsource(module))) for module in (node, lifecycle))
    )
    tree = ast.parse((PACKAGE / 'nodes' / f'{name}.py').read_text(encoding='utf-8'))
    assert '_services' in theirs
    assert not own_attributes(tree) & theirs


@pytest.mark.parametrize('path', FILES, ids=name_of)
def test_the_syntax_is_that_of_python_3_10(path):
    ast.parse(path.read_text(encoding='utf-8'), feature_version=(3, 10))
