"""Images made small for a recording."""

from __future__ import annotations

from array import array

from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image

from guda_ros.ros.conversions import bgr_from_message


class JpegEncoder:
    """
    Turn images into sensor_msgs/CompressedImage.

    Colour is kept at full resolution (4:4:4), where OpenCV can do so: at half of it, its default,
    a ball's colour runs into the carpet, and it is measured up to 5 cm away.

    :param quality: of the JPEG, 1 to 100.
    """

    def __init__(self, quality: int) -> None:
        # Now rather than with the first image: this takes a moment.
        import cv2

        self._encode = cv2.imencode
        self._options = [cv2.IMWRITE_JPEG_QUALITY, quality]
        # OpenCV has it since 4.7; distributions bring older ones.
        whole = getattr(cv2, 'IMWRITE_JPEG_SAMPLING_FACTOR_444', None)
        if whole is not None:
            self._options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, whole]

    def encode(self, message: Image | CompressedImage) -> bytes:
        """
        Return the serialized message with the stamp of the image.

        What a camera has compressed is kept as it is.

        :raises ValueError: if it cannot be decoded.
        """
        if isinstance(message, CompressedImage):
            if not len(message.data):
                raise ValueError('a compressed image without any bytes')
            return serialize_message(message)
        return serialize_message(self.compress(message))

    def compress(self, message: Image) -> CompressedImage:
        """
        Return the image compressed, with the header that it has.

        :raises ValueError: if it cannot be decoded.
        """
        _, jpeg = self._encode('.jpg', bgr_from_message(message), self._options)
        # The setter copies bytes one by one, and takes an array over as it is.
        data = array('B', jpeg.tobytes())
        return CompressedImage(header=message.header, format='jpeg', data=data)
