"""Drives in the car park for tests: what no recording is needed for."""

from __future__ import annotations

import numpy as np

from guda_ros.data.transitions import TransitionSet
from guda_ros.tasks.parking import world
from guda_ros.tasks.parking.task import Parking


def drives(episodes: int = 6, steps: int = 25, seed: int = 0) -> TransitionSet:
    """Drive from the middle with slowly changing commands, as far as no wall is near."""
    task, rng = Parking(), np.random.default_rng(seed)
    states = task.start(episodes, rng)
    rows = []
    for index in range(steps):
        if index % 5 == 0:
            actions = rng.uniform(-0.4, 0.4, (episodes, 2)).astype(np.float32)
        after = task.step(states, actions)
        rows.append((states, actions, after))
        states = after
    states, actions, after = (np.stack(part, axis=1) for part in zip(*rows))
    states, actions, after = (
        part.reshape(-1, part.shape[-1]) for part in (states, actions, after)
    )
    assert not after[:, world.CRASHED].any()
    return TransitionSet(
        contract=task.contract,
        states=states,
        actions=actions,
        next_states=after,
        rewards=task.reward(states, actions, after),
        terminations=task.terminated(after),
        source_episode=np.repeat(np.arange(episodes), steps),
        source_step=np.tile(np.arange(steps), episodes),
        rule=np.zeros(len(states)),
        episode_ids=[f'drive_{index}' for index in range(episodes)],
        episode_success=[False] * episodes,
    )
