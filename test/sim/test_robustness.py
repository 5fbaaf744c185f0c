"""Nothing explodes: wild commands, kicks, pushes and obstacles with every randomisation on."""

from dataclasses import replace

import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.sim.physics.batch import BatchSimulation
from guda_ros.sim.physics.obstacles import Obstacle
from guda_ros.sim.physics.randomisation import Randomisation
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.sim.physics.state import SimulationError
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile, Sway

CONTRACT = Contract.load()
PROFILE = RobotProfile.load(CONTRACT.robot)
COUNT = 250
#: No ball rises higher [m] than a kick of the profile's speed could throw it, with a margin.
HIGHEST = 0.5


class Corners(Randomisation):
    """Ranges of which only the ends are drawn, each value's by itself."""

    def draw(self, seeds, visual):
        """Return the nearer end for each value that would be drawn."""
        drawn = super().draw(seeds, visual)
        for name, values in drawn.items():
            low, high = next(
                ends for key, ends in self.ranges.items() if f'{name}.'.startswith(f'{key}.')
            )
            drawn[name] = np.where(values < (low + high) / 2, low, high)
        return drawn


EXTREME = Randomisation.load('extreme')
CORNERS = Corners(EXTREME.name, EXTREME.ranges)


def wild(steps, seed, randomisation):
    """
    Walk, kick, push and collide for `steps` environment steps.

    :returns: the steps taken, lowest and highest ball [m], and farthest robot or ball [m].
    :raises SimulationError: at a warning of MuJoCo.
    """
    rng = np.random.default_rng(seed)
    robot = replace(
        PROFILE,
        walk=replace(PROFILE.walk, delay=0.1, slip=0.2, sway=Sway(0.02, 0.05, 0.05)),
        fall=replace(PROFILE.fall, get_up_time=1.0),
    )
    field = CONTRACT.field
    crowd = (
        Obstacle('static', ((3.0, 0.0),)),
        Obstacle('walking', ((2.5, -1), (3.5, 1)), 0.5),
        Obstacle.goalkeeper(field, speed=0.5),
    )
    batch = BatchSimulation(
        CONTRACT, robot, COUNT, kick=True, obstacles=crowd, randomisation=randomisation, seed=seed
    )
    half = np.array([field.length, field.width]) / 2 + field.border
    taken, lowest, highest, farthest, age = 0, np.inf, -np.inf, -np.inf, 0

    def restart(indices):
        states = np.zeros((len(indices), 10))
        states[:, :2] = rng.uniform([2.0, -1.5], [4.2, 1.5], (len(indices), 2))
        states[:, 2] = rng.uniform(-np.pi, np.pi, len(indices))
        angle = rng.uniform(-np.pi, np.pi, len(indices))
        states[:, 3:5] = states[:, :2] + 0.3 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        states[:, world.BALL_VELOCITY] = rng.uniform(-3, 3, (len(indices), 2))
        batch.set_world_states(states, indices=indices)

    restart(np.arange(COUNT))
    commands = np.zeros((COUNT, 4))
    place = batch.model.joint('ball').qposadr[0]
    while taken < steps:
        if age % 7 == 0:
            commands[:, :3] = CONTRACT.to_command(rng.uniform(-1.5, 1.5, (COUNT, 3)))
        commands[:, 3] = rng.uniform(size=COUNT) < 0.1
        if age % 20 == 19:
            batch.push(rng.uniform(-1.5, 1.5, (COUNT, 2)))
        active = ~batch.done
        batch.step(commands)
        taken += int(active.sum())
        age += 1
        qpos = batch._qpos[active]
        heights = qpos[:, place + 2]
        lowest, highest = min(lowest, heights.min()), max(highest, heights.max())
        reach = np.abs(qpos[:, [0, 1, place, place + 1]]) - np.tile(half, 2)
        assert np.isfinite(qpos).all()
        farthest = max(farthest, reach.max())
        over = np.flatnonzero(batch.done)
        if over.size:
            restart(over)
        if age % 150 == 0:
            restart(np.arange(COUNT))
    return taken, lowest, highest, farthest


def check(steps, seed, randomisation):
    taken, lowest, highest, farthest = wild(steps, seed, randomisation)
    print(
        f'{taken} steps: ball from {lowest:.4f} to {highest:.4f} m, '
        f'at most {farthest:.4f} m beyond the carpet'
    )
    assert taken >= steps
    # A ball that is squeezed sinks into the soft floor, but its middle stays above it.
    assert lowest > 0 and highest < HIGHEST
    assert farthest < 0.1


@pytest.mark.parametrize('randomisation', [EXTREME, CORNERS], ids=['within', 'at the ends'])
def test_thousands_of_wild_steps_give_no_warning_and_no_flying_ball(randomisation):
    check(12_000, 0, randomisation)


@pytest.mark.long
def test_a_million_wild_steps_at_the_ends_give_no_warning_and_no_flying_ball():
    check(1_000_000, 1, CORNERS)


def test_corners_are_the_ends_of_every_range():
    drawn = CORNERS.draw(np.arange(200), visual=True)
    assert drawn.keys() == EXTREME.draw(np.arange(1), visual=True).keys()
    for name, values in drawn.items():
        ends = {
            end
            for key, pair in EXTREME.ranges.items()
            if name == key or name.startswith(f'{key}.')
            for end in pair
        }
        assert len(ends) == 2 and set(values) == ends, name


def test_a_warning_of_mujoco_is_an_error_that_names_the_simulation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where MuJoCo writes its log
    start = [0, 0, 0, 2, 0]
    single = SoccerSimulation(CONTRACT, PROFILE, visual=False)
    single.reset(start)
    single.data.qvel[0] = np.nan
    with pytest.raises(SimulationError, match='warned at'):
        single.step([0, 0, 0])
    batch = BatchSimulation(CONTRACT, PROFILE, 3)
    batch.reset(np.tile(start, (3, 1)))
    batch._qvel[1, 0] = np.nan
    with pytest.raises(SimulationError, match='in simulation 1 '):
        batch.step(np.zeros((3, 3)))
    batch.reset([start], indices=[1])
    batch.step(np.zeros((3, 3)))
