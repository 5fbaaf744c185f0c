"""Images made small for a recording."""

from __future__ import annotations

from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image

from guda_ros.ros.conversions import bgr_from_message


class JpegEncoder:
    """
    Turn images into serialized sensor_msgs/CompressedImage.

    :param quality: of the JPEG, 1 to 100.
    """

    def __init__(self, quality: int) -> None:
        # Now rather than with the first image: this takes a moment.
        import cv2

        self._encode = cv2.imencode
        self._options = [cv2.IMWRITE_JPEG_QUALITY, quality]

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
        _, jpeg = self._encode('.jpg', bgr_from_message(message), self._options)
        return serialize_message(
            CompressedImage(header=message.header, format='jpeg', data=jpeg.tobytes())
        )
