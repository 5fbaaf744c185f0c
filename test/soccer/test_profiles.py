"""Profiles of robots, fields and balls: complete, and a wrong value is named with file and key."""

import copy
import dataclasses
import json
from pathlib import Path
import re

import numpy as np
import pytest
import yaml

from guda_ros.config.files import ConfigError, load_yaml
from guda_ros.data.contract import Contract
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.soccer import world
from guda_ros.soccer.field import Ball, Field
from guda_ros.soccer.robot import Contradiction, RobotProfile
from guda_ros.soccer.robot_file import ALL_KEYS, keys_of, put, to_yaml
from guda_ros.tasks.soccer.validity import check_steps, REASONS

ROOT = Path(__file__).resolve().parents[2]
ROBOTS = sorted((ROOT / 'config' / 'robots').glob('*.yaml'))
FIELDS = sorted((ROOT / 'config' / 'fields').glob('*.yaml'))
BALLS = sorted((ROOT / 'config' / 'balls').glob('*.yaml'))


def stem(path):
    return path.stem


def leaves(values, prefix=''):
    """Return the dotted keys of nested mappings."""
    found = []
    for key, value in values.items():
        found += leaves(value, f'{prefix}{key}.') if isinstance(value, dict) else [prefix + key]
    return found


def changed(path, tmp_path, key, value):
    """Write a copy of a profile with another value, or without the key if it is None."""
    content = load_yaml(path)
    *sections, last = key.split('.')
    inner = content
    for section in sections:
        inner = inner[section]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    target = tmp_path / 'changed.yaml'
    target.write_text(yaml.safe_dump(content))
    return target


def test_the_profiles_that_are_promised_are_there():
    assert {'generic_walker', 'nao_v6', 'booster_k1', 'booster_t1', 'robotis_op3'} <= set(
        map(stem, ROBOTS)
    )
    assert {'spl', 'kid_size', 'lab_half'} <= set(map(stem, FIELDS))
    assert {'spl', 'spl_foam', 'fifa_size1'} <= set(map(stem, BALLS))


@pytest.mark.parametrize('path', ROBOTS, ids=stem)
def test_a_robot_is_complete_and_says_where_its_values_come_from(path):
    robot = RobotProfile.load(path.stem)
    assert robot.name == path.stem
    assert robot.sources
    cited = {int(n) for n in re.findall(r'\[(\d)\]', path.read_text())}
    listed = {
        int(source.split(':')[0]) for source in robot.sources if source.split(':')[0].isdigit()
    }
    assert cited == listed, 'every source is cited, and every citation has a source'
    assert all('http' in source for source in robot.sources if source[0].isdigit())


@pytest.mark.parametrize('path', ROBOTS, ids=stem)
def test_every_key_of_a_robot_has_a_unit_and_a_meaning_and_is_written_again(path, tmp_path):
    values = load_yaml(path)
    keys = [key for key in leaves(values) if not key.startswith('uncertainty')]
    known = keys_of(values)
    assert sorted(keys) == sorted(key for key in known if key in keys)
    # A base with wheels has values for what its profile leaves out.
    left_out = ('walk', 'odometry', 'imu', 'base.front', 'camera')
    optional = left_out if 'kind' in values else ()
    assert {key for key in set(known) - set(keys) if not key.startswith(optional)} == {
        key for key in known if key.startswith('lower_camera') and 'lower_camera' not in values
    }
    values.pop('uncertainty', None)
    target = tmp_path / 'again.yaml'
    target.write_text(to_yaml(values, 'again'))
    assert RobotProfile.load(target) == dataclasses.replace(
        RobotProfile.load(path), uncertainty={}
    )


