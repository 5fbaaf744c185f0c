"""Recordings of the paper's soccer task, made by a walk of its own, and guides for them."""

from __future__ import annotations

import numpy as np

from guda_ros.data.transitions import TransitionSet
from guda_ros.tasks.push_ball.model import PushBallModel

CONTRACT = PushBallModel()


MOVE = """\
name: mine
task: push_ball_to_goal
rules:
  only:
    kind: move
    share: 1.0
    segments: {segments}
    anchor: {{body: ball, step: {step}}}
    to: {to}
    {more}
"""


def guide_file(path, segments='{of: step}', step='first', to='{place: field}', more=''):
    path = path / 'mine.yaml'
    path.write_text(MOVE.format(segments=segments, step=step, to=to, more=more))
    return path


def transition_set(states, actions, episode=None):
    """Return steps of which each follows the one before in its episode; the last ends it."""
    after = CONTRACT.step_states(states, actions)
    count = len(states)
    episode = np.zeros(count, dtype=int) if episode is None else np.asarray(episode)
    step = np.concatenate([np.arange(np.sum(episode == index)) for index in np.unique(episode)])
    return TransitionSet(
        contract=CONTRACT,
        states=states,
        actions=actions,
        next_states=after,
        rewards=CONTRACT.reward(after),
        terminations=np.zeros(count, dtype=bool),
        source_episode=episode,
        source_step=step,
        rule=np.zeros(count),
        episode_ids=[f'episode_{index}' for index in np.unique(episode)],
        episode_success=[True] * len(np.unique(episode)),
    )


def walk_and_push(episodes=3, steps=150, seed=0):
    """Walk straight to the ball with some noise and push it on to the goal."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(episodes):
        angle = rng.uniform(-0.3, 0.3)
        state = np.array([[1.5, -1.5 * angle, 3.0, 0.0, angle]])
        for _ in range(steps):
            bearing = np.arctan2(state[0, 3] - state[0, 1], state[0, 2] - state[0, 0])
            action = np.array(
                [
                    [
                        5 * np.sin(bearing - state[0, 4]),
                        np.cos(bearing - state[0, 4]),
                        np.sin(bearing - state[0, 4]) + rng.normal(0, 0.05),
                    ]
                ]
            )
            rows.append((state[0], action[0]))
            state = CONTRACT.step_states(state, action)
    states, actions = (np.array(part) for part in zip(*rows))
    return transition_set(states, actions, np.repeat(np.arange(episodes), steps))


def columns(steps):
    return {
        name: getattr(steps, name)
        for name in (
            'states',
            'actions',
            'next_states',
            'rewards',
            'terminations',
            'source_episode',
            'source_step',
            'rule',
            'parameters',
            'seed',
        )
    }


def assert_same(one, other):
    for name, column in columns(one).items():
        np.testing.assert_array_equal(column, getattr(other, name), err_msg=name)


def source_rows(made, recorded):
    at = {key: row for row, key in enumerate(zip(recorded.source_episode, recorded.source_step))}
    return np.array([at[key] for key in zip(made.source_episode, made.source_step)])
