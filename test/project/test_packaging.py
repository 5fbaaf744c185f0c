"""package.xml, setup.py and setup.cfg agree, and all that is needed is shipped."""

from __future__ import annotations

import ast
import configparser
import importlib
import importlib.util
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import tarfile
from xml.etree import ElementTree
import zipfile

import pytest

import guda_ros

ROOT = Path(__file__).resolve().parents[2]
NODES = sorted(
    path.stem
    for path in (ROOT / 'guda_ros' / 'nodes').glob('*.py')
    if not path.stem.startswith('_')
)
LAUNCH_FILES = sorted((ROOT / 'launch').glob('*.py'))

#: Modules whose distribution has another name.
DISTRIBUTIONS = {
    'PIL': 'pillow',
    'cv2': 'opencv-python-headless',
    'yaml': 'pyyaml',
    'stable_baselines3': 'stable-baselines3',
    'highway_env': 'highway-env',
    'gymnasium_robotics': 'gymnasium-robotics',
}
#: What functions of the robot's packages import for data sets, away from the robot, and where a
#: gamepad is plugged in.
NOT_ON_THE_ROBOT = {'h5py', 'minari', 'gymnasium', 'pyarrow', 'pygame'}
ROBOT_FOLDERS = ('config', 'soccer', 'data', 'perception', 'control', 'ros')

pytestmark = pytest.mark.skipif(
    not (ROOT / 'setup.py').is_file(), reason='the tests run outside of a checkout'
)


@pytest.fixture(scope='module')
def distribution():
    """Return what setup.py declares."""
    from distutils.core import run_setup

    import setuptools  # noqa: F401  (brings distutils where Python has none)

    before = os.getcwd()
    os.chdir(ROOT)
    try:
        return run_setup('setup.py', stop_after='init')
    finally:
        os.chdir(before)


@pytest.fixture(scope='module')
def manifest():
    return ElementTree.parse(ROOT / 'package.xml').getroot()


def canonical(requirement: str) -> str:
    """Return the normalised name of a requirement."""
    return re.sub('[-_.]+', '-', re.match('[A-Za-z0-9._-]+', requirement).group()).lower()


def imports(folder: Path) -> set[str]:
    """Return the top-level modules that files below a folder import."""
    found = set()
    for path in folder.rglob('*.py'):
        tree = ast.parse(path.read_text(encoding='utf-8'))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split('.')[0])
    # _typeshed is there for type checkers only.
    return found - set(sys.stdlib_module_names) - {'guda_ros', '__future__', '_typeshed'}


def test_package_xml_is_valid_for_colcon():
    # colcon takes a package with an invalid package.xml, without a word, as plain Python.
    package_module = pytest.importorskip('catkin_pkg.package')
    package = package_module.parse_package(str(ROOT / 'package.xml'))
    package.validate()
    assert package.get_build_type() == 'ament_python'
    assert package.package_format == 3


def test_name_version_licence_and_maintainer_agree(distribution, manifest):
    assert distribution.get_name() == manifest.findtext('name') == 'guda_ros'
    versions = {distribution.get_version(), manifest.findtext('version'), guda_ros.__version__}
    assert len(versions) == 1, versions
    assert distribution.get_license() == manifest.findtext('license') == 'Apache-2.0'
    maintainer = manifest.find('maintainer')
    assert distribution.get_maintainer() == maintainer.text
    assert distribution.get_maintainer_email() == maintainer.get('email')


def test_the_licence_is_there_in_full():
    text = (ROOT / 'LICENSE').read_text(encoding='utf-8')
    assert 'Version 2.0, January 2004' in text
    assert 'END OF TERMS AND CONDITIONS' in text


def test_setup_cfg_puts_executables_where_ros2_run_looks():
    config = configparser.ConfigParser()
    config.read(ROOT / 'setup.cfg')
    assert config['develop']['script_dir'] == '$base/lib/guda_ros'
    assert config['install']['install_scripts'] == '$base/lib/guda_ros'
    assert config['build_scripts']['executable'] == '/usr/bin/env python3'


