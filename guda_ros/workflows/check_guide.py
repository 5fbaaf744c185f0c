"""Say what a guide will do with a recording, and draw it."""

from __future__ import annotations

from dataclasses import dataclass
import os

from guda_ros.arguments import as_path, as_whole, if_given
from guda_ros.augmentation.guides import Guide, load_guide
from guda_ros.augmentation.pipeline import AcceptanceReport, Augmenter
from guda_ros.data.contract import Contract
from guda_ros.data.transitions import TransitionSet
from guda_ros.errors import naming_extras
from guda_ros.evaluation.set_quality import describe_set, SetDescription


@dataclass(frozen=True)
class GuideTrial:
    """What a guide made of a recording."""

    #: The steps that it was tried with.
    recorded: TransitionSet
    #: What it made of them.
    made: TransitionSet
    #: What became of its proposals, by rule.
    report: AcceptanceReport
    #: Reward, progress and coverage, by `recorded` and `augmented`.
    quality: dict[str, SetDescription]


@dataclass(frozen=True)
class GuideCheck:
    """A guide, and what it does with a recording if there is one."""

    guide: Guide
    trial: GuideTrial | None = None

    @property
    def sentences(self) -> dict[str, list[str]]:
        """What each rule does, in words."""
        return {name: rule.explain() for name, rule in self.guide.rules.items()}


@naming_extras()
def check_guide(
    guide: str | os.PathLike | Guide,
    data: str | os.PathLike | None = None,
    *,
    count: int = 20_000,
    seed: int = 0,
    out: str | os.PathLike | None = None,
) -> GuideCheck:
    """
    Explain a guide, try it and draw it, as `guda guide check` does.

        found = guda_ros.check_guide('guided', 'runs/mine/dataset', out='guide.svg')
        print(found.sentences, found.trial.report.acceptance)

    :param guide: name in config/guides, a YAML file, or a Guide.
    :param data: recording to try it with, as `guda_ros.augment` takes it; without one it is only
        explained.
    :param count: transitions to try with. :param seed: of all that is drawn.
    :param out: picture to draw (.svg, .png or .pdf).
    :raises GudaError: if guide or data cannot be used.
    """
    as_whole(count, 'count', 1), as_whole(seed, 'seed', 0)
    picture = if_given(as_path, out, 'out')
    rules = guide if isinstance(guide, Guide) else load_guide(guide)
    trial = value_map = None
    if data is not None:
        recorded = rules.task.read(as_path(data, 'data'))
        augmenter = Augmenter(recorded, rules, seed)
        made = augmenter.make(count)
        value_map = augmenter.value_map
        task = rules.task(recorded.contract)
        quality = {
            name: describe_set(task, steps)
            for name, steps in (('recorded', recorded), ('augmented', made))
        }
        trial = GuideTrial(recorded, made, augmenter.report, quality)
    if picture is not None:
        from guda_ros.evaluation.pages.guide import draw_guide

        # Without a recording the field is that of the task's own contract.
        default = Contract.load(rules.task.name) if rules.task.name == 'soccer_push' else None
        task = rules.task(trial.recorded.contract if trial else default)
        recorded, made = (trial.recorded, trial.made) if trial else (None, None)
        draw_guide(picture, rules, task, recorded, made, value_map)
    return GuideCheck(rules, trial)
