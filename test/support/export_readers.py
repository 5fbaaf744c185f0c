"""What arrives on the other side of an export."""

import numpy as np


def assert_all_arrived(found, steps):
    """Check observations, actions, successors and ends against our own transitions, in order."""
    observations, actions, following, ends = map(np.asarray, found)
    np.testing.assert_array_equal(observations, steps.observations())
    np.testing.assert_array_equal(actions, steps.actions)
    np.testing.assert_array_equal(ends, steps.terminations)
    going = ~steps.terminations
    np.testing.assert_array_equal(following[going], steps.next_observations()[going])
