"""What a camera sees, made so that each step's picture is told from all others."""

import cv2
import numpy as np


def picture(step, width=160, height=120):
    """Return a carpet (H, W, 3) with a ball whose place says which step it is."""
    image = np.full((height, width, 3), (60, 110, 40), dtype=np.uint8)
    place = 10 + 7 * step % (width - 20), height // 4 + 11 * step % (height // 2)
    cv2.circle(image, place, 8, (0, 110, 255), -1)
    return image


def jpeg_of(step, width=160, height=120):
    """Return the bytes of picture as a recorder writes them."""
    return cv2.imencode('.jpg', picture(step, width, height))[1].tobytes()