@pytest.mark.parametrize(
    'key, value, message',
    [
        ('style', 'asimo', "style: 'asimo' is not one of nao, booster, op3, plain, wheels"),
        ('sources', 'the web', 'sources: a list of names is expected'),
        ('limits.turn', 0, r'limits\.turn: 0 is outside'),
        ('walk.response_time', [0.1, 0.1], r'walk\.response_time: a list of 3 numbers'),
        ('walk.response_time', [0.1, 0.1, 9], r'walk\.response_time\.2: 9 is outside'),
        ('walk.sway.roll', None, r'walk\.sway\.roll: is missing'),
        ('kick.speed', 'hard', r'kick\.speed: a number is expected'),
        ('fall.get_up_time', -1, r'fall\.get_up_time: -1 is outside'),
        ('body.mass', float('nan'), r'body\.mass: nan is outside'),
        ('body.hip_height', 0.5, r'body\.shoulder_height: is not higher than hip_height'),
        ('body.head_height', 0.2, r'body\.head_height: is not higher than shoulder_height'),
        ('body.height', 0.3, r'body\.height: is less than head_height'),
        ('body.foot_front', 0.2, r'body\.foot_front: is more than foot_length'),
        ('body.stance_width', 0.05, r'body\.stance_width: is less than foot_width'),
        ('head.pan', [0.1, 1], r'head\.pan: 0 is not within'),
        ('head.tilt', [-1, -0.1], r'head\.tilt: 0 is not within'),
        ('camera.width', 320.5, r'camera\.width: an integer is expected'),
        ('camera.delivery.dropout', 2, r'camera\.delivery\.dropout: 2 is outside'),
        ('lower_camera.pitch', None, r'lower_camera\.pitch: is missing'),
        ('odometry.delivery', 0, r'odometry\.delivery: a mapping is expected'),
        ('imu.rate', None, r'imu\.rate: is missing'),
    ],
)
def test_a_wrong_value_of_a_robot_is_named_with_file_and_key(tmp_path, key, value, message):
    path = changed(ROOT / 'config' / 'robots' / 'nao_v6.yaml', tmp_path, key, value)
    with pytest.raises(ConfigError, match=rf'changed\.yaml: {message}') as caught:
        RobotProfile.load(path)
    assert caught.value.key and caught.value.key in str(caught.value)


@pytest.mark.parametrize(
    'key, value, message',
    [
        ('camera.position', [0.06, 0, 0], 'camera.position: is in the ground'),
        ('camera.position', [0.06, 0, 3], 'camera.position: is higher than the robot'),
        ('lower_camera.position', [2, 0, 0.4], 'lower_camera.position: is 2 m aside'),
        ('camera.pitch', -1.5, 'camera.pitch: has the camera look over the ground'),
        ('lower_camera.exposure', 0.5, 'lower_camera.exposure: is longer than an image'),
        ('head.neck', [3.0, 0, 0.46], 'head.neck: is 3 m aside'),
        ('head.neck', [0, 0, -0.46], 'head.neck: is in the ground'),
        ('body.stance_width', 3.0, 'body.stance_width: is more than the height'),
        ('body.height', 5.74, 'body.height: is more than one and a half times head_height'),
        ('body.foot_length', 0.9, 'body.foot_length: is more than the height'),
        ('body.shoulder_width', 3.0, 'body.shoulder_width: is more than twice the height'),
        ('body.head_radius', 1.0, 'body.head_radius: is more than half the height'),
        ('body.mass', 0.001, 'body.mass: 0.001 kg do not fit the measures'),
        ('kick.reach', 2.0, 'kick.reach: is more than the height'),
    ],
)
def test_measures_that_no_one_robot_has_contradict_each_other(tmp_path, key, value, message):
    path = changed(ROOT / 'config' / 'robots' / 'nao_v6.yaml', tmp_path, key, value)
    with pytest.raises(Contradiction, match=message) as caught:
        RobotProfile.load(path)
    assert caught.value.key == key


@pytest.mark.parametrize('factor', [0.1, 10.0])
def test_a_robot_in_another_unit_of_length_is_noticed_by_its_mass(tmp_path, factor):
    values = load_yaml(ROOT / 'config' / 'robots' / 'nao_v6.yaml')
    body = values['body']
    body.update({key: factor * value for key, value in body.items() if key != 'mass'})
    for mount in (values['camera'], values['lower_camera']):
        mount['position'] = [factor * value for value in mount['position']]
    values['head']['neck'] = [factor * value for value in values['head']['neck']]
    values['kick']['reach'] *= factor
    with pytest.raises(Contradiction, match='5.5 kg do not fit the measures'):
        RobotProfile.read(values, 'profile')


