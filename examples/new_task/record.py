"""Record a few demonstrations of push_box, all from one side of the room, as `FILE.h5`."""

import sys

import numpy as np
from push_box import PushBox

from guda_ros.data.transitions import TransitionSet
from guda_ros.soccer.world import wrap_angle


def drive(observations):
    """Return actions (M, 2): round the box until it lies between base and corner, then on."""
    box, corner = (np.arctan2(observations[:, i + 1], observations[:, i]) for i in (0, 2))
    yaw = np.arctan2(observations[:, 5], observations[:, 4])
    off = wrap_angle(box + np.clip(2.0 * wrap_angle(box - corner), -1.2, 1.2) - yaw)
    return np.stack([np.clip(np.cos(off), 0, 1), np.clip(off / 0.4, -1, 1)], axis=1)


def record(path, episodes=8, seed=0):
    """Drive from starts in the lower part of the room."""
    task, rng, parts = PushBox(), np.random.default_rng(seed), []
    starts = task.start(500, rng)
    starts = starts[(starts[:, 4] < -0.4) & (starts[:, 3] > -0.2)][:episodes]
    for number, state in enumerate(starts[:, None]):
        columns = {name: [] for name in ('states', 'actions', 'next_states')}
        for _ in range(task.contract.max_steps):
            action = drive(task.contract.observe(state))
            after = task.step(state, action, rng)
            for column, value in zip(columns.values(), (state, action, after)):
                column.append(value[0])
            state = after
            if task.terminated(state)[0]:
                break
        steps = [np.array(column) for column in columns.values()]
        count = len(steps[0])
        parts.append(
            TransitionSet(
                task.contract,
                *steps,
                rewards=task.reward(*steps),
                terminations=task.terminated(steps[2]),
                source_episode=np.zeros(count),
                source_step=np.arange(count),
                rule=np.zeros(count),
                episode_ids=[f'demonstration_{number}'],
                episode_success=[task.succeeded(state)[0]],
            )
        )
    TransitionSet.concatenate(parts).save(path)


if __name__ == '__main__':
    record(sys.argv[1])
