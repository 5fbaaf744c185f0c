"""
Films of recorded episodes: the MuJoCo twin follows the recorded states, seen by three cameras.

Encoding needs no program outside Python: OpenCV writes VP8 into WebM, which browsers play. Where
its build cannot, Pillow writes an animated WebP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
import math
import os
from pathlib import Path
import sys
import tempfile
from typing import NamedTuple

import cv2
import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.files import atomic_target
from guda_ros.data.verdicts import VERDICTS
from guda_ros.errors import GudaError
from guda_ros.evaluation.pages.webm import read_ivf, webm
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

#: Most bytes of a film, so that a page with it in stays easy to send.
MAX_BYTES = 3_000_000
#: Most frames a second: drawing takes longer than all else.
_MOST_FRAMES = 12.5
#: Seconds of film for one episode, and the speed of short ones.
_LONGEST = 14.0
_SPEED = 2.5
_HEIGHT = 300
_STRIP = 30
_GAP = 3
#: Width of each camera's picture.
_VIEWS = (
    ('overview', 'overview', 440),
    ('follow', 'behind the robot', 400),
    ('head', "robot's camera", 400),
)
_BACKGROUND = (44, 36, 30)
#: What a film says of a goal; the other verdicts are told in their own words.
_GOAL = 'GOAL'
_GOAL_COLOUR, _NO_GOAL_COLOUR, _UNKNOWN_COLOUR = (128, 210, 110), (110, 160, 255), (255, 255, 255)
#: OpenCV's writer asks for 4 bits a pixel and frame, at most 1.6 Gbit/s in all, and takes no other
#: wish. At a rate this high that limit leaves few bits to a frame; the true times are set in the
#: WebM file afterwards.
_WRITER_RATES = (5000.0, 12000.0, 40000.0)


class FilmError(GudaError):
    """A film cannot be made; the message says why and what to do."""


class FilmFiles(NamedTuple):
    """The film and a still of it."""

    film: Path
    poster: Path


def make_film(
    states: np.ndarray,
    contract: Contract,
    robot: RobotProfile,
    path: str | os.PathLike[str],
    verdict: str | None = None,
    title: str = '',
    speed: float | None = None,
    hold: float = 1.5,
    progress: Callable[[int, int], None] | None = None,
) -> FilmFiles:
    """
    Render the film of an episode from its true states, and write it and a still (same name, .jpg).

    :param states: (N, 10) world states at the contract's rate, such as Episode.truth_states; rows
        that are not finite are left out of the film, the clock goes on.
    :param path: a `.webm`; where OpenCV cannot encode it, a `.webp` beside it is written instead.
    :param verdict: how it ended, shown at the end for `hold` seconds of the film.
    :param title: words for the strip below the pictures.
    :param speed: seconds of the episode in one second of the film; by default fast enough that
        the film of a long episode does not take long to draw.
    :param progress: called with the frames drawn and their number.
    :raises RenderingUnavailable: (guda_ros.sim.rendering.renderer) if no OpenGL library can be
        loaded.
    :raises FilmError: if there is no finite state or the film cannot be encoded.
    """
    states = np.asarray(states, dtype=float)
    if speed is None:
        speed = max(_SPEED, math.ceil(len(states) / contract.rate / _LONGEST))
    chosen, rate = _choose(states, contract, speed)
    frames = _Reel()
    for frame in _frames(states, chosen, contract, robot, verdict, title, speed):
        frames.append(frame)
        if progress:
            progress(len(frames), len(chosen))
    poster = frames[len(frames) // 2]
    film = encode(frames, path, rate, round(hold * rate))
    picture = film.with_suffix('.jpg')
    _write(picture, cv2.imencode('.jpg', poster, (cv2.IMWRITE_JPEG_QUALITY, 85))[1].tobytes())
    return FilmFiles(film, picture)


def encode(
    frames: Sequence[np.ndarray],
    path: str | os.PathLike[str],
    rate: float,
    hold: int = 0,
    max_bytes: int = MAX_BYTES,
) -> Path:
    """
    Write frames (height, width, 3), BGR uint8, as a film that browsers play; return where it is.

    :param path: a `.webm` file; where VP8 cannot be encoded the film is written as `.webp` beside
        it.
    :param hold: how often the last frame is repeated at the end.
    :raises FilmError: if neither can be encoded within `max_bytes`.
    """
    path = Path(path).with_suffix('.webm')
    problems = []
    for writer_rate in _WRITER_RATES:
        try:
            content = _encode_webm(frames, rate, hold, writer_rate)
        except ValueError as error:
            problems.append(f'no WebM: {error}')
            break
        if len(content) <= max_bytes:
            return _write(path, content)
        problems.append(f'{len(content)} bytes as WebM')
    for scale, quality in ((0.75, 60), (0.5, 45), (0.35, 30)):
        content = _encode_webp(frames, rate, hold, scale, quality)
        if len(content) <= max_bytes:
            return _write(path.with_suffix('.webp'), content)
        problems.append(f'{len(content)} bytes as WebP at scale {scale}')
    raise FilmError(
        f'{path}: no film within {max_bytes} bytes ({"; ".join(problems)}); '
        'film a shorter episode or raise the speed'
    )


class _Reel(Sequence):
    """Frames kept as JPEG: encoding may begin anew, and a long film would not fit in memory."""

    def __init__(self) -> None:
        self._pictures: list[np.ndarray] = []

    def append(self, frame: np.ndarray) -> None:
        self._pictures.append(cv2.imencode('.jpg', frame, (cv2.IMWRITE_JPEG_QUALITY, 95))[1])

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> np.ndarray:
        return cv2.imdecode(self._pictures[index], cv2.IMREAD_COLOR)


def _size() -> tuple[int, int, int]:
    width = sum(width for *_, width in _VIEWS) + _GAP * (len(_VIEWS) - 1)
    return _HEIGHT + _STRIP, width + width % 2, 3


def _choose(states: np.ndarray, contract: Contract, speed: float) -> tuple[np.ndarray, float]:
    """Return the rows to draw and the film's frames a second."""
    if states.ndim != 2 or states.shape[1] != world.SIZE:
        raise FilmError(f'states of shape (N, {world.SIZE}) are expected, not {states.shape}')
    rate = contract.rate * speed
    every = max(1, int(np.ceil(rate / _MOST_FRAMES - 1e-9)))
    rows = np.arange(0, len(states), every)
    if len(states) and rows[-1] != len(states) - 1:
        rows = np.append(rows, len(states) - 1)
    rows = rows[np.isfinite(states[rows][:, : world.BALL.stop]).all(axis=1)]
    if not rows.size:
        raise FilmError('the episode has no state that is known: nothing can be filmed')
    return rows, rate / every


