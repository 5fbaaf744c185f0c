"""What a camera makes of light: exposure, white balance, sharpness, noise, compression."""

from __future__ import annotations

import cv2
import numpy as np


def develop(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """
    Return a drawn picture (height, width, 3), RGB uint8, as a random camera sends it: BGR uint8.

    Shapes stay where they are, but for blur.
    """
    image: np.ndarray = rgb[..., ::-1].astype(np.float32)
    height, width = image.shape[:2]
    # Exposure is automatic, and not very good.
    wanted = rng.uniform(55, 150)
    gain = np.clip(wanted / max(float(image[::8, ::8].mean()), 1.0), 0.6, 3.5)
    image *= (gain * np.exp(rng.normal(0, 0.11, 3))).astype(np.float32)
    if rng.random() < 0.5:
        # Darker toward the corners, by the lens.
        columns = np.linspace(-1, 1, width, dtype=np.float32) ** 2
        rows = np.linspace(-1, 1, height, dtype=np.float32) ** 2
        image *= (1 - rng.uniform(0, 0.3) * (columns + rows[:, None]) / 2)[..., None]
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.45, 1.1))
    if rng.random() < 0.2:
        image = _shaken(image, rng)
    if rng.random() < 0.4:
        # Saturation and contrast as vendors like them.
        grey = image.mean(axis=-1, keepdims=True)
        image = grey + rng.uniform(0.3, 1.7) * (image - grey)
    image = 255 * (image.clip(0, 255) / 255) ** np.float32(rng.uniform(0.7, 1.4))
    deviation = rng.uniform(0.5, 3.0) if rng.random() < 0.8 else rng.uniform(3, 8)
    noise = np.empty(image.shape, np.float32)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    cv2.randn(noise, 0, deviation)
    if rng.random() < 0.5:
        noise = cv2.GaussianBlur(noise, (0, 0), 0.7) * 1.6
    sent = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        sent = _sharpened(sent, rng.uniform(0.3, 1.2))
    quality = int(rng.integers(60, 97))
    jpeg = cv2.imencode('.jpg', sent, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))


def _shaken(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur along a line of up to nine pixels: a camera that moves during the exposure."""
    length, angle = rng.uniform(1.5, 9), rng.uniform(0, np.pi)
    kernel = np.zeros((11, 11), np.float32)
    reach = length / 2 * np.array([np.cos(angle), np.sin(angle)])
    low, high = (tuple(int(v) for v in np.round(5 + sign * reach)) for sign in (-1, 1))
    cv2.line(kernel, low, high, 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def _sharpened(image: np.ndarray, amount: float) -> np.ndarray:
    return cv2.addWeighted(image, 1 + amount, cv2.GaussianBlur(image, (0, 0), 1.2), -amount, 0)
