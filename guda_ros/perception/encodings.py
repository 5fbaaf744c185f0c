"""
Pixels in OpenCV's order out of what cameras send.

Encodings are those of sensor_msgs/image_encodings with 8 bits, and nv12, which drivers send beside
them; each is turned by one conversion of OpenCV. YUV is that of ITU-R BT.601.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from guda_ros.errors import GudaError

#: Encoding -> bytes of a pixel, and OpenCV's conversion to BGR; None where it is BGR already.
_PACKED: dict[str, tuple[int, int | None]] = {
    'rgb8': (3, cv2.COLOR_RGB2BGR),
    'bgr8': (3, None),
    '8UC3': (3, None),
    'rgba8': (4, cv2.COLOR_RGBA2BGR),
    'bgra8': (4, cv2.COLOR_BGRA2BGR),
    '8UC4': (4, cv2.COLOR_BGRA2BGR),
    'mono8': (1, cv2.COLOR_GRAY2BGR),
    '8UC1': (1, cv2.COLOR_GRAY2BGR),
    # OpenCV calls a pattern by the second row's second pixel, ROS by the first row's first.
    'bayer_rggb8': (1, cv2.COLOR_BayerBG2BGR),
    'bayer_bggr8': (1, cv2.COLOR_BayerRG2BGR),
    'bayer_gbrg8': (1, cv2.COLOR_BayerGR2BGR),
    'bayer_grbg8': (1, cv2.COLOR_BayerGB2BGR),
    'yuv422': (2, cv2.COLOR_YUV2BGR_UYVY),
    'uyvy': (2, cv2.COLOR_YUV2BGR_UYVY),
    'yuv422_yuy2': (2, cv2.COLOR_YUV2BGR_YUY2),
    'yuyv': (2, cv2.COLOR_YUV2BGR_YUY2),
}
#: Brightness first, then the two colours of 2 x 2 pixels in turn.
_PLANAR = {'nv12': cv2.COLOR_YUV2BGR_NV12, 'nv21': cv2.COLOR_YUV2BGR_NV21}
#: Brightness first, then the two colours of each pixel in turn.
_FULL = 'nv24'
#: How the names of encodings end that have more bits a colour.
_DEEP = ('16', '16UC', '16SC', '32SC', '32FC', '64FC')

ENCODINGS = (*_PACKED, *_PLANAR, _FULL)


def is_grey(encoding: str) -> bool:
    """Tell whether an encoding has no colours, by which a ball is found."""
    return encoding in ('mono8', '8UC1')


def decode_image(encoding: str, data: Any, width: int, height: int, step: int = 0) -> np.ndarray:
    """
    Return the pixels (height, width, 3) in OpenCV's order.

    :param data: the bytes of a sensor_msgs/Image. :param step: bytes of a row; 0: no padding.
    :raises ValueError: for an empty image, one that is too short, or an encoding that is no
        picture of 8 bits.
    """
    if encoding not in ENCODINGS:
        deep = encoding.rstrip('1234' if 'C' in encoding else '').endswith(_DEEP)
        kind = 'has no 8 bits a colour' if deep else 'is not known'
        raise ValueError(f'image encoding {encoding!r} {kind}; known: {", ".join(ENCODINGS)}')
    if width <= 0 or height <= 0:
        raise ValueError(f'an empty image of {width}x{height} pixels')
    pixel, code = _PACKED.get(encoding, (1, None))
    rows = {'nv12': height * 3 // 2, 'nv21': height * 3 // 2, _FULL: height * 3}.get(
        encoding, height
    )
    row = width * pixel
    if encoding == _FULL and step not in (0, row):
        raise ValueError(f'{step} bytes a row of {width} {encoding} pixels: {row} are expected')
    step = step or row
    if step < row or len(data) < step * rows:
        raise ValueError(
            f'an image of {width}x{height} {encoding} needs more than {len(data)} bytes '
            f'({step} a row)'
        )
    if (pixel == 2 and width % 2) or (encoding in _PLANAR and (width % 2 or height % 2)):
        raise ValueError(f'an image of {width}x{height} cannot be {encoding}: an odd size')
    pixels = np.frombuffer(data, dtype=np.uint8, count=step * rows).reshape(rows, step)[:, :row]
    try:
        if encoding in _PLANAR:
            return cv2.cvtColor(np.ascontiguousarray(pixels), _PLANAR[encoding])
        if encoding == _FULL:
            return _from_full(pixels, height)
        if pixel > 1:
            pixels = pixels.reshape(height, width, pixel)
        return pixels if code is None else cv2.cvtColor(np.ascontiguousarray(pixels), code)
    except cv2.error as error:
        raise ValueError(
            f'an image of {width}x{height} {encoding} cannot be decoded: {error.err}'
        ) from error


def _from_full(pixels: np.ndarray, height: int) -> np.ndarray:
    """Return BGR of nv24, of which OpenCV has no conversion: as YUY2 with every pixel twice."""
    brightness = pixels[:height]
    colours = pixels[height:].reshape(height, -1, 2)
    doubled = np.empty((height, 2 * brightness.shape[1], 2), np.uint8)
    doubled[..., 0] = np.repeat(brightness, 2, axis=1)
    doubled[:, 0::2, 1], doubled[:, 1::2, 1] = colours[..., 0], colours[..., 1]
    return np.ascontiguousarray(cv2.cvtColor(doubled, cv2.COLOR_YUV2BGR_YUY2)[:, ::2])


def decode_compressed(data: Any, kind: str) -> np.ndarray:
    """
    Return the pixels (height, width, 3) in OpenCV's order of a sensor_msgs/CompressedImage.

    :param kind: its format, for the message of an error.
    :raises ValueError: if it is none that OpenCV reads, or has no 8 bits a colour.
    """
    if 'compresseddepth' in kind.lower():
        raise ValueError(f'an image of format {kind!r} is a depth, no picture')
    pixels = None
    if len(data):
        try:
            pixels = cv2.imdecode(
                np.frombuffer(data, dtype=np.uint8),
                cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION,
            )
        except cv2.error:
            pixels = None
    if pixels is None:
        raise ValueError(f'an image of format {kind!r} and {len(data)} bytes cannot be decoded')
    return pixels


def decode_message(message: Any) -> np.ndarray:
    """
    Return the pixels (height, width, 3) in OpenCV's order, whatever encoding was sent.

    :param message: an Image or CompressedImage of sensor_msgs, of rclpy or another reader.
    :raises ValueError: as decode_image and decode_compressed.
    """
    if hasattr(message, 'format'):
        return decode_compressed(message.data, message.format)
    return decode_image(
        message.encoding, message.data, message.width, message.height, message.step
    )


def read_picture(path: Path) -> np.ndarray:
    """Return the picture in a file (height, width, 3), BGR uint8; GudaError if it holds none."""
    try:
        return decode_compressed(path.read_bytes(), path.suffix)
    except ValueError as error:
        raise GudaError(f'{path}: no picture that OpenCV can read: {error}') from error
