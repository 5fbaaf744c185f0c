import importlib
import os
from pathlib import Path
import signal
import subprocess
import sys

import pytest

from guda_ros import cli
from guda_ros.cli.main import build_parser, COMMANDS, main
from guda_ros.errors import GudaError
from guda_ros.ros.graph.table import GRAPHS


def test_help_loads_no_heavy_module():
    code = (
        'import sys\n'
        'from guda_ros.cli.main import build_parser\n'
        'build_parser()\n'
        'print(sorted({"torch", "mujoco", "rclpy", "cv2", "numpy"} & set(sys.modules)))'
    )
    result = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == '[]'


def test_help_is_there_at_once_and_names_every_verb_and_graph():
    def spent(*arguments):
        before = os.times()
        told = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, check=True
        )
        after = os.times()
        return sum(after[2:4]) - sum(before[2:4]), told.stdout

    helps = [spent('-m', 'guda_ros', '--help') for _ in range(5)]
    assert min(helps)[0] - min(spent('-c', 'pass') for _ in range(5))[0] < 0.15
    for verb, text in COMMANDS.items():
        told = ' '.join(helps[0][1].split())
        assert f' {verb} {text}' in told
    assert COMMANDS['up'].endswith(', '.join(GRAPHS))


def test_only_the_verb_that_is_called_is_imported():
    code = (
        'import sys\n'
        'from guda_ros.cli.main import build_parser\n'
        'build_parser("export").parse_args(["export", "a.pt", "--out", "b.onnx"])\n'
        'print(sorted(name for name in sys.modules if name.startswith("guda_ros.cli.")))'
    )
    told = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "['guda_ros.cli.export', 'guda_ros.cli.main']"


def test_every_verb_is_in_the_table_of_the_help():
    modules = {
        path.stem
        for path in Path(cli.__file__).parent.iterdir()
        if (path / '__init__.py').is_file() or path.suffix == '.py'
    }
    with_arguments = {
        name
        for name in modules - {'__init__', '__main__'}
        if hasattr(importlib.import_module(f'guda_ros.cli.{name}'), 'EXAMPLE')
    }
    assert with_arguments == set(COMMANDS)


@pytest.mark.parametrize('verb', COMMANDS)
def test_every_verb_has_a_help_with_an_example(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        build_parser().parse_args([verb, '--help'])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    assert 'example:' in text and f'guda {verb}' in text.partition('example:')[2]


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['info', 'nowhere'], 'nowhere: no such file or folder'),
        (['convert', 'nowhere', '--out', 'x'], 'nowhere: no such folder'),
        (
            ['augment', 'nowhere', '--out', 'x.h5'],
            'no data set there; make it with `guda convert`',
        ),
        (['train', '--data', 'nowhere.h5', '--out', 'x.pt'], 'nowhere.h5: no such file'),
        (['export', 'nowhere.pt', '--out', 'x.onnx'], 'nowhere.pt: no such file'),
        (['evaluate', 'nowhere.onnx'], 'nowhere.onnx'),
        (['evaluate'], 'give a policy file'),
        (
            ['demo', '--robot', 'asimo', '--out', 'x'],
            "unknown name 'asimo' in config/robots; known: ",
        ),
        (
            ['record', '--robot', 'asimo', '--out', 'x'],
            "unknown name 'asimo' in config/robots; known: ",
        ),
        (['record', '--scenario', 'moon', '--out', 'x'], "unknown scenario 'moon'; known: attack"),
        (['convert', '.', '--out', '.'], 'exists already and is not overwritten'),
        (['up', 'evaluate'], 'needs a policy'),
        (['up', 'robot', '--domain', '300'], 'a number from 0 to 232 is expected'),
        (['up', 'simulation', '--set', 'speed=3'], 'NODE.PARAMETER=VALUE is expected'),
    ],
)
def test_wrong_input_is_one_clear_line_and_exit_code_one(
    arguments, message, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith(f'guda {arguments[0]}: ') and message in error
    assert 'Traceback' not in error
    assert not list(tmp_path.iterdir())


def test_unknown_graph_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as stop:
        main(['up', 'moon'])
    assert stop.value.code == 2
    assert 'simulation' in capsys.readouterr().err


def test_reader_that_goes_away_is_no_error_message():
    process = subprocess.Popen(
        [sys.executable, '-u', '-m', 'guda_ros', 'info'],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert process.stderr.read() == b''
    process.stderr.close()
    assert process.wait(60) == 1


def test_errors_that_a_user_can_mend_are_told_as_such():
    pytest.importorskip('torch')
    from guda_ros.augmentation.pipeline import AugmentationError
    from guda_ros.learning.networks import TrainingError

    assert issubclass(AugmentationError, GudaError) and issubclass(TrainingError, GudaError)


def test_existing_file_is_not_overwritten(tmp_path, capsys):
    target = tmp_path / 'made.h5'
    target.write_text('precious')
    assert main(['augment', str(tmp_path), '--out', str(target)]) == 1
    assert 'exists already' in capsys.readouterr().err
    assert target.read_text() == 'precious'


def test_an_error_that_ctrl_c_turned_into_is_told_as_ctrl_c(monkeypatch, capsys):
    def stopped(_):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            # As pybind11 does when it comes while an argument is converted.
            raise RuntimeError('Unable to convert call argument') from None

    def broken(_):
        raise RuntimeError('a defect')

    monkeypatch.setattr('guda_ros.cli.info.run', stopped)
    assert main(['info', 'file']) == 130
    assert 'stopped by Ctrl-C' in capsys.readouterr().err
    monkeypatch.setattr('guda_ros.cli.info.run', broken)
    with pytest.raises(RuntimeError, match='a defect'):
        main(['info', 'file'])
