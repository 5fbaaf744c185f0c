"""Train the ball networks from nothing: renders and labelled pictures, in steps that are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.data.files import atomic_target
from guda_ros.errors import GudaError
from guda_ros.perception.ball_network import BallNetwork, overlap, PROPOSER, REFINER
from guda_ros.perception.encodings import read_picture
from guda_ros.perception_training.labelled import read_folder
from guda_ros.perception_training.renders import read_renders, write_renders

if TYPE_CHECKING:
    from guda_ros.perception_training.training import Schedule

#: Called with a line to tell.
Tell = Callable[[str], None]
#: Candidates of a picture that patches are made of: more than are looked at on a robot.
_MINED = 24
#: How often labelled folders are drawn, each, where renders are drawn once.
_SHARE = 0.75


@dataclass(frozen=True)
class Plan:
    """
    What is trained on, and how long; kept in the folder of the work.

    :param sets: folders of labelled pictures.
    :param leave_out: series of them that no training sees.
    :param renders: how many pictures are rendered.
    :param calibration: how many more, of other scenes, tell how large errors are.
    :param effort: how long is trained, 1 as the shipped networks were.
    """

    sets: tuple[str, ...]
    leave_out: tuple[str, ...]
    renders: int
    calibration: int
    effort: float
    seed: int


def train_ball(work: Path, out: Path, plan: Plan, about: dict[str, str], tell: Tell) -> Path:
    """
    Train and write both networks to the folder `out`; return it.

    What was finished in `work` is not done again, if the plan is the same.

    :param about: what the files shall say about themselves.
    :raises GudaError: if `work` is of another plan, a series is unknown, or nothing can be drawn.
    """
    import torch

    from guda_ros.perception_training import networks, samples, training

    torch.set_num_threads(1)
    _same_plan(work, plan)
    series = {p.series for folder in plan.sets for p in read_folder(Path(folder))}
    unknown = set(plan.leave_out) - series
    if unknown:
        raise GudaError(
            f'no series {", ".join(sorted(unknown))} to leave out; there are '
            f'{", ".join(sorted(series)) or "none"}'
        )
    for name, count, seed in (
        ('renders', plan.renders, plan.seed),
        ('calibration', plan.calibration, plan.seed + 1000),
    ):
        tell(f'{name}: {count} pictures')
        write_renders(
            work / name,
            'training',
            count,
            seed,
            lambda n, rate: tell(f'{n} pictures, {rate:.1f} a second'),
        )
    material = samples.from_renders(work / 'renders')
    for folder in plan.sets:
        material += samples.from_labelled(Path(folder), plan.leave_out)
    shares = {sample.group: _SHARE for sample in material} | {'renders': 1.0}

    def report(name: str, epoch: int, epochs: int, loss: float) -> None:
        tell(f'{name}: epoch {epoch} of {epochs}, loss {loss:.3f}')

    weights = work / 'weights'
    weights.mkdir(exist_ok=True)
    if not (weights / PROPOSER).exists():
        schedule = _scaled(training.PROPOSER_SCHEDULE, plan.effort)
        canvases = samples.Canvases(material, plan.seed)
        proposer = training.train_proposer(
            canvases, shares, work / 'proposer.pt', schedule, plan.seed, report
        )
        networks.export(proposer, weights / PROPOSER, about)
        del canvases
    if not (weights / REFINER).exists():
        # Patches are chosen by the proposer alone.
        untrained = weights / 'untrained'
        untrained.mkdir(exist_ok=True)
        (untrained / PROPOSER).write_bytes((weights / PROPOSER).read_bytes())
        networks.export(networks.Refiner(), untrained / REFINER, about)
        patches = samples.make_patches(material, BallNetwork(untrained, _MINED), plan.seed, shares)
        tell(f'refiner: {len(patches.balls)} patches, {patches.balls.mean():.0%} of balls')
        schedule = _scaled(training.REFINER_SCHEDULE, plan.effort)
        refiner = training.train_refiner(patches, work / 'refiner.pt', schedule, plan.seed, report)
        networks.export(refiner, weights / REFINER, about)
        scale = deviation_scale(BallNetwork(weights), work / 'calibration')
        tell(f'errors are {scale:.2f} times as large as the refiner says: it is told so')
        networks.export(refiner, weights / REFINER, {**about, 'deviation_scale': f'{scale:.4f}'})
    out.mkdir(parents=True, exist_ok=True)
    for name in (PROPOSER, REFINER):
        with atomic_target(out / name) as temporary:
            temporary.write_bytes((weights / name).read_bytes())
    return out


def deviation_scale(network: BallNetwork, folder: Path) -> float:
    """
    Return by what the deviations that the network says must be multiplied to be its errors'.

    Of balls in renders that are wholly in the picture and not hidden; such that nine tenths of the
    squared normalised errors are where those of two normal numbers are.
    """
    ratios = []
    for render in read_renders(folder):
        if render.box is None or render.seen < 0.9 or render.cut:
            continue
        for find in network.find(read_picture(render.path)):
            if find.score > 0.5 and overlap(find.box, render.box) > 0.4:
                away = find.centre - (render.box[:2] + render.box[2:]) / 2
                ratios.append(float(away @ away) / find.deviation**2)
                break
    if len(ratios) < 20:
        # Too few to say: the networks were hardly trained.
        return 1.0
    # The square of the normalised error is chi-square with two degrees of freedom.
    return math.sqrt(float(np.quantile(ratios, 0.9)) / (-2 * math.log(0.1)))


def _scaled(schedule: Schedule, effort: float) -> Schedule:
    """Return a schedule of as many epochs, or fewer, and of more or fewer samples."""
    epochs = max(1, round(schedule.epochs * min(effort, 1)))
    samples = max(schedule.batch, round(schedule.samples * max(effort, 0.02)))
    return replace(schedule, epochs=epochs, samples=samples)


def _same_plan(work: Path, plan: Plan) -> None:
    work.mkdir(parents=True, exist_ok=True)
    path = work / 'plan.json'
    text = json.dumps(vars(plan), indent=2) + '\n'
    if path.exists() and path.read_text(encoding='utf-8') != text:
        raise GudaError(
            f'{path}: another training was begun here: go on with the same arguments, or choose '
            'another folder'
        )
    path.write_text(text, encoding='utf-8')