@pytest.mark.parametrize(
    'key, value, message',
    [
        ('length', 'long', 'length: a number is expected'),
        ('border', None, 'border: is missing'),
        ('goals', 3, r'goals: 3 is outside \[1, 2\]'),
        ('goals', 1.5, 'goals: an integer is expected'),
        ('goal_width', 6.5, r'goal_width: 6\.5 m are more than the field is wide, 6 m'),
        ('goal_depth', 0.9, r'goal_depth: 0\.9 m are more than the border is wide, 0\.7 m'),
        ('penalty_area', [5, 4], r'penalty_area: 5 m are more than one half is long, 4\.5 m'),
        ('goal_area', [0.6, 7], r'goal_area: 7 m are more than the field is wide'),
        ('penalty_mark', 4.6, r'penalty_mark: 4\.6 m are more than one half is long'),
        (
            'centre_circle_radius',
            3.5,
            r'centre_circle_radius: 3\.5 m are more than there is room for',
        ),
        ('looks', {'carpet': [0, 2, 0]}, r'looks\.carpet\.1: 2 is outside'),
        ('looks', {'sky': [0, 0, 1]}, r'looks\.sky: is not a known key'),
        ('ball', 'medicine', "ball: unknown name 'medicine' in config/balls; known: .*spl"),
        ('ball', {'radius': 0.05}, r'ball\.mass: is missing'),
        ('ball', 5, 'ball: a mapping is expected'),
        ('grass', 'yes', 'grass: is not a known key'),
    ],
)
def test_a_wrong_value_of_a_field_is_named_with_file_and_key(tmp_path, key, value, message):
    path = (
        changed(ROOT / 'config' / 'fields' / 'spl.yaml', tmp_path, key, value)
        if value is None
        else tmp_path / 'changed.yaml'
    )
    if value is not None:
        content = load_yaml(ROOT / 'config' / 'fields' / 'spl.yaml')
        path.write_text(yaml.safe_dump({**content, key: value}))
    with pytest.raises(ConfigError, match=rf'changed\.yaml: {message}') as caught:
        Field.load(path)
    assert caught.value.key


@pytest.mark.parametrize(
    'key, value, message',
    [
        ('radius', 0, 'radius: 0 is outside'),
        ('mass', None, 'mass: is missing'),
        ('colour', [1, 0], 'colour: a list of 3 numbers'),
        ('bounce', 1, 'bounce: is not a known'),
    ],
)
def test_a_wrong_value_of_a_ball_is_named_with_its_file_and_the_field_that_has_it(
    tmp_path, key, value, message
):
    content = load_yaml(BALLS[0])
    if value is None:
        del content[key]
    else:
        content[key] = value
    ball = tmp_path / 'wrong.yaml'
    ball.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=rf'wrong\.yaml: {message}'):
        Ball.load(ball)
    field = tmp_path / 'field.yaml'
    field.write_text(
        yaml.safe_dump({**load_yaml(ROOT / 'config' / 'fields' / 'spl.yaml'), 'ball': str(ball)})
    )
    with pytest.raises(ConfigError, match=rf'field\.yaml: ball: .*wrong\.yaml: {message}'):
        Field.load(field)


def test_a_ball_may_be_named_or_written_into_the_field(tmp_path):
    named = load_yaml(ROOT / 'config' / 'fields' / 'spl.yaml')
    inline = {**named, 'ball': load_yaml(ROOT / 'config' / 'balls' / 'fifa_size5.yaml')}
    path = tmp_path / 'field.yaml'
    path.write_text(yaml.safe_dump(inline))
    assert Field.load(path).ball == Ball.load('fifa_size5')
    assert Field.load('spl').ball == Ball.load('spl')


@pytest.mark.parametrize('path', FIELDS, ids=stem)
def test_a_field_survives_a_recording(path):
    field = Field.load(path.stem)
    assert field.name == path.stem
    contract = dataclasses.replace(Contract.load(), field=field)
    assert Contract.from_json(contract.to_json()) == contract


def test_a_recording_from_before_looks_and_half_fields_is_of_the_same_contract():
    contract = Contract.load()
    values = json.loads(contract.to_json())
    assert (
        not {'goals', 'looks'} & set(values['field']) and 'patches' not in values['field']['ball']
    )
    half = dataclasses.replace(contract, field=dataclasses.replace(contract.field, goals=1))
    assert half.hash != contract.hash


@pytest.mark.parametrize('path', BALLS, ids=stem)
def test_every_ball_rolls_out_as_its_profile_says(path):
    ball = Ball.load(path.stem)
    contract = Contract.load()
    contract = dataclasses.replace(contract, field=dataclasses.replace(contract.field, ball=ball))
    simulation = SoccerSimulation(contract, RobotProfile.load('nao_v6'), visual=False)
    simulation.set_world_state([-3, 2, 0, 0, 0, 1.0, 0, 0, 0, 0])
    for _ in range(10):
        simulation.step([0, 0, 0])
    speed = simulation.world_state()[world.BALL_VELOCITY][0]
    assert 1.0 - speed == pytest.approx(ball.deceleration, rel=0.05)


