import dataclasses
import json

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest
import yaml

from guda_ros.config.files import ConfigError, find_config
from guda_ros.data.contract import Contract
from guda_ros.data.contract_base import ContractMismatch
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.robot_names import DRIVER_TOPICS, FRAMES, TOPICS
from guda_ros.tasks.parking.task import ParkingContract


@pytest.fixture(scope='module')
def contract():
    return Contract.load('soccer_push')


def changed(kind, name, tmp_path, change):
    content = yaml.safe_load(find_config(kind, name).read_text())
    change(content)
    path = tmp_path / 'changed.yaml'
    path.write_text(yaml.safe_dump(content))
    return path


def test_contract_survives_json(contract):
    again = Contract.from_json(contract.to_json())
    assert again == contract and again.hash == contract.hash


@pytest.mark.parametrize(
    ('name', 'hash'),
    [
        ('soccer_push', 'ce64dccf74e21fb5'),
        ('soccer_corners', '258783596378b202'),
        ('soccer_obstacles', 'c21184e2a7c1cfcd'),
        ('soccer_push_real', 'd109b03b6d745e86'),
    ],
)
def test_the_shipped_contracts_are_those_that_old_files_carry(name, hash):
    contract = Contract.load(name)
    assert contract.hash == hash
    assert 'task' not in json.loads(contract.to_json())


def test_a_file_may_name_the_task_of_soccer(contract, tmp_path):
    path = changed('tasks', 'soccer_push', tmp_path, lambda c: c.update(task='soccer_push'))
    assert Contract.load(path) == contract


@pytest.mark.parametrize(
    ('task', 'message'),
    [
        ('nowhere', r"changed\.yaml: task: unknown task 'nowhere'"),
        ('parking', r'changed\.yaml: task: the task parking is played without a robot'),
    ],
)
def test_a_task_that_has_no_robot_is_refused(tmp_path, task, message):
    path = changed('tasks', 'soccer_push', tmp_path, lambda c: c.update(task=task))
    with pytest.raises(ConfigError, match=message):
        Contract.load(path)


def test_hash_changes_with_a_limit_of_the_robot(contract, tmp_path):
    robot = changed('robots', 'nao_v6', tmp_path, lambda c: c['limits'].update(forward=0.3))
    other = Contract.load('soccer_push', robot=robot)
    assert other.hash != contract.hash
    assert contract.differences(other) == ['limits.forward: 0.25 != 0.3']


def test_mismatch_names_every_difference(contract):
    other = dataclasses.replace(contract, rate=20.0, ball_hold=1.0)
    with pytest.raises(
        ContractMismatch, match=r'policy\.onnx(.|\n)*ball_hold: 4.0 != 1.0\n  rate: 10.0 != 20.0'
    ):
        contract.require(other, 'policy.onnx')


def test_same_contract_is_accepted(contract):
    contract.require(Contract.load('soccer_push'), 'policy.onnx')


def test_unknown_robot_lists_the_known_ones():
    with pytest.raises(
        ConfigError, match='unknown name .asimo. in config/robots; known: .*nao_v6'
    ):
        RobotProfile.load('asimo')


def _field(**changes):
    return lambda c: c['field'].update(changes)


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda c: c.update(rate=-5), 'rate: -5 is outside'),
        (lambda c: c.update(rate=float('nan')), 'rate: nan is outside'),
        (lambda c: c.update(rate='10'), "rate: a number is expected, not '10'"),
        (lambda c: c.update(rate=10**400), 'rate: 1000.* is outside'),
        (lambda c: c.update(time_limit=0), 'time_limit: 0 is outside'),
        (lambda c: c.update(version={}), 'version: a number is expected'),
        (lambda c: c.update(name='a\0b'), 'name: a text without control characters'),
        (lambda c: c['limits'].update(forward=-1), 'limits.forward: -1 is outside'),
        (lambda c: c['limits'].update(turn=None), 'limits.turn: a number is expected'),
        (lambda c: c.update(limits=[]), 'limits: a mapping is expected'),
        (lambda c: c.update(topics={}), 'topics.image: is missing'),
        (lambda c: c['topics'].update(odom='a b'), "topics.odom: 'a b' is no name of a topic"),
        (lambda c: c['topics'].update(odom='\0'), 'topics.odom: a text without control'),
        (lambda c: c['topics'].update(odom=''), 'topics.odom: a text is expected'),
        (lambda c: c['topics'].update(odom='a/2b'), 'topics.odom: .* is no name of a topic'),
        (lambda c: c['topics'].update(odom='x' * 300), 'topics.odom: .* is no name of a topic'),
        (lambda c: c['topics'].update(imu=5), 'topics.imu: a text is expected'),
        (lambda c: c['frames'].update(map='a map'), "frames.map: 'a map' is no name of a frame"),
        (lambda c: c['frames'].update(map='\ufeff'), 'frames.map: .* is no name of a frame'),
        (lambda c: c['frames'].update(map=['map']), 'frames.map: a text is expected'),
        (lambda c: c.update(observation=[['ball']]), 'observation: a list of names'),
        (lambda c: c.update(observation=[]), 'observation: unknown feature'),
        (lambda c: c.update(action=['forward']), 'action: '),
        (_field(width=-6.0), 'field.width: -6.0 is outside'),
        (_field(goal_width=19.0), 'goal_width: 19 m are more than'),
        (_field(ball={'radius': 'x'}), 'field.ball.radius: a number is expected'),
        (_field(looks=None), 'field.looks: a mapping is expected'),
        (lambda c: c.pop('field'), 'field: is missing'),
    ],
)
def test_metadata_are_checked_though_their_hash_would_fit(contract, change, message):
    values = json.loads(contract.to_json())
    change(values)
    with pytest.raises(ValueError, match=f'not a contract.*{message}'):
        Contract.from_json(json.dumps(values))


