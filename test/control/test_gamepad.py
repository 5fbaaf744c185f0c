"""Which of the devices that SDL takes for joysticks drives the robot, by SDL's own code."""

import json
import subprocess
import sys

import pytest

pytest.importorskip('pygame', reason='no gamepad driver: the extra [gamepad] is not installed')

PROGRAM = """
import json, sys
from guda_ros.control.gamepad import Gamepad
steps, arguments = json.loads(sys.argv[1]), json.loads(sys.argv[2])
pad = Gamepad(*arguments)
from virtual_pad import VirtualPad
plugged, told = {}, []
for verb, name, *counts in steps:
    if verb == 'plug':
        plugged[name] = VirtualPad(name, *counts)
    else:
        plugged.pop(name).unplug()
    for _ in range(3):
        state = pad.state()
    told.append([pad.name, pad.map.name if pad.map else '', state is not None, pad.problem])
print(json.dumps(told))
"""
XBOX = ('Microsoft X-Box 360 pad', 6, 11, 1)
PS4 = ('PS4 Controller', 6, 13, 1)
#: What Linux lists as joysticks beside pads: name, axes, buttons, hats.
OTHERS = [
    ('ST LIS3LV02DL Accelerometer', 3, 0, 0),
    ('Keychron K1 Pro System Control', 1, 29, 0),
    ('PS4 Controller Motion Sensors', 6, 0, 0),
    ('USB gamepad', 2, 10, 0),
]


def told(support_path, steps, *arguments):
    """Return name, map, whether there is a state, and problem after each step."""
    result = subprocess.run(
        [sys.executable, '-c', PROGRAM, json.dumps(steps), json.dumps(arguments)],
        capture_output=True,
        text=True,
        env=support_path,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture(scope='module')
def support_path():
    import os
    from pathlib import Path

    root = Path(__file__).resolve().parents[2]
    paths = [str(root), str(root / 'test' / 'support'), os.environ.get('PYTHONPATH', '')]
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(paths)}


@pytest.mark.parametrize('other', OTHERS, ids=lambda other: other[0])
@pytest.mark.parametrize('pad, joystick', [(XBOX, 'xbox'), (PS4, 'ps4')], ids=['xbox', 'ps4'])
@pytest.mark.parametrize('first', [True, False])
def test_the_pad_is_found_whatever_else_is_there(support_path, other, pad, joystick, first):
    steps = [['plug', *other], ['plug', *pad]]
    found = told(support_path, steps if first else steps[::-1])[-1]
    assert found == [pad[0], joystick, True, '']


def test_a_map_that_is_given_chooses_the_first_device_that_fits_it(support_path):
    motion = ['plug', 'PS4 Controller Motion Sensors', 6, 0, 0]
    found = told(support_path, [motion, ['plug', 'Unheard of', 6, 13, 1]], 'ps4')
    assert found[0][:3] == ['', '', False]
    assert 'has 6 axes and 0 buttons, the map ps4 expects 8 and 13' in found[0][3]
    assert found[1] == ['Unheard of', 'ps4', True, '']


@pytest.mark.parametrize('device', ['PS4', 'ps4 contr', '1'])
def test_a_device_is_chosen_by_its_name_or_number(support_path, device):
    found = told(support_path, [['plug', *XBOX], ['plug', *PS4]], '', device)
    assert found[0][:3] == ['', '', False] and 'is not' in found[0][3]
    assert found[1] == ['PS4 Controller', 'ps4', True, '']


def test_when_the_pad_is_unplugged_another_one_takes_its_place(support_path):
    steps = [['plug', *OTHERS[0]], ['plug', *XBOX], ['plug', *PS4], ['unplug', XBOX[0]]]
    found = told(support_path, [*steps, ['unplug', PS4[0]], ['plug', *XBOX]])
    assert [name for name, *_ in found] == [
        '',
        XBOX[0],
        XBOX[0],
        PS4[0],
        '',
        XBOX[0],
    ]


def test_all_that_is_there_is_named_where_none_is_known(support_path):
    problem = told(support_path, [['plug', *other] for other in OTHERS])[-1][3]
    assert all(name in problem for name, *_ in OTHERS)
    assert problem.endswith('choose one by its name or number')
