"""The same seed gives the same bytes, alone or in any row of any batch, with every effect on."""

from dataclasses import replace

import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.sim.physics.batch import BatchSimulation
from guda_ros.sim.physics.obstacles import Obstacle
from guda_ros.sim.physics.randomisation import Randomisation
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile, Sway

CONTRACT = Contract.load()
PROFILE = RobotProfile.load(CONTRACT.robot)
ROBOT = replace(
    PROFILE,
    walk=replace(PROFILE.walk, delay=0.07, slip=0.15, sway=Sway(0.01, 0.03, 0.02)),
    fall=replace(PROFILE.fall, fall_time=0.4, get_up_time=0.8),
)
CROWD = (
    Obstacle('static', ((2.0, 0.6),)),
    Obstacle('walking', ((1.0, -1.0), (1.5, 1.0)), 0.3),
    Obstacle.goalkeeper(CONTRACT.field),
)
OPTIONS = {'kick': True, 'randomisation': Randomisation.load('extreme'), 'obstacles': CROWD}
COUNT, STEPS = 12, 60
PUSHED = 20


def episodes():
    """Return starts, seeds and commands of episodes with the ball at the feet."""
    rng = np.random.default_rng(11)
    starts = np.zeros((COUNT, 5))
    starts[:, 0] = rng.uniform(0, 4.2, COUNT)
    starts[:, 1] = rng.uniform(-1.5, 1.5, COUNT)
    starts[:, 2] = rng.uniform(-1, 1, COUNT)
    starts[:, 3:5] = world.from_frame([0.17, 0.02], starts[:, :3])
    commands = np.empty((STEPS, COUNT, 4))
    commands[..., :3] = CONTRACT.to_command(rng.uniform([0, -1, -0.5], 1, (STEPS, COUNT, 3)))
    commands[..., 3] = rng.uniform(size=(STEPS, COUNT)) < 0.05
    pushes = rng.uniform(-1, 1, (COUNT, 2))
    return starts, rng.integers(0, 2**53, COUNT), commands, pushes


def run_batch(rows, threads):
    """Return the bytes of (steps, rows) states of a batch of some of the episodes."""
    starts, seeds, commands, pushes = episodes()
    batch = BatchSimulation(CONTRACT, ROBOT, len(rows), threads, **OPTIONS)
    batch.reset(starts[rows], seeds=seeds[rows])
    history = []
    for k in range(STEPS):
        if k == PUSHED:
            batch.push(pushes[rows])
        batch.step(commands[k, rows])
        sway = batch.trunk_sway()
        history.append(
            [
                batch.physics_state(index).tobytes() + sway[index].tobytes()
                for index in range(len(rows))
            ]
        )
    return history, batch


@pytest.fixture(scope='module')
def whole():
    return run_batch(np.arange(COUNT), 1)


@pytest.mark.parametrize(
    'rows, threads', [(np.arange(COUNT), 2), (np.array([7]), 1), (np.array([9, 0, 4]), 2)]
)
def test_a_row_has_the_same_bytes_in_any_batch(whole, rows, threads):
    history, _ = run_batch(rows, threads)
    for k in range(STEPS):
        for place, row in enumerate(rows):
            assert history[k][place] == whole[0][k][row], (k, row)


def test_a_single_simulation_has_the_bytes_of_its_row(whole):
    starts, seeds, commands, pushes = episodes()
    single = SoccerSimulation(CONTRACT, ROBOT, visual=False, **OPTIONS)
    modes = set()
    for row in range(COUNT):
        single.reset(starts[row], seed=int(seeds[row]))
        for k in range(STEPS):
            if k == PUSHED:
                single.push(pushes[row])
            if not single.done:
                single.step(commands[k, row])
            bytes_now = single.physics_state().tobytes() + single.trunk_sway().tobytes()
            assert bytes_now == whole[0][k][row], (k, row)
            modes.add(single.mode)
        assert (single.scored, single.out) == (whole[1].scored[row], whole[1].out[row])
    assert modes == {0, 1, 2, 3}, 'the episodes show every mode'


def test_a_state_of_the_batch_goes_on_alone_with_its_randomisation():
    starts, seeds, commands, _ = episodes()
    batch = BatchSimulation(CONTRACT, ROBOT, COUNT, **OPTIONS)
    batch.reset(starts, seeds=seeds)
    for k in range(30):
        batch.step(commands[k])
    single = SoccerSimulation(CONTRACT, ROBOT, visual=False, **OPTIONS)
    for row in np.flatnonzero(~batch.done)[:4]:
        single.load_physics_state(batch.physics_state(row))
        assert single.parameters == {
            name: values[row] for name, values in batch.parameters.items()
        }
        assert single.mode == batch.modes[row] and single.seed == seeds[row]
    last = np.flatnonzero(~batch.done)[:4][-1]
    for k in range(30, 40):
        batch.step(commands[k])
        if not single.done:
            single.step(commands[k, last])
        assert single.world_state().tobytes() == batch.world_states()[last].tobytes()


def test_another_seed_gives_another_episode():
    starts, _, commands, _ = episodes()
    batch = BatchSimulation(CONTRACT, ROBOT, 2, **OPTIONS)
    batch.reset(starts[[1, 1]], seeds=[1, 2])
    for k in range(10):
        batch.step(commands[k, [1, 1]])
    assert np.abs(np.diff(batch.world_states()[:, :3], axis=0)).max() > 1e-3
