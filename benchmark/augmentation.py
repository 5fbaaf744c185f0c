"""
How fast guided augmentation is: guided soccer transitions a second.

    .venv/bin/python benchmark/augmentation.py

In one run: the engine with acceptance, reward and observation, in blocks as a consumer gets them,
with compiled loops and before with NumPy alone, as it makes small sets; the same rules as a Python
loop over transitions; and a copy of the bytes that the engine made. The recording is made here by
a scripted demonstrator of the paper's task, or given with --data. The last line is one JSON
object; prepare_s is how long it took to compile the loops or to read what was compiled before.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from pathlib import Path
import random
import statistics
import time

import numpy as np

from guda_ros.augmentation import compiled
from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import Augmenter
from guda_ros.data.transitions import TransitionSet
from guda_ros.tasks.push_ball.model import PushBallModel
from guda_ros.tasks.push_ball.task import PushBallToGoal

#: Transitions for which nothing is compiled.
SMALL = 1_000_000


def demonstrations(contract: PushBallModel, episodes: int = 3) -> TransitionSet:
    """Return steps of a robot that walks behind the ball and pushes it to the goal."""
    rng = np.random.default_rng(0)
    states = contract.reset(episodes, rng)
    columns = []
    for _ in range(contract.max_steps):
        ball, goal = states[:, 2:4], contract.goal
        push = goal - ball
        push /= np.linalg.norm(push, axis=1, keepdims=True)
        target = ball - 0.3 * push
        behind = np.linalg.norm(target - states[:, :2], axis=1) < 0.1
        way = np.where(behind[:, None], ball, target) - states[:, :2]
        bearing = np.arctan2(way[:, 1], way[:, 0]) - states[:, 4]
        turn = 5 * ((bearing + np.pi) % (2 * np.pi) - np.pi)
        actions = np.stack([turn, np.cos(bearing), np.sin(bearing)], axis=1)
        actions[:, 1:] += rng.normal(0, 0.1, (episodes, 2))
        after = contract.step_states(states, actions)
        columns.append((states, actions, after))
        states = after
    steps = contract.max_steps
    before, actions, after = (
        np.stack(part, axis=1).reshape(episodes * steps, -1) for part in zip(*columns)
    )
    return TransitionSet(
        contract=contract,
        states=before,
        actions=actions,
        next_states=after,
        rewards=contract.reward(after),
        terminations=np.zeros(len(before), dtype=bool),
        source_episode=np.repeat(np.arange(episodes), steps),
        source_step=np.tile(np.arange(steps), episodes),
        rule=np.zeros(len(before)),
        episode_ids=[f'scripted_{index}' for index in range(episodes)],
        episode_success=[True] * episodes,
    )


def loop(recorded: TransitionSet, phase: np.ndarray, count: int) -> int:
    """Make `count` transitions by the same rules, one after the other, in plain Python."""
    contract = recorded.contract
    line, side, contact = contract.length / 2, contract.width / 2, contract.contact
    goal_x, goal_y = contract.goal.tolist()
    rows = list(
        zip(
            recorded.states.tolist(),
            recorded.actions.tolist(),
            recorded.next_states.tolist(),
            phase.tolist(),
        )
    )
    draw = random.Random(0)
    made = []
    while len(made) < count:
        before, action, after, kind = rows[draw.randrange(len(rows))]
        sign = -1.0 if draw.random() < 0.5 else 1.0
        action = (action[0] * sign, action[1], action[2] * sign)
        if kind == 3:
            angle, x, y, pivot = 0.0, before[0], before[1] * sign, before[0:2]
            ball = (line + draw.random() * 0.25, (draw.random() - 0.5) * 1.4)
        else:
            x, y = (math.sqrt(draw.random()) * 2 - 1) * line, (draw.random() * 2 - 1) * side
            if kind == 0:
                ball = (math.sqrt(draw.random()) * 2 - 1) * line, (draw.random() * 2 - 1) * side
                pivot, way = before[0:2], (after[0] - before[0], sign * (after[1] - before[1]))
                target = ball
            else:
                ball, pivot, target = None, before[2:4], (goal_x, goal_y)
                way = (after[2] - before[2], sign * (after[3] - before[3]))
            angle = math.atan2(target[1] - y, target[0] - x) - math.atan2(way[1], way[0])
        cos, sin = math.cos(angle), math.sin(angle)
        moved = []
        for state in (before, after):
            new = []
            for column in (0, 2):
                dx, dy = state[column] - pivot[0], sign * (state[column + 1] - pivot[1])
                new += [x + cos * dx - sin * dy, y + sin * dx + cos * dy]
            if ball is not None:
                new[2:] = ball
            new.append((sign * state[4] + angle + math.pi) % (2 * math.pi) - math.pi)
            moved.append(new)
        if any(abs(state[0]) > line or abs(state[1]) > side for state in moved):
            continue
        if kind == 0 and min(math.dist(state[:2], ball) for state in moved) < contact:
            continue
        new = moved[1]
        bearing = math.atan2(new[3] - new[1], new[2] - new[0])
        facing = abs(bearing % (2 * math.pi) - new[4] % (2 * math.pi)) < contract.facing
        reward = float(new[2] > line and abs(new[3]) < contract.goal_width / 2)
        if facing:
            reward += 9e-4 / math.dist(new[2:4], (goal_x, goal_y))
            reward += 1e-4 / max(math.dist(new[:2], new[2:4]), 1e-9)
        seen = []
        for state in moved:
            to_ball = math.atan2(state[3] - state[1], state[2] - state[0]) - state[4]
            to_goal = math.atan2(goal_y - state[1], goal_x - state[0]) - state[4]
            seen.append(
                (
                    (state[2] - state[0]) / contract.length,
                    (state[3] - state[1]) / contract.width,
                    (goal_x - state[2]) / contract.length,
                    (goal_y - state[3]) / contract.width,
                    math.sin(to_ball),
                    math.cos(to_ball),
                    math.sin(to_goal),
                    math.cos(to_goal),
                )
            )
        made.append((moved[0], action, new, reward, seen))
    return len(made)


def measure(augmenter: Augmenter, count: int) -> float:
    """Return how many transitions a second are made, `count` in all."""
    begin = time.perf_counter()
    made = sum(len(block['rewards']) for block in augmenter.blocks(count, observe=True))
    return made / (time.perf_counter() - begin)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--data', type=Path, help='recording (.npz) of the task to use instead')
    parser.add_argument('--guide', default='push_ball_transitions')
    parser.add_argument('--count', type=int, default=4_000_000, help='default: %(default)s')
    parser.add_argument('--repeat', type=int, default=5, help='default: %(default)s')
    parser.add_argument('--threads', type=int, default=min(2, os.cpu_count() or 1))
    args = parser.parse_args()
    recorded = PushBallToGoal.read(args.data) if args.data else demonstrations(PushBallModel())
    guide = load_guide(args.guide)
    augmenter = Augmenter(recorded, guide, seed=0, threads=args.threads)
    plain = [measure(augmenter, min(args.count, SMALL)) for _ in range(args.repeat)]
    begin = time.perf_counter()
    compiled.prepare(compiled.ENGINE, *augmenter.task.loops)
    prepared = time.perf_counter() - begin
    *_, block = augmenter.blocks(200_000, observe=True)
    guided, copied = [], []
    for _ in range(args.repeat):
        guided.append(measure(augmenter, args.count))
        begin = time.perf_counter()
        for _ in range(max(args.count // len(block['rewards']), 1)):
            copies = [column.copy() for column in block.values()]
        copied.append(
            max(args.count // len(copies[0]), 1) * len(copies[0]) / (time.perf_counter() - begin)
        )
    begin = time.perf_counter()
    looped = loop(recorded, augmenter.task.phase(recorded), 20_000) / (time.perf_counter() - begin)
    size = sum(column[:1].nbytes for column in block.values())
    print(
        f'{size} bytes a transition; {args.threads} threads; medians of {args.repeat} runs; '
        f'engine {min(guided) / 1e6:.2f} to {max(guided) / 1e6:.2f} M transitions/s'
    )
    print(
        json.dumps(
            {
                'guided_transitions_per_s': round(statistics.median(guided)),
                'loop_transitions_per_s': round(looped),
                'copy_transitions_per_s': round(statistics.median(copied)),
                'guided_transitions_per_s_best': round(max(guided)),
                'numpy_transitions_per_s': round(statistics.median(plain)),
                'prepare_s': round(prepared, 2),
                'bytes_per_transition': size,
                'threads': args.threads,
                'count': args.count,
            }
        )
    )


if __name__ == '__main__':
    main()