def _frames(
    states: np.ndarray,
    rows: np.ndarray,
    contract: Contract,
    robot: RobotProfile,
    verdict: str | None,
    title: str,
    speed: float,
) -> Iterator[np.ndarray]:
    # The simulator is imported here: without OpenGL the page must still be made.
    from guda_ros.sim.physics.mjcf import BALL_QPOS
    from guda_ros.sim.physics.simulation import SoccerSimulation

    rolling = _rolled(states, contract.field.ball.radius)
    with SoccerSimulation(contract, robot) as twin:
        for row in rows:
            state = np.nan_to_num(states[row])
            twin.set_world_state(state)
            twin.data.qpos[BALL_QPOS][3:7] = rolling[row]
            images = [twin.render(camera, width, _HEIGHT) for camera, _, width in _VIEWS]
            end = verdict if row == len(states) - 1 else None
            yield _compose(images, row * contract.period, end, title, speed)


def _compose(
    images: list[np.ndarray], time: float, verdict: str | None, title: str, speed: float
) -> np.ndarray:
    """Put RGB pictures side by side over a strip with time, title and verdict; return BGR."""
    frame = np.full(_size(), _BACKGROUND, np.uint8)
    left = 0
    for image, (_, name, width) in zip(images, _VIEWS):
        view = frame[:_HEIGHT, left:][:, :width]
        view[:] = image[..., ::-1]
        (wide, _), _ = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, 0.42, 1)
        width_of_plate = wide + 16
        plate = view[-23:, :width_of_plate]
        plate[:] = plate // 2
        _text(frame, name, (left + 8, _HEIGHT - 8), 0.42, (255, 255, 255))
        left += width + _GAP
    base = _HEIGHT + _STRIP - 10
    _text(frame, f'{time:5.1f} s', (10, base), 0.52, (255, 255, 255))
    if speed != 1:
        _text(frame, f'x{speed:g}', (88, base), 0.42, (180, 172, 165))
    _text(frame, title, (130, base), 0.42, (215, 208, 200))
    if verdict:
        words, colour = _verdict_in_words(verdict)
        (width, _), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, 0.62, 2)
        _text(frame, words, (frame.shape[1] - width - 12, base), 0.62, colour, 2)
    return frame


