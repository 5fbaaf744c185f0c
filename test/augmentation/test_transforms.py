"""The data augmentation functions, by hand and by their properties."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
import numpy as np
import pytest

from guda_ros.augmentation import transforms
from guda_ros.augmentation.rules.base import change_of, parameters_of
from guda_ros.augmentation.transforms import Change, Layout, Move
from guda_ros.data.contract import Contract
from guda_ros.soccer import world
from guda_ros.tasks.push_ball.model import PushBallModel
from guda_ros.tasks.push_ball.task import PushBallToGoal
from guda_ros.tasks.soccer.task import SoccerPush

LAYOUT = SoccerPush.layout
#: Robot at (1, 2) looking along +y, ball 1 m ahead of it and rolling away, previous command.
STATE = np.array([1.0, 2.0, np.pi / 2, 1.0, 3.0, 0.0, 0.5, 0.1, 0.05, -0.3])
ROWS = 8

coordinate = st.floats(-5, 5, allow_subnormal=False)
angle = st.floats(-10, 10, allow_subnormal=False)
states = arrays(float, (ROWS, world.SIZE), elements=coordinate)
actions = arrays(float, (ROWS, 3), elements=st.floats(-1, 1, allow_subnormal=False))
angles = arrays(float, ROWS, elements=angle)
points = arrays(float, (ROWS, 2), elements=coordinate)
masks = arrays(bool, ROWS)


@st.composite
def changes(draw, layout=LAYOUT):
    """Return a change of whole scenes, composed of some DAFs in some order."""
    makers = {
        'translate': lambda: transforms.translate(layout, draw(points)),
        'rotate': lambda: transforms.rotate(layout, draw(angles), draw(points)),
        'reflect': lambda: transforms.reflect(layout, draw(masks)),
    }
    names = draw(st.lists(st.sampled_from(sorted(makers)), min_size=1, max_size=4))
    change = makers[names[0]]()
    for name in names[1:]:
        change = change.then(makers[name]())
    return change


def assert_same_states(found, expected, layout=LAYOUT, atol=1e-9):
    """Compare states; headings as angles."""
    difference = np.asarray(found) - expected
    for body in layout.bodies.values():
        if body.heading is not None:
            turned = difference[..., body.heading]
            difference[..., body.heading] = (turned + np.pi) % (2 * np.pi) - np.pi
    np.testing.assert_allclose(difference, 0, atol=atol)


def test_rotation_about_the_ball_turns_the_scene():
    change = transforms.rotate(LAYOUT, -np.pi / 2, STATE[world.BALL]).then(
        transforms.translate(LAYOUT, [3.0, -3.0])
    )
    np.testing.assert_allclose(
        change.states(STATE), [3.0, 0.0, 0.0, 4.0, 0.0, 0.5, 0.0, 0.1, 0.05, -0.3], atol=1e-12
    )


def test_reflection_turns_over_everything_to_the_left():
    change = transforms.reflect(LAYOUT, True)
    np.testing.assert_allclose(
        change.states(STATE), [1.0, -2.0, -np.pi / 2, 1.0, -3.0, 0.0, -0.5, 0.1, -0.05, 0.3]
    )
    np.testing.assert_allclose(change.actions([0.5, 0.2, -0.4]), [0.5, -0.2, 0.4])


def test_action_order_is_that_of_the_task():
    # The paper's task has the turn first.
    change = transforms.reflect(PushBallToGoal.layout, True)
    np.testing.assert_allclose(change.actions([0.5, 0.2, -0.4]), [-0.5, 0.2, 0.4])


def test_actions_in_map_turn_with_the_scene():
    layout = Layout(2, {'point': transforms.Body((0, 1))}, 'point', action_vectors=((0, 1),))
    quarter = transforms.rotate(layout, np.pi / 2, np.zeros(2))
    np.testing.assert_allclose(quarter.actions(np.array([1.0, 0.0])), [0.0, 1.0], atol=1e-12)


def test_a_body_put_apart_is_at_rest_and_leaves_the_others():
    placed = transforms.place(LAYOUT, 'ball', [2.0, 0.5]).states(STATE)
    np.testing.assert_array_equal(placed[world.BALL], [2.0, 0.5])
    np.testing.assert_array_equal(placed[world.BALL_VELOCITY], [0.0, 0.0])
    np.testing.assert_array_equal(placed[world.ROBOT], STATE[world.ROBOT])
    np.testing.assert_array_equal(placed[world.PREVIOUS_COMMAND], STATE[world.PREVIOUS_COMMAND])


def test_a_relabelled_goal_is_a_body_of_the_task():
    layout = Layout(
        4, {'point': transforms.Body((0, 1)), 'goal': transforms.Body((2, 3))}, 'point'
    )
    relabelled = transforms.relabel_goal(layout, [5.0, 6.0]).states([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(relabelled, [1.0, 2.0, 5.0, 6.0])


def test_a_body_moved_alone_leaves_the_others():
    move = Move.carry(np.array([1.0, 2.0]), np.array([0.0, 0.0]), np.pi)
    moved = transforms.move_body(LAYOUT, 'robot', move).states(STATE)
    np.testing.assert_allclose(moved[world.ROBOT], [0.0, 0.0, -np.pi / 2], atol=1e-12)
    np.testing.assert_array_equal(moved[3:], STATE[3:])
    with pytest.raises(ValueError, match='reflect the scene'):
        transforms.move_body(LAYOUT, 'robot', Move(np.array(True), np.array(0.0), np.zeros(2)))


def test_what_was_put_apart_cannot_be_taken_back():
    with pytest.raises(ValueError, match='not known'):
        transforms.place(LAYOUT, 'ball', [2.0, 0.5]).inverse()


@given(states, actions, changes())
def test_inverse_takes_a_change_back(before, action, change):
    back = change.inverse()
    assert_same_states(back.states(change.states(before)), before, atol=1e-8)
    np.testing.assert_allclose(back.actions(change.actions(action)), action, atol=1e-12)


@given(states, actions, changes(), changes())
def test_composition_is_one_change_after_the_other(before, action, first, second):
    both = first.then(second)
    assert_same_states(both.states(before), second.states(first.states(before)), atol=1e-8)
    np.testing.assert_allclose(both.actions(action), second.actions(first.actions(action)))


@given(states, states, changes())
def test_changes_of_scenes_are_isometries(one, other, change):
    for body in (world.ROBOT_POSITION, world.BALL):
        moved = change.states(one)[:, body] - change.states(other)[:, body]
        np.testing.assert_allclose(
            np.linalg.norm(moved, axis=1),
            np.linalg.norm(one[:, body] - other[:, body], axis=1),
            atol=1e-9,
        )
    np.testing.assert_allclose(
        np.linalg.norm(change.states(one)[:, world.BALL_VELOCITY], axis=1),
        np.linalg.norm(one[:, world.BALL_VELOCITY], axis=1),
        atol=1e-9,
    )


@given(states, changes())
def test_headings_are_wrapped(before, change):
    yaw = change.states(before)[:, world.ROBOT_YAW]
    assert np.all((yaw >= -np.pi - 1e-12) & (yaw <= np.pi + 1e-12))


@given(arrays(float, ROWS, elements=st.floats(-1e4, 1e4)))
def test_wrap_keeps_the_direction(yaw):
    np.testing.assert_allclose(np.cos(world.wrap_angle_fast(yaw)), np.cos(yaw), atol=1e-9)
    np.testing.assert_allclose(np.sin(world.wrap_angle_fast(yaw)), np.sin(yaw), atol=1e-9)


@given(states, actions, changes())
def test_a_batch_is_its_rows_one_by_one(before, action, change):
    together = change.states(before), change.actions(action)
    for row in range(ROWS):
        alone = change.take(row)
        np.testing.assert_allclose(alone.states(before[row]), together[0][row], atol=1e-12)
        np.testing.assert_array_equal(alone.actions(action[row]), together[1][row])


@given(states, actions, changes())
def test_input_is_not_changed(before, action, change):
    kept = before.copy(), action.copy()
    change.states(before)
    change.actions(action)
    np.testing.assert_array_equal(before, kept[0])
    np.testing.assert_array_equal(action, kept[1])


@given(states, changes(), points)
def test_parameters_describe_a_change(before, change, at):
    change = Change(LAYOUT, change.moves, {'ball': at})
    again = change_of(LAYOUT, parameters_of(change, ROWS))
    assert_same_states(again.states(before), change.states(before), atol=1e-4)


@given(states, changes())
def test_memory_by_columns_gives_the_same(before, change):
    np.testing.assert_array_equal(change.states(np.asfortranarray(before)), change.states(before))


@given(states, angles, points)
def test_the_robot_sees_the_ball_as_before(before, turn, place):
    contract = Contract.load()
    change = transforms.scene(LAYOUT, Move.carry(before[:, world.BALL], place, turn))
    names = [i for i, name in enumerate(contract.observation_names) if name.startswith('ball_')]
    np.testing.assert_allclose(
        contract.observe(change.states(before))[:, names],
        contract.observe(before)[:, names],
        atol=1e-4,
    )


@settings(max_examples=50)
@given(changes(PushBallToGoal.layout), st.integers(0, 2**32 - 1))
def test_the_dynamics_do_not_notice_a_change(change, seed):
    """Stepping a changed state is changing the stepped one, on a field without lines."""
    contract = PushBallModel(length=1e4, width=1e4)
    rng = np.random.default_rng(seed)
    before = contract.reset(ROWS, rng)
    # Half of the robots touch the ball.
    before[::2, 2:4] = before[::2, :2] + rng.uniform(-0.1, 0.1, (ROWS // 2, 2))
    action = rng.uniform(-1.2, 1.2, (ROWS, 3))
    after = contract.step_states(change.states(before), change.actions(action))
    expected = change.states(contract.step_states(before, action))
    distance = np.linalg.norm(before[:, 2:4] - expected[:, :2], axis=1)
    clear = np.abs(distance - contract.contact) > 1e-6
    assert_same_states(after[clear], expected[clear], PushBallToGoal.layout, atol=1e-6)
