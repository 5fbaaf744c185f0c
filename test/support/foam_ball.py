"""Pictures of a white ball with black spots on turf, drawn without a renderer."""

import math

import numpy as np

GREEN = (50, 115, 45)
LIGHT, DARK = (235, 235, 235), (25, 25, 25)


def turf(camera, seed=0):
    """Return bare turf (H, W, 3), as a camera sees it."""
    rng = np.random.default_rng(seed)
    image = np.full((camera.height, camera.width, 3), GREEN, np.float64)
    return (image + rng.normal(0, 6, image.shape)).clip(0, 255).astype(np.uint8)


def draw_ball(camera, image, place, radius=0.05):
    """Draw a shaded ball with dark spots at a place in base_link, four times finer than pixels."""
    columns, rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    fine = np.linspace(-0.375, 0.375, 4)
    centre = np.append(place, radius)
    outline = camera.sphere_outline(centre, radius)
    low = np.maximum(np.floor(outline.centre - outline.half_size) - 2, 0).astype(int)
    high = np.ceil(outline.centre + outline.half_size).astype(int) + 3
    window = np.s_[low[1] : high[1], low[0] : high[0]]
    at = np.stack([columns[window], rows[window]], axis=-1).astype(float)
    total = np.zeros((*at.shape[:2], 3))
    golden = (1 + 5**0.5) / 2
    spots = np.array(
        [np.roll((0, a, b * golden), s) for s in range(3) for a in (-1, 1) for b in (-1, 1)]
    )
    spots = spots / np.linalg.norm(spots[0])
    for dx in fine:
        for dy in fine:
            rays = camera.rays(at + [dx, dy])
            away = centre - camera.position
            along = rays @ away
            gap = along**2 - (away @ away - radius**2)
            hit = gap > 0
            reach = along - np.sqrt(np.maximum(gap, 0))
            normal = (camera.position + rays * reach[..., None] - centre) / radius
            spotted = (normal @ spots.T).max(axis=-1) > math.cos(0.35)
            shade = 0.6 + 0.4 * np.clip(normal[..., 2], -1, 1)
            colour = np.where(spotted[..., None], DARK, LIGHT) * shade[..., None]
            total += np.where(hit[..., None], colour, image[window])
    image[window] = np.round(total / len(fine) ** 2)
    return outline
