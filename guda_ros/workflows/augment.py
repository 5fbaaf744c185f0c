"""Many transitions from a few demonstrations, by the rules of a guide."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path


def augment_dataset(
    dataset: Path,
    guide: str,
    count: int,
    seed: int,
    demonstrations: int | None,
    target: Path,
    threads: int = 1,
    progress=None,
) -> tuple:
    """Augment a recording into a file; return the recorded steps and the AcceptanceReport."""
    from guda_ros.augmentation.pipeline import augment_to_file
    from guda_ros.augmentation.registry import load_guide

    rules = load_guide(guide)
    if demonstrations is None:
        recorded = rules.task.read(dataset)
    else:
        recorded = choose(rules.task.read(dataset), demonstrations, seed)
    report = augment_to_file(recorded, rules, count, seed, target, progress, threads)
    return recorded, report


def choose(recorded, demonstrations: int, seed: int):
    """Return the steps of so many episodes, the ones that training with that seed draws."""
    import numpy as np

    from guda_ros.data.sets.selection import choose_demonstrations

    kept = choose_demonstrations(range(len(recorded.episode_ids)), demonstrations, seed)
    chosen = recorded.select(np.isin(recorded.source_episode, kept))
    return replace(
        chosen,
        source_episode=np.searchsorted(kept, chosen.source_episode),
        episode_ids=[recorded.episode_ids[index] for index in kept],
        episode_success=[recorded.episode_success[index] for index in kept],
    )
