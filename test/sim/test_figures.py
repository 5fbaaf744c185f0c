"""What is drawn of robots and fields: in the measures of the profiles, and only drawn."""

import dataclasses
from pathlib import Path

import mujoco
import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.perception.camera import CameraModel
from guda_ros.sim.physics.mjcf import BALL_QPOS, build_model, ROBOT_QPOS
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.sim.rendering import scenery
from guda_ros.sim.rendering.renderer import Renderer
from guda_ros.sim.rendering.stills import field_view, portrait
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import RobotProfile, STYLES

ROOT = Path(__file__).resolve().parents[2]
ROBOTS = sorted(path.stem for path in (ROOT / 'config' / 'robots').glob('*.yaml'))
WALKERS = [name for name in ROBOTS if RobotProfile.load(name).style != 'wheels']
FIELDS = sorted(path.stem for path in (ROOT / 'config' / 'fields').glob('*.yaml'))
SPL = Field.load('spl')


def scene(robot, field=SPL, pose=(0, 0, 0), ball=(3.0, 2.0)):
    """Return a model and its data, the robot at a pose, kinematics done."""
    model = build_model(robot, field)
    data = mujoco.MjData(model)
    data.qpos[ROBOT_QPOS] = pose
    data.qpos[BALL_QPOS] = (*ball, field.ball.radius, 1, 0, 0, 0)
    mujoco.mj_kinematics(model, data)
    mujoco.mj_camlight(model, data)
    return model, data


