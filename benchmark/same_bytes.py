"""
What guda_ros makes from fixed seeds, as one line of JSON: a digest by name.

`benchmark/same_bytes.sh` runs this file with the code of two commits and compares. Modules moved
between commits: where a name is looked for, in this order, is MODULES. Whatever a digest is of, it
is made without external data; of the mazes' recordings that would need gymnasium-robotics, steps
in free cells stand in.
"""

from __future__ import annotations

from dataclasses import fields, replace
from fnmatch import fnmatch
import hashlib
import importlib
import itertools
import json
from pathlib import Path
import re
import sys
import tempfile

import numpy as np

import guda_ros

sys.meta_path = [one for one in sys.meta_path if 'editable' not in repr(one).lower()]

#: Modules of guda_ros that may have a name, the present one first.
MODULES = {
    'ALGORITHMS': ('learning.algorithms',),
    'augment': ('augmentation.pipeline',),
    'BatchSimulation': ('sim.physics.batch', 'sim.batch'),
    'config_directories': ('config.files', 'soccer.resources'),
    'ConfigError': ('config.files', 'soccer.resources'),
    'Contract': ('data.contract',),
    'Demonstrator': ('tasks.soccer.demonstrator', 'tasks.soccer_demonstrator'),
    'DemonstratorStyle': ('tasks.soccer.demonstrator', 'tasks.soccer_demonstrator'),
    'Episode': ('data.episodes',),
    'evaluate_policy': ('evaluation.rollout',),
    'export_policy': ('learning.export',),
    'ExportedPolicy': ('control.exported_policy',),
    'FEATURES': ('soccer.observation',),
    'Field': ('soccer.field',),
    'GudaError': ('errors',),
    'known_sets': ('evaluation.start_sets',),
    'load_guide': ('augmentation.guides', 'augmentation.registry', 'tasks.registry'),
    'load_start_set': ('evaluation.start_sets',),
    'load_task': ('augmentation.registry', 'tasks.registry'),
    'Obstacle': ('sim.physics.obstacles', 'sim.obstacles'),
    'observe': ('soccer.observation',),
    'Randomisation': ('sim.physics.randomisation', 'sim.randomisation'),
    'read_minari': ('data.sets.minari', 'data.datasets'),
    'RobotProfile': ('soccer.robot',),
    'sample_layouts': ('soccer.starts',),
    'sample_starts': ('soccer.starts',),
    'SCENARIOS': ('soccer.starts',),
    'SoccerSimulation': ('sim.physics.simulation', 'sim.simulation'),
    'task_names': ('data.registry', 'augmentation.registry', 'tasks.registry'),
    'trajectories': ('data.sets.trajectories', 'data.trajectories'),
    'transitions': ('data.transitions',),
    'TransitionSet': ('data.transitions',),
    'write_minari': ('data.sets.minari', 'data.datasets'),
    'write_npz': ('data.exchange.d4rl', 'data.export_npz'),
    'write_robomimic': ('data.exchange.robomimic', 'data.export_robomimic'),
    'write_transitions_npz': ('data.exchange.d4rl', 'data.export_npz'),
}
_COLUMNS = (
    'states',
    'actions',
    'next_states',
    'rewards',
    'terminations',
    'source_episode',
    'source_step',
    'rule',
    'parameters',
    'seed',
)
_COUNT = 3000


def get(name: str):
    """Return what guda_ros has by that name, wherever it is."""
    for place in MODULES[name]:
        try:
            module = importlib.import_module(f'guda_ros.{place}')
        except ModuleNotFoundError as error:
            if not (error.name or '').startswith('guda_ros'):
                raise
        else:
            # An editable install would lend modules that the commit does not have.
            if not Path(module.__file__).is_relative_to(Path(guda_ros.__file__).parent):
                sys.exit(f'{module.__file__}: not of the code in {guda_ros.__file__}')
            if hasattr(module, name):
                return getattr(module, name)
    sys.exit(f'guda_ros: {name} is in none of {", ".join(MODULES[name])}: add to MODULES')


