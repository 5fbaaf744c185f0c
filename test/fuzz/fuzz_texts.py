"""YAML files: profiles of robots, fields, balls and cameras, contracts, guides, mappings."""

from __future__ import annotations

from functools import cache
import json
from pathlib import Path
import random
import re

from fuzz_mutants import mutate_json, mutate_yaml
from fuzz_runner import guda, Kind, Mutant, Nonsense
import numpy as np
import yaml

from guda_ros.data.contract import Contract

CONFIG = Path(__file__).resolve().parents[2] / 'config'
#: REP 144 and ROS 2: letters, digits, underscores and slashes; no digit begins a part.
_NAME = re.compile(r'/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*')


def texts(folder: str, names: str = '*') -> dict[str, str]:
    """Return the shipped files of a kind."""
    return {
        path.stem: path.read_text() for path in sorted((CONFIG / folder).glob(f'{names}.yaml'))
    }


def must(holds: bool, what: str) -> None:
    """Raise Nonsense unless something holds."""
    if not holds:
        raise Nonsense(what)


def judge_contract(contract: Contract) -> None:
    """Raise Nonsense where a contract that was taken cannot be."""
    must(isinstance(contract.rate, (int, float)) and 1 <= contract.rate <= 1000, 'rate')
    must(1 <= contract.time_limit <= 3600, 'time_limit')
    must(0 <= contract.ball_hold <= 60, 'ball_hold')
    must(contract.version >= 1 and contract.max_steps >= 1, 'version')
    must(isinstance(contract.name, str) and bool(contract.name), 'name')
    limits = contract.limits
    must(
        all(0 < value <= 10 for value in (limits.forward, limits.backward, limits.turn)), 'limits'
    )
    must(0 <= limits.side <= 10, 'limits.side')
    for kind in ('topics', 'frames'):
        names = getattr(contract, kind)
        must({'odom'} < set(names), f'{kind} lacks roles')
        must(all(isinstance(name, str) for name in names.values()), f'{kind} are no texts')
    must(all(_NAME.fullmatch(name) for name in contract.topics.values()), 'topics are no names')
    must(all(name.isprintable() and name for name in contract.frames.values()), 'frames')
    must(not any(set(' \n\t') & set(name) for name in contract.frames.values()), 'frames')
    field = contract.field
    must(1 <= field.length <= 200 and 1 <= field.width <= 200, 'field')
    must(0 < field.goal_width <= field.width, 'goal')
    must(0 < field.ball.radius <= field.goal_width / 2, 'ball')
    must(bool(np.isfinite(contract.observation_bounds).all()), 'observation_bounds')
    states = np.zeros((2, 10))
    states[:, 3] = 1.0
    must(bool(np.isfinite(contract.observe(states, np.zeros((2, 1, 2)))).all()), 'observation')
    must(
        len(contract.observation_names) == contract.observe(states, np.zeros((2, 1, 2))).shape[1],
        'size',
    )
    contract.reward(states, states), contract.terminated(states), contract.to_command(np.ones(3))
    must(Contract.from_json(contract.to_json()).hash == contract.hash, 'hash')


