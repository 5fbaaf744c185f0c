"""Pictures of the twin, and what happens where nothing can be drawn."""

import os
from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.sim.rendering import gl
from guda_ros.soccer.robot import RobotProfile

CONTRACT = Contract.load()
ROBOT = RobotProfile.load(CONTRACT.robot)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def simulation():
    with SoccerSimulation(CONTRACT, ROBOT) as simulation:
        yield simulation


def orange(image):
    """Return rows and columns of the ball's pixels."""
    red, green, blue = (image[..., channel].astype(int) for channel in range(3))
    return np.nonzero((red > 90) & (red > 1.6 * green) & (green > blue))


@pytest.mark.needs('drawing')
@pytest.mark.parametrize('forward, left', [(0.3, 0.0), (0.5, 0.2), (1.0, -0.5), (2.0, 0.3)])
def test_the_head_camera_is_the_pinhole_of_the_profile(simulation, forward, left):
    simulation.reset(
        [
            0,
            0,
            0.5,
            forward * np.cos(0.5) - left * np.sin(0.5),
            forward * np.sin(0.5) + left * np.cos(0.5),
        ]
    )
    image = simulation.render()
    assert image.shape == (300, 400, 3) and image.dtype == np.uint8
    # the ball's centre, by hand: 41 deg down from (.06, 0, .48), focal (h / 2) / tan(fov / 2)
    x, y, z = forward - 0.06, left, 0.05 - 0.48
    pitch, focal = 0.7156, 150 / np.tan(1.4835 / 2)
    depth = x * np.cos(pitch) - z * np.sin(pitch)
    down = -x * np.sin(pitch) - z * np.cos(pitch)
    rows, columns = orange(image)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(199.5 - focal * y / depth, abs=1.5)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(149.5 + focal * down / depth, abs=1.5)


@pytest.mark.needs('drawing')
def test_the_ball_is_in_view_from_the_feet_to_the_far_goal_and_so_is_the_horizon(simulation):
    for distance, pixels in ((0.151, 800), (0.5, 300), (2.0, 30), (4.0, 5)):
        simulation.reset([0.2, 0, 0, 0.2 + distance, 0])
        assert len(orange(simulation.render())[0]) > pixels
    top = simulation.render()[0].astype(int)
    assert (top[:, 2] >= top[:, 1]).mean() > 0.5, 'no sky in the top row'


@pytest.mark.needs('drawing')
def test_the_robot_does_not_see_itself_nor_a_ball_that_is_not_there(simulation):
    simulation.reset([0.0, 0, np.pi, 3, 0])
    image = simulation.render()
    assert len(orange(image)[0]) == 0
    below = image[260:].astype(int)
    green = (below[..., 1] > below[..., 0] + 20) & (below[..., 1] > below[..., 2] + 20)
    white = below.min(axis=-1) > 120
    assert (green | white).mean() > 0.99


@pytest.mark.needs('drawing')
@pytest.mark.parametrize('camera', ['overview', 'follow'])
def test_films_show_robot_ball_and_field(simulation, camera):
    simulation.reset([2.2, -0.8, 0.35, 2.6, -0.5])
    image = simulation.render(camera, 480, 270)
    assert image.shape == (270, 480, 3)
    values = image.astype(int)
    blue = (values[..., 2] > 1.5 * values[..., 0]) & (values[..., 2] > 1.5 * values[..., 1])
    assert blue.sum() > 10 and len(orange(image)[0]) > 10
    assert (values.min(axis=-1) > 180).sum() > 200


@pytest.mark.needs('drawing')
def test_drawing_is_repeatable_and_leaves_the_physics_alone(simulation):
    simulation.reset([2.2, -0.8, 0.35, 2.4, -0.7])
    simulation.step([0.25, 0, 0])
    before = simulation.physics_state()
    first = simulation.render()
    simulation.render('follow', 320, 180)
    np.testing.assert_array_equal(simulation.physics_state(), before)
    np.testing.assert_array_equal(simulation.render(), first)
    with pytest.raises(KeyError, match='head, overview, follow'):
        simulation.render('nose')


