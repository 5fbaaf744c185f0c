"""Logs as the physical NAO wrote them, of a walk whose answer to commands is known."""

import numpy as np

from guda_ros.data.exchange.nao_logs import NaoLog

#: Rows a walking step.
STEP_ROWS = 15.3


def closed_loop_log(name, seed, response, delay, rows=1000, jitter=0.003, jumps=2):
    """
    Walk to one target after the other, by what a noisy localisation says, in rows of 1/60 s.

    :param response: (3,) time constants forward, left, turn [rows]. :param delay: [rows].
    """
    rng = np.random.default_rng(seed)
    pose, velocity = np.zeros(3), np.zeros(3)
    target = rng.uniform(-1.5, 1.5, 2)
    keep = np.exp(-1.0 / np.asarray(response, dtype=float))
    top = np.array([0.2, 0.17, 0.9]) / 60
    sent, seen, error = [np.zeros(3)] * (delay + 1), [], np.zeros(3)
    jump_rows = rng.integers(50, rows, jumps)
    for row in range(rows):
        if row in jump_rows:
            error[:2] = rng.normal(size=2) * 0.3
        error *= 0.98
        # Two cameras by turns: neighbouring rows differ more than the robot moves.
        noise = rng.normal(size=3) * [jitter, jitter, 3 * jitter]
        believed = pose + error + noise + (row % 2) * np.array([0.002, 0.001, 0.0])
        seen.append(believed)
        away = target - believed[:2]
        aim = (np.arctan2(away[1], away[0]) - believed[2] + np.pi) % (2 * np.pi) - np.pi
        # Ten and more times what can be walked, as the network's output is.
        action = np.clip([30 * (0.6 - abs(aim)), 20 * aim + rng.normal() * 3, 1.5 * aim], -1, 1)
        sent.append(action)
        if np.hypot(*away) < 0.15:
            target = rng.uniform(-1.5, 1.5, 2)
        velocity = keep * velocity + (1 - keep) * sent[-1 - delay] * top
        phase = np.pi * row / STEP_ROWS
        sway = np.array([0.002 * np.sin(2 * phase), 0.002 * np.cos(phase), 0.006 * np.sin(phase)])
        moved = velocity + sway
        cos, sin = np.cos(pose[2]), np.sin(pose[2])
        pose = pose + [cos * moved[0] - sin * moved[1], sin * moved[0] + cos * moved[1], moved[2]]
    seen = np.array(seen)
    return NaoLog(name, seen, np.tile(target, (rows, 1)), np.array(sent[delay + 1 :]))
