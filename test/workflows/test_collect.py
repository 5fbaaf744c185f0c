"""Episodes of a player without ROS."""

import numpy as np
import pytest

import guda_ros
from guda_ros.errors import GudaError

SHORT = {'scenario': 'penalty', 'seed': 3}


def test_the_same_seed_shows_the_same_episodes_in_memory_and_on_disk(tmp_path):
    shown = guda_ros.collect('imperfect', 2, out=tmp_path / 'shown', **SHORT)
    again = guda_ros.collect('imperfect', 2, **SHORT)
    other = guda_ros.collect('imperfect', 2, scenario='penalty', seed=4)
    read = guda_ros.read_dataset(tmp_path / 'shown').episodes
    assert len(shown) == len(again) == len(read) == 2
    for one, two, three in zip(shown, again, read):
        assert one.id == two.id == three.id and one.scenario == 'penalty'
        assert np.array_equal(one.world_states, two.world_states)
        assert np.array_equal(one.world_states, three.world_states)
        assert np.array_equal(one.commands, three.commands)
    assert not np.array_equal(shown[0].world_states[0], other[0].world_states[0])


def test_what_cannot_be_collected_is_said(tmp_path):
    with pytest.raises(GudaError, match='unknown scenario'):
        guda_ros.collect('imperfect', 1, scenario='nowhere')
    with pytest.raises(GudaError, match='exists already'):
        guda_ros.collect('imperfect', 1, out=tmp_path)