def test_a_half_field_has_no_goal_behind_its_halfway_line():
    half, whole = Field.load('lab_half'), Field.load('spl')
    assert (half.goal_sides, half.halfway_line) == ((1,), -2.25)
    assert (whole.goal_sides, whole.halfway_line) == ((1, -1), 0.0)
    contract = dataclasses.replace(Contract.load(), field=half)
    states = np.zeros((2, world.SIZE))
    # At the middle of a post of the attacked goal, and where the other goal has none.
    states[:, world.BALL] = [(2.25, 0.8), (-2.25, 0.8)]
    states[:, 0] = 0.5
    reasons = [REASONS[index] for index in check_steps(states, states, contract)]
    assert reasons == ['ball_at_post', 'valid']
    states[:, world.BALL] = 0.0, 0.2
    states[:, :2] = [(2.25, 0.8), (-2.25, 0.8)]
    reasons = [REASONS[index] for index in check_steps(states, states, contract)]
    assert reasons == ['robot_at_goal', 'valid']


def test_a_ball_scores_on_a_half_field_and_rolls_out_over_its_halfway_line():
    contract = dataclasses.replace(Contract.load(), field=Field.load('lab_half'))
    simulation = SoccerSimulation(contract, RobotProfile.load('nao_v6'), visual=False)
    for x, velocity, scored in ((1.9, 1.0, True), (-1.9, -1.0, False)):
        simulation.set_world_state([0, 1, 0, x, 0, velocity, 0, 0, 0, 0])
        for _ in range(15):
            simulation.step([0, 0, 0])
        assert (simulation.scored, simulation.out) == (scored, not scored)


def test_an_attack_is_drawn_from_the_halfway_line_of_either_field():
    from guda_ros.evaluation.pages.drawing import new_figure
    from guda_ros.evaluation.pages.pictures import draw_field

    for name, low, high in (('spl', 0.0, 4.5), ('lab_half', -2.25, 2.25)):
        with new_figure(3.0) as figure:
            axes = figure.add_axes([0, 0, 1, 1])
            draw_field(axes, Field.load(name))
            left, right = axes.get_xlim()
            assert left < low < left + 0.5 and high < right < high + 0.7
            goals = [patch for patch in axes.patches if patch.get_zorder() == 1.5]
            assert len(goals) == 1


def test_values_put_into_a_profile_are_those_that_it_has():
    values = copy.deepcopy(load_yaml(ROBOTS[0]))
    put(values, 'walk.sway.roll', 0.123)
    assert RobotProfile.read(values, 'here').walk.sway.roll == 0.123


def test_the_documentation_explains_every_key_and_shows_every_profile():
    text = (ROOT / 'docs' / 'profiles.md').read_text(encoding='utf-8')
    for key in ALL_KEYS:
        last = key.rpartition('.')[2]
        assert f'`{key}`' in text or f'`{last}`' in text, key
    for kind, cls in (('field', Field), ('ball', Ball)):
        for key in cls.__dataclass_fields__:
            assert f'`{key}`' in text, f'{kind} {key}'
    images = ROOT / 'docs' / 'images'
    for name in (
        [f'robot_{path.stem}' for path in ROBOTS]
        + [f'field_{path.stem}' for path in FIELDS]
        + ['balls']
    ):
        assert f'images/{name}.jpg' in text and (images / f'{name}.jpg').is_file()
    assert (
        sum(
            file.stat().st_size
            for file in images.glob('*.jpg')
            if file.stem.startswith(('robot_', 'field_', 'balls'))
        )
        < 600_000
    )


def test_what_a_driver_hears_is_told_by_a_profile_and_is_nothing_of_the_robot_itself(tmp_path):
    text = (ROOT / 'config' / 'robots' / 'nao_v6.yaml').read_text(encoding='utf-8')
    path = tmp_path / 'mine.yaml'
    path.write_text(text.replace('adapter: naoqi', 'stamped: false'), encoding='utf-8')
    usual, mine = RobotProfile.load('nao_v6'), RobotProfile.load(path)
    assert usual.driver.stamped and not mine.driver.stamped
    assert usual.as_dict() == mine.as_dict()
    assert Contract.load(robot=str(path)).hash == Contract.load().hash
    path.write_text(text.replace('adapter: naoqi', 'stamped: perhaps'), encoding='utf-8')
    with pytest.raises(ConfigError, match=r'driver\.stamped: true or false is expected'):
        RobotProfile.load(path)


