"""Small sets of transitions and learners for the tests of learning."""

from dataclasses import fields

import numpy as np
import torch

from guda_ros.data.contract import Contract
from guda_ros.data.transitions import TransitionSet
from guda_ros.learning.algorithms import ALGORITHMS
from guda_ros.soccer import world

CONTRACT = Contract.load()
SIZE = len(CONTRACT.observation_names)


def transition_set(states, actions, contract=CONTRACT, **changes):
    """Return transitions of one recording whose rewards are zero, unless `changes` says more."""
    count = len(states)
    columns = {
        'states': states,
        'actions': actions,
        'next_states': np.roll(states, -1, axis=0),
        'rewards': np.zeros(count),
        'terminations': np.zeros(count),
        'source_episode': np.zeros(count),
        'source_step': np.arange(count),
        'rule': np.zeros(count),
        'episode_ids': ['one'],
        'episode_success': [True],
    }
    return TransitionSet(contract=contract, **{**columns, **changes})


def random_set(count=500, seed=0, **changes):
    """Return transitions with random states, and actions in [-.5, .5]."""
    rng = np.random.default_rng(seed)
    states = np.zeros((count, world.SIZE))
    states[:, :5] = rng.uniform(-1, 1, (count, 5))
    return transition_set(states, rng.uniform(-0.5, 0.5, (count, 3)), **changes)


def learnable_set(count=2000, seed=0):
    """Turn to the ball, walk faster the farther it is: a function of the observation."""
    rng = np.random.default_rng(seed)
    states = np.zeros((count, world.SIZE))
    states[:, :5] = rng.uniform([-4, -3, -np.pi, -4, -3], [4, 3, np.pi, 4, 3], (count, 5))
    ball = world.to_frame(states[:, world.BALL], states[:, world.ROBOT])
    distance = np.linalg.norm(ball, axis=1)
    actions = np.stack(
        [np.tanh(distance - 2), 0.5 * ball[:, 1] / distance, 0.8 * ball[:, 0] / distance], axis=1
    )
    return transition_set(states, actions)


def learner(name, data=None, seeds=(0,), **arguments):
    """Return a small learner of an algorithm; of unknown arguments nothing is said."""
    small = {
        'updates': 60,
        'bc_updates': 20,
        'batch_size': 32,
        'hidden': (16, 16),
        'critic_hidden': (16, 16),
        'log_every': 20,
        'samples': 2,
    }
    kind = ALGORITHMS[name]
    known = {field.name for field in fields(kind.Config)}
    arguments = {**{key: value for key, value in small.items() if key in known}, **arguments}
    data = random_set() if data is None else data
    return kind(data, CONTRACT, kind.Config(**arguments), seeds)


def hold(network, values):
    """Let stacked networks put out constants (N, out), whatever goes in."""
    with torch.no_grad():
        for parameter in (*network.weights, *network.biases):
            parameter.zero_()
        network.biases[-1].copy_(torch.as_tensor(values, dtype=torch.float32)[:, None])


def batch_of(learner, rows):
    """Return the batch (1, B) of these rows."""
    return learner._table.rows(torch.as_tensor([rows]))