@pytest.mark.parametrize(
    'name, message',
    [
        ('a b', 'is no name of a topic'),
        ('\0', 'control characters'),
        ('9', 'is no name of a topic'),
    ],
)
def test_a_topic_that_ros_has_no_name_for_is_refused(tmp_path, name, message):
    path = changed('tasks', 'soccer_push', tmp_path, lambda c: c['topics'].update(ball=name))
    with pytest.raises(ConfigError, match=rf'topics\.ball: .*{message}'):
        Contract.load(path)


@pytest.mark.parametrize(
    'change, message',
    [
        ({'max_steps': 0}, 'max_steps: at least one'),
        ({'max_steps': 5.5}, 'max_steps: int is expected'),
        ({'success': '1'}, 'success: float is expected'),
        ({'success': float('nan')}, 'success: float is expected'),
        ({'weights': [1.0]}, 'weights: tuple.* is expected'),
        ({'weights': [None] * 6}, 'weights: tuple.* is expected'),
        ({'name': ''}, 'name: str is expected'),
    ],
)
def test_a_contract_of_numbers_takes_nothing_else(change, message):
    values = {**json.loads(ParkingContract().to_json()), **change}
    with pytest.raises(ValueError, match=message):
        ParkingContract.from_json(json.dumps(values))


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda c: c['limits'].update(forward=-1), r'limits\.forward: -1 is outside'),
        (lambda c: c['limits'].update(forward='fast'), r'limits\.forward: a number is expected'),
        (lambda c: c['limits'].update(forward=float('nan')), r'limits\.forward: nan is outside'),
        (lambda c: c['camera'].pop('pitch'), r'camera\.pitch: is missing'),
        (lambda c: c['camera'].update(zoom=2), r'camera\.zoom: is not a known key'),
        (lambda c: c['camera'].update(position=[1, 2]), r'camera\.position: a list of 3 numbers'),
        (lambda c: c.update(body=3), r'body: a mapping is expected'),
    ],
)
def test_wrong_value_in_a_robot_profile_is_named_with_file_and_key(tmp_path, change, message):
    path = changed('robots', 'nao_v6', tmp_path, change)
    with pytest.raises(ConfigError, match=rf'changed\.yaml: {message}'):
        RobotProfile.load(path)


def test_wrong_value_in_a_field_is_named(tmp_path):
    path = changed('fields', 'spl', tmp_path, lambda c: c.update(penalty_area=[1.65, 'wide']))
    with pytest.raises(ConfigError, match=r'changed\.yaml: penalty_area\.1: a number is expected'):
        Field.load(path)


def test_unknown_observation_feature_is_named(tmp_path):
    path = changed(
        'tasks', 'soccer_push', tmp_path, lambda c: c.update(observation=['ball', 'smell'])
    )
    with pytest.raises(ConfigError, match='smell'):
        Contract.load(path)


def test_broken_yaml_is_named_with_its_line(tmp_path):
    path = tmp_path / 'broken.yaml'
    path.write_text('name: x\nlimits: [1,\n')
    with pytest.raises(ConfigError, match=r'broken\.yaml: not valid YAML(.|\n)*line'):
        RobotProfile.load(path)


def test_text_that_is_no_contract_is_refused():
    with pytest.raises(ValueError, match='not a contract'):
        Contract.from_json('{"name": "x"}')


@settings(max_examples=50, deadline=None)
@given(
    topics=st.dictionaries(st.sampled_from((*TOPICS, *DRIVER_TOPICS)), st.just('mine/name')),
    frames=st.dictionaries(st.sampled_from(FRAMES), st.just('my_frame')),
)
def test_contracts_that_differ_in_names_only_fit_each_other_and_no_others(topics, frames):
    usual = Contract.load()
    mine = dataclasses.replace(
        usual, topics={**usual.topics, **topics}, frames={**usual.frames, **frames}
    )
    mine = Contract.from_json(mine.to_json())
    assert (mine.hash == usual.hash) == (not topics and not frames)
    assert usual.fits(mine) and mine.fits(usual) and usual.differences(mine) == []
    usual.require(mine, 'a file')
    faster = dataclasses.replace(mine, rate=2 * mine.rate)
    assert not usual.fits(faster)
    with pytest.raises(ContractMismatch, match=r'rate: 10\.0 != 20\.0$'):
        usual.require(faster, 'a file')


def test_a_profile_renames_topics_and_frames_of_every_contract(tmp_path):
    text = find_config('robots', 'nao_v6').read_text(encoding='utf-8')
    path = tmp_path / 'mine.yaml'
    path.write_text(
        text + 'topics: {image: cam/image, imu: imu/torso}\nframes: {base: base_footprint}\n'
    )
    for name in ('soccer_push', 'soccer_corners'):
        usual, mine = Contract.load(name), Contract.load(name, str(path))
        assert mine.topics == {**usual.topics, 'image': 'cam/image', 'imu': 'imu/torso'}
        assert mine.frames == {**usual.frames, 'base': 'base_footprint'}
        usual.require(mine, 'a file')
    for wrong, said in (
        ('topics: {images: x}', r'topics\.images: is no topic; known: image,'),
        ('topics: {image: 3}', r'topics\.image: a text is expected'),
        ('topics: {image: "a b"}', r"topics\.image: 'a b' is no name of a topic"),
        ('frames: {world: x}', r'frames\.world: is no frame; known: map,'),
        ('frames: {base: ""}', r'frames\.base: a text is expected'),
    ):
        path.write_text(f'{text}{wrong}\n')
        with pytest.raises(ConfigError, match=said):
            Contract.load(robot=str(path))
