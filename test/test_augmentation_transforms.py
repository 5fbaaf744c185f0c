"""The data augmentation functions, by hand and against the physics."""

import numpy as np
import pytest

from guda_ros.augmentation.transforms import mirror, mirror_action, place_ball, rigid_move
from guda_ros.data.contract import Contract
from guda_ros.soccer import world

#: Robot at (1, 2) looking along +y, ball 1 m ahead of it and rolling away, previous command.
STATE = np.array([1.0, 2.0, np.pi / 2, 1.0, 3.0, 0.0, 0.5, 0.1, 0.05, -0.3])


def test_rigid_move_turns_the_scene_about_the_pivot():
    moved = rigid_move(STATE, np.array(-np.pi / 2), STATE[world.BALL], np.array([4.0, 0.0]))
    np.testing.assert_allclose(
        moved, [3.0, 0.0, 0.0, 4.0, 0.0, 0.5, 0.0, 0.1, 0.05, -0.3], atol=1e-12
    )


def test_rigid_move_wraps_the_heading():
    moved = rigid_move(STATE, np.array(np.pi), STATE[world.BALL], STATE[world.BALL])
    assert moved[world.ROBOT_YAW] == pytest.approx(-np.pi / 2)


def test_mirror_turns_over_everything_to_the_left():
    np.testing.assert_allclose(
        mirror(STATE), [1.0, -2.0, -np.pi / 2, 1.0, -3.0, 0.0, -0.5, 0.1, -0.05, 0.3]
    )
    np.testing.assert_allclose(mirror_action([0.5, 0.2, -0.4]), [0.5, -0.2, 0.4])


def test_mirror_leaves_alone_what_is_not_chosen():
    states = np.stack([STATE, STATE])
    mirrored = mirror(states, np.array([False, True]))
    np.testing.assert_array_equal(mirrored[0], STATE)
    np.testing.assert_allclose(mirror(mirrored[1]), STATE)


def test_placed_ball_is_at_rest():
    placed = place_ball(STATE, np.array([2.0, 0.5]))
    np.testing.assert_array_equal(placed[world.BALL], [2.0, 0.5])
    np.testing.assert_array_equal(placed[world.BALL_VELOCITY], [0.0, 0.0])
    np.testing.assert_array_equal(placed[world.ROBOT], STATE[world.ROBOT])


def test_transforms_do_not_change_their_input():
    state = STATE.copy()
    mirror(state)
    rigid_move(state, np.array(1.0), state[world.BALL], np.zeros(2))
    place_ball(state, np.zeros(2))
    np.testing.assert_array_equal(state, STATE)


def test_rigid_move_keeps_what_the_robot_sees_of_the_ball():
    contract = Contract.load()
    rng = np.random.default_rng(0)
    states = rng.uniform(-3, 3, (50, world.SIZE))
    moved = rigid_move(
        states, rng.uniform(-np.pi, np.pi, 50), states[:, world.BALL], rng.uniform(-3, 3, (50, 2))
    )
    names = [i for i, name in enumerate(contract.observation_names) if name.startswith('ball_')]
    np.testing.assert_allclose(
        contract.observe(moved)[:, names], contract.observe(states)[:, names], atol=1e-5
    )
