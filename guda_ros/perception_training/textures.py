"""Textures that are made, not photographed: ball prints, turf, what stands behind a field."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

#: A texture's maker: random numbers in, RGB uint8 (height, width, 3) out.
Maker = Callable[[np.random.Generator], np.ndarray]

_PRINT_SIZE = (128, 256)


def ball_print(family: str, rng: np.random.Generator) -> np.ndarray:
    """Return a print (128, 256, 3), longitude by latitude, RGB uint8."""
    return _finish(_PRINTS[family](rng), rng)


def turf(family: str, rng: np.random.Generator) -> np.ndarray:
    """Return a piece of ground (256, 256, 3), RGB uint8, which is repeated."""
    return _TURFS[family](rng)


def backdrop(family: str, rng: np.random.Generator) -> np.ndarray:
    """Return what stands behind the field (128, 512, 3), RGB uint8."""
    return _BACKDROPS[family](rng)


def _directions() -> np.ndarray:
    """Return the unit vectors (height, width, 3) of a print's pixels."""
    height, width = _PRINT_SIZE
    latitude = np.pi * ((np.arange(height) + 0.5) / height - 0.5)[:, None]
    longitude = 2 * np.pi * np.arange(width) / (width - 1)
    return np.stack(
        np.broadcast_arrays(
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ),
        axis=-1,
    )


_DIRECTIONS = _directions()


def _corners(kind: str) -> np.ndarray:
    """Return unit vectors of an icosahedron's, a cube's or an octahedron's corners."""
    golden = (1 + 5**0.5) / 2
    found = {
        'icosahedron': [
            np.roll((0, a, b * golden), s) for s in range(3) for a in (-1, 1) for b in (-1, 1)
        ],
        'cube': [(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)],
        'octahedron': [np.roll((a, 0, 0), s) for s in range(3) for a in (-1, 1)],
    }[kind]
    points = np.array(found, dtype=float)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def _white(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0.75, 1.0) * np.array([1.0, rng.uniform(0.94, 1), rng.uniform(0.82, 1)])


