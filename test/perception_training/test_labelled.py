"""Folders of labelled pictures are read, and bad labels refused by name."""

import cv2
import numpy as np
import pytest

from guda_ros.errors import GudaError
from guda_ros.perception_training.labelled import read_folder, write_boxes


def put(path, label):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((100, 200, 3), np.uint8))
    path.with_suffix('.txt').write_text(label)


def test_boxes_are_in_pixels_and_only_those_of_balls(tmp_path):
    put(tmp_path / 'a.png', '0 0.5 0.5 0.1 0.2\n1 0.2 0.2 0.1 0.1\n')
    (tmp_path / 'classes.txt').write_text('ball\nobstacle\ngoal post\n')
    (picture,) = read_folder(tmp_path)
    # 20 by 20 pixels around the middle of 200 x 100; the first pixel's middle is zero.
    np.testing.assert_allclose(picture.boxes(200, 100), [[89.5, 39.5, 109.5, 59.5]])
    (posts,) = read_folder(tmp_path, ball='obstacle')
    assert len(posts.shares) == 1
    with pytest.raises(GudaError, match="'shoe'.*goal post"):
        read_folder(tmp_path, ball='shoe')


def test_what_is_written_is_what_is_read(tmp_path):
    put(tmp_path / 'a.png', '')
    box = np.array([10.25, 20.5, 50.0, 61.75])
    write_boxes(tmp_path / 'a.txt', [box], (200, 100))
    np.testing.assert_allclose(read_folder(tmp_path)[0].boxes(200, 100)[0], box, atol=2e-4)


def test_series_are_those_of_the_table_else_folders(tmp_path):
    put(tmp_path / 'one' / '20220715' / 'r2' / 'a.png', '')
    put(tmp_path / 'one' / '20230709' / 'b.png', '')
    assert [p.series for p in read_folder(tmp_path / 'one')] == ['20220715', '20230709']
    put(tmp_path / 'two' / 'a.png', '')
    put(tmp_path / 'two' / 'b.png', '')
    (tmp_path / 'two' / 'series.csv').write_text('name,series\na,walk\n')
    assert [p.series for p in read_folder(tmp_path / 'two')] == ['walk', 'two']


@pytest.mark.parametrize(
    'label', ['0 0.5 0.5 0.1', '0 a b c d', '0 0.5 0.5 -0.1 0.1', '0 nan 0.5 0.1 0.1']
)
def test_a_bad_label_is_refused_with_file_and_line(tmp_path, label):
    put(tmp_path / 'a.png', f'0 0.5 0.5 0.1 0.1\n{label}\n')
    with pytest.raises(GudaError, match=r'a\.txt:2: .*five numbers'):
        read_folder(tmp_path)


def test_labels_that_are_no_text_are_refused_with_file_and_line(tmp_path):
    put(tmp_path / 'a.png', '')
    (tmp_path / 'a.txt').write_bytes(b'0 0.5 0.5 0.1 0.1\n\xff\xfe\x00\n')
    with pytest.raises(GudaError, match=r'a\.txt:2: .*five numbers'):
        read_folder(tmp_path)
    (tmp_path / 'classes.txt').write_bytes(b'\xff\xfeb')
    with pytest.raises(GudaError, match="none of its classes is 'ball'"):
        read_folder(tmp_path)


def test_a_folder_without_labels_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(GudaError, match='no labelled picture'):
        read_folder(tmp_path)
    with pytest.raises(GudaError, match='no such folder'):
        read_folder(tmp_path / 'none')
