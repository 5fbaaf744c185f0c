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
#: The place of a scenario in this tuple is part of its seeds: append only.
SCENARIOS = (
    'attack',
    'centre',
    'random',
    'easy',
    'hard',
    'corner',
    'penalty',
    'obstacles',
    'goalkeeper',
)
#: Time limits [s] of the scenarios that have one of their own instead of the contract's.
TIME_LIMITS = {'penalty': 30.0}
#: Kinds of the obstacles (guda_ros.sim.physics.obstacles) of the scenarios that have some.
OBSTACLES = {
    'obstacles': ('static', 'static', 'walking'),
    'goalkeeper': ('goalkeeper',),
}
#: Scenarios that need nobody else on the field.
CLEAR_SCENARIOS = tuple(name for name in SCENARIOS if name not in OBSTACLES)

#: Between robot and ball at least this [m].
_CLEARANCE = 0.4
#: Between the first place of an obstacle and robot, ball or another obstacle at least this [m].
_FREE = 0.55
#: Distinguishes the streams of layouts from those of starts.
_LAYOUTS = 1


def sample_starts(scenario: str, count: int, rng: np.random.Generator, field: Field) -> np.ndarray:
    """
    Draw `count` starts (count, 5) of a scenario; robot and ball are at least .4 m apart.

    Figures are those of a 9 x 6 m field and scale with others, but for distances to robot, ball,
    lines and marks. Headings are any unless said.

    - attack: ball x in [.5, 3.5], |y| <= 2, robot anywhere in the attacking half.
    - centre: the same ball, the robot near the centre mark, facing the goal within 45 degrees.
    - random: robot |x| <= 3.5, |y| <= 2.5, ball |x| <= 2.5, |y| <= 2.
    - easy: robot x in [-.2, 0], y in [-.5, 0], ball x in [.1, 1], anywhere over the width; the
      robot faces the ball within 15 degrees. (As in arXiv 2310.18247, like hard.)
    - hard: ball in the corner, x in [4.3, 4.4], y in [-2.7, -2.3], robot x in [1.8, 2.2], y in
      [-2.7, -2.3], facing the ball within 15 degrees.
    - corner: ball .1 to .5 m inside the end line and one of the side lines, robot anywhere in the
      attacking half.
    - penalty: ball within .05 m of the penalty mark, robot .5 to 1 m behind it, within 35 degrees
      of the line from goal to ball, facing the ball within 30 degrees.
    - obstacles, goalkeeper: robot and ball as in attack, but ball x at most 3; who stands in the
      way is drawn by sample_layouts.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f'unknown scenario {scenario!r}; known: {", ".join(SCENARIOS)}')
    draw = _DRAW[scenario]
    starts = np.empty((count, SIZE))
    missing = np.arange(count)
    while missing.size:
        starts[missing] = draw(missing.size, rng, field)
        apart = np.linalg.norm(starts[missing, 0:2] - starts[missing, 3:5], axis=1)
        missing = missing[apart < _CLEARANCE]
    return starts


def fixed_starts(purpose: str, count: int, field: Field, scenario: str = 'attack') -> np.ndarray:
    """
    Return the first `count` starts (count, 5) of a purpose, the same on every machine.

    A longer list begins with the shorter one. The seed of a purpose is part of the benchmark:
    never change it.
    """
    if purpose not in PURPOSES:
        raise ValueError(f'unknown purpose {purpose!r}; known: {", ".join(PURPOSES)}')
    if scenario not in SCENARIOS:
        raise ValueError(f'unknown scenario {scenario!r}; known: {", ".join(SCENARIOS)}')
    seed = np.random.SeedSequence([20231018, PURPOSES.index(purpose), SCENARIOS.index(scenario)])
    children = seed.spawn(count)
    return np.concatenate(
        [sample_starts(scenario, 1, np.random.default_rng(child), field) for child in children]
        or [np.empty((0, SIZE))]
    )


def sample_layouts(
    scenario: str, starts: np.ndarray, rng: np.random.Generator, field: Field
) -> np.ndarray:
    """
    Draw where the OBSTACLES of a scenario stand: waypoints (n, k, 2, 2) [m] for starts (n, 5).

    Obstacles of the field stand at least .55 m from robot, ball and each other, between .5 m into
    the attacking half and 1 m before the goal line (scaled); one that walks goes to and fro
    between its place and another one 1.5 m away, less where the area ends. A goalkeeper stands
    .15 m before the middle of the goal line.
    """
    kinds = OBSTACLES.get(scenario, ())
    starts = np.asarray(starts, dtype=np.float64)
    waypoints = np.empty((len(starts), len(kinds), 2, 2))
    scale_x, scale_y = _scales(field)
    low = np.array([0.5 * scale_x, -2.2 * scale_y])
    high = np.array([field.goal_line - 1.0 * scale_x, 2.2 * scale_y])
    for index, kind in enumerate(kinds):
        if kind == 'goalkeeper':
            waypoints[:, index] = [field.goal_line - 0.15, 0.0]
            continue
        taken = np.concatenate(
            [starts[:, None, 0:2], starts[:, None, 3:5], waypoints[:, :index, 0]], axis=1
        )
        missing = np.arange(len(starts))
        while missing.size:
            position = rng.uniform(low, high, (missing.size, 2))
            waypoints[missing, index, 0] = position
            apart = np.linalg.norm(taken[missing] - position[:, None], axis=2).min(axis=1)
            missing = missing[apart < _FREE]
        reach = 1.5 * min(scale_x, scale_y) if kind == 'walking' else 0.0
        angle = rng.uniform(-np.pi, np.pi, len(starts))
        away = reach * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        waypoints[:, index, 1] = np.clip(waypoints[:, index, 0] + away, low, high)
    return waypoints


def fixed_layouts(purpose: str, starts: np.ndarray, field: Field, scenario: str) -> np.ndarray:
    """Return the layouts (n, k, 2, 2) that go with the first n fixed starts of a purpose."""
    seed = np.random.SeedSequence(
        [20231018, PURPOSES.index(purpose), SCENARIOS.index(scenario), _LAYOUTS]
    )
    layouts = [
        sample_layouts(scenario, start[None], np.random.default_rng(child), field)
        for start, child in zip(starts, seed.spawn(len(starts)))
    ]
    return np.concatenate(
        layouts or [sample_layouts(scenario, starts, np.random.default_rng(seed), field)]
    )


def _scales(field: Field) -> tuple[float, float]:
    return field.length / 9.0, field.width / 6.0


def _ball_ahead(n: int, rng: np.random.Generator, field: Field) -> np.ndarray:
    """Draw the ball (n, 2) of attack and centre."""
    scale_x, scale_y = _scales(field)
    return np.stack([rng.uniform(0.5, 3.5, n) * scale_x, rng.uniform(-2.0, 2.0, n) * scale_y], 1)


def _attacker(n: int, rng: np.random.Generator, field: Field) -> np.ndarray:
    """Draw a robot (n, 3) anywhere in the attacking half, .3 m inside the lines."""
    half = field.width / 2 - 0.3
    return np.stack(
        [
            rng.uniform(0.1, field.length / 2 - 0.3, n),
            rng.uniform(-half, half, n),
            rng.uniform(-np.pi, np.pi, n),
        ],
        1,
    )


def _attack(n: int, rng: np.random.Generator, field: Field) -> np.ndarray:
    ball = _ball_ahead(n, rng, field)
    return np.concatenate([_attacker(n, rng, field), ball], axis=1)


def _centre(n: int, rng: np.random.Generator, field: Field) -> np.ndarray:
    ball = _ball_ahead(n, rng, field)
    robot = (
        rng.uniform(-0.2, 0.2, n),
        rng.uniform(-0.5, 0.5, n),
        rng.uniform(-np.pi / 4, np.pi / 4, n),
    )
    return np.stack([*robot, *ball.T], 1)


def _random(n: int, rng: np.random.Generator, field: Field) -> np.ndarray:
    scale_x, scale_y = _scales(field)
    high = np.array([3.5 * scale_x, 2.5 * scale_y, np.pi, 2.5 * scale_x, 2.0 * scale_y])
    return rng.uniform(-high, high, (n, SIZE))


def _easy(n: int, rng: np.random.Generator, field: Field) -> np.ndarray:
    scale_x, scale_y = _scales(field)
    across = field.width / 2 - field.ball.radius
    low = [-0.2 * scale_x, -0.5 * scale_y, 0.1 * scale_x, -across]
    high = [0.0, 0.0, 1.0 * scale_x, across]
    return _facing_ball(rng.uniform(low, high, (n, 4)), 15, rng)


def _hard(n: int, rng: np.random.Generator, field: Field) -> np.ndarray:
    scale_x, scale_y = _scales(field)
    scale = np.array([scale_x, scale_y, scale_x, scale_y])
    low, high = np.array([1.8, -2.7, 4.3, -2.7]), np.array([2.2, -2.3, 4.4, -2.3])
    return _facing_ball(rng.uniform(low * scale, high * scale, (n, 4)), 15, rng)


def _corner(n: int, rng: np.random.Generator, field: Field) -> np.ndarray:
    inside = rng.uniform(0.1, 0.5, (n, 2))
    side = rng.choice([-1.0, 1.0], n)
    ball = np.stack([field.goal_line - inside[:, 0], side * (field.width / 2 - inside[:, 1])], 1)
    return np.concatenate([_attacker(n, rng, field), ball], axis=1)


def _penalty(n: int, rng: np.random.Generator, field: Field) -> np.ndarray:
    ball = np.array([field.goal_line - field.penalty_mark, 0.0]) + rng.uniform(-0.05, 0.05, (n, 2))
    behind = np.arctan2(ball[:, 1] - field.goal[1], ball[:, 0] - field.goal[0])
    angle = behind + np.radians(rng.uniform(-35, 35, n))
    distance = rng.uniform(0.5, 1.0, n)
    robot = ball + distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return _facing_ball(np.concatenate([robot, ball], axis=1), 30, rng)


def _behind_obstacles(n: int, rng: np.random.Generator, field: Field) -> np.ndarray:
    starts = _attack(n, rng, field)
    # Squeezed, so that there is room for obstacles before the goal.
    low = 0.5 * field.length / 9.0
    starts[:, 3] = low + (starts[:, 3] - low) * 2.5 / 3.0
    return starts


def _facing_ball(positions: np.ndarray, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """Return starts (n, 5), the ball within `degrees` ahead, from positions (n, 4) of both."""
    bearing = np.arctan2(positions[:, 3] - positions[:, 1], positions[:, 2] - positions[:, 0])
    yaw = bearing + np.radians(rng.uniform(-degrees, degrees, len(positions)))
    return np.stack([positions[:, 0], positions[:, 1], yaw, positions[:, 2], positions[:, 3]], 1)


_DRAW = {
    'attack': _attack,
    'centre': _centre,
    'random': _random,
    'easy': _easy,
    'hard': _hard,
    'corner': _corner,
    'penalty': _penalty,
    'obstacles': _behind_obstacles,
    'goalkeeper': _behind_obstacles,
}