@pytest.mark.needs('drawing')
def test_the_drawn_legs_move_while_the_robot_walks_and_rest_while_it_stands(simulation):
    pictures = {}
    for speed in (0.0, 0.25):
        # against the wall the body itself does not move
        simulation.reset([5.09, 2.0, 0, 0, 0])
        for _ in range(12):
            simulation.step([speed, 0, 0])
        pictures[speed] = []
        for _ in range(3):
            simulation.step([speed, 0, 0])
            pictures[speed].append(simulation.render('follow', 320, 180).astype(int))
    still, walking = pictures[0.0], pictures[0.25]
    assert np.abs(still[2] - still[0]).max() <= 2
    assert (np.abs(walking[2] - walking[0]).max(axis=-1) > 40).sum() > 20


@pytest.mark.needs('drawing')
def test_a_closed_simulation_can_be_stepped_and_drawn_again():
    simulation = SoccerSimulation(CONTRACT, ROBOT)
    first = simulation.render()
    simulation.close()
    simulation.close()
    np.testing.assert_array_equal(simulation.render(), first)
    simulation.close()


def test_a_simulation_without_scenery_says_so():
    with pytest.raises(ValueError, match='visual=False'):
        SoccerSimulation(CONTRACT, ROBOT, visual=False).render()


WITHOUT_GL = """
import ctypes
load = ctypes.CDLL
def absent(name, *args, **kwargs):
    if name and any(part in str(name) for part in ('EGL', 'OpenGL', 'OSMesa')):
        raise OSError(f'{name}: cannot open shared object file')
    return load(name, *args, **kwargs)
"""
STEP_AND_DRAW = """
from guda_ros.data.contract import Contract
from guda_ros.sim.physics.batch import BatchSimulation
from guda_ros.sim.rendering.renderer import RenderingUnavailable
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.soccer.robot import RobotProfile
contract = Contract.load()
simulation = SoccerSimulation(contract, RobotProfile.load(contract.robot))
simulation.step([.25, 0, 0])
print('x', simulation.world_state()[0] > 0)
try:
    print('drawn', simulation.render().shape)
except RenderingUnavailable as error:
    print('unavailable:', error)
"""


def run(code, **environment):
    """Run code in a fresh interpreter; return what it printed."""
    clean = {
        key: value
        for key, value in os.environ.items()
        if key not in ('MUJOCO_GL', 'PYOPENGL_PLATFORM', 'MUJOCO_EGL_DEVICE_ID', 'DISPLAY')
    }
    result = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**clean, 'PYTHONPATH': str(ROOT), **environment},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_without_any_gl_library_physics_works_and_drawing_names_the_remedy():
    output = run(WITHOUT_GL + 'ctypes.CDLL = absent\n' + STEP_AND_DRAW)
    assert 'x True' in output
    assert 'libEGL.so.1 (egl), libOSMesa.so.8 (osmesa)' in output
    assert 'apt-get install libegl1 libopengl0 libgl1-mesa-dri' in output


def test_with_osmesa_alone_osmesa_is_chosen():
    code = (
        WITHOUT_GL.replace("('EGL', 'OpenGL', 'OSMesa')", "('EGL',)")
        + """
def pretend(name, *args, **kwargs):
    return None if 'OSMesa' in str(name) else absent(name, *args, **kwargs)
ctypes.CDLL = pretend
from guda_ros.sim import gl
import os
"""
    )
    # the choice alone: MuJoCo itself would load the library that is only pretended here
    code = code.replace(
        'from guda_ros.sim import gl',
        """
from importlib import util
spec = util.spec_from_file_location('gl', 'guda_ros/sim/rendering/gl.py')
gl = util.module_from_spec(spec)
spec.loader.exec_module(gl)
""",
    )
    code += 'print(gl.choose_backend(), os.environ["MUJOCO_GL"], repr(gl.unavailable()))'
    assert run(code) == "osmesa osmesa ''\n"


