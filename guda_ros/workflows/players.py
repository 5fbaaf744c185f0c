"""What the actions of `guda sim` share: who plays, from where, and how errors are told."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
import json
import os
from pathlib import Path
import sys
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.arguments import as_path
from guda_ros.data.contract import robot_of
from guda_ros.errors import extra_of, GudaError

if TYPE_CHECKING:
    from guda_ros.data.contract import Contract
    from guda_ros.data.contract_base import ContractBase
    from guda_ros.soccer.robot import RobotProfile

#: What a run of `guda sim train` is: beside the model, in the same folder.
RUN = 'run.json'
POLICY = 'policy.onnx'
DEMONSTRATORS = ('demonstrator', 'imperfect')


@dataclass(frozen=True)
class Player:
    """Who plays: a policy or the demonstrator."""

    #: As it was named.
    name: str
    #: What it observes and does.
    contract: Contract
    #: That of the contract.
    robot: RobotProfile
    #: A controller for so many episodes, as evaluate_policy takes it.
    controller: Callable[[int], Callable[[np.ndarray, np.ndarray], np.ndarray]]
    #: What it was trained for, None if that is not known.
    scenario: str | None = None
    #: Of the episodes that it was trained with [s], None if that is not known.
    time_limit: float | None = None
    #: See evaluate_policy.
    memoryless: bool = True

    def max_steps(self, scenario: str) -> int:
        """Return the control steps of an episode of a scenario."""
        from guda_ros.soccer.starts import TIME_LIMITS

        limit = TIME_LIMITS.get(scenario, self.contract.time_limit)
        if scenario == self.scenario and self.time_limit:
            limit = self.time_limit
        return round(limit * self.contract.rate)


def load_player(
    name: str | os.PathLike,
    contract: str | os.PathLike = 'soccer_push',
    scenario: str | None = None,
    seed: int = 0,
) -> tuple[Player, str]:
    """
    Return who plays and the scenario.

    :param name: one of DEMONSTRATORS, a policy (.onnx), a model (.zip), or the folder of a run.
    :param contract: of a demonstrator. :param seed: of its imperfections.
    :param scenario: by default what the player was trained for, else attack.
    :raises GudaError: saying what is wrong with the arguments or the files.
    """
    from guda_ros.soccer.starts import OBSTACLES, SCENARIOS

    path = as_path(name, 'player')
    if name in DEMONSTRATORS:
        player = _demonstrator(str(name), contract, seed)
    elif path.suffix == '.zip':
        player = _model(path)
    else:
        player = _policy(path / POLICY if path.is_dir() else path)
    scenario = scenario or player.scenario or 'attack'
    if scenario not in SCENARIOS:
        raise GudaError(f'unknown scenario {scenario!r}; known: {", ".join(SCENARIOS)}')
    if player.contract.observes_obstacles and scenario not in OBSTACLES:
        raise GudaError(
            f'{player.name} observes obstacles: choose a scenario that has some, of '
            f'{", ".join(OBSTACLES)}'
        )
    return player, scenario


def policy_controller(predict: Callable, contract: ContractBase) -> Callable:
    """Return a controller of true states from observations (m, D) to actions (m, 3)."""

    def act(states: np.ndarray, indices: np.ndarray, obstacles=None):
        return contract.to_command(predict(contract.observe(states, obstacles)))

    return act


def fixed_world(scenario: str, purpose: str, count: int, contract: Contract) -> dict:
    """Return starts, obstacles and layouts of a purpose, as evaluate_policy takes them."""
    from guda_ros.sim.physics.obstacles import Obstacle
    from guda_ros.soccer.starts import fixed_layouts, fixed_starts

    starts = fixed_starts(purpose, count, contract.field, scenario)
    return {
        'starts': starts,
        'obstacles': Obstacle.of_scenario(scenario),
        'layouts': fixed_layouts(purpose, starts, contract.field, scenario),
    }


def run_script(
    run: Callable[[argparse.Namespace], int | None], parser: argparse.ArgumentParser
) -> None:
    """Parse, run, and exit: errors that a person can mend are told without a traceback."""
    args = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    try:
        code = run(args) or 0
    except GudaError as error:
        print(f'{parser.prog}: {error}', file=sys.stderr)
        code = 1
    except ModuleNotFoundError as error:
        extra = extra_of(error.name or '')
        if extra is None:
            raise
        print(f'{parser.prog}: needs the Python module {error.name}: {extra}', file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print(f'\n{parser.prog}: stopped by Ctrl-C', file=sys.stderr)
        code = 130
    sys.exit(code)


def _demonstrator(name: str, contract: str | os.PathLike, seed: int) -> Player:
    from guda_ros.data.contract import Contract
    from guda_ros.tasks.soccer.demonstrator import scripted

    loaded = Contract.load(contract)

    def controller(count: int) -> Callable:
        style = 'clean' if name == 'demonstrator' else 'imperfect'
        demonstrator = scripted(style, loaded, count, seed)
        # It takes no notice of obstacles.
        return lambda states, indices, obstacles=None: demonstrator(states, indices)

    return Player(name, loaded, robot_of(loaded), controller, memoryless=False)


def _policy(path: Path) -> Player:
    from guda_ros.control.exported_policy import ExportedPolicy

    policy = ExportedPolicy.load(path)
    training = policy.metadata['training']
    contract = policy.contract
    return Player(
        str(path),
        contract,
        robot_of(contract),
        lambda count: policy_controller(policy.predict, contract),
        training.get('scenario'),
        training.get('time_limit'),
    )


def _model(path: Path) -> Player:
    from guda_ros.data.contract import Contract
    from guda_ros.online.training import load_network, MODEL
    from guda_ros.sim.episodes import EpisodeBatch

    if path.name != MODEL:
        raise GudaError(f'{path}: a {MODEL} that `guda sim train` wrote is expected')
    # Those of a run and, in folders below it, of its checkpoints.
    found = [
        folder / RUN for folder in (path.parent, path.parent.parent) if (folder / RUN).is_file()
    ]
    if not found:
        raise GudaError(f'{path}: there is no {RUN} beside it to say what it was trained for')
    try:
        run = json.loads(found[0].read_text(encoding='utf-8'))
        contract = Contract.from_json(run['contract'])
        algorithm, scenario, limit = run['algorithm'], run['scenario'], run['time_limit']
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GudaError(f'{found[0]}: cannot be read ({error}); train again') from error
    network = load_network(path.parent, algorithm, EpisodeBatch(1, scenario, contract))
    return Player(
        str(path),
        contract,
        robot_of(contract),
        lambda count: policy_controller(network.predict, contract),
        scenario,
        limit,
    )