def test_a_principal_point_is_optional_and_lies_in_the_image():
    values = load_yaml(ROBOTS[0])
    plain = RobotProfile.read(copy.deepcopy(values), 'here')
    size = plain.camera.width, plain.camera.height
    assert plain.camera.centre == ((size[0] - 1) / 2, (size[1] - 1) / 2)
    assert 'principal_point' not in plain.as_dict()['camera']
    put(values, 'camera.principal_point', [141, 107.5])
    moved = RobotProfile.read(copy.deepcopy(values), 'here')
    assert moved.camera.centre == (141.0, 107.5)
    assert moved.as_dict()['camera']['principal_point'] == (141.0, 107.5)
    text = to_yaml(values, 'title')
    again = RobotProfile.read(yaml.safe_load(text), 'there')
    assert again == moved
    assert len(re.findall(r'^camera:', text, re.MULTILINE)) == 1
    for wrong in ([size[0], 1], [1, size[1]], [-1, 1], [1], 'middle'):
        put(values, 'camera.principal_point', wrong)
        with pytest.raises(ConfigError, match='camera.principal_point'):
            RobotProfile.read(copy.deepcopy(values), 'here')


@pytest.mark.parametrize('path', ROBOTS, ids=lambda path: path.stem)
def test_every_kind_of_robot_may_have_a_principal_point(path):
    values = load_yaml(path)
    first = f'cameras.{next(iter(values["cameras"]))}' if 'cameras' in values else 'camera'
    put(values, f'{first}.principal_point', [20, 30])
    assert RobotProfile.read(values, path).camera.centre == (20.0, 30.0)


def real_nao():
    return copy.deepcopy(load_yaml(ROOT / 'config' / 'robots' / 'nao_v6_real.yaml'))


def test_cameras_by_name_are_all_perception_s_and_those_of_the_old_keys_only_the_first():
    several, old = RobotProfile.load('nao_v6_real'), RobotProfile.load('nao_v6')
    assert list(several.eyes) == list(several.cameras) == ['bottom', 'top']
    assert several.camera is several.cameras['bottom']
    assert list(old.eyes) == ['head'] and list(old.cameras) == ['head', 'lower']
    assert several.cameras['bottom'] == old.lower_camera
    assert several.lower_camera is None
    assert list(several.as_dict()['cameras']) == ['bottom', 'top']
    assert {'camera', 'lower_camera'} <= old.as_dict().keys()
    assert not {'cameras', 'other_cameras', 'camera_name'} & old.as_dict().keys()


@pytest.mark.parametrize(
    'key, value, message',
    [
        ('camera', {}, 'camera: is one of `cameras`'),
        ('lower_camera', {}, 'lower_camera: is one of `cameras`'),
        ('cameras', {}, 'cameras: at least one camera is expected'),
        ('cameras', [], 'cameras: a mapping is expected'),
        ('cameras.Top', {}, 'cameras.Top: is no name of a camera'),
        ('cameras.overview', {}, 'cameras.overview: is no name of a camera'),
        ('cameras.top.pitch', None, r'cameras\.top\.pitch: is missing'),
        ('cameras.top.exposure', 0.5, r'cameras\.top\.exposure: is longer than an image'),
        ('cameras.top.position', [2, 0, 0.4], r'cameras\.top\.position: is 2 m aside'),
        (
            'topics',
            {'side_image': 'side'},
            r'topics\.side_image: is no topic; known: .*top_image',
        ),
    ],
)
def test_a_wrong_value_of_one_of_several_cameras_is_named(tmp_path, key, value, message):
    path = changed(ROOT / 'config' / 'robots' / 'nao_v6_real.yaml', tmp_path, key, value)
    with pytest.raises(ConfigError, match=message):
        RobotProfile.load(path)


def test_topics_of_a_further_camera_can_be_named_and_are_written_again(tmp_path):
    values = real_nao()
    values['topics'] = {'top_image': 'camera/front/image_raw', 'image': 'camera/bottom/image_raw'}
    values['cameras']['top']['principal_point'] = [309.4, 230.6]
    target = tmp_path / 'again.yaml'
    target.write_text(to_yaml(values, 'again'))
    again = RobotProfile.load(target)
    assert again.topics == values['topics']
    assert again.cameras['top'].centre == (309.4, 230.6)


def test_a_base_with_wheels_may_have_several_cameras(tmp_path):
    values = load_yaml(ROOT / 'config' / 'robots' / 'turtlebot4.yaml')
    front = values.pop('camera')
    values['cameras'] = {'front': front, 'down': {**front, 'pitch': 0.9}}
    base = RobotProfile.read(values, 'mine')
    assert base.cameras['down'].pitch == 0.9 and list(base.eyes) == ['front', 'down']
