"""`guda perceive` looks at pictures, videos and bags, judges on labelled ones, and trains."""

import json
import re

import cv2
import numpy as np
import pytest
from recording_scene import header, TYPES
from rosbags.rosbag2 import StoragePlugin, Writer

from guda_ros.cli.main import build_parser, main
from guda_ros.perception.ball_network import PROPOSER, REFINER


def picture(places=((320, 260, 22),), size=(480, 640)):
    """Return turf with white balls (column, row, radius) that have dark spots."""
    rng = np.random.default_rng(1)
    image = np.full((*size, 3), (50, 115, 45), float) + rng.normal(0, 6, (*size, 3))
    image = image.clip(0, 255).astype(np.uint8)
    for column, row, radius in places:
        cv2.circle(image, (column, row), radius, (235, 235, 235), -1, cv2.LINE_AA)
        for angle in range(0, 360, 72):
            turn = np.radians(angle)
            spot = (
                round(column + 0.68 * radius * np.cos(turn)),
                round(row + 0.68 * radius * np.sin(turn)),
            )
            cv2.circle(image, spot, max(1, radius // 5), (25, 25, 25), -1, cv2.LINE_AA)
        cv2.circle(image, (column, row), max(1, radius // 4), (25, 25, 25), -1, cv2.LINE_AA)
    return cv2.GaussianBlur(image, (0, 0), 0.7)


def test_a_picture_is_looked_at_and_drawn(tmp_path, capsys):
    path, out = tmp_path / 'camera.png', tmp_path / 'out'
    cv2.imwrite(str(path), picture())
    assert main(['perceive', str(path), '--out', str(out)]) == 0
    told = capsys.readouterr().out
    assert 'ball at 32' in told and 'a ball in 1 of 1 pictures' in told
    (look,) = (json.loads(line) for line in (out / 'found.jsonl').read_text().splitlines())
    left, top, right, bottom = look['balls'][0]['box']
    assert abs((left + right) / 2 - 320) < 4 and abs((top + bottom) / 2 - 260) < 4
    assert abs(right - left - 44) < 12
    drawn = cv2.imread(str(out / 'camera.jpg'))
    assert (drawn != picture()).any()
    # What is there is not replaced unasked.
    assert main(['perceive', str(path), '--out', str(out)]) == 1
    assert main(['perceive', 'look', str(path), '--out', str(out), '--overwrite']) == 0


def test_with_a_robot_places_on_the_ground_are_told(tmp_path, capsys):
    path, out = tmp_path / 'camera.png', tmp_path / 'out'
    cv2.imwrite(str(path), picture([(320, 260, 46)]))
    words = ['--robot', 'nao_v6', '--camera', 'lower_camera']
    assert main(['perceive', str(path), '--out', str(out), *words]) == 0
    assert 'm ahead' in capsys.readouterr().out
    position = json.loads((out / 'found.jsonl').read_text())['position']
    assert 0.3 < position[0] < 0.7 and abs(position[1]) < 0.05
    cv2.imwrite(str(path), picture(size=(480, 480)))
    assert main(['perceive', str(path), '--out', str(out), *words, '--overwrite']) == 1
    assert 'not those of a camera of 640x480' in capsys.readouterr().err


def test_a_video_becomes_an_annotated_video(tmp_path, capsys):
    path, out = tmp_path / 'walk.avi', tmp_path / 'out'
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10, (640, 480))
    for step in range(3):
        film.write(picture([(300 + 10 * step, 250, 25)]))
    film.release()
    assert main(['perceive', str(path), '--out', str(out)]) == 0
    assert 'of 3 pictures' in capsys.readouterr().out
    video = cv2.VideoCapture(str(out / 'walk.mp4'))
    frames = 0
    while video.read()[0]:
        frames += 1
    assert frames == 3


def write_bag(path, topics):
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as bag:
        for topic in topics:
            kind = 'sensor_msgs/msg/Image'
            connection = bag.add_connection(topic, kind, typestore=TYPES)
            image = picture()
            message = TYPES.types[kind](
                header(0, 'camera'), 480, 640, 'bgr8', 0, 640 * 3, image.ravel()
            )
            bag.write(connection, 1, bytes(TYPES.serialize_cdr(message, kind)))


def test_images_of_a_bag_are_looked_at_by_topic(tmp_path, capsys):
    write_bag(tmp_path / 'bag', ['/top/image', '/bottom/image'])
    out = tmp_path / 'out'
    words = ['perceive', str(tmp_path / 'bag'), '--out', str(out), '--rate', '0']
    assert main(words) == 1
    assert '--topic: /bottom/image, /top/image' in capsys.readouterr().err
    assert main([*words, '--topic', 'left/image']) == 1
    assert 'no images on /left/image' in capsys.readouterr().err
    assert main([*words, '--topic', 'top/image']) == 0
    assert 'a ball in 1 of 1 pictures' in capsys.readouterr().out
    assert (out / 'bag_000000.jpg').exists()


def test_a_bag_that_is_cut_or_damaged_is_refused_by_name_or_read_as_far_as_it_is_whole(
    tmp_path, capsys
):
    write_bag(tmp_path / 'bag', ['/image'])
    (file,) = (tmp_path / 'bag').glob('*.mcap')
    whole = file.read_bytes()
    words = ['--out', str(tmp_path / 'out'), '--rate', '0']
    # The lone file of a recorder that was stopped before the end: its messages are whole.
    (tmp_path / 'cut.mcap').write_bytes(whole[:-20])
    assert main(['perceive', str(tmp_path / 'cut.mcap'), *words]) == 0
    assert 'a ball in 1 of 1 pictures' in capsys.readouterr().out
    file.write_bytes(whole[: len(whole) // 2])
    assert main(['perceive', str(tmp_path / 'bag'), *words, '--overwrite']) == 1
    assert 'not a bag that can be read' in capsys.readouterr().err
    # The length of the image in its message says more than is there.
    at = whole.index(bytes(picture()[:1, :8].ravel())) - 4
    file.write_bytes(whole[:at] + b'\xff\xff\xff\x7f' + whole[at + 4 :])
    assert main(['perceive', str(tmp_path / 'bag'), *words, '--overwrite']) == 1
    error = capsys.readouterr().err
    assert str(tmp_path / 'bag') in error and 'damaged' in error


@pytest.mark.parametrize(
    'name, content, told',
    [
        ('none.jpg', None, 'there is no such file'),
        ('broken.jpg', b'\xff\xd8 and no picture', 'no picture that OpenCV can read'),
        ('empty.png', b'', 'no picture that OpenCV can read'),
        ('notes.txt', b'hello', 'a picture .* is expected'),
        ('broken.mp4', b'no video', 'no video that OpenCV can read'),
    ],
)
def test_what_is_no_picture_is_refused_by_name(tmp_path, capsys, name, content, told):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert main(['perceive', str(path), '--out', str(tmp_path / 'out')]) == 1
    error = capsys.readouterr().err
    assert name in error and re.search(told, error)
    assert not (tmp_path / 'out').exists()


def labelled(folder):
    for number, places in enumerate([[(320, 260, 22)], [(200, 200, 15)], []]):
        folder.mkdir(exist_ok=True)
        cv2.imwrite(str(folder / f'{number}.png'), picture(places))
        lines = [
            f'0 {(c + 0.5) / 640} {(r + 0.5) / 480} {2 * s / 640} {2 * s / 480}\n'
            for c, r, s in places
        ]
        (folder / f'{number}.txt').write_text(''.join(lines))
    (folder / 'series.csv').write_text('name,series\n0,near\n1,far\n2,far\n')
    return folder


def test_labelled_pictures_give_numbers_and_a_page(tmp_path, capsys):
    folder, out = labelled(tmp_path / 'set'), tmp_path / 'page'
    assert main(['perceive', 'evaluate', str(folder), '--out', str(out)]) == 0
    assert 'AP at IoU .5' in capsys.readouterr().out
    numbers = json.loads((out / 'report.json').read_text())
    assert numbers['all']['balls'] == 2 and numbers['all']['ap'] == pytest.approx(1)
    assert set(numbers['series']) == {'near', 'far'} and numbers['series']['far']['pictures'] == 2
    page = (out / 'report.html').read_text()
    assert 'average precision' in page and 'http' not in page.split('</style>')[1][:200]
    assert main(['perceive', 'evaluate', str(folder), '--series', 'dark']) == 1
    assert 'there are far, near' in capsys.readouterr().err


@pytest.mark.needs('drawing')
@pytest.mark.long
def test_training_goes_on_where_it_was_and_gives_networks_that_run(tmp_path, capsys):
    folder = labelled(tmp_path / 'set')
    words = ['perceive', 'train', '--sets', str(folder), '--leave-out', 'far']
    words += ['--renders', '48', '--effort', '0.25', '--work', str(tmp_path / 'work')]
    words += ['--out', str(tmp_path / 'weights')]
    assert main(words) == 0
    first = (tmp_path / 'weights' / REFINER).read_bytes()
    assert (tmp_path / 'weights' / PROPOSER).exists()
    # Of finished epochs nothing is done again.
    (tmp_path / 'work' / 'weights' / REFINER).unlink()
    assert main(words) == 0
    assert (tmp_path / 'weights' / REFINER).read_bytes() == first
    assert main([*words, '--seed', '2']) == 1
    assert 'another training was begun here' in capsys.readouterr().err
    weights = ['--weights', str(tmp_path / 'weights')]
    assert main(['perceive', str(folder), '--out', str(tmp_path / 'out'), *weights]) == 0


def test_a_first_word_that_is_no_action_is_looked_at(capsys):
    parser = build_parser()
    args = parser.parse_args(['perceive', 'a.jpg'])
    assert (args.action, str(args.path)) == ('look', 'a.jpg')
    assert parser.parse_args(['perceive', '--out', 'x', 'a.jpg']).action == 'look'
    assert parser.parse_args(['perceive', 'evaluate', 'x']).action == 'evaluate'
    for words in (['perceive', '--help'], ['perceive']):
        with pytest.raises(SystemExit):
            parser.parse_args(words)
    assert 'evaluate' in capsys.readouterr().out