def test_on_the_path_are_guda_commands_and_every_node_has_a_script(distribution):
    entries = dict(
        re.split(r'\s*=\s*', entry) for entry in distribution.entry_points['console_scripts']
    )
    assert entries == {
        'guda': 'guda_ros.cli.main:main',
        'guda-node': 'guda_ros.nodes.__main__:main',
    }
    assert sorted(path.name for path in (ROOT / 'scripts').iterdir()) == sorted([*NODES, 'guda'])


@pytest.mark.parametrize('name', [*NODES, 'guda'])
def test_a_script_starts_the_active_python_and_the_right_module(name):
    path = ROOT / 'scripts' / name
    assert os.access(path, os.X_OK)
    text = path.read_text(encoding='utf-8')
    assert text.startswith('#!/usr/bin/env python3\n')
    module = 'guda_ros.cli.main' if name == 'guda' else f'guda_ros.nodes.{name}'
    assert f'from {module} import main\n' in text


@pytest.mark.parametrize('name', NODES)
def test_a_node_module_has_a_main_function(name):
    tree = ast.parse((ROOT / 'guda_ros' / 'nodes' / f'{name}.py').read_text(encoding='utf-8'))
    assert 'main' in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_package_xml_names_the_ros_packages_that_are_imported(manifest):
    declared = {element.text for element in manifest.findall('depend')}
    used = {
        name
        for name in imports(ROOT / 'guda_ros')
        if name == 'rclpy' or name.endswith(('_msgs', '_srvs', '_interfaces'))
    }
    assert declared == used


def test_setup_py_requires_what_is_imported(distribution, manifest):
    ros = {element.text for element in manifest.findall('depend')} | {'launch', 'launch_ros'}
    extras = distribution.extras_require
    known = {
        canonical(line)
        for group in [distribution.install_requires, *extras.values()]
        for line in group
    }
    used = {DISTRIBUTIONS.get(name, name) for name in imports(ROOT / 'guda_ros') - ros}
    assert used <= known
    robot = {
        DISTRIBUTIONS.get(name, name)
        for folder in ROBOT_FOLDERS
        for name in imports(ROOT / 'guda_ros' / folder) - ros - NOT_ON_THE_ROBOT
    }
    assert robot <= {canonical(line) for line in distribution.install_requires}


def test_the_extra_ros_brings_what_package_xml_names(distribution, manifest):
    declared = {'ros-' + element.text.replace('_', '-') for element in manifest.findall('depend')}
    assert {canonical(line) for line in distribution.extras_require['ros']} == declared


def test_every_requirement_is_pinned_in_the_lock_file(distribution):
    lines = (ROOT / 'requirements' / 'lock.txt').read_text(encoding='utf-8').splitlines()
    pins = [line for line in lines if line and not line.startswith('#')]
    assert all(re.fullmatch(r'[a-z0-9-]+==[0-9][0-9a-z.]*', pin) for pin in pins)
    required = {
        canonical(line)
        for group in [distribution.install_requires, *distribution.extras_require.values()]
        for line in group
    }
    assert required <= {pin.split('==')[0] for pin in pins}


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """Build as for PyPI, from a copy: a source distribution, and a wheel from that."""
    folder = tmp_path_factory.mktemp('build')
    copy = folder / 'copy'
    shutil.copytree(
        ROOT,
        copy,
        symlinks=True,
        ignore=shutil.ignore_patterns(
            '.git',
            '.venv',
            '.*_cache',
            'runs',
            'build',
            'install',
            'log',
            'dist',
            '*.egg-info',
            '__pycache__',
        ),
    )
    subprocess.run(
        [sys.executable, '-m', 'build', '--no-isolation', '--outdir', str(folder), str(copy)],
        check=True,
        timeout=300,
        stdout=subprocess.DEVNULL,
    )
    return folder


@pytest.fixture(scope='module')
def wheel(built):
    """Return the names in the wheel."""
    with zipfile.ZipFile(next(built.glob('*.whl'))) as archive:
        return archive.namelist()


