"""Renders teach what they show: labels are where balls are, families of the test are others."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from guda_ros.errors import GudaError
from guda_ros.perception_training import families, textures
from guda_ros.perception_training.labelled import read_folder
from guda_ros.perception_training.renders import read_renders, write_renders
from guda_ros.perception_training.scenes import SceneRenderer

RNG = np.random.default_rng


def test_no_family_is_in_both_splits():
    assert families.TRAINING.disjoint(families.TEST)
    assert not families.TRAINING.disjoint(
        replace(families.TEST, prints=(*families.TEST.prints, 'swirls'))
    )


@pytest.mark.parametrize('split', families.SPLITS.values(), ids=families.SPLITS)
def test_every_family_can_be_made(split):
    for name in split.prints:
        assert textures.ball_print(name, RNG(0)).std() > 0
    for name in split.turfs:
        assert textures.turf(name, RNG(0)).shape == (256, 256, 3)
    for name in split.backdrops:
        assert textures.backdrop(name, RNG(0)).std() > 0
    for name in split.cameras:
        mount = families.draw_mount(name, RNG(0))
        assert 0.1 < mount.position[2] < 1.4 and mount.vertical_fov < 1.75


@pytest.fixture(scope='module')
def frames():
    only = replace(families.TRAINING, robots=('capsules',), cameras=('middle',))
    with SceneRenderer(only, seed=5, pictures=8) as renderer:
        yield [renderer.frame(index) for index in range(8)]


@pytest.mark.needs('drawing')
def test_a_label_is_the_outline_of_the_ball_where_it_lies(frames):
    whole = [frame for frame in frames if frame.box is not None and frame.seen > 0.95]
    assert len(whole) >= 2
    for frame in whole:
        outline = frame.camera.sphere_outline(np.append(frame.place, frame.radius), frame.radius)
        low, high = outline.centre - outline.half_size, outline.centre + outline.half_size
        size = np.array([frame.camera.width, frame.camera.height])
        np.testing.assert_allclose(frame.box[:2], np.maximum(low, -0.5))
        np.testing.assert_allclose(frame.box[2:], np.minimum(high, size - 0.5))


@pytest.mark.needs('drawing')
def test_segmentation_and_outline_agree_on_how_much_of_a_ball_is_seen(frames):
    for frame in frames:
        assert 0 <= frame.seen <= 1
        # No ball, no box; and none for one that is wholly behind something.
        assert frame.place is not None or frame.box is None
        assert (frame.box is None) == (frame.seen == 0)
    # Segmentation counts pixels, the outline is computed: of a ball in full view they agree.
    assert any(frame.seen > 0.95 for frame in frames)


def test_pictures_of_other_scenes_are_not_mixed_in(tmp_path):
    (tmp_path / 'scenes.json').write_text('{"split": "test", "seed": 4}')
    for split, seed in (('training', 4), ('test', 5)):
        with pytest.raises(GudaError, match='has pictures of split test, seed 4, not of split'):
            write_renders(tmp_path, split, 3, seed=seed)
    (tmp_path / 'scenes.json').write_text('[')
    with pytest.raises(GudaError, match='cannot be told'):
        write_renders(tmp_path, 'test', 3, seed=4)
    assert [file.name for file in tmp_path.iterdir()] == ['scenes.json']


@pytest.mark.needs('drawing')
def test_writing_goes_on_where_it_was_and_gives_the_same_pictures(tmp_path):
    write_renders(tmp_path / 'whole', 'test', 3, seed=4)
    write_renders(tmp_path / 'parts', 'test', 1, seed=4)
    write_renders(tmp_path / 'parts', 'test', 3, seed=4)
    assert np.isnan(write_renders(tmp_path / 'parts', 'test', 3, seed=4))
    for file in sorted((tmp_path / 'whole').iterdir()):
        assert file.read_bytes() == (tmp_path / 'parts' / file.name).read_bytes(), file.name
    renders = list(read_renders(tmp_path / 'whole'))
    pictures = read_folder(tmp_path / 'whole')
    assert len(renders) == len(pictures) == 3
    for render, picture in zip(renders, pictures):
        image = cv2.imread(str(render.path))
        assert image.shape == (render.camera.height, render.camera.width, 3)
        shown = render.box is not None and render.seen >= 0.5
        assert len(picture.shares) == shown
        if shown:
            boxes = picture.boxes(render.camera.width, render.camera.height)
            np.testing.assert_allclose(boxes[0], render.box, atol=1e-3)


def test_an_unknown_split_or_a_folder_without_renders_is_refused(tmp_path):
    with pytest.raises(GudaError, match='training or test'):
        write_renders(tmp_path, 'other', 1)
    with pytest.raises(GudaError, match=r'no frames\.jsonl'):
        next(read_renders(tmp_path))


@pytest.mark.parametrize('line', ['{"name": "a"', '{}', '[]', '\udcff', '{"size": [1]}'])
def test_a_damaged_list_of_renders_is_refused_with_its_line(tmp_path, line):
    (tmp_path / 'frames.jsonl').write_text(line + '\n', errors='surrogateescape')
    with pytest.raises(GudaError, match=r'frames\.jsonl:1: .*render it again'):
        list(read_renders(tmp_path))