def _black(rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.65:
        return rng.uniform(0.02, 0.2) * np.ones(3)
    return _vivid(rng)


def _vivid(rng: np.random.Generator) -> np.ndarray:
    """Return a saturated colour of any hue, but not the turf's."""
    hue = rng.choice([rng.uniform(0, 32), rng.uniform(95, 179)])
    hsv = np.array([[[hue, rng.uniform(130, 255), rng.uniform(90, 255)]]], dtype=np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0] / 255.0


def _mix(mask: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    share = np.clip(mask, 0, 1)[..., None]
    return share * inside + (1 - share) * outside


def _caps(points: np.ndarray, angle: float) -> np.ndarray:
    """Return where caps around points (n, 3) of an angular radius [rad] are, with soft edges."""
    nearest = (_DIRECTIONS @ points.T).max(axis=-1)
    return (nearest - np.cos(angle)) * 60 + 0.5


def _pentagons(rng: np.random.Generator) -> np.ndarray:
    caps = _caps(_corners('icosahedron'), rng.uniform(0.27, 0.4))
    return _mix(caps, _black(rng), _white(rng))


def _spots(rng: np.random.Generator) -> np.ndarray:
    points = _corners(rng.choice(['cube', 'octahedron', 'icosahedron']))
    return _mix(_caps(points, rng.uniform(0.2, 0.45)), _black(rng), _white(rng))


def _swirls(rng: np.random.Generator) -> np.ndarray:
    """Bands that wind about six poles, of several colours, as modern prints have them."""
    base = np.broadcast_to(_white(rng), (*_PRINT_SIZE, 3))
    for _ in range(rng.integers(1, 4)):
        field = np.zeros(_PRINT_SIZE)
        for pole in _corners('octahedron'):
            tilt = np.cross(pole, rng.normal(size=3))
            field += np.sin(rng.uniform(2, 5) * (_DIRECTIONS @ tilt) + rng.uniform(0, 6)) * (
                _DIRECTIONS @ pole
            )
        band = 1.2 - np.abs(field - rng.uniform(-0.6, 0.6)) / rng.uniform(0.15, 0.45)
        base = _mix(band * 3, _black(rng), base)
    return base


def _plain(rng: np.random.Generator) -> np.ndarray:
    colour = _vivid(rng) if rng.random() < 0.75 else _white(rng)
    base = np.broadcast_to(colour, (*_PRINT_SIZE, 3))
    if rng.random() < 0.4:
        base = _mix(_caps(_corners('icosahedron'), rng.uniform(0.1, 0.3)), 0.4 * colour, base)
    return base


def _stripes(rng: np.random.Generator) -> np.ndarray:
    angle = np.arctan2(_DIRECTIONS[..., 1], _DIRECTIONS[..., 0])
    return _mix(np.sin(rng.integers(2, 6) * angle) * 8, _black(rng), _white(rng))


def _halves(rng: np.random.Generator) -> np.ndarray:
    return _mix(
        np.prod(np.sign(_DIRECTIONS[..., : rng.integers(1, 4)]), axis=-1) * 4,
        _black(rng),
        _white(rng),
    )


def _splashes(rng: np.random.Generator) -> np.ndarray:
    points = rng.normal(size=(rng.integers(4, 20), 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return _mix(_caps(points, rng.uniform(0.12, 0.4)), _black(rng), _white(rng))


def _foam(rng: np.random.Generator) -> np.ndarray:
    """White foam with black pentagons that lines join."""
    points = _corners('icosahedron')
    cosines = np.sort(_DIRECTIONS @ points.T, axis=-1)
    seam = 1 - np.abs(cosines[..., -1] - cosines[..., -2]) / rng.uniform(0.02, 0.06)
    white, black = _white(rng), rng.uniform(0.02, 0.15) * np.ones(3)
    return _mix(np.maximum(seam * 3, _caps(points, rng.uniform(0.25, 0.35))), black, white)


def _hexagons(rng: np.random.Generator) -> np.ndarray:
    """Pentagons filled, hexagons outlined: a ball as it was sold for decades."""
    points = _corners('icosahedron')
    cosines = np.sort(_DIRECTIONS @ points.T, axis=-1)
    edge = 1 - np.abs(cosines[..., -2] - cosines[..., -3]) / 0.05
    filled = _caps(points, rng.uniform(0.3, 0.38))
    return _mix(np.maximum(filled, edge * 2), rng.uniform(0.02, 0.2) * np.ones(3), _white(rng))


def _rings(rng: np.random.Generator) -> np.ndarray:
    points = _corners(rng.choice(['octahedron', 'cube']))
    outer = rng.uniform(0.35, 0.55)
    inner = outer - rng.uniform(0.1, 0.2)
    ring = np.minimum(_caps(points, outer), 1 - _caps(points, inner))
    return _mix(ring, _black(rng), _white(rng))


def _panels(rng: np.random.Generator) -> np.ndarray:
    """Great circles across, which leave panels, some of them in a colour."""
    normals = rng.normal(size=(3, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    sides = _DIRECTIONS @ normals.T
    parity = (sides > 0) @ np.array([1, 2, 4])
    chosen = np.isin(parity, rng.choice(8, rng.integers(2, 4), replace=False)).astype(float)
    seams = 1 - np.abs(sides).min(axis=-1) / 0.08
    return _mix(
        seams * 3, rng.uniform(0.02, 0.2) * np.ones(3), _mix(chosen, _black(rng), _white(rng))
    )


_PRINTS: dict[str, Maker] = {
    'pentagons': _pentagons,
    'spots': _spots,
    'swirls': _swirls,
    'plain': _plain,
    'stripes': _stripes,
    'halves': _halves,
    'splashes': _splashes,
    'foam': _foam,
    'hexagons': _hexagons,
    'rings': _rings,
    'panels': _panels,
}


def _finish(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add dirt and scratches, and return uint8."""
    dirt = 1 - rng.uniform(0, 0.25) * _noise(_PRINT_SIZE, int(rng.integers(4, 24)), rng)
    return np.round(255 * np.clip(rgb * dirt[..., None], 0, 1)).astype(np.uint8)


def _noise(size: tuple[int, int], cells: int, rng: np.random.Generator) -> np.ndarray:
    """Return smooth noise in [0, 1], with about so many cells across."""
    rows = max(2, round(cells * size[0] / size[1]))
    coarse = rng.random((rows, cells)).astype(np.float32)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC).clip(0, 1)


def _green(rng: np.random.Generator) -> np.ndarray:
    """Return the colour of a turf: mostly green, from yellowish to bluish, sometimes grey."""
    hsv = np.array([[[rng.uniform(32, 88), rng.uniform(40, 235), rng.uniform(50, 190)]]], np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0] / 255.0


def _ground(brightness: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    colour = _green(rng)
    tint = rng.normal(0, 0.06, 3) * (_noise(brightness.shape, 8, rng)[..., None] - 0.5)
    return np.round(255 * np.clip(colour * brightness[..., None] + tint, 0, 1)).astype(np.uint8)


def _fibres(rng: np.random.Generator) -> np.ndarray:
    """Blades of artificial turf: noise that is smeared along one direction."""
    noise = rng.normal(0, 1, (256, 256)).astype(np.float32)
    kernel = np.zeros((9, 9), np.float32)
    cv2.line(kernel, (4, 4), tuple(int(v) for v in rng.integers(0, 9, 2)), 1.0)
    kernel[4, 4] = 1
    smeared = cv2.filter2D(noise, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)
    return _ground(1 + rng.uniform(0.1, 0.6) * smeared / 2, rng)


def _mottled(rng: np.random.Generator) -> np.ndarray:
    noise = np.zeros((256, 256))
    for part, cells in enumerate((6, 24, 90), 1):
        noise += _noise((256, 256), cells, rng) / part
    return _ground(0.7 + rng.uniform(0.1, 0.4) * noise, rng)


def _mown(rng: np.random.Generator) -> np.ndarray:
    stripes = np.sin(np.arange(256) * 2 * np.pi / 256) > 0
    bright = 1 - 0.25 * rng.random() * stripes[:, None] + rng.normal(0, 0.06, (256, 256))
    return _ground(bright, rng)


def _felt(rng: np.random.Generator) -> np.ndarray:
    return _ground(1 + rng.uniform(0.0, 0.06) * rng.normal(size=(256, 256)), rng)


def _clumps(rng: np.random.Generator) -> np.ndarray:
    noise = _noise((256, 256), int(rng.integers(40, 80)), rng)
    return _ground(0.75 + 0.5 * (noise > rng.uniform(0.4, 0.6)) * noise, rng)


def _worn_carpet(rng: np.random.Generator) -> np.ndarray:
    worn = np.clip(3 * _noise((256, 256), int(rng.integers(3, 8)), rng) - 2, 0, 1)
    return _ground(1 + 0.5 * worn + rng.normal(0, 0.05, (256, 256)), rng)


_TURFS: dict[str, Maker] = {
    'fibres': _fibres,
    'mottled': _mottled,
    'mown': _mown,
    'felt': _felt,
    'clumps': _clumps,
    'worn_carpet': _worn_carpet,
}


def _canvas(rng: np.random.Generator) -> np.ndarray:
    grey = rng.uniform(20, 235)
    return np.clip(grey + rng.normal(0, 15, 3) + np.zeros((128, 512, 3)), 0, 255).astype(np.uint8)


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    value = 255 * (_vivid(rng) if rng.random() < 0.5 else rng.random() * np.ones(3))
    return int(value[0]), int(value[1]), int(value[2])


def _boards(rng: np.random.Generator) -> np.ndarray:
    """Banners with letters and logos."""
    image = _canvas(rng)
    left = 0
    while left < 512:
        width = int(rng.integers(30, 140))
        cv2.rectangle(image, (left, 0), (left + width, 128), _colour(rng), -1)
        text = ''.join(rng.choice(list('ABCDEGHKMORSTUX08'), rng.integers(1, 7)))
        cv2.putText(
            image,
            text,
            (left + 4, int(rng.integers(40, 110))),
            int(rng.integers(0, 5)),
            rng.uniform(0.6, 2.5),
            _colour(rng),
            int(rng.integers(2, 6)),
        )
        for _ in range(rng.integers(0, 3)):
            centre = (left + int(rng.integers(0, width)), int(rng.integers(10, 118)))
            cv2.circle(image, centre, int(rng.integers(3, 25)), _colour(rng), -1)
        left += width
    return image


def _wall(rng: np.random.Generator) -> np.ndarray:
    image = _canvas(rng)
    for _ in range(rng.integers(0, 12)):
        x, y = int(rng.integers(0, 512)), int(rng.integers(0, 128))
        size = rng.integers(5, 100, 2)
        cv2.rectangle(image, (x, y), (x + int(size[0]), y + int(size[1])), _colour(rng), -1)
    return image


def _crowd(rng: np.random.Generator) -> np.ndarray:
    """Heads, bodies, legs and shoes of people in rows."""
    image = _canvas(rng)
    for row in range(20, 128, int(rng.integers(25, 50))):
        for x in range(0, 512, int(rng.integers(12, 30))):
            x += int(rng.integers(-5, 6))
            cloth = _colour(rng)
            cv2.rectangle(image, (x - 6, row + 5), (x + 6, row + 32), cloth, -1)
            skin = (
                int(rng.uniform(90, 240)),
                int(rng.uniform(60, 190)),
                int(rng.uniform(40, 160)),
            )
            cv2.circle(image, (x, row), int(rng.integers(3, 7)), skin, -1)
            shoe = _colour(rng)
            cv2.ellipse(image, (x - 4, row + 34), (4, 2), 0, 0, 360, shoe, -1)
            cv2.ellipse(image, (x + 4, row + 34), (4, 2), 0, 0, 360, shoe, -1)
    return image


def _windows(rng: np.random.Generator) -> np.ndarray:
    image = (_canvas(rng) * 0.5).astype(np.uint8)
    step = int(rng.integers(30, 90))
    for x in range(0, 512, step):
        cv2.rectangle(image, (x, 10), (x + int(step * 0.7), 90), (250, 252, 255), -1)
    return image


def _tents(rng: np.random.Generator) -> np.ndarray:
    image = _canvas(rng)
    for x in range(0, 512, int(rng.integers(40, 90))):
        top = (x + 20, int(rng.integers(5, 50)))
        corners = np.array([(x, 128), top, (x + 45, 128)], dtype=np.int32)
        cv2.fillPoly(image, [corners], _colour(rng))
        for _ in range(3):
            place = (x + int(rng.integers(0, 45)), int(rng.integers(60, 128)))
            cv2.circle(image, place, int(rng.integers(2, 7)), _colour(rng), -1)
    return image


def _pillars(rng: np.random.Generator) -> np.ndarray:
    image = _canvas(rng)
    for x in range(0, 512, int(rng.integers(20, 70))):
        cv2.rectangle(image, (x, 0), (x + int(rng.integers(3, 16)), 128), _colour(rng), -1)
    return cv2.GaussianBlur(image, (0, 0), 1.0)


_BACKDROPS: dict[str, Maker] = {
    'boards': _boards,
    'wall': _wall,
    'crowd': _crowd,
    'windows': _windows,
    'tents': _tents,
    'pillars': _pillars,
}
