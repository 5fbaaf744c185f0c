"""Many simulations at once behave as one does."""

import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.sim.physics.batch import BatchSimulation
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.starts import fixed_starts

CONTRACT = Contract.load()
ROBOT = RobotProfile.load(CONTRACT.robot)


def close_starts(count, rng):
    """Return starts near the goal with the ball at the feet: it scores, or goes out."""
    starts = np.zeros((count, 5))
    starts[:, 0] = rng.uniform(3.2, 4.2, count)
    starts[:, 1] = rng.uniform(-1.5, 1.5, count)
    starts[:, 2] = rng.uniform(-1, 1, count)
    starts[:, 3:5] = world.from_frame([0.2, 0.02], starts[:, :3])
    return starts


@pytest.mark.parametrize('threads', [1, 2])
def test_a_batch_gives_the_states_of_single_simulations_to_the_bit(threads):
    rng = np.random.default_rng(3)
    starts = close_starts(6, rng)
    commands = CONTRACT.to_command(rng.uniform([0, -1, -0.3], 1, (60, 6, 3)))
    batch = BatchSimulation(CONTRACT, ROBOT, 6, threads)
    batch.reset(starts)
    single = SoccerSimulation(CONTRACT, ROBOT, visual=False)
    states = []
    for row in commands:
        batch.step(row)
        states.append(batch.world_states())
    states = np.array(states)
    for index in range(6):
        single.reset(starts[index])
        for k, command in enumerate(commands[:, index]):
            if single.done:
                break
            single.step(command)
            assert single.world_state().tobytes() == states[k, index].tobytes()
        assert (single.scored, single.out) == (batch.scored[index], batch.out[index])


def test_a_finished_simulation_rests_until_it_is_reset():
    batch = BatchSimulation(CONTRACT, ROBOT, 2)
    batch.reset([[4.2, 0, 0, 4.4, 0], [0, 0, 0, 2, 0]])
    commands = np.tile([0.25, 0, 0], (2, 1))
    for _ in range(25):
        batch.step(commands)
    assert batch.scored.tolist() == [True, False] and batch.done.tolist() == [True, False]
    before = batch.world_states()
    batch.step(np.array([[np.nan] * 3, [0.25, 0, 0]]))
    np.testing.assert_array_equal(batch.world_states()[0], before[0])
    assert batch.world_states()[1, 0] > before[1, 0]
    batch.reset([[3, 1, 0, 2, 0]], indices=[0])
    np.testing.assert_array_equal(batch.world_states()[0], [3, 1, 0, 2, 0, 0, 0, 0, 0, 0])
    assert not batch.done.any() and batch.time[0] == 0 and batch.time[1] == pytest.approx(2.6)


def test_any_world_state_can_be_continued():
    rng = np.random.default_rng(1)
    batch = BatchSimulation(CONTRACT, ROBOT, 3)
    batch.reset(fixed_starts('validation', 3, CONTRACT.field))
    for _ in range(30):
        command = CONTRACT.to_command(rng.uniform(-1, 1, 3))
        batch.step(np.tile(command, (3, 1)))
    states = batch.world_states()
    states[:, world.BALL_VELOCITY] = [[0.3, 0], [0, -0.3], [0, 0]]
    batch.set_world_states(states)
    np.testing.assert_allclose(batch.world_states(), states, atol=1e-12)
    batch.step(np.zeros((3, 3)))
    # .3 m/s for .1 s with .3 m/s^2 against it
    moved = batch.world_states()[:, world.BALL] - states[:, world.BALL]
    np.testing.assert_allclose(moved, [[0.0285, 0], [0, -0.0285], [0, 0]], atol=0.0005)


def test_a_wild_crowd_at_the_goal_gives_no_warning_and_no_flying_ball():
    rng = np.random.default_rng(0)
    count = 100
    batch = BatchSimulation(CONTRACT, ROBOT, count)
    starts = np.zeros((count, 10))
    starts[:, 0] = rng.uniform(3.4, 4.1, count)
    starts[:, 1] = rng.uniform(-1.1, 1.1, count)
    starts[:, 2] = rng.uniform(-np.pi, np.pi, count)
    angle = rng.uniform(-np.pi, np.pi, count)
    starts[:, 3:5] = starts[:, :2] + 0.3 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    starts[:, 5:7] = rng.uniform(-1, 1, (count, 2))
    batch.set_world_states(starts)
    for k in range(150):
        if k % 10 == 0:
            commands = CONTRACT.to_command(rng.uniform(-1.5, 1.5, (count, 3)))
        batch.step(commands)
        if k % 10 == 0:
            # time, robot x, y, yaw, ball x, y, z
            heights = np.array([batch.physics_state(index)[6] for index in range(count)])
            assert heights.min() > 0.035 and heights.max() < 0.12
    states = batch.world_states()
    assert np.isfinite(states).all()
    assert np.abs(states[:, 0]).max() < 5.2 and np.abs(states[:, 1]).max() < 3.7


def test_a_state_of_the_batch_can_be_drawn_or_continued_in_a_single_simulation():
    batch = BatchSimulation(CONTRACT, ROBOT, 2)
    batch.reset([[0, 0, 0, 0.2, 0], [1, 1, 1, 2, 0]])
    for _ in range(10):
        batch.step(np.tile([0.2, 0.1, 0.5], (2, 1)))
    single = SoccerSimulation(CONTRACT, ROBOT)
    single.load_physics_state(batch.physics_state(1))
    assert single.world_state().tobytes() == batch.world_states()[1].tobytes()
    assert single.time == pytest.approx(1.0)
    batch.step(np.tile([0.2, 0.1, 0.5], (2, 1)))
    single.step([0.2, 0.1, 0.5])
    assert single.world_state().tobytes() == batch.world_states()[1].tobytes()


def test_wrong_shapes_and_numbers_are_named():
    batch = BatchSimulation(CONTRACT, ROBOT, 2)
    with pytest.raises(ValueError, match=r'\(2, 3\)'):
        batch.step(np.zeros((3, 3)))
    with pytest.raises(ValueError, match='not finite'):
        batch.step(np.full((2, 3), np.nan))
    with pytest.raises(ValueError, match='2 rows'):
        batch.reset(np.zeros((1, 5)) + [0, 0, 0, 1, 0])
    with pytest.raises(ValueError, match='at least 1'):
        BatchSimulation(CONTRACT, ROBOT, 0)


def test_what_is_only_drawn_is_not_in_the_model():
    batch = BatchSimulation(CONTRACT, ROBOT, 1)
    drawn = SoccerSimulation(CONTRACT, ROBOT)
    assert batch.model.ncam == 0 and batch.model.nmesh == 0
    assert ((batch.model.geom_contype != 0) | (batch.model.geom_conaffinity != 0)).all()
    assert drawn.model.ngeom > batch.model.ngeom
    np.testing.assert_array_equal(drawn.model.body_mass, batch.model.body_mass)
    np.testing.assert_array_equal(drawn.model.body_inertia, batch.model.body_inertia)
