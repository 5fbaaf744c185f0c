"""`guda calibrate` prints boards and puts lens and mount into a profile, or refuses in words."""

import json
import re

from board_scene import Studio
import cv2
from mount_scene import PROFILE, Twin, wrong
import numpy as np
from optional import missing
import pytest
from recording_scene import header, TYPES
from rosbags.rosbag2 import StoragePlugin, Writer
import yaml

from guda_ros.cli.main import main
from guda_ros.identification.cameras.boards import Board, corners_of
from guda_ros.perception.camera import CameraModel
from guda_ros.soccer.robot import RobotProfile

STUDIO, BOARD = Studio(), Board()
LOWER = ['--base', 'nao_v6', '--camera', 'lower_camera']
#: Where the robot of `heads` stands.
STANDS = ['--pose', '3.1', '0.4', '11.46']


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Return a folder of pictures of a board."""
    made = tmp_path_factory.mktemp('board')
    for number, bgr in enumerate(STUDIO.pictures(BOARD, 13, 1)):
        cv2.imwrite(str(made / f'{number:02}.png'), bgr)
    return made


@pytest.fixture(scope='module')
def heads():
    """Return what a robot sees whose camera is off by .03 rad and -12 mm."""
    if missing('drawing'):
        pytest.skip(missing('drawing'))
    twin = Twin(wrong(0.03, -0.012))
    yield twin.look_around(np.array([3.1, 0.4, 0.2]))
    twin.close()


@pytest.mark.needs('PIL')
@pytest.mark.parametrize('name', ['board.pdf', 'board.png'])
def test_a_board_is_written_in_its_real_size(tmp_path, capsys, name):
    from PIL import Image

    out = tmp_path / name
    assert main(['calibrate', 'board', '--out', str(out)]) == 0
    assert '9 squares are 270 mm wide' in capsys.readouterr().out
    if name.endswith('.pdf'):
        box = re.search(rb'MediaBox \[ 0 0 ([\d.]+) ([\d.]+)', out.read_bytes())
        size = np.array([float(side) for side in box.groups()]) / 72 * 0.0254
    else:
        picture = Image.open(out)
        size = np.array(picture.size) / picture.info['dpi'] * 0.0254
        grey = np.array(picture.convert('L'))
        small = cv2.resize(grey, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
        numbers, pixels = corners_of(BOARD, small)
        assert len(numbers) == 40
        metres = (pixels[7] - pixels[0]) * 5 / picture.info['dpi'][0] * 0.0254
        np.testing.assert_allclose(metres, [0.21, 0.0], atol=2e-4)
    np.testing.assert_allclose(size, [0.297, 0.21], atol=1e-4)
    assert main(['calibrate', 'board', '--out', str(out)]) == 1
    assert '--overwrite' in capsys.readouterr().err


@pytest.mark.parametrize(
    'words, told',
    [
        (['--out', 'b.svg'], 'ends in .pdf or .png'),
        (['--out', 'b.pdf', '--square', '0.04'], 'do not fit onto a4.*at most 0.0303 m'),
        (['--out', 'b.pdf', '--squares', 'nine'], 'columns and rows are expected'),
        (['--out', 'b.pdf', '--squares', '30x20', '--square', '0.005'], '5X5_100 has 100'),
        (['--out', 'b.pdf', '--square', '30'], 'metres are meant'),
    ],
)
def test_a_board_that_cannot_be_printed_is_refused(tmp_path, capsys, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    assert main(['calibrate', 'board', *words]) == 1
    assert re.search(told, capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_pictures_of_a_board_become_a_profile_with_deviations(folder, tmp_path, capsys):
    out, info = tmp_path / 'mine.yaml', tmp_path / 'info.yaml'
    words = ['calibrate', 'camera', str(folder), *LOWER, '--out', str(out)]
    assert main([*words, '--camera-info', str(info)]) == 0
    told = capsys.readouterr().out
    assert 'residual 0.0' in told and re.search(r'vertical_fov +0\.7627 +0\.76', told)
    robot = RobotProfile.load(out)
    mount, before = robot.lower_camera, PROFILE.lower_camera
    sure = robot.uncertainty
    found = [mount.vertical_fov, *mount.centre, *mount.distortion[:2]]
    truth = [STUDIO.mount.vertical_fov, *STUDIO.truth[1:5]]
    names = ['vertical_fov', *(f'principal_point.{axis}' for axis in ('column', 'row'))]
    names += ['distortion.k1', 'distortion.k2']
    for value, true, name in zip(found, truth, names):
        assert abs(value - true) < 4 * sure[f'lower_camera.{name}'] + 1e-3 * abs(true), name
    # All else is kept: the mount, the other camera, the deviations of before, the comments.
    assert (mount.position, mount.pitch) == (before.position, before.pitch)
    assert robot.camera == PROFILE.camera and PROFILE.uncertainty.items() <= sure.items()
    text = out.read_text()
    assert '# CameraBottom of the real NAO V6' in text and 'guda calibrate camera' in text
    assert robot.name == 'mine'
    picture = cv2.imread(str(tmp_path / 'mine.png'))
    assert picture.shape[1] == 1280 and picture.shape[0] > 480
    told = yaml.safe_load(info.read_text())
    assert told['distortion_model'] == 'plumb_bob' and told['image_width'] == 640
    assert told['camera_matrix']['data'][0] == pytest.approx(mount.focal, rel=1e-3)
    assert main(words) == 1
    assert 'mine.yaml' in capsys.readouterr().err
    assert main([*words, '--overwrite', '--lens', 'usual']) == 0
    assert RobotProfile.load(out).lower_camera.distortion[4] == 0


def test_a_video_and_a_bag_of_a_board_serve_too(folder, tmp_path, capsys):
    seen = [cv2.imread(str(path)) for path in sorted(folder.iterdir())]
    film = cv2.VideoWriter(
        str(tmp_path / 'board.avi'), cv2.VideoWriter.fourcc(*'MJPG'), 10, (640, 480)
    )
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as bag:
        kind = 'sensor_msgs/msg/Image'
        connection = bag.add_connection('/camera/image_raw', kind, typestore=TYPES)
        for number in range(4 * len(seen)):
            bgr = seen[number // 4]
            film.write(bgr)
            if number % 4 == 0 or number < 4:
                image = TYPES.types[kind](
                    header(number, 'camera'), 480, 640, 'bgr8', 0, 1920, bgr.ravel()
                )
                for _ in range(1 if number < 4 else 4):
                    bag.write(connection, number + 1, bytes(TYPES.serialize_cdr(image, kind)))
    film.release()
    for path in (tmp_path / 'board.avi', tmp_path / 'bag'):
        assert main(['calibrate', 'camera', str(path), *LOWER]) == 0
        told = capsys.readouterr().out
        assert '13 of 13 pictures are of use' in told and 'focal length' in told
    assert main(['calibrate', 'camera', str(tmp_path / 'bag'), *LOWER, '--topic', 'left']) == 1
    assert 'no images on /left; there are /camera/image_raw' in capsys.readouterr().err


@pytest.mark.parametrize(
    'words, told',
    [
        ([], 'give pictures, a video or a bag'),
        (['{}', '--live', 'image'], 'give pictures, a video or a bag'),
        (['{}', '--camera', 'left'], "has no camera 'left'; there is"),
        (['{}'], 'are not those of a camera of'),
        (['{}', *LOWER, '--squares', '7x5'], 'not as they lie on a board of 7x5'),
        (['{}', *LOWER, '--out', 'x.txt'], 'a profile ends in .yaml'),
        (['none', *LOWER], 'none: there is no such file'),
    ],
)
def test_what_is_no_calibration_is_refused_and_nothing_written(
    folder, tmp_path, capsys, monkeypatch, words, told
):
    monkeypatch.chdir(tmp_path)
    words = [word.format(folder) for word in words]
    if '--out' not in words:
        words += ['--out', 'mine.yaml']
    assert main(['calibrate', 'camera', *words]) == 1
    assert re.search(told, capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def write_index(folder, sights, **more):
    folder.mkdir()
    views = []
    for sight in sights:
        cv2.imwrite(str(folder / f'{sight.name}.png'), sight.bgr)
        views.append({'image': f'{sight.name}.png', 'pan': sight.pan, 'tilt': sight.tilt, **more})
    (folder / 'views.yaml').write_text(json.dumps({'views': views}))
    return folder


def test_pictures_of_lines_become_a_profile_with_deviations(heads, tmp_path, capsys):
    out, seen = tmp_path / 'mine.yaml', write_index(tmp_path / 'heads', heads)
    words = ['calibrate', 'mount', str(seen), *LOWER, '--out', str(out), *STANDS]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert '10 pictures from 1 places' in told and 'looks 1.7' in told
    robot = RobotProfile.load(out)
    mount, before, sure = robot.lower_camera, PROFILE.lower_camera, robot.uncertainty
    assert abs(mount.pitch - before.pitch - 0.03) < 3 * sure['lower_camera.pitch']
    height = before.position[2] - 0.012
    assert abs(mount.position[2] - height) < 3 * sure['lower_camera.position.z']
    assert mount.position[:2] == before.position[:2] and robot.camera == PROFILE.camera
    joints = robot.head.joints
    assert joints.names == PROFILE.head.joints.names
    assert abs(joints.offsets[0]) < 3 * sure['head.joints.offsets.pan'] and not joints.offsets[1]
    assert cv2.imread(str(tmp_path / 'mine.png')).shape[1] == 960
    # The head's joint instead.
    assert main([*words, '--overwrite', '--tilt-into', 'head']) == 0
    robot = RobotProfile.load(out)
    assert robot.lower_camera.pitch == before.pitch
    assert robot.head.joints.offsets == pytest.approx([0.0, -0.03], abs=0.005)


def write_bag(path, sights):
    """Write a bag in which the head goes from place to place and stops there."""
    joint_kind, image_kind = 'sensor_msgs/msg/JointState', 'sensor_msgs/msg/Image'
    names = ['LHipPitch', 'HeadYaw', 'HeadPitch']
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as bag:
        joints = bag.add_connection('/joint_states', joint_kind, typestore=TYPES)
        images = bag.add_connection('/lower/image', image_kind, typestore=TYPES)
        before = np.array([sights[0].pan, sights[0].tilt])
        for number, sight in enumerate(sights):
            begin, there = number * 1_000_000_000, np.array([sight.pan, sight.tilt])
            for step in range(20):
                now = begin + step * 50_000_000
                place = before + (there - before) * min(1.0, step / 10)
                message = TYPES.types[joint_kind](
                    header(now, ''), names, np.array([0.1, *place]), np.empty(0), np.empty(0)
                )
                bag.write(joints, now + 1, bytes(TYPES.serialize_cdr(message, joint_kind)))
                # Of the way there are pictures, too, which show nothing.
                if step not in (5, 15):
                    continue
                bgr = sight.bgr if step == 15 else np.full_like(sight.bgr, 80)
                image = TYPES.types[image_kind](
                    header(now, 'c'), 480, 640, 'bgr8', 0, 1920, bgr.ravel()
                )
                bag.write(images, now + 2, bytes(TYPES.serialize_cdr(image, image_kind)))
            before = there


def test_a_bag_of_images_and_joint_states_tells_the_mount(heads, tmp_path, capsys):
    write_bag(tmp_path / 'bag', heads)
    words = ['calibrate', 'mount', str(tmp_path / 'bag'), *LOWER]
    assert main([*words, *STANDS]) == 0
    told = capsys.readouterr().out
    # The first picture was taken before the head moved.
    assert re.search(r'1[01] pictures from 1 places', told) and 'looks 1.7' in told
    assert main([*words, '--base', 'booster_t1', '--camera', 'camera']) == 1
    told = capsys.readouterr().err
    assert 'do not tell AAHead_yaw and Head_pitch (it has LHipPitch, HeadYaw' in told


@pytest.mark.parametrize(
    'content, told',
    [
        ('views: 3', 'views: a list is expected'),
        ('views: [{pan: 1}]', 'views.0: image, pan, tilt'),
        ('views: [{image: a.png, roll: 1}]', 'roll: is no key'),
        ('views: [{image: a.png, pan: left}]', "pan: a number is expected, not 'left'"),
        ('views: [{image: a.png, ball: [1]}]', r'ball: x and y \[m\] is expected'),
        ('views: [{image: a.png, points: [[1, 2, 3]]}]', 'rows of column, row, x, y'),
        ('views: [{image: b.png}]', 'b.png'),
        ('views: [', 'views.yaml'),
    ],
)
def test_an_index_that_is_wrong_is_refused_by_its_key(tmp_path, capsys, content, told):
    (tmp_path / 'views.yaml').write_text(content)
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((480, 640, 3), np.uint8))
    assert main(['calibrate', 'mount', str(tmp_path), *LOWER]) == 1
    assert re.search(told, capsys.readouterr().err)


def test_points_on_the_ground_tell_the_mount(tmp_path, capsys):
    camera = CameraModel.from_mount(wrong(0.03, -0.012)).turned(PROFILE.head, 0.04, -0.3)
    ahead, left = np.meshgrid([0.6, 0.8, 1.0, 1.4, 2.0, 2.6], [-0.2, -0.1, 0.0, 0.15, 0.25])
    places = np.column_stack([ahead.ravel(), left.ravel()])
    pixels, inside = camera.project(np.column_stack([places, np.zeros(30)]))
    assert inside.all()
    points = np.column_stack([pixels, places]).tolist()
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((480, 640, 3), 90, np.uint8))
    views = {'views': [{'image': 'a.png', 'tilt': -0.3, 'points': points}]}
    (tmp_path / 'views.yaml').write_text(json.dumps(views))
    words = ['calibrate', 'mount', str(tmp_path), *LOWER, '--plot', str(tmp_path / 'p.png')]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert re.search(r'lower_camera.pitch +0.6929 +0.72', told)
    assert re.search(r'position.z +0.4777 +0.46', told)
    assert re.search(r'offsets.pan +0 +-0.0[34]', told)
    assert main([*words[:-2], '--pose', '1', '2', '3', '--pose', '1', '2', '3']) == 1
    assert 'a pose for each place is expected: 1, not 2' in capsys.readouterr().err