@pytest.mark.skipif(gl.missing_library('osmesa') is None, reason='libOSMesa is installed here')
def test_an_asked_for_library_that_is_missing_is_named_and_physics_works():
    output = run(STEP_AND_DRAW, MUJOCO_GL='osmesa')
    assert 'x True' in output and 'libOSMesa.so.8 (osmesa) does not load' in output


@pytest.mark.needs('drawing')
def test_mujoco_imported_before_this_package_does_not_spoil_the_choice():
    assert 'drawn (300, 400, 3)' in run('import mujoco\n' + STEP_AND_DRAW)


def test_rendering_that_is_switched_off_says_so():
    output = run(STEP_AND_DRAW, MUJOCO_GL='off')
    assert 'unavailable: MUJOCO_GL=off switches rendering off' in output


@pytest.mark.needs('drawing')
def test_an_optimiser_works_in_a_process_that_has_drawn():
    pytest.importorskip('torch')
    code = (
        STEP_AND_DRAW
        + """
import torch
parameter = torch.zeros(1, requires_grad=True)
optimiser = torch.optim.AdamW([parameter])
(parameter - 1).square().sum().backward()
optimiser.step()
print('learned', parameter.item() > 0)
"""
    )
    assert 'learned True' in run(code)


#: What shells of other stacks have set, and how the cause and the remedy are told.
SHELLS = {
    'a window without a display': (
        {'MUJOCO_GL': 'glfw'},
        'MUJOCO_GL=glfw asks for a window, and there is no display',
        'unset MUJOCO_GL',
    ),
    'a window by another word': ({'MUJOCO_GL': 'on'}, 'MUJOCO_GL=on asks for a window', 'unset'),
    'a display that is gone': (
        {'MUJOCO_GL': 'glfw', 'DISPLAY': ':77'},
        'MUJOCO_GL=glfw, DISPLAY=:77',
        'unset MUJOCO_GL',
    ),
    'no backend': ({'MUJOCO_GL': 'vulkan'}, 'MUJOCO_GL=vulkan is none of egl', 'unset MUJOCO_GL'),
    'two that contradict each other': (
        {'MUJOCO_GL': 'egl', 'PYOPENGL_PLATFORM': 'osmesa'},
        'PYOPENGL_PLATFORM=osmesa contradicts MUJOCO_GL=egl',
        'unset PYOPENGL_PLATFORM',
    ),
    'a platform with a window': (
        {'PYOPENGL_PLATFORM': 'x11'},
        'PYOPENGL_PLATFORM=x11',
        'unset PYOPENGL_PLATFORM',
    ),
    'another device': (
        {'MUJOCO_EGL_DEVICE_ID': '97'},
        'MUJOCO_EGL_DEVICE_ID=97',
        'unset MUJOCO_EGL_DEVICE_ID',
    ),
    'no number of a device': (
        {'MUJOCO_EGL_DEVICE_ID': 'gpu'},
        'MUJOCO_EGL_DEVICE_ID=gpu',
        'unset MUJOCO_EGL_DEVICE_ID',
    ),
}


@pytest.mark.needs('drawing')
@pytest.mark.parametrize('name', SHELLS)
def test_a_variable_of_a_shell_is_named_as_the_cause(name):
    variables, cause, remedy = SHELLS[name]
    output = run(STEP_AND_DRAW, **variables)
    assert 'x True' in output and 'unavailable: ' in output
    assert cause in output and remedy in output
    assert 'apt-get' not in output


@pytest.mark.needs('drawing')
@pytest.mark.skipif(gl.missing_library('osmesa') is None, reason='libOSMesa is installed here')
@pytest.mark.parametrize('variable', ['MUJOCO_GL', 'PYOPENGL_PLATFORM'])
def test_a_variable_that_asks_for_what_is_missing_is_to_be_unset(variable):
    output = run(STEP_AND_DRAW, **{variable: 'osmesa'})
    assert f'does not load, which {variable}=osmesa asks for. unset {variable}' in output


@pytest.mark.needs('drawing')
def test_a_variable_that_names_what_is_used_anyway_does_no_harm():
    assert 'drawn (300, 400, 3)' in run(STEP_AND_DRAW, PYOPENGL_PLATFORM='egl')