def _verdict_in_words(verdict: str) -> tuple[str, tuple[int, int, int]]:
    if verdict == 'scored':
        return _GOAL, _GOAL_COLOUR
    known = verdict in VERDICTS
    return VERDICTS.get(verdict, verdict), _NO_GOAL_COLOUR if known else _UNKNOWN_COLOUR


def _text(
    frame: np.ndarray,
    words: str,
    position: tuple[int, int],
    scale: float,
    colour: tuple[int, int, int],
    thickness: int = 1,
) -> None:
    words = words.encode('ascii', 'replace').decode()
    cv2.putText(
        frame, words, position, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness, cv2.LINE_AA
    )


def _rolled(states: np.ndarray, radius: float) -> np.ndarray:
    """Return the orientation (N, 4), w x y z, of a ball that rolled along its recorded path."""
    turned = np.zeros((len(states), 4))
    turned[0] = current = np.array([1.0, 0.0, 0.0, 0.0])
    for row in range(1, len(states)):
        move = states[row, world.BALL] - states[row - 1, world.BALL]
        length = np.linalg.norm(move)
        if np.isfinite(length) and length > 1e-6:
            half = length / radius / 2
            axis = np.array([-move[1], move[0], 0.0]) / length
            current = _multiply(np.concatenate([[np.cos(half)], np.sin(half) * axis]), current)
        turned[row] = current
    return turned


def _multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the product of two quaternions (4,), w x y z."""
    vector = a[0] * b[1:] + b[0] * a[1:] + np.cross(a[1:], b[1:])
    product = np.concatenate([[a[0] * b[0] - a[1:] @ b[1:]], vector])
    return product / np.linalg.norm(product)


def _encode_webm(
    frames: Sequence[np.ndarray], rate: float, hold: int, writer_rate: float
) -> bytes:
    """Return the film; ValueError if this build of OpenCV cannot encode it."""
    height, width = np.shape(frames[0])[:2]
    with tempfile.TemporaryDirectory(prefix='guda_film_') as folder:
        target = Path(folder) / 'film.ivf'
        with _quiet_stderr():
            writer = cv2.VideoWriter(
                str(target),
                cv2.CAP_FFMPEG,
                cv2.VideoWriter_fourcc(*'VP80'),
                writer_rate,
                (width, height),
            )
        if not writer.isOpened():
            raise ValueError('this build of OpenCV has no VP8 encoder')
        try:
            for frame in frames:
                writer.write(np.ascontiguousarray(frame))
        finally:
            writer.release()
        encoded = read_ivf(target.read_bytes())
    if len(encoded) != len(frames):
        raise ValueError(f'{len(encoded)} of {len(frames)} frames were encoded')
    times = [round(1000 * number / rate) for number in range(len(encoded))]
    return webm(encoded, times, round(1000 * (len(encoded) + hold) / rate), (width, height))


def _encode_webp(
    frames: Sequence[np.ndarray], rate: float, hold: int, scale: float, quality: int
) -> bytes:
    """Return the film as animated WebP, at most 10 frames a second."""
    import io

    from PIL import Image

    every = max(1, round(rate / 10))
    rows = sorted({*range(0, len(frames), every), len(frames) - 1})
    images = [
        Image.fromarray(
            cv2.resize(
                np.asarray(frames[row]), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
            )[..., ::-1]
        )
        for row in rows
    ]
    times = [round(1000 * every / rate)] * len(images)
    times[-1] += round(1000 * hold / rate)
    buffer = io.BytesIO()
    images[0].save(
        buffer,
        'WEBP',
        save_all=True,
        append_images=images[1:],
        duration=times,
        loop=0,
        quality=quality,
        method=2,
    )
    return buffer.getvalue()


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep FFmpeg's remark on the WebM tag, which is harmless, from the terminal."""
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with open(os.devnull, 'w') as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _write(path: Path, content: bytes) -> Path:
    with atomic_target(path) as temporary:
        temporary.write_bytes(content)
    return path
