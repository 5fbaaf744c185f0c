"""Every encoding of 8 bits that cameras send is decoded to the colours that were taken."""

import cv2
import numpy as np
import pytest

from guda_ros.perception.encodings import decode_compressed, decode_image, ENCODINGS, is_grey

WIDTH, HEIGHT = 32, 24


def picture():
    """Return a smooth picture (BGR) with a ball in it, none of whose colours is a border's."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    image = np.stack([60 + 2 * columns, 120 - 2 * rows, np.full_like(rows, 40)], axis=-1).astype(
        np.uint8
    )
    cv2.circle(image, (16, 12), 7, (30, 90, 220), -1)
    return image


BGR = picture()


def yuv(image):
    """Return Y, U, V (height, width) of BT.601 with limited range, as cameras send it."""
    blue, green, red = (image[..., index].astype(float) for index in range(3))
    y = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    u = 128 - 0.148 * red - 0.291 * green + 0.439 * blue
    v = 128 + 0.439 * red - 0.368 * green - 0.071 * blue
    return [np.rint(plane).astype(np.uint8) for plane in (y, u, v)]


def bayer(pattern):
    """Return what a sensor sees behind a filter of a pattern such as `rggb`, row by row."""
    mosaic = np.empty((HEIGHT, WIDTH), np.uint8)
    for index, colour in enumerate(pattern):
        row, column = divmod(index, 2)
        mosaic[row::2, column::2] = BGR[row::2, column::2, 'bgr'.index(colour)]
    return mosaic


def encode(encoding):
    """Return rows (n, bytes of a row) as a camera of that encoding sends them."""
    y, u, v = yuv(BGR)
    if encoding in ('bgr8', '8UC3'):
        rows = BGR
    elif encoding == 'rgb8':
        rows = BGR[..., ::-1]
    elif encoding in ('bgra8', '8UC4'):
        rows = np.dstack([BGR, np.full((HEIGHT, WIDTH), 7, np.uint8)])
    elif encoding == 'rgba8':
        rows = np.dstack([BGR[..., ::-1], np.full((HEIGHT, WIDTH), 7, np.uint8)])
    elif encoding in ('mono8', '8UC1'):
        rows = BGR[..., 1]
    elif encoding.startswith('bayer'):
        rows = bayer(encoding[6:10])
    elif encoding in ('yuv422', 'uyvy', 'yuv422_yuy2', 'yuyv'):
        rows = np.empty((HEIGHT, WIDTH, 2), np.uint8)
        first = encoding in ('yuv422', 'uyvy')
        rows[..., int(first)] = y
        rows[:, 0::2, int(not first)] = u[:, 0::2]
        rows[:, 1::2, int(not first)] = v[:, 0::2]
    else:
        part = slice(None, None, 1 if encoding == 'nv24' else 2)
        pair = (v, u) if encoding == 'nv21' else (u, v)
        colours = np.stack([plane[part, part] for plane in pair], axis=-1)
        return np.concatenate([y, colours.reshape(-1, WIDTH)])
    return np.ascontiguousarray(rows).reshape(HEIGHT, -1)


# Rows of nv24 have two lengths: no driver pads them.
@pytest.mark.parametrize(
    'encoding, padding',
    [(encoding, 0) for encoding in ENCODINGS]
    + [(encoding, 6) for encoding in ENCODINGS if encoding != 'nv24'],
)
def test_the_colours_are_those_that_were_taken(encoding, padding):
    rows = encode(encoding)
    step = rows.shape[1] + padding
    data = np.pad(rows, ((0, 0), (0, padding)), constant_values=99).tobytes()
    decoded = decode_image(encoding, data, WIDTH, HEIGHT, step)
    assert decoded.shape == (HEIGHT, WIDTH, 3) and decoded.dtype == np.uint8
    if is_grey(encoding):
        np.testing.assert_array_equal(decoded, np.repeat(BGR[..., 1:2], 3, axis=2))
        return
    error = np.abs(decoded.astype(int) - BGR)
    # Where colours were taken of neighbours the border of the ball may be another one.
    assert np.median(error) <= 4
    inside = error[9:16, 13:20]
    assert inside.max() <= (0 if encoding in ('bgr8', '8UC3', 'rgb8') else 4)


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_without_a_step_rows_follow_each_other(encoding):
    rows = encode(encoding)
    np.testing.assert_array_equal(
        decode_image(encoding, rows.tobytes(), WIDTH, HEIGHT),
        decode_image(encoding, rows.tobytes(), WIDTH, HEIGHT, WIDTH * rows.shape[1] // WIDTH),
    )


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_empty_and_short_images_are_refused_by_a_sentence(encoding):
    data = encode(encoding).tobytes()
    with pytest.raises(ValueError, match='empty image'):
        decode_image(encoding, b'', 0, 0)
    with pytest.raises(ValueError, match='empty image'):
        decode_image(encoding, data, 0, HEIGHT)
    for short in (b'', data[:-1], data[: len(data) // 2]):
        with pytest.raises(ValueError, match='needs more than'):
            decode_image(encoding, short, WIDTH, HEIGHT)
    with pytest.raises(ValueError, match='needs more than|bytes a row'):
        decode_image(encoding, data, WIDTH, HEIGHT, 2**31)


@pytest.mark.parametrize('size', [(1, 1), (3, 3), (2, 2), (1, 24), (33, 1), (31, 25)])
@pytest.mark.parametrize('encoding', ENCODINGS)
def test_an_image_of_any_size_is_decoded_or_refused(encoding, size):
    width, height = size
    refused = ''
    try:
        decoded = decode_image(encoding, bytes(4 * 40 * 40), width, height)
    except ValueError as error:
        refused = str(error)
    assert encoding in refused if refused else decoded.shape == (height, width, 3)


@pytest.mark.parametrize(
    'encoding', ['mono16', 'rgb16', 'bgra16', '16UC1', '32FC1', '64FC3', 'bayer_rggb16', '16SC1']
)
def test_depths_and_sixteen_bits_are_refused_by_name(encoding):
    with pytest.raises(ValueError, match=f'{encoding}.*no 8 bits'):
        decode_image(encoding, bytes(10**5), WIDTH, HEIGHT)


@pytest.mark.parametrize('encoding', ['', 'h264', '8UC2', '8SC3', 'RGB8'])
def test_other_encodings_are_refused_by_name(encoding):
    with pytest.raises(ValueError, match='is not known; known: rgb8'):
        decode_image(encoding, bytes(10**5), WIDTH, HEIGHT)


@pytest.mark.parametrize('kind', ['.png', '.jpg'])
def test_compressed_images_are_decoded(kind):
    data = cv2.imencode(kind, BGR)[1].tobytes()
    decoded = decode_compressed(data, 'rgb8; jpeg compressed bgr8')
    assert np.median(np.abs(decoded.astype(int) - BGR)) <= (0 if kind == '.png' else 6)


@pytest.mark.parametrize('data', [b'', b'no picture', cv2.imencode('.png', BGR)[1].tobytes()[:40]])
def test_compressed_images_that_are_none_are_refused(data):
    with pytest.raises(ValueError, match='jpeg.*cannot be decoded'):
        decode_compressed(data, 'jpeg')


def test_a_compressed_depth_is_no_picture():
    with pytest.raises(ValueError, match='depth'):
        decode_compressed(b'1234', '16UC1; compressedDepth png')