def digest(*parts) -> str:
    """Return 16 digits of arrays (with their shapes and types), texts, and bytes."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            found.update(f'{part.dtype.str}{part.shape}'.encode())
            part = np.ascontiguousarray(part).tobytes()
        elif not isinstance(part, bytes):
            part = str(part).encode()
        found.update(part)
    return found.hexdigest()[:16]


def of_transitions(steps) -> str:
    """Return the digest of all columns and names of a TransitionSet."""
    return digest(
        *(getattr(steps, name) for name in _COLUMNS),
        steps.contract.hash,
        steps.rule_names,
        steps.parameter_names,
        steps.episode_ids,
        steps.episode_success,
    )


def names_of(folder: str) -> list[str]:
    """Return the names of the files of a folder of config/."""
    return sorted(path.stem for path in (get('config_directories')()[0] / folder).glob('*.yaml'))


def contracts() -> dict[str, str]:
    """Of every task and robot: the contract's own hash, and a digest of its JSON."""
    found = {}
    for task, robot in itertools.product(names_of('tasks'), names_of('robots')):
        try:
            contract = get('Contract').load(task, robot)
        except get('ConfigError') as error:
            found[f'contract/{task}/{robot}'] = f'refused: {digest(type(error).__name__)}'
            continue
        found[f'contract/{task}/{robot}'] = contract.hash
        found[f'contract_json/{task}/{robot}'] = digest(contract.to_json())
        if get('Contract').from_json(contract.to_json()).hash != contract.hash:
            sys.exit(f'{task}, {robot}: the contract is another one after reading its JSON')
    for name in get('task_names')():
        if name != 'soccer_push':
            found[f'contract/{name}'] = get('load_task')(name)().contract.hash
    return found


def demonstrations(contract):
    """Return episodes of the imperfect demonstrator in the batched simulator."""
    robot = get('RobotProfile').load(contract.robot)
    rng = np.random.default_rng(6007)
    starts = get('sample_starts')('attack', 6, rng, contract.field)
    styles = [get('DemonstratorStyle').imperfect(10_000 + index) for index in range(6)]
    demonstrator = get('Demonstrator')(
        contract.limits, contract.field, np.random.default_rng(17), styles, contract.period
    )
    result = get('evaluate_policy')(
        demonstrator, contract, robot, starts, max_steps=600, memoryless=False, record=True
    )
    episodes = []
    for index in range(6):
        steps = int(result.steps[index])
        states = result.states[: steps + 1, index]
        episodes.append(
            get('Episode')(
                id=f'episode_{index}',
                scenario='attack',
                seed=0,
                start_index=index,
                verdict='scored' if result.success[index] else 'timeout',
                operator='imperfect',
                contract_hash=contract.hash,
                stamps=np.round(np.arange(steps + 1) * contract.period * 1e9).astype(np.int64),
                world_states=states,
                commands=states[1:, 7:10],
                valid=np.ones(steps + 1, dtype=bool),
                truth_states=states,
            )
        )
    return episodes


def played(task, episodes: int, steps: int, act, states=None):
    """Return a TransitionSet of episodes in a task whose contract or itself can step."""
    rng, contract = np.random.default_rng(3), task.contract
    step = getattr(contract, 'step_states', None) or task.step
    if states is None:
        states = (getattr(contract, 'reset', None) or task.start)(episodes, rng)
    rows = []
    for _ in range(steps):
        actions = np.asarray(act(states, rng), dtype=np.float32)
        after = step(states, actions)
        rows.append((states, actions, after))
        states = after
    states, actions, after = (
        np.stack(part, axis=1).reshape(episodes * steps, -1) for part in zip(*rows)
    )
    return steps_of(task, states, actions, after, episodes)


