"""
Start scenarios: where robot and ball stand when an episode begins.

A start is a row of five numbers in `map`: robot x, y [m], yaw [rad], ball x, y [m]. Every purpose
draws from a stream of its own, so that no start used in training or for choosing settings is ever
one that is reported.
"""

from __future__ import annotations

import numpy as np

from guda_ros.soccer.field import Field

SIZE = 5
PURPOSES = ('demonstration', 'validation', 'test', 'ros_test')
SCENARIOS = ('attack', 'centre')


def sample_starts(scenario: str, count: int, rng: np.random.Generator, field: Field) -> np.ndarray:
    """
    Draw `count` starts (count, 5) of a scenario.

    attack: ball x in [.5, 3.5], |y| <= 2 on a 9 x 6 m field (scaled on others), robot anywhere in
    the attacking half, any heading, at least .4 m from the ball. centre: the same ball, the robot
    near the centre mark, facing the goal within 45 degrees.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f'unknown scenario {scenario!r}; known: {", ".join(SCENARIOS)}')
    scale_x, scale_y = field.length / 9.0, field.width / 6.0
    starts = np.empty((count, SIZE))
    missing = np.arange(count)
    while missing.size:
        n = missing.size
        starts[missing, 3] = rng.uniform(0.5, 3.5, n) * scale_x
        starts[missing, 4] = rng.uniform(-2.0, 2.0, n) * scale_y
        if scenario == 'attack':
            starts[missing, 0] = rng.uniform(0.1, field.length / 2 - 0.3, n)
            starts[missing, 1] = rng.uniform(-field.width / 2 + 0.3, field.width / 2 - 0.3, n)
            starts[missing, 2] = rng.uniform(-np.pi, np.pi, n)
        else:
            starts[missing, 0] = rng.uniform(-0.2, 0.2, n)
            starts[missing, 1] = rng.uniform(-0.5, 0.5, n)
            starts[missing, 2] = rng.uniform(-np.pi / 4, np.pi / 4, n)
        close = np.linalg.norm(starts[missing, 0:2] - starts[missing, 3:5], axis=1) < 0.4
        missing = missing[close]
    return starts


def fixed_starts(purpose: str, count: int, field: Field, scenario: str = 'attack') -> np.ndarray:
    """
    Return the first `count` starts (count, 5) of a purpose, the same on every machine.

    A longer list begins with the shorter one. The seed of a purpose is part of the benchmark:
    never change it.
    """
    if purpose not in PURPOSES:
        raise ValueError(f'unknown purpose {purpose!r}; known: {", ".join(PURPOSES)}')
    seed = np.random.SeedSequence([20231018, PURPOSES.index(purpose), SCENARIOS.index(scenario)])
    children = seed.spawn(count)
    return np.concatenate(
        [sample_starts(scenario, 1, np.random.default_rng(child), field) for child in children]
        or [np.empty((0, SIZE))]
    )