@pytest.fixture(scope='module')
def installed(built, tmp_path_factory):
    """Install the wheel, without dependencies, where this environment's packages are seen."""
    prefix = tmp_path_factory.mktemp('clean') / 'venv'
    # This environment's pip installs there: to install another one takes longer than all else.
    subprocess.run(
        [sys.executable, '-m', 'venv', '--without-pip', str(prefix)], check=True, timeout=120
    )
    pip = [sys.executable, '-m', 'pip', '--python', prefix / 'bin' / 'python', 'install', '-q']
    subprocess.run(
        [*pip, '--no-deps', '--no-index', next(built.glob('*.whl'))], check=True, timeout=120
    )
    # Behind its own packages; the .pth files there, as of an editable guda_ros, do not count.
    here = importlib.util.find_spec('numpy').submodule_search_locations[0]
    (next(prefix.glob('lib/*/site-packages')) / 'theirs.pth').write_text(str(Path(here).parent))
    return prefix


def call(prefix, *command):
    """Run a command of an installation, away from the checkout."""
    hidden = ('PYTHONPATH', 'AMENT_PREFIX_PATH', 'VIRTUAL_ENV')
    return subprocess.run(
        [prefix / 'bin' / command[0], *command[1:]],
        cwd=prefix,
        env={key: value for key, value in os.environ.items() if key not in hidden},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_metadata_is_fit_for_pypi(built):
    result = subprocess.run(
        [sys.executable, '-m', 'twine', 'check', '--strict', *built.glob('guda_ros-*')],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count('PASSED') == 2


def test_the_source_distribution_holds_what_git_holds(built):
    listed = subprocess.run(
        ['git', 'ls-files'], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip('no git checkout')
    with tarfile.open(next(built.glob('*.tar.gz'))) as archive:
        shipped = {name.partition('/')[2] for name in archive.getnames()}
    left_out = {name for name in listed.stdout.split() if (ROOT / name).exists()} - shipped
    assert {name for name in left_out if not name.startswith(('.ci/', '.git'))} == set()


def test_an_installed_wheel_has_its_commands_profiles_and_types(installed):
    own = {'guda', 'guda-node'}
    there = {path.name for path in (installed / 'bin').iterdir()}
    assert {
        name for name in there if not name.startswith(('python', 'pip', 'activate', 'Activ'))
    } == own
    code = 'import guda_ros, pathlib; print(pathlib.Path(guda_ros.__file__).parent)'
    package = Path(call(installed, 'python', '-c', code).stdout.strip())
    assert package.is_relative_to(installed) and (package / 'py.typed').is_file()
    shown = call(installed, 'guda', '--help')
    assert shown.returncode == 0 and 'usage: guda' in shown.stdout, shown.stderr
    shown = call(installed, 'guda', 'robot', 'show', 'nao_v6')
    assert shown.returncode == 0 and 'nao_v6' in shown.stdout, shown.stderr
    shown = call(installed, 'guda', 'sim', 'train', 'no_such_experiment')
    assert 'ppo_penalty' in shown.stderr and shown.returncode == 1
    for node in NODES:
        assert os.access(installed / 'lib' / 'guda_ros' / node, os.X_OK)


def test_colcon_installs_every_command_where_ros2_run_looks(built, tmp_path):
    # The call of colcon for a Python package without --symlink-install.
    command = ['setup.py', '-q', 'egg_info', '--egg-base', str(tmp_path)]
    command += ['install', '--prefix', str(tmp_path / 'prefix'), '--record', str(tmp_path / 'log')]
    result = subprocess.run(
        [sys.executable, *command, '--single-version-externally-managed'],
        cwd=built / 'copy',
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    found = list((tmp_path / 'prefix' / 'lib' / 'guda_ros').iterdir())
    assert {path.name for path in found} == {*NODES, 'guda', 'guda-node'}
    for path in found:
        assert os.access(path, os.X_OK)
        assert path.read_text(encoding='utf-8').startswith('#!/usr/bin/env python3\n')
    assert (tmp_path / 'prefix/share/guda_ros/config/robots/nao_v6.yaml').is_file()


def test_a_node_is_started_by_name(installed):
    shown = call(installed, 'guda-node')
    assert shown.returncode == 0 and ', '.join(NODES) in shown.stdout, shown.stderr
    shown = call(installed, 'guda-node', 'polcy')
    assert shown.returncode == 2 and "unknown node 'polcy'; known: adapter" in shown.stderr


def test_a_robot_gets_neither_torch_nor_mujoco(built):
    with zipfile.ZipFile(next(built.glob('*.whl'))) as archive:
        name = next(name for name in archive.namelist() if name.endswith('/METADATA'))
        lines = archive.read(name).decode().splitlines()
    required = {
        canonical(line.partition(': ')[2])
        for line in lines
        if line.startswith('Requires-Dist: ') and 'extra ==' not in line
    }
    assert required == {
        'mcap',
        'numpy',
        'onnxruntime',
        'opencv-python-headless',
        'pyyaml',
        'rosbags',
    }


def test_the_wheel_ships_configuration_launch_files_and_executables(wheel):
    shipped = {name.partition('.data/data/')[2] for name in wheel}
    expected = {
        'share/ament_index/resource_index/packages/guda_ros',
        'share/guda_ros/package.xml',
        *(f'share/guda_ros/launch/{path.name}' for path in LAUNCH_FILES),
        *(f'lib/guda_ros/{name}' for name in [*NODES, 'guda']),
        *(
            f'share/guda_ros/{path.relative_to(ROOT).as_posix()}'
            for path in (ROOT / 'config').rglob('*')
            if path.is_file()
        ),
    }
    assert expected == shipped - {''}


def test_the_wheel_ships_the_whole_package_and_nothing_else(wheel):
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / 'guda_ros').rglob('*')
        if path.is_file() and path.parent.name != '__pycache__'
    }
    assert expected == {
        name for name in wheel if '.dist-info/' not in name and '.data/' not in name
    }


def test_every_graph_has_a_launch_file():
    from guda_ros.ros.graph.table import GRAPHS

    assert [path.name for path in LAUNCH_FILES] == sorted(f'{name}.launch.py' for name in GRAPHS)


@pytest.mark.parametrize('path', LAUNCH_FILES, ids=lambda path: path.name)
def test_a_launch_file_starts_the_nodes_of_its_graph(path):
    pytest.importorskip('launch_ros', reason='no ROS 2 distribution: `launch` is not installed')
    from launch import LaunchContext
    from launch.actions import DeclareLaunchArgument
    from launch.launch_description_sources import get_launch_description_from_python_launch_file
    from launch_ros.actions import Node

    from guda_ros.ros.graph.table import build_graph, GraphOptions

    description = get_launch_description_from_python_launch_file(str(path))
    arguments = {action.name for action in description.get_launch_arguments()}
    context = LaunchContext()
    options = {}
    if 'policy' in arguments:
        options['policy'] = context.launch_configurations['policy'] = '/tmp/policy.onnx'
    started = []
    for action in description.entities:
        produced = action.visit(context)
        if not isinstance(action, DeclareLaunchArgument):
            started += [node for node in produced if isinstance(node, Node)]
    expected = build_graph(path.name.split('.')[0], GraphOptions(**options))
    assert [node.node_executable for node in started] == [spec.executable for spec in expected]
    assert {node.node_package for node in started} == {'guda_ros'}


def test_launch_arguments_are_the_options_of_graphs():
    pytest.importorskip('launch_ros', reason='no ROS 2 distribution: `launch` is not installed')
    from dataclasses import fields

    from guda_ros.ros.graph.table import GraphOptions

    launching = importlib.import_module('guda_ros.ros.graph.launching')
    options = {field.name for field in fields(GraphOptions)} - {'overrides'}
    assert set(launching.ARGUMENTS) == options
