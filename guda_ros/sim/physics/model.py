"""What one simulation and a batch share: the model, walks, obstacles and randomisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.sim.physics import noise, obstacles, state, walk
from guda_ros.sim.physics.mjcf import build_model
from guda_ros.sim.physics.randomisation import Randomisation, Randomiser
from guda_ros.soccer.robot import RobotProfile


def substeps(contract: Contract, timestep: float) -> int:
    """Return the physics steps in a control period; ValueError unless they are a whole number."""
    count = contract.period / timestep
    if abs(count - round(count)) > 1e-6 or round(count) < 1:
        raise ValueError(
            f'the control period {contract.period} s is no multiple of the physics '
            f'step {timestep} s'
        )
    return round(count)


class Physics:
    """
    A model, and all that is done around MuJoCo's steps, for `count` simulations of it.

    `userdata` holds what belongs to a simulation's state but is no MuJoCo state: the episode's
    seed, then a block for each robot, then the obstacles.
    """

    def __init__(
        self,
        contract: Contract,
        robots: Sequence[RobotProfile],
        visual: bool,
        timestep: float,
        kick: bool,
        randomisation: Randomisation | None,
        crowd: Sequence[obstacles.Obstacle],
        seed: int,
        count: int,
    ) -> None:
        """Build the model; `bind` gives it states to work on."""
        self._contract, self._robots, self._visual = contract, tuple(robots), visual
        self._randomisation, self._obstacles = randomisation, tuple(crowd)
        self._seed, self._count, self._kick = seed, count, kick
        self._first = 1 + len(robots) * walk.USER_SIZE
        self.model = build_model(
            robots[0],
            contract.field,
            visual,
            timestep,
            others=robots[1:],
            kick=kick,
            crowd=crowd,
            extra_delay=randomisation.delay if randomisation else 0.0,
            user=self._first + obstacles.user_size(crowd),
            ball=contract.has_ball,
        )
        self.layouts = [state.Layout.of(self.model, index) for index in range(len(robots))]

    def bind(self, bind: Callable[[str], np.ndarray], expand: Callable[[str], np.ndarray]) -> None:
        """
        Take the states and models of all simulations.

        :param bind: gives a field of the states by MjData's name, live, (count, ...).
        :param expand: gives a field of the models by MjModel's name, live, (count, ...).
        """
        user, qpos, qvel, ctrl = (bind(name) for name in ('userdata', 'qpos', 'qvel', 'ctrl'))
        act = bind('act')
        crowded = len(self._robots) > 1 or any(one.moves for one in self._obstacles)
        stretch = 1.0
        if self._randomisation:
            stretch = max(stretch, self._randomisation.ranges['robot.step_length'][1])
        self.seeds = user[:, 0]
        self._episodes = np.zeros(self._count, dtype=np.int64)
        self._ball = qpos[:, self.layouts[0].ball_qpos][:, :2]
        self.walks = []
        for index, (robot, layout) in enumerate(zip(self._robots, self.layouts)):
            first = 1 + index * walk.USER_SIZE
            views = walk.Views(
                user[:, first : first + walk.USER_SIZE],
                self.seeds,
                qpos[:, layout.robot_qpos],
                qvel[:, layout.robot_qvel],
                act[:, layout.act],
                ctrl[:, layout.ctrl],
                None if layout.foot_qpos is None else qpos[:, layout.foot_qpos],
                None if layout.foot_ctrl is None else ctrl[:, layout.foot_ctrl],
                self._ball,
            )
            self.walks.append(
                walk.Walk(
                    robot,
                    robot.limits if index else self._contract.limits,
                    self._contract.period,
                    views,
                    crowded,
                    index,
                    stretch,
                )
            )
        moving = 2 * sum(one.moves for one in self._obstacles)
        dof = self.layouts[0].ball_qvel.stop
        place = self.layouts[0].ball_qpos.stop
        control = self.model.nu - moving
        self.crowd = obstacles.Crowd(
            self._obstacles,
            self._contract.field,
            self._contract.period,
            user[:, self._first :],
            qpos[:, place : place + moving],
            qvel[:, dof : dof + moving],
            ctrl[:, control:],
            bind('mocap_pos'),
        )
        self._randomiser = None
        if self._randomisation:
            self._randomiser = Randomiser(
                self._randomisation,
                self._robots,
                self.walks,
                self.model,
                expand,
                self._count,
                self._visual,
            )

    def begin(self, indices: np.ndarray, seeds: np.ndarray | None) -> bool:
        """
        Begin episodes in simulations (n,) that were reset: seeds and randomisation.

        :param seeds: (n,); by default the next ones of each simulation.
        :returns: whether constants of the models are to be computed anew.
        """
        if seeds is None:
            seeds = noise.episode_seed(self._seed, self._episodes[indices], indices)
            self._episodes[indices] += 1
        seeds = np.asarray(seeds)
        if seeds.shape != indices.shape or (seeds < 0).any() or (seeds >= noise.SEED_LIMIT).any():
            raise ValueError(
                f'{len(indices)} seeds in [0, 2**53) are expected, not {seeds.tolist()}'
            )
        self.seeds[indices] = seeds
        return self.draw(indices)

    def draw(self, indices: np.ndarray) -> bool:
        """Randomise simulations (n,) by their seeds; the result as that of `begin`."""
        if self._randomiser is None:
            return False
        self._randomiser.apply(indices, self.seeds[indices])
        return self._randomiser.changes_mass

    def loaded(self) -> None:
        """Notice that states were changed from outside."""
        for one in self.walks:
            one.loaded()

    def place_obstacles(
        self,
        rows: np.ndarray | slice,
        waypoints: np.ndarray | None = None,
        speeds: np.ndarray | None = None,
    ) -> None:
        """Put the obstacles of simulations to waypoints, by default those they were made with."""
        if len(self.crowd):
            self.crowd.place(rows, waypoints, speeds)

    def check_shape(self, commands: np.ndarray) -> np.ndarray:
        """Return commands (count, 3 or 4) as float64; ValueError for another shape."""
        commands = np.asarray(commands, dtype=np.float64)
        if commands.shape != (self._count, 3) and not (
            self._kick and commands.shape == (self._count, 4)
        ):
            last = '3 or 4' if self._kick else 3
            raise ValueError(
                f'commands of shape ({self._count}, {last}) are expected, not '
                f'{commands.shape}'
                + (
                    '; the fourth number needs kick=True'
                    if commands.shape == (self._count, 4)
                    else ''
                )
            )
        return commands

    def drive(
        self, rows: np.ndarray | slice, commands: Sequence[np.ndarray], time: np.ndarray | float
    ) -> None:
        """Set the controls of a control period from each robot's commands (n, 3 or 4)."""
        for one, command in zip(self.walks, commands):
            one.drive(rows, command, time)
        if self.crowd.walks:
            self.crowd.drive(rows, self._ball[rows])

    def finish(self, rows: np.ndarray | slice) -> None:
        """Look at what came of a control period."""
        for one in self.walks:
            one.finish(rows)

    def parameters(self) -> dict[str, np.ndarray]:
        """Return what the randomisation drew for the episodes, (count,) by name, copies."""
        if self._randomiser is None:
            return {}
        return {name: values.copy() for name, values in self._randomiser.parameters.items()}
