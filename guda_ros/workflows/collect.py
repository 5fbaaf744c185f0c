"""Episodes of a player in the batched simulator, as demonstrations: without ROS."""

from __future__ import annotations

import os

import numpy as np

from guda_ros.arguments import as_whole
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode
from guda_ros.data.files import refuse_target
from guda_ros.data.sets.minari import write_minari
from guda_ros.errors import GudaError, naming_extras
from guda_ros.evaluation.rollout import evaluate_policy, RolloutResult
from guda_ros.soccer import world
from guda_ros.soccer.starts import sample_layouts, sample_starts
from guda_ros.workflows.players import load_player


@naming_extras()
def collect(
    player: str | os.PathLike = 'imperfect',
    episodes: int = 12,
    *,
    out: str | os.PathLike | None = None,
    contract: str | os.PathLike = 'soccer_push',
    scenario: str | None = None,
    seed: int = 0,
    successes: bool = False,
    threads: int = 1,
) -> list[Episode]:
    """
    Let a player play episodes in the simulator, as `guda sim collect` does.

        shown = guda_ros.collect('imperfect', 12, out='runs/sim/dataset')
        made = guda_ros.augment('runs/sim/dataset', 'guided', out='runs/sim/guided.h5')

    Their states are the true ones: nothing is lost from view, and no perception adds noise.

    :param player: `demonstrator` (the scripted one), `imperfect` (as a person), a policy (.onnx),
        a model (.zip), or a folder of `guda sim train`.
    :param out: folder for the data set (Minari), of the kind that `guda convert` makes.
    :param contract: of the demonstrator; a policy brings its own.
    :param scenario: where episodes begin; by default what a policy was trained for, else attack.
    :param seed: of the starts and of imperfections. :param threads: of the physics.
    :param successes: keep episodes that scored only.
    :raises GudaError: if the player cannot be used, no episode is left, or `out` is there.
    """
    from guda_ros.sim.physics.obstacles import Obstacle

    as_whole(episodes, 'episodes', 1), as_whole(seed, 'seed', 0), as_whole(threads, 'threads', 1)
    if out is not None:
        refuse_target(out)
    who, scenario = load_player(player, contract, scenario, seed)
    rules = who.contract
    if rules.observes_obstacles:
        raise GudaError(
            f'the observations of {rules.name} have obstacles, which a data set '
            'does not record; choose a contract without'
        )
    # A stream of its own: neither the fixed starts nor those that a seed trains on.
    rng = np.random.default_rng([seed, 6007])
    starts = sample_starts(scenario, episodes, rng, rules.field)
    layouts = sample_layouts(scenario, starts, rng, rules.field)
    result = evaluate_policy(
        who.controller(episodes),
        rules,
        who.robot,
        starts,
        threads,
        who.max_steps(scenario),
        memoryless=False,
        record=True,
        obstacles=Obstacle.of_scenario(scenario),
        layouts=layouts,
    )
    played = [
        _episode(result, index, rules, scenario, seed, who.name)
        for index in range(episodes)
        if result.success[index] or not successes
    ]
    if not played:
        raise GudaError(f'no episode {rules.words.past}: nothing to write')
    if out is not None:
        write_minari(out, played, rules)
    return played


def _episode(
    result: RolloutResult, index: int, contract: Contract, scenario: str, seed: int, operator: str
) -> Episode:
    steps = int(result.steps[index])
    states = result.states[: steps + 1, index]
    verdict = 'scored' if result.success[index] else 'out' if result.out[index] else 'timeout'
    return Episode(
        id=f'sim_{scenario}_{seed}_{index:04d}',
        scenario=scenario,
        seed=seed,
        start_index=index,
        verdict=verdict,
        operator=operator,
        contract_hash=contract.hash,
        stamps=np.round(np.arange(steps + 1) * contract.period * 1e9).astype(np.int64),
        world_states=states,
        commands=states[1:, world.PREVIOUS_COMMAND],
        valid=np.ones(steps + 1, dtype=bool),
        truth_states=states,
    )
