import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET

import cv2
import pytest

from guda_ros.cli.main import main
from guda_ros.soccer.robot import HeadJoints, RobotProfile
from guda_ros.soccer.robot_file import KEYS
from guda_ros.workflows.robots.making import parse

ROOT = Path(__file__).resolve().parents[2]
ASKED = [key for key, described in KEYS.items() if described.asked] + ['sources']


def answers(*given, **by_key):
    """Return lines for all questions: Enter, but for keys with __ for a dot."""
    by_key = {key.replace('__', '.'): value for key, value in by_key.items()}
    lines = []
    for key in ASKED:
        value = by_key.pop(key, '')
        lines += value if isinstance(value, list) else [value]
    assert not by_key
    return '\n'.join([*lines, *given]) + '\n'


def guda(arguments, folder, text=None):
    return subprocess.run(
        [sys.executable, '-m', 'guda_ros', 'robot', *arguments],
        input=text,
        text=True,
        capture_output=True,
        cwd=folder,
        timeout=60,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_robot_has_the_values_that_were_set_and_those_of_its_base(here, capsys):
    assert (
        main(
            [
                'robot',
                'new',
                'tall',
                '--base',
                'nao_v6',
                '--yes',
                '--set',
                'body.mass=6.2',
                '--set',
                'camera.vertical_fov=60deg',
                '--set',
                'head.neck=0, 0, .47',
            ]
        )
        == 0
    )
    made, base = RobotProfile.load('tall.yaml'), RobotProfile.load('nao_v6')
    assert made.name == 'tall' and made.body.mass == 6.2
    assert made.camera.vertical_fov == pytest.approx(1.0471976)
    assert made.head.neck == (0.0, 0.0, 0.47)
    assert (made.limits, made.walk, made.kick, made.lower_camera) == (
        base.limits,
        base.walk,
        base.kick,
        base.lower_camera,
    )
    assert 'nao_v6' in made.sources[0] and made.uncertainty == {}
    text = (here / 'tall.yaml').read_text()
    assert '  mass: 6.2                     # kg, of the robot\n' in text
    assert all(
        '#' in line or line.startswith('  - ')
        for line in text.splitlines()
        if not line.endswith(':')
    )
    assert 'tall.yaml' in capsys.readouterr().out


def test_questions_take_answers_refuse_wrong_ones_and_keep_what_is_not_answered(here):
    result = guda(
        ['new', 'mine'],
        here,
        answers(
            style='op3',
            limits__forward=['fast', '-1', '0.4'],
            head__pan='-90deg 90deg',
            camera__position=['1 2', '0.1, 0, 0.5'],
            sources='ruler; data sheet',
        ),
    )
    assert result.returncode == 0, result.stderr
    made = RobotProfile.load(here / 'mine.yaml')
    assert (made.style, made.limits.forward) == ('op3', 0.4)
    assert made.head.pan == pytest.approx((-1.5707963, 1.5707963))
    assert made.camera.position == (0.1, 0.0, 0.5)
    assert made.sources == ('ruler', 'data sheet')
    assert made.limits.turn == RobotProfile.load('generic_walker').limits.turn
    for problem in (
        'limits.forward: a number is expected',
        'limits.forward: -1 is outside',
        'camera.position: a list of 3 numbers',
    ):
        assert problem in result.stdout
    assert '[m/s]' in result.stdout and '(0.25)' in result.stdout


def test_values_that_contradict_each_other_are_asked_again_when_all_are_known(here):
    result = guda(
        ['new', 'giant'],
        here,
        answers(
            '0.95',
            body__hip_height='0.6',
            body__shoulder_height='0.9',
            body__height='1.2',
            body__head_height='0.8',
        ),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert 'body.head_height: is not higher than shoulder_height' in result.stdout
    assert RobotProfile.load(here / 'giant.yaml').body.head_height == 0.95


def test_all_asks_for_every_value(here):
    result = guda(['new', 'mine', '--all'], here, '\n' * 100)
    assert result.returncode == 0
    asked = [key for key in KEYS if key != 'name' and not key.startswith('lower_camera')]
    assert all(f'{key} [' in result.stdout or f'{key}: ' in result.stdout for key in asked)


def test_answers_that_end_too_early_leave_nothing(here):
    result = guda(['new', 'mine'], here, 'nao\n0.3\n')
    assert result.returncode == 1
    assert 'nothing was written' in result.stderr and 'Traceback' not in result.stderr
    assert not list(here.iterdir())


def test_ctrl_c_leaves_nothing(here):
    process = subprocess.Popen(
        [sys.executable, '-m', 'guda_ros', 'robot', 'new', 'mine'],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=here,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    process.stdin.write(b'nao\n')
    process.stdin.flush()
    seen = b''
    while b'limits.forward' not in seen:
        seen += process.stdout.read1(4096)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130 and b'Traceback' not in error
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['Bad-Name', '--yes'], "'Bad-Name' is no name"),
        (['mine', '--yes', '--base', 'asimo'], "unknown name 'asimo' in config/robots; known: "),
        (
            ['mine', '--yes', '--set', 'body.weight=3'],
            '--set body.weight=3: KEY=VALUE is expected',
        ),
        (['mine', '--yes', '--set', 'body.mass'], '--set body.mass: KEY=VALUE is expected'),
        (
            ['mine', '--yes', '--set', 'body.mass=heavy'],
            "mine.yaml: body.mass: a number is expected, not 'heavy'",
        ),
        (
            ['mine', '--yes', '--set', 'lower_camera.pitch=1'],
            'mine.yaml: lower_camera.width: is missing',
        ),
        (['mine', '--yes', '--out', 'mine.txt'], 'mine.txt: a profile is a .yaml file'),
    ],
)
def test_what_cannot_be_made_is_named_and_leaves_nothing(here, capsys, arguments, message):
    assert main(['robot', 'new', *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith('guda robot: ') and message in error
    assert not list(here.iterdir())


def test_a_file_that_exists_is_not_overwritten_and_no_question_is_asked(here, capsys):
    (here / 'mine.yaml').write_text('precious')
    assert main(['robot', 'new', 'mine']) == 1
    captured = capsys.readouterr()
    assert 'mine.yaml: exists already' in captured.err and '?' not in captured.out
    assert (here / 'mine.yaml').read_text() == 'precious'
    assert [path.name for path in here.iterdir()] == ['mine.yaml']


@pytest.mark.parametrize(
    'key, answer, value',
    [
        ('body.mass', ' 3 ', 3),
        ('body.mass', '3.5', 3.5),
        ('head.pan', '[-1, 1.5]', [-1, 1.5]),
        ('head.pan', '-60deg, 90°', [-1.0471976, 1.5707963]),
        ('body.mass', '60deg', '60deg'),
        ('style', 'nao', 'nao'),
        ('sources', 'a; b', ['a', 'b']),
        ('body.mass', 'x y', ['x', 'y']),
    ],
)
def test_answers_are_read_as_they_are_meant(key, answer, value):
    assert parse(key, answer) == value


def test_show_prints_every_value_with_its_unit(capsys):
    assert main(['robot', 'show', 'nao_v6']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any('doc.aldebaran.com' in line for line in lines)
    rows = {line.split()[0]: line for line in lines if line}
    assert set(KEYS) - {'name', 'sources'} <= set(rows)
    assert rows['limits.forward'].split()[1:3] == ['0.25', 'm/s']


def test_show_tells_uncertainties(tmp_path, capsys):
    assert main(['robot', 'new', 'mine', '--yes', '--out', str(tmp_path / 'mine.yaml')]) == 0
    with open(tmp_path / 'mine.yaml', 'a', encoding='utf-8') as file:
        file.write('uncertainty:\n  walk.delay: 0.012\n')
    capsys.readouterr()
    assert main(['robot', 'show', str(tmp_path / 'mine.yaml')]) == 0
    row = next(
        line for line in capsys.readouterr().out.splitlines() if line.startswith('walk.delay')
    )
    assert row.split()[1:4] == ['0.05', '0.012', 's']


def test_showing_an_unknown_robot_lists_the_known_ones(capsys):
    assert main(['robot', 'show', 'asimo']) == 1
    told = capsys.readouterr().err
    assert (
        'known: booster_k1, booster_t1, generic_walker, nao_v6, nao_v6_real, robotis_op3' in told
    )


@pytest.mark.needs('drawing')
def test_render_writes_a_picture_once(here, capsys):
    assert main(['robot', 'show', 'booster_t1', '--render', 'booster.png']) == 0
    image = cv2.imread('booster.png')
    assert image.shape == (640, 640, 3) and image.std() > 20
    capsys.readouterr()
    assert main(['robot', 'show', 'booster_t1', '--render', 'booster.png']) == 1
    assert 'booster.png: exists already' in capsys.readouterr().err
    assert main(['robot', 'show', 'booster_t1', '--render', 'booster.gif']) == 1
    assert 'a picture is a .png or .jpg file' in capsys.readouterr().err


def test_new_can_be_told_what_the_driver_hears(tmp_path):
    path = tmp_path / 'mine.yaml'
    how = ['robot', 'new', 'mine', '--yes', '--out', str(path)]
    assert main([*how, '--set', 'driver.stamped=false']) == 0
    assert RobotProfile.load(path).driver.stamped is False


def test_new_can_be_told_how_the_driver_speaks(tmp_path):
    path = tmp_path / 'mine.yaml'
    values = {
        'head.joints.names': 'HeadYaw, HeadPitch',
        'head.joints.signs': '1 -1',
        'head.joints.offsets': '0 -20deg',
        'camera.principal_point': '156.19 126',
        'driver.image_transport': 'compressed',
        'driver.watchdog': '.3',
        'driver.dead_zone': '.05 .05 .1',
        'topics.image': '/cam/image',
        'frames.camera': 'cam_link',
    }
    how = [part for key, value in values.items() for part in ('--set', f'{key}={value}')]
    assert main(['robot', 'new', 'mine', '--yes', '--out', str(path), *how]) == 0
    made = RobotProfile.load(path)
    assert made.head.joints == HeadJoints(('HeadYaw', 'HeadPitch'), (1, -1), (0, -0.3490659))
    assert made.camera.principal_point == (156.19, 126)
    assert (made.driver.image_transport, made.driver.watchdog) == ('compressed', 0.3)
    assert made.driver.dead_zone == (0.05, 0.05, 0.1)
    assert (made.topics, made.frames) == ({'image': '/cam/image'}, {'camera': 'cam_link'})


def test_a_robot_description_is_printed_or_written_once_with_its_transforms(here, capsys):
    assert main(['robot', 'urdf', 'nao_v6']) == 0
    printed = capsys.readouterr().out
    root = ET.fromstring(printed)
    joints = {joint.get('name') for joint in root.iter('joint')}
    assert root.get('name') == 'nao_v6' and {'HeadYaw', 'HeadPitch'} <= joints
    assert main(['robot', 'urdf', 'nao_v6', '--out', 'nao.urdf', '--tf', 'nao.json']) == 0
    assert Path('nao.urdf').read_text(encoding='utf-8') == printed
    fixed = json.loads(Path('nao.json').read_text(encoding='utf-8'))
    assert [each['child'] for each in fixed] == [
        'base_link',
        'camera_link',
        'camera_optical_frame',
        'lower_camera_link',
        'lower_camera_optical_frame',
    ]
    assert main(['robot', 'urdf', 'booster_t1', '--out', 'nao.urdf']) == 1
    assert 'nao.urdf' in capsys.readouterr().err
    assert Path('nao.urdf').read_text(encoding='utf-8') == printed