class Texts(Kind):
    """Changed texts of a folder of config/."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def prepare(self, folder: Path) -> None:
        self.texts = self.load()

    def load(self) -> dict[str, str]:
        """Return the valid texts by name."""
        raise NotImplementedError

    def valid(self) -> list[Mutant]:
        return [
            Mutant({f'{name}.yaml': text.encode()}, f'{name}.yaml')
            for name, text in self.texts.items()
        ]

    def where(self, name: str, rng: random.Random) -> tuple:
        """Return the section to change, all by default."""
        return ()

    def mutant(self, rng: random.Random) -> Mutant:
        name = rng.choice(list(self.texts))
        content = mutate_yaml(self.texts[name], rng, self.where(name, rng))
        return Mutant({f'{name}.yaml': content}, f'{name}.yaml')


class Profile(Texts):
    """Profiles of robots with their cameras, of fields and of balls."""

    def load(self) -> dict[str, str]:
        self.folders = {
            f'{kind}-{name}': kind
            for kind in ('robots', 'fields', 'balls')
            for name in texts(kind)
        }
        return {
            f'{kind}-{name}': text
            for kind in ('robots', 'fields', 'balls')
            for name, text in texts(kind).items()
        }

    def where(self, name: str, rng: random.Random) -> tuple:
        if self.folders[name] != 'robots':
            return ()
        return rng.choice(((), (), ('camera',), ('head',), ('body',)))

    def read(self, path: Path, out: Path, rng: random.Random) -> None:
        from guda_ros.perception.camera import CameraModel
        from guda_ros.soccer.field import Ball, Field
        from guda_ros.soccer.robot import RobotProfile

        kind = self.folders[path.stem]
        if kind == 'balls':
            ball = Ball.load(path)
            must(0.01 <= ball.radius <= 0.5 and ball.mass > 0, 'ball')
            return
        if kind == 'fields':
            field = Field.load(path)
            must(field.goal_width <= field.width <= 200, 'field')
            field.scored(np.zeros((2, 2))), field.out(np.zeros((2, 2)))
            json.dumps(field.as_dict(), allow_nan=False)
            return
        robot = RobotProfile.load(path)
        body, tall = robot.body, robot.body.height
        for mount in filter(None, (robot.camera, robot.lower_camera)):
            must(0 < mount.position[2] <= 2 * tall, 'a camera in the ground or in the air')
            must(np.hypot(*mount.position[:2]) <= 2 * tall + body.foot_length, 'a camera aside')
            pixels, _ = CameraModel.from_mount(mount).project(np.array([[1.0, 0.0, 0.05]]))
            must(bool(np.isfinite(pixels).all()) or mount.pitch < 0, 'a camera that sees nothing')
        must(0 < robot.head.neck[2] <= 2 * tall, 'a neck in the ground or in the air')
        must(np.hypot(*robot.head.neck[:2]) <= tall + body.foot_length, 'a neck aside')
        must(body.stance_width <= 2 * tall + body.foot_width, 'a stance wider than the robot')
        must(max(body.foot_length, body.foot_width) <= 2 * tall + 4, 'feet larger than the robot')
        must(0.05 * tall**3 <= body.mass <= 20_000 * tall**3 + 200, 'a mass')
        json.dumps(robot.as_dict(), allow_nan=False)
        guda('robot', 'show', path)


class Contracts(Texts):
    """Contracts as YAML, and as the JSON that recordings, data sets and policies carry."""

    errors = (ValueError,)

    def load(self) -> dict[str, str]:
        return texts('tasks')

    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        self.json = [
            Contract.load(CONFIG / 'tasks' / f'{name}.yaml').to_json() for name in self.texts
        ]

    def valid(self) -> list[Mutant]:
        return [
            *super().valid(),
            Mutant({'contract.json': self.json[0].encode()}, 'contract.json'),
        ]

    def mutant(self, rng: random.Random) -> Mutant:
        if rng.random() < 0.5:
            return super().mutant(rng)
        text = mutate_json(rng.choice(self.json), rng)
        return Mutant({'contract.json': text.encode(errors='replace')}, 'contract.json')

    def read(self, path: Path, out: Path, rng: random.Random) -> None:
        if path.suffix == '.json':
            contract = Contract.from_json(path.read_text())
        else:
            from guda_ros.config.files import ConfigError

            try:
                contract = Contract.load(path)
            except ConfigError:
                raise
            except ValueError as error:
                raise RuntimeError('a ValueError that is no ConfigError') from error
        judge_contract(contract)


class Guides(Texts):
    """Guides; one of ten that are taken makes some transitions."""

    NAMES = (
        'guided', 'random', 'auto', 'behaviours', 'whole_field', 'push_ball_guided',
        'push_ball_auto', 'push_ball_trajectories', 'push_ball_transitions',
    )  # fmt: skip

    def load(self) -> dict[str, str]:
        found = texts('guides')
        return {name: found[name] for name in self.NAMES}

    def read(self, path: Path, out: Path, rng: random.Random) -> None:
        from guda_ros.augmentation.guides import load_guide
        from guda_ros.augmentation.pipeline import Augmenter

        guide = load_guide(path)
        guda('guide', 'check', path)
        if guide.task.name == 'soccer_push' and rng.random() < 0.1:
            made = Augmenter(_recorded(), guide, 1).make(20)
            must(bool((np.abs(made.states) < 1e4).all()), 'states far away')


@cache
def _recorded():
    from guda_ros.data.transitions import TransitionSet

    contract, count = Contract.load(), 60
    states = np.zeros((count + 1, 10))
    states[:, 0] = 0.02 * np.arange(count + 1)
    states[:, 3] = 0.2 + 0.02 * np.arange(count + 1)
    return TransitionSet(
        contract,
        states[:-1],
        np.tile([0.8, 0, 0], (count, 1)),
        states[1:],
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
        np.arange(count),
        np.zeros(count),
        episode_ids=('a',),
        episode_success=(True,),
    )


class Mappings(Texts):
    """Mappings of other people's bags; one of four that are taken reads a bag."""

    def load(self) -> dict[str, str]:
        example = yaml.safe_load(texts('imports')['example'])
        optional = {
            **example,
            'topics': {
                **example['topics'],
                'ground_truth_robot': '/truth',
                'ground_truth_ball': '/b',
            },
        }
        return {**texts('imports'), 'more': yaml.safe_dump(optional)}

    def prepare(self, folder: Path) -> None:
        from bag_scene import write_bag

        super().prepare(folder)
        self.bag = write_bag(folder / 'bag', storage='mcap', seconds=1.0)

    def read(self, path: Path, out: Path, rng: random.Random) -> None:
        from guda_ros.data.exchange.rosbag import import_bag, Mapping

        mapping = Mapping.load(path)
        judge_contract(mapping.contract)
        must(0 <= mapping.tolerance <= 10 and 0 <= mapping.command_hold <= 10, 'seconds')
        must(all(isinstance(name, str) and name for name in mapping.topics.values()), 'topics')
        if rng.random() < 0.25:
            import_bag(self.bag, mapping)
