"""The section `augmentation` of an experiment in config/online."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from guda_ros.config.files import Section
from guda_ros.online.dafs import DAF, GuideDAF, SwapDAF, World

if TYPE_CHECKING:
    from guda_ros.sim.episodes import EpisodeBatch

#: A number, or points (environment steps, number) with straight lines between them.
Points = float | tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class AugmentationConfig:
    """
    Augmented replay of an experiment; see guda_ros.online.augmented_replay.

    guide: name or path, or None to swap robots and balls that are farther apart than `apart` [m].
    m, alpha: copies of a step, augmented rows for each observed one of a batch. chunk: environment
    steps that are augmented at once.
    """

    guide: str | None
    apart: float = 0.5
    m: Points = 1.0
    alpha: Points = 1.0
    chunk: int = 1024

    @classmethod
    def read(cls, section: Section) -> AugmentationConfig:
        """Take the keys of the section; ConfigError names a wrong one."""
        guide = section.text('guide') if section.has('guide') else None
        if guide is None and not section.has('apart'):
            section.fail('guide', 'is missing; give a guide, or `apart` [m] to swap parts')
        config = cls(
            guide,
            section.number('apart', 0, 100) if section.has('apart') else cls.apart,
            _points(section, 'm', cls.m),
            _points(section, 'alpha', cls.alpha),
            section.integer('chunk', 1, 10**7) if section.has('chunk') else cls.chunk,
        )
        section.close()
        return config

    def as_dict(self) -> dict:
        """Return plain values."""
        return asdict(self)

    def arguments(self, episodes: EpisodeBatch) -> dict:
        """Return the arguments of AugmentedReplayBuffer; GudaError if the guide does not fit."""
        world = World.of(episodes)
        daf: DAF = (
            SwapDAF(world, self.apart) if self.guide is None else GuideDAF(self.guide, world)
        )
        return {'daf': daf, 'm': self.m, 'alpha': self.alpha, 'chunk': self.chunk}


def _points(section: Section, key: str, default: Points) -> Points:
    """Take a number, or a mapping from environment steps to numbers."""
    if not section.has(key):
        return default
    if not section.is_mapping(key):
        return section.number(key, 0, 1000)
    inner = section.section(key)
    # YAML has keys that are numbers.
    steps: tuple[object, ...] = inner.keys()
    if not steps or not all(isinstance(step, int) and step >= 0 for step in steps):
        section.fail(key, 'a number, or numbers by environment steps (from 0 on), are expected')
    return tuple(sorted((step, inner.number(step, 0, 1000)) for step in steps))