def drawn_box(model, data):
    """Return the lowest and highest corner (3,) of what is drawn of the robot."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    robot = model.body('robot').id
    for index in range(model.ngeom):
        body = model.geom_bodyid[index]
        # The shadow, which shines through, is no part of the body.
        if (
            model.body_rootid[body] != robot
            or model.geom_group[index] not in (1, 2)
            or model.geom_rgba[index, 3] < 0.5
        ):
            continue
        centre, half = model.geom_aabb[index, :3], model.geom_aabb[index, 3:]
        turn = data.geom_xmat[index].reshape(3, 3)
        middle, reach = data.geom_xpos[index] + turn @ centre, np.abs(turn) @ half
        low, high = np.minimum(low, middle - reach), np.maximum(high, middle + reach)
    return low, high


def test_every_style_has_a_robot():
    assert {RobotProfile.load(name).style for name in ROBOTS} == set(STYLES)


@pytest.mark.parametrize('name', ROBOTS)
def test_a_figure_has_the_measures_of_its_profile(name):
    robot = RobotProfile.load(name)
    body = robot.body
    low, high = drawn_box(*scene(robot))
    assert high[2] == pytest.approx(body.height, rel=0.05)
    assert 0 <= low[2] < 0.01
    wide = max(body.shoulder_width, body.stance_width + body.foot_width)
    assert high[1] - low[1] == pytest.approx(wide, rel=0.15)
    assert high[1] == pytest.approx(-low[1], abs=0.002)


@pytest.mark.parametrize('name', WALKERS)
def test_the_feet_are_drawn_where_they_push(name):
    robot = RobotProfile.load(name)
    model, data = scene(robot)
    feet = model.geom('feet')
    for label, side in (('left', 1), ('right', -1)):
        sole = model.geom(f'{label}_sole')
        front = sole.pos[0] + sole.size[0]
        assert front == pytest.approx(feet.pos[0] + feet.size[0], abs=0.006)
        assert sole.pos[1] == pytest.approx(side * robot.body.stance_width / 2)
        assert 2 * sole.size[1] == pytest.approx(robot.body.foot_width, rel=0.1)


@pytest.mark.parametrize('name', ROBOTS)
def test_what_is_drawn_has_no_mass_and_touches_nothing(name):
    robot = RobotProfile.load(name)
    drawn, bare = build_model(robot, SPL), build_model(robot, SPL, visual=False)
    assert drawn.body('robot').subtreemass[0] == pytest.approx(robot.body.mass)
    assert drawn.ngeom > bare.ngeom + (40 if name in WALKERS else 25)
    touching = [(model.geom_contype > 0) | (model.geom_conaffinity > 0) for model in (drawn, bare)]
    assert touching[0].sum() == touching[1].sum()
    for spec in (mujoco.mjtState.mjSTATE_INTEGRATION, mujoco.mjtState.mjSTATE_FULLPHYSICS):
        assert mujoco.mj_stateSize(drawn, spec) == mujoco.mj_stateSize(bare, spec)


@pytest.mark.parametrize('name', ['booster_k1', 'booster_t1', 'robotis_op3'])
def test_drawing_does_not_change_the_physics_of_any_robot(name):
    robot = RobotProfile.load(name)
    contract = Contract.load(robot=name)
    commands = contract.to_command(np.random.default_rng(1).uniform(-1, 1, (40, 3)))
    histories = []
    for visual in (False, True):
        simulation = SoccerSimulation(contract, robot, visual=visual)
        simulation.reset([0, 0, 0, robot.body.foot_front + 0.1, 0.01])
        history = b''
        for command in commands:
            simulation.step(command)
            history += simulation.world_state().tobytes()
        histories.append(history)
    assert histories[0] == histories[1]


def mounts(robot):
    return {
        name: mount
        for name, mount in (('head', robot.camera), ('lower', robot.lower_camera))
        if mount is not None
    }


@pytest.mark.parametrize('name', ROBOTS)
def test_the_cameras_are_those_of_perception(name):
    robot = RobotProfile.load(name)
    pose = np.array([0.7, -0.4, 0.9])
    model, data = scene(robot, pose=pose)
    to_map = np.array([[np.cos(0.9), -np.sin(0.9), 0], [np.sin(0.9), np.cos(0.9), 0], [0, 0, 1]])
    points = np.random.default_rng(2).uniform([0.4, -0.5, 0], [3, 0.5, 0.2], (50, 3))
    placed = points @ to_map.T + [*pose[:2], 0]
    for label, mount in mounts(robot).items():
        mount = dataclasses.replace(mount, distortion=(0.0,) * 5)
        expected, _ = CameraModel.from_mount(mount).project(points)
        camera = data.cam(label)
        # MuJoCo's cameras look along -z, y up.
        x, y, z = ((placed - camera.xpos) @ camera.xmat.reshape(3, 3)).T
        focal = mount.height / 2 / np.tan(np.radians(model.camera(label).fovy[0]) / 2)
        pixels = np.stack(
            [(mount.width - 1) / 2 - focal * x / z, (mount.height - 1) / 2 + focal * y / z], axis=1
        )
        np.testing.assert_allclose(pixels, expected, atol=0.01)


@pytest.mark.needs('drawing')
@pytest.mark.parametrize('name', ROBOTS)
def test_a_camera_draws_the_ball_where_perception_expects_it(name):
    robot = RobotProfile.load(name)
    mount = dataclasses.replace(robot.camera, distortion=(0.0,) * 5)
    camera = CameraModel.from_mount(mount)
    # The ball on the ground where the middle of the image looks, a little aside.
    ahead = camera.ray_to_plane(np.array([mount.width / 2, mount.height / 2]), 0.0)
    ball = ahead + [0.0, 0.1]
    model, data = scene(robot, ball=ball)
    with Renderer(model, mount.width, mount.height) as renderer:
        image = renderer.render(data).astype(int)
    red, green, blue = (image[..., channel] for channel in range(3))
    rows, columns = np.nonzero((red > 90) & (red > 1.6 * green) & (green > blue))
    expected = camera.sphere_outline(np.array([*ball, SPL.ball.radius]), SPL.ball.radius).centre
    assert (columns.min() + columns.max()) / 2 == pytest.approx(expected[0], abs=1.5)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(expected[1], abs=1.5)


@pytest.mark.parametrize('name', ROBOTS)
@pytest.mark.parametrize('pan, tilt', [(0.6, 0.0), (0.0, 0.3), (-0.8, -0.4)])
def test_turning_the_head_turns_its_cameras_about_the_neck(name, pan, tilt):
    robot = RobotProfile.load(name)
    model, data = scene(robot)
    model.body('head').quat[:] = scenery.head_quaternion(pan, tilt)
    mujoco.mj_kinematics(model, data)
    mujoco.mj_camlight(model, data)
    neck = np.array(robot.head.neck)
    for label, mount in mounts(robot).items():
        look = -data.cam(label).xmat.reshape(3, 3)[:, 2]
        # Positive tilt looks further down, positive pan to the left.
        down = mount.pitch + tilt
        np.testing.assert_allclose(
            look,
            [np.cos(pan) * np.cos(down), np.sin(pan) * np.cos(down), -np.sin(down)],
            atol=1e-6,
        )
        x, y, z = np.subtract(mount.position, neck)
        forward, height = x * np.cos(tilt) + z * np.sin(tilt), z * np.cos(tilt) - x * np.sin(tilt)
        np.testing.assert_allclose(
            data.cam(label).xpos - neck,
            [
                forward * np.cos(pan) - y * np.sin(pan),
                forward * np.sin(pan) + y * np.cos(pan),
                height,
            ],
            atol=1e-6,
        )


@pytest.mark.needs('drawing')
@pytest.mark.parametrize('name', ROBOTS)
def test_no_camera_sees_the_body_that_carries_it(name):
    robot = RobotProfile.load(name)
    # The ball, which is drawn in the robot's group, is out of sight.
    model, data = scene(robot, pose=(0, 0, 0), ball=(-2.0, 0))
    for label, mount in mounts(robot).items():
        with Renderer(model, mount.width // 2, mount.height // 2) as renderer:
            seen = renderer.render(data, label)
            body = model.geom_group == 1
            model.geom_group[body] = 3
            without = renderer.render(data, label)
            model.geom_group[body] = 1
        np.testing.assert_array_equal(seen, without)


def on_a_line(field, x, y):
    """Tell whether a point of the carpet is painted: inside a triangle of the lines."""
    vertices, faces = (np.array(part) for part in scenery.field_lines(field))
    a, b, c = (vertices[faces[:, corner], :2] for corner in range(3))

    def side(p, q):
        return (q[:, 0] - p[:, 0]) * (y - p[:, 1]) - (q[:, 1] - p[:, 1]) * (x - p[:, 0])

    signs = np.stack([side(a, b), side(b, c), side(c, a)])
    return bool(((signs >= -1e-9).all(axis=0) | (signs <= 1e-9).all(axis=0)).any())


# In metres, from the rule books: half length and width, goal (inner width, height, depth), penalty
# area (depth, width), goal area, penalty mark, centre circle.
RULE_BOOKS = {
    'spl': (4.5, 3.0, (1.5, 0.8, 0.5), (1.65, 4.0), (0.6, 2.2), 1.3, 0.75),
    'kid_size': (4.5, 3.0, (2.6, 1.2, 0.6), (2.0, 5.0), (1.0, 3.0), 1.5, 0.75),
}


@pytest.mark.parametrize('name', sorted(RULE_BOOKS))
def test_lines_and_goals_are_where_the_rule_book_puts_them(name):
    field = Field.load(name)
    x, y, (width, height, depth), penalty, area, mark, circle = RULE_BOOKS[name]
    inside = field.line_width / 2
    for sign in (1, -1):
        line = sign * (x - inside)
        assert on_a_line(field, line, 0.3) and not on_a_line(field, sign * (x + 0.01), 0.3)
        assert on_a_line(field, 1.0, sign * (y - inside))
        for across, wide in (penalty, area):
            front = sign * (x - across + inside)
            assert on_a_line(field, front, 0.4)
            assert on_a_line(field, front, wide / 2 - inside)
            assert not on_a_line(field, front, wide / 2 + 0.03)
            assert on_a_line(field, sign * (x - across / 2), -wide / 2 + inside)
        assert on_a_line(field, sign * (x - mark), 0.04)
        assert not on_a_line(field, sign * (x - mark), 0.2)
        assert on_a_line(field, 0.0, sign * circle)
        assert on_a_line(field, sign * circle * np.cos(0.3), circle * np.sin(0.3))
    assert on_a_line(field, 0.0, 2.0) and not on_a_line(field, 0.4, 0.1)

    model = build_model(RobotProfile.load('nao_v6'), field)
    posts = [
        (model.geom_pos[i], model.geom_size[i])
        for i in range(model.ngeom)
        if model.geom_type[i] == mujoco.mjtGeom.mjGEOM_CYLINDER
        and model.geom_conaffinity[i] == 0
        and model.geom_contype[i] > 0
    ]
    upright = sorted((pos[0], pos[1], size[0], 2 * size[1]) for pos, size in posts if pos[1] != 0)
    assert len(upright) == 4
    for (px, py, radius, tall), (sx, sy) in zip(upright, [(-x, -1), (-x, 1), (x, -1), (x, 1)]):
        assert px == pytest.approx(sx)
        assert sy * py - radius == pytest.approx(width / 2)
        assert tall == pytest.approx(height)
    assert field.goal_depth == depth


def test_a_half_field_is_drawn_with_one_goal_and_half_a_circle():
    field = Field.load('lab_half')
    model = build_model(RobotProfile.load('nao_v6'), field)
    bars = [
        model.geom_pos[i]
        for i in range(model.ngeom)
        if model.geom_type[i] == mujoco.mjtGeom.mjGEOM_CYLINDER
        and model.geom_conaffinity[i] == 0
        and model.geom_contype[i] > 0
    ]
    assert len(bars) == 3 and all(pos[0] == pytest.approx(2.25) for pos in bars)
    assert on_a_line(field, 2.25 - 1.3, 0.0)
    assert on_a_line(field, -2.25 + 0.75 * np.cos(0.5), 0.75 * np.sin(0.5))
    assert not on_a_line(field, -2.25 - 0.75 * np.cos(0.5), 0.75 * np.sin(0.5))
    # Nothing at the middle of what is only one half, nor where the other goal's areas would be.
    assert not on_a_line(field, 0.0, 0.0) and not on_a_line(field, -2.25 + 0.6 - 0.025, 0.9)


def test_a_field_without_areas_mark_and_circle_has_only_its_outline():
    field = dataclasses.replace(
        SPL, penalty_area=(0, 0), goal_area=(0, 0), penalty_mark=0, centre_circle_radius=0, goals=1
    )
    vertices, faces = scenery.field_lines(field)
    assert len(faces) == 2 * 4
    build_model(RobotProfile.load('nao_v6'), field)


@pytest.mark.needs('drawing')
@pytest.mark.parametrize('name', ROBOTS)
def test_a_portrait_shows_the_robot_and_where_it_looks(name):
    robot = RobotProfile.load(name)
    ahead, aside = portrait(robot, 160, 160), portrait(robot, 160, 160, head=(0.9, 0.3))
    assert ahead.shape == (160, 160, 3)
    values = ahead.astype(int)
    team = (values[..., 2] > 1.5 * values[..., 0]) & (values[..., 2] > 1.5 * values[..., 1])
    assert team.sum() > 100
    differs = np.abs(values - aside).max(axis=-1) > 20
    rows = np.nonzero(differs)[0]
    # Only the head is another, and it is in the upper part of the picture.
    assert 100 < differs.sum() < 4000 and np.percentile(rows, 95) < 80


@pytest.mark.needs('drawing')
@pytest.mark.parametrize('name', FIELDS)
def test_a_view_of_a_field_shows_all_its_lines_in_its_colours(name):
    field = Field.load(name)
    values = field_view(field, RobotProfile.load('nao_v6'), 320, 180).astype(int)
    white = values.min(axis=-1) > 150
    green = (values[..., 1] > values[..., 0] + 15) & (values[..., 1] > values[..., 2] + 15)
    assert green.mean() > 0.3 and 0.01 < white[40:].mean() < 0.4
    other = dataclasses.replace(
        field, looks=dataclasses.replace(field.looks, carpet=(0.3, 0.2, 0.1))
    )
    brown = field_view(other, RobotProfile.load('nao_v6'), 320, 180).astype(int)
    assert (brown[green][:, 0] > brown[green][:, 1]).mean() > 0.95


@pytest.mark.needs('drawing')
def test_what_a_randomisation_may_change_is_there_by_name_and_shows():
    robot = RobotProfile.load('nao_v6')
    model, data = scene(robot)
    for name in scenery.LIGHTS:
        model.light(name)
    for name in scenery.MATERIALS:
        model.material(name)
    pictures = []
    with Renderer(model, 160, 120) as renderer:
        for carpet in scenery.CARPETS:
            model.geom('carpet').matid[:] = model.material(carpet).id
            pictures.append(renderer.render(data, 'overview').astype(int))
        model.light('sun').diffuse[:] *= 0.5
        pictures.append(renderer.render(data, 'overview').astype(int))
        model.material('carpet_striped').rgba[:3] = (1.0, 0.5, 0.5)
        pictures.append(renderer.render(data, 'overview').astype(int))
    for index, first in enumerate(pictures):
        for second in pictures[index + 1 :]:
            assert (np.abs(first - second).max(axis=-1) > 3).mean() > 0.02


def test_several_robots_share_one_header():
    nao, booster = RobotProfile.load('nao_v6'), RobotProfile.load('booster_t1')
    alone, both = scenery.build(nao, SPL), scenery.build(nao, SPL, [booster, nao])
    assert '"booster_t1_0"' in both.header and '"booster_t1_0"' not in alone.header
    assert both.header.count('name="nao_v6_0"') == 1
    assert both.robot == alone.robot