def steps_of(task, states, actions, after, episodes: int):
    """Return a TransitionSet of steps, in episodes of the same length."""
    count = len(states)
    return get('TransitionSet')(
        contract=task.contract,
        states=states,
        actions=actions,
        next_states=after,
        rewards=task.reward(states, actions, after),
        terminations=task.terminated(after),
        source_episode=np.repeat(np.arange(episodes), count // episodes),
        source_step=np.tile(np.arange(count // episodes), episodes),
        rule=np.zeros(count),
        episode_ids=[f'episode_{index}' for index in range(episodes)],
        episode_success=[True] * episodes,
    )


def to_ball(robot, heading, ball, rng, order):
    """Return actions that walk to the ball and on, with noise; order: of turn, forward, left."""
    off = np.arctan2(*(ball - robot).T[::-1]) - heading
    parts = {'turn': np.sin(off), 'forward': np.cos(off), 'left': 0.3 * np.sin(off), 'kick': 0.0}
    actions = np.stack([np.broadcast_to(parts[name], off.shape) for name in order], axis=1)
    return np.clip(actions + rng.normal(0, 0.1, actions.shape), -1, 1)


def recorded_of(task, soccer):
    """Return recorded steps that guides of a task (an instance) can use."""
    if task.name == 'soccer_push':
        return soccer
    if task.name == 'push_ball_to_goal':
        order = ('turn', 'forward', 'left')
        return played(
            task, 5, 400, lambda s, rng: to_ball(s[:, :2], s[:, 4], s[:, 2:4], rng, order)
        )
    if task.name == 'physical_push':
        order = ('turn', 'forward', 'left', 'kick')
        return played(
            task, 12, 480, lambda s, rng: to_ball(s[:, :2], s[:, 2], s[:, 3:5], rng, order)
        )
    if task.name == 'parking':
        return played(task, 6, 25, lambda s, rng: rng.uniform(-0.4, 0.4, (len(s), 2)))
    rng, contract = np.random.default_rng(5), task.contract
    places = np.repeat(task.map.middles(task.map.free), 20, axis=0)
    states = rng.uniform(-1, 1, (len(places), contract.state_size))
    states[:, :2] = places + rng.uniform(-0.2, 0.2, places.shape)
    after = states + rng.uniform(-0.01, 0.01, states.shape)
    for rows in (states, after):
        if contract.robot == 'ant':
            rows[:, 3:7] /= np.linalg.norm(rows[:, 3:7], axis=1, keepdims=True)
    return steps_of(
        task, states, rng.uniform(-1, 1, (len(places), contract.action_size)), after, 1
    )


def one_long_episode(steps):
    """Return the steps, repeated, as if one demonstration of 3000 steps: for `behaviours`."""
    index = np.arange(3000) % len(steps)
    return replace(
        steps.select(index),
        source_episode=np.zeros(3000),
        source_step=np.arange(3000),
        episode_ids=['one'],
        episode_success=[True],
    )


def guides(soccer, folder: Path) -> dict[str, str]:
    """Of every shipped guide: its own hash, and a digest of transitions that it makes."""
    found, recordings = {}, {}
    for name in names_of('guides'):
        guide = get('load_guide')(name)
        found[f'guide_text/{name}'] = guide.hash
        if 'model' in name:
            # Networks: a few updates show as much as all.
            text = re.sub(r'\b2000\b', '40', guide.text)
            (folder / f'{name}.yaml').write_text(text, encoding='utf-8')
            guide = get('load_guide')(folder / f'{name}.yaml')
        if guide.task.name not in recordings:
            instance = guide.task(soccer.contract) if guide.task.name == 'soccer_push' else None
            recordings[guide.task.name] = recorded_of(instance or guide.task(), soccer)
        recorded = recordings[guide.task.name]
        if name == 'behaviours':
            recorded = one_long_episode(recorded)
        for count, seed, threads in ((_COUNT, 1, 1), (_COUNT // 3, 2, 2)):
            made, report = get('augment')(recorded, guide, count, seed, threads=threads)
            found[f'guide_makes/{name}/seed_{seed}'] = of_transitions(made)
        found[f'guide_report/{name}'] = digest(
            sorted(report.accepted.items()), sorted(report.proposed.items())
        )
    for name, recorded in recordings.items():
        found[f'recorded/{name}'] = of_transitions(recorded)
        seen = recorded.observations()
        found[f'observed/{name}'] = digest(seen, recorded.next_observations())
    return found


def simulator(contract) -> dict[str, str]:
    """Of every robot and randomisation: states of the simulator after steps with a seed."""
    found = {}
    commands = np.random.default_rng(4).uniform(-1, 1, (60, 8, 3))
    for robot, randomisation in itertools.product(names_of('robots'), names_of('randomisation')):
        own = get('Contract').load('soccer_push', robot)
        profile = get('RobotProfile').load(robot)
        drawn = get('Randomisation').load(randomisation)
        rng = np.random.default_rng(8)
        starts = get('sample_starts')('obstacles', 8, rng, own.field)
        layouts = get('sample_layouts')('obstacles', starts, rng, own.field)
        obstacles = get('Obstacle').of_scenario('obstacles')
        batch = get('BatchSimulation')(
            own, profile, 8, randomisation=drawn, obstacles=obstacles, seed=11
        )
        batch.reset(starts)
        batch.place_obstacles(layouts)
        single = get('SoccerSimulation')(own, profile, randomisation=drawn, seed=11)
        single.reset(starts[0], seed=5)
        states = []
        for step in own.to_command(commands.reshape(-1, 3)).reshape(commands.shape):
            batch.step(step)
            single.step(step[0])
            states += [batch.world_states().copy(), single.world_state()]
        key = f'simulator/{robot}/{randomisation}'
        found[key] = digest(*states, batch.obstacle_states(), single.physics_state())
        single.close()
    return found


def observations(soccer) -> dict[str, str]:
    """Of every feature: observations of recorded states."""
    contract, rng = soccer.contract, np.random.default_rng(9)
    obstacles = rng.uniform(-3, 3, (len(soccer), 3, 4))
    return {
        f'feature/{name}': digest(
            get('observe')(soccer.states, contract.field.goal, contract.limits, (name,), obstacles)
        )
        for name in get('FEATURES')
    }


def trainings(soccer, folder: Path) -> dict[str, str]:
    """Of every algorithm: weights after some updates, and answers of the exported policy."""
    small = {
        'updates': 30,
        'bc_updates': 10,
        'batch_size': 64,
        'hidden': (32, 32),
        'critic_hidden': (32, 32),
        'log_every': 10,
        'samples': 2,
    }
    found, seen = {}, soccer.observations()[::7]
    for name, kind in get('ALGORITHMS').items():
        known = {field.name for field in fields(kind.Config)}
        config = kind.Config(**{key: value for key, value in small.items() if key in known})
        learner = kind(soccer, soccer.contract, config, (0, 1)).learn()
        weights = [
            (key, value.detach().numpy())
            for seed in (0, 1)
            for key, value in sorted(learner.policy(seed).state_dict().items())
        ]
        found[f'weights/{name}'] = digest(*itertools.chain(*weights))
        found[f'history/{name}'] = digest(json.dumps(learner.history, sort_keys=True))
        path = get('export_policy')(
            folder / f'{name}.onnx', learner.policy(0), soccer.contract, name, {'seed': 0}
        )
        found[f'onnx_file/{name}'] = digest(path.read_bytes())
        exported = get('ExportedPolicy').load(path)
        found[f'onnx_answers/{name}'] = digest(exported.predict(seen))
    return found


def hdf5(path: Path) -> str:
    """Return the digest of all that an HDF5 file holds: names, attributes, arrays."""
    import h5py

    parts = []

    def visit(name, item):
        parts.append(name)
        for key in sorted(item.attrs):
            parts.append(f'{key}={item.attrs[key]!r}')
        if isinstance(item, h5py.Dataset):
            value = item[()]
            plain = isinstance(value, bytes) or not np.asarray(value).dtype.hasobject
            parts.append(value if plain else repr(np.asarray(value).tolist()))

    with h5py.File(path, 'r') as file:
        visit('/', file)
        file.visititems(visit)
    return digest(*parts)


def npz(path: Path) -> str:
    """Return the digest of the arrays of an NPZ file."""
    with np.load(path) as file:
        return digest(*itertools.chain(*((name, file[name]) for name in sorted(file.files))))


def files(episodes, soccer, folder: Path) -> dict[str, str]:
    """Of every kind of file: what is in it."""
    contract, found = soccer.contract, {}
    get('write_minari')(folder / 'minari', episodes, contract)
    for path in sorted((folder / 'minari').rglob('*')):
        if path.suffix == '.hdf5':
            found[f'file/minari/{path.stem}'] = hdf5(path)
        elif path.suffix == '.json':
            metadata = json.loads(path.read_text(encoding='utf-8'))
            # Minari notes the size of the folder, which the blocks of the disk may change.
            metadata.pop('dataset_size', None)
            found[f'file/minari/{path.stem}'] = digest(json.dumps(metadata, sort_keys=True))
    again = get('transitions')(get('read_minari')(folder / 'minari'), contract)
    found['file/minari/read'] = of_transitions(again)
    soccer.save(folder / 'steps.h5')
    found['file/transitions'] = hdf5(folder / 'steps.h5')
    found['file/transitions/read'] = of_transitions(get('TransitionSet').load(folder / 'steps.h5'))
    parts = get('trajectories')(episodes, contract)
    get('write_npz')(folder / 'parts.npz', parts, contract)
    get('write_transitions_npz')(folder / 'steps.npz', soccer)
    found['file/npz'], found['file/npz_transitions'] = (
        npz(folder / name) for name in ('parts.npz', 'steps.npz')
    )
    get('write_robomimic')(folder / 'robomimic.hdf5', parts, contract, ['episode_1'])
    found['file/robomimic'] = hdf5(folder / 'robomimic.hdf5')
    return found


def starts() -> dict[str, str]:
    """Of every start set and field its hash; of every scenario some starts and layouts."""
    found = {}
    for name, place in itertools.product(get('known_sets')(), names_of('fields')):
        field = get('Field').load(place)
        try:
            found[f'starts/{name}/{place}'] = get('load_start_set')(name, field).hash
        except get('GudaError') as error:
            found[f'starts/{name}/{place}'] = f'refused: {type(error).__name__}'
    field = get('Field').load('spl')
    for scenario in get('SCENARIOS'):
        rng = np.random.default_rng(12)
        drawn = get('sample_starts')(scenario, 50, rng, field)
        layouts = get('sample_layouts')(scenario, drawn, rng, field)
        found[f'scenario/{scenario}'] = digest(drawn, np.asarray(layouts))
    return found


def compare(old: Path, new: Path, allowed: Path) -> int:
    """Print a table of what differs; return how many differences are not allowed."""
    before, after = (json.loads(path.read_text(encoding='utf-8')) for path in (old, new))
    lines = allowed.read_text(encoding='utf-8').splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith('#')]
    differing = [name for name in before if before[name] != after.get(name)]
    added = [name for name in after if name not in before]
    expected = [name for name in differing if any(fnmatch(name, one) for one in patterns)]
    kinds = dict.fromkeys(name.partition('/')[0] for name in {**before, **after})
    print(f'{"kind":<16}{"compared":>10}{"same":>8}{"expected":>10}{"differ":>8}{"new":>6}')
    for kind in kinds:
        mine = [name for name in before if name.partition('/')[0] == kind]
        new = [name for name in added if name.partition('/')[0] == kind]
        known = [name for name in expected if name in mine]
        wrong = [name for name in differing if name in mine and name not in known]
        same = len(mine) - len(known) - len(wrong)
        print(f'{kind:<16}{len(mine):>10}{same:>8}{len(known):>10}{len(wrong):>8}{len(new):>6}')
    for name in differing:
        word = 'expected' if name in expected else 'DIFFERS'
        print(f'{word}: {name}: {before[name]} -> {after.get(name, "absent")}')
    wrong = len(differing) - len(expected)
    print(f'{wrong} unexpected differences' if wrong else 'nothing differs that must not')
    return wrong


def main() -> None:
    """Print the digests."""
    import torch

    torch.set_num_threads(1)
    contract = get('Contract').load()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        episodes = demonstrations(contract)
        soccer = get('transitions')(episodes, contract)
        found = {
            **contracts(),
            **starts(),
            **observations(soccer),
            **simulator(contract),
            **guides(soccer, folder),
            **trainings(soccer, folder),
            **files(episodes, soccer, folder),
        }
    print(json.dumps(found))


if __name__ == '__main__':
    if sys.argv[1:2] == ['--compare']:
        sys.exit(compare(*map(Path, sys.argv[2:])) > 0)
    main()
