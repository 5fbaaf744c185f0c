"""`import guda_ros`: what it gives, what it costs, and what it says where something is missing."""

import ast
import inspect
from pathlib import Path
import re
import subprocess
import sys

import pytest

import guda_ros
from guda_ros import api
from guda_ros.api import HOMES
from guda_ros.cli.main import build_parser
from guda_ros.environments import ENVIRONMENTS

PACKAGE = Path(guda_ros.__file__).parent
HEAVY = {'numpy', 'torch', 'mujoco', 'gymnasium', 'yaml', 'matplotlib', 'minari', 'rclpy', 'cv2'}
#: What needs nothing but what a robot has.
ON_A_ROBOT = (
    'Contract',
    'load_contract',
    'RobotProfile',
    'Field',
    'Episode',
    'Source',
    'read_recording',
    'RecordingReader',
    'ExportedPolicy',
    'Evaluation',
    'up',
)


def python(code: str) -> str:
    """Return what Python code prints, in a process of its own."""
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, cwd=PACKAGE.parent
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def cpu_seconds(code: str) -> float:
    """Return the CPU time of a Python process that runs some code, the least of several."""
    measure = (
        'import os, subprocess, sys\n'
        'def spent():\n'
        '    before = os.times()\n'
        f'    subprocess.run([sys.executable, "-c", {code!r}], check=True)\n'
        '    after = os.times()\n'
        '    return sum(after[2:4]) - sum(before[2:4])\n'
        'print(min(spent() for _ in range(5)))'
    )
    return float(python(measure))


def test_importing_costs_next_to_nothing_and_takes_no_other_package():
    assert (
        python(
            'import sys; import guda_ros; '
            f'print(sorted({HEAVY!r} & set(sys.modules)), guda_ros.__version__)'
        )
        == f'[] {guda_ros.__version__}'
    )
    assert cpu_seconds('import guda_ros') - cpu_seconds('pass') < 0.1


def test_every_name_is_found_documented_and_listed():
    for extra in ('torch', 'mujoco', 'minari', 'rclpy'):
        pytest.importorskip(extra)
    for name in guda_ros.__all__:
        value = getattr(guda_ros, name)
        assert inspect.getdoc(value), name
        assert name in dir(guda_ros)
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        guda_ros.trian  # noqa: B018


def test_type_checkers_are_told_of_the_same_names_and_homes():
    tree = ast.parse((PACKAGE / 'api.py').read_text(encoding='utf-8'))
    (block,) = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING'
    ]
    homes, told = {}, {}
    for node in block.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                homes[alias.name] = f'{node.module}:{alias.name}'.removeprefix('guda_ros.')
                if alias.asname:
                    told[alias.asname] = homes[alias.name]
        else:
            (target,) = node.targets
            holder, dot, method = ast.unparse(node.value).partition('.')
            told[target.id] = homes[holder] + dot + method
    assert told == HOMES
    assert (PACKAGE / 'py.typed').is_file()


def test_each_verb_has_a_function_whose_text_names_what_it_takes_and_gives_an_example():
    for extra in ('torch', 'mujoco', 'minari', 'rclpy'):
        pytest.importorskip(extra)
    verbs = [name for name, home in HOMES.items() if home.startswith('workflows.')]
    assert {'record', 'convert', 'augment', 'train', 'export', 'evaluate', 'demo'} <= {*verbs}
    for name in verbs:
        function = getattr(guda_ros, name)
        if inspect.isclass(function):
            continue
        text = inspect.getdoc(function)
        assert f'guda_ros.{name}(' in text, f'{name} has no example'
        unnamed = [
            parameter
            for parameter in inspect.signature(function).parameters
            if parameter not in text and parameter not in ('say', 'overwrite', 'command', 'more')
        ]
        assert not unnamed, (name, unnamed)
        assert ':raises' in text or ':return' in text, name


def test_the_text_of_the_api_names_the_function_of_each_verb():
    text = inspect.getdoc(api)
    table = re.findall(r'^    guda (\S.*?)  +(\w+)$', text, re.MULTILINE)
    same = re.search(r'of the same name: ([\w\s,]+)\.', text).group(1).replace(',', ' ').split()
    told = {*same, *(name for _, name in table)}
    functions = {
        name
        for name, home in HOMES.items()
        if home.startswith('workflows.') and name.islower() and name != 'read_transitions'
    }
    assert told == functions | {'repair'}
    parser = build_parser()
    for command in (*same, *(line for line, _ in table)):
        words = [word for word in command.split() if word != 'PATH']
        found = parser
        for word in words:
            if word.startswith('--'):
                assert word in found._option_string_actions, command
                break
            (below,) = (a for a in found._actions if a.choices and word in a.choices)
            if isinstance(below.choices, dict):
                found = below.choices[word]


def test_what_runs_on_a_robot_takes_neither_training_nor_physics():
    pytest.importorskip('rclpy')
    assert (
        python(
            'import sys, guda_ros\n'
            f'for name in {ON_A_ROBOT!r}: getattr(guda_ros, name)\n'
            'print(sorted({"torch", "mujoco", "gymnasium", "minari"} & set(sys.modules)))'
        )
        == '[]'
    )


@pytest.mark.parametrize(
    'name, module, extra',
    [
        ('train', 'torch', 'train'),
        ('SoccerEnv', 'mujoco', 'sim'),
        ('SoccerEnv', 'gymnasium', 'train'),
    ],
)
def test_what_needs_an_extra_that_is_absent_says_which(name, module, extra):
    told = python(
        'import sys\n'
        'class Refuse:\n'
        '    def find_spec(self, name, path=None, target=None):\n'
        f'        if name.split(".")[0] == {module!r}:\n'
        '            raise ModuleNotFoundError(f"No module named {name!r}", name=name)\n'
        'sys.meta_path.insert(0, Refuse())\n'
        'import guda_ros\n'
        'try:\n'
        f'    guda_ros.{name}\n'
        'except ModuleNotFoundError as error:\n'
        '    print(error)'
    )
    assert f'needs the Python module {module}' in told and f'extra [{extra}]' in told


@pytest.mark.parametrize('first', ['import guda_ros, gymnasium', 'import gymnasium, guda_ros'])
def test_gymnasium_knows_the_environments_whichever_is_imported_first(first):
    pytest.importorskip('gymnasium')
    told = python(
        f'{first}\nprint(*sorted(name for name in gymnasium.registry if "guda_ros" in name))'
    )
    assert told.split() == sorted(ENVIRONMENTS)


@pytest.mark.parametrize('name', ENVIRONMENTS)
def test_an_environment_is_made_by_its_name(name):
    pytest.importorskip('mujoco')
    gymnasium = pytest.importorskip('gymnasium')
    for prefix in ('', 'guda_ros:'):
        env = gymnasium.make(prefix + name)
        observation, _ = env.reset(seed=0)
        assert env.observation_space.contains(observation)
        assert len(env.step(env.action_space.sample())) == 5
        env.close()
    several = gymnasium.make_vec(
        name, 2, vectorization_mode=gymnasium.VectorizeMode.VECTOR_ENTRY_POINT
    )
    assert several.reset(seed=0)[0].shape == (2, *observation.shape)
    several.close()
