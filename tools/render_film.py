"""Film the scripted demonstrator scoring in the twin, as docs/images/scoring.gif of the README."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from guda_ros.data.contract import Contract
from guda_ros.sim.env import SoccerEnv
from guda_ros.tasks.soccer.demonstrator import scripted

#: Robot x, y, yaw and ball x, y: it has to come round the ball.
START = (3.1, 1.0, -1.9, 2.7, -0.4)
#: Cameras, widths of their pictures, how much larger and from where (share of width and height)
#: they are cut out of what the camera sees; HEIGHT of all [pixels].
VIEWS = (('overview', 400, 1.75, (0.43, 0.08)), ('follow', 340, 1.0, (0.0, 0.0)))
HEIGHT = 250
#: Control steps from one picture to the next, seconds that it is shown, and the last one.
EVERY, SHOWN, LAST = 3, 0.12, 1.6
COLOURS = 96


def frames() -> list[np.ndarray]:
    """Return the pictures of an episode, RGB uint8 (height, width, 3)."""
    env = SoccerEnv()
    observation, _ = env.reset(seed=4, options={'start': START})
    driver = scripted('clean', env.episodes.contract, 1)
    pictures, done, step = [], False, 0
    while not done:
        if step % EVERY == 0:
            pictures.append(_picture(env))
        command = driver(env.episodes.world_states())
        action = env.episodes.contract.to_action(command)[0]
        observation, _, terminated, truncated, info = env.step(action)
        done, step = terminated or truncated, step + 1
    if not info['is_success']:
        raise SystemExit('the demonstrator did not score from this start')
    pictures.append(_picture(env))
    env.close()
    return pictures


def _picture(env: SoccerEnv) -> np.ndarray:
    views = []
    for camera, width, zoom, (left, top) in VIEWS:
        # Twice the size, averaged: thin nets and far lines stay whole.
        size = round(2 * zoom * width), round(2 * zoom * HEIGHT)
        large = env.episodes.render(0, camera, *size)
        part = large[round(top * size[1]) :, round(left * size[0]) :][: 2 * HEIGHT, : 2 * width]
        views.append(cv2.resize(part, (width, HEIGHT), interpolation=cv2.INTER_AREA))
    return np.concatenate(views, axis=1)


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=Path('docs/images/scoring.gif'))
    out = parser.parse_args().out
    pictures = frames()
    # One palette for all, so that nothing flickers.
    sample = np.concatenate(pictures[:: max(1, len(pictures) // 8)], axis=0)
    # The ball is small: without a stripe of its colour the palette would leave it out.
    ball = np.array(Contract.load().field.ball.colour)
    for row in range(40):
        sample[row] = 255 * ball * (0.4 + 0.6 * row / 39)
    palette = Image.fromarray(sample).quantize(COLOURS, method=Image.Quantize.MEDIANCUT)
    images = [
        Image.fromarray(picture).quantize(palette=palette, dither=Image.Dither.NONE)
        for picture in pictures
    ]
    times = [round(1000 * SHOWN)] * (len(images) - 1) + [round(1000 * LAST)]
    images[0].save(
        out, save_all=True, append_images=images[1:], duration=times, loop=0, optimize=True
    )
    print(f'{out}: {len(images)} pictures, {out.stat().st_size / 1000:.0f} kB')


if __name__ == '__main__':
    main()
