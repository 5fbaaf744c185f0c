"""Data sets made of data sets: joined, divided, and cut to what is worth learning from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
import os

from guda_ros.arguments import as_folder, as_path, as_paths
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode
from guda_ros.data.files import refuse_target
from guda_ros.data.sets import editing
from guda_ros.data.sets.minari import write_minari
from guda_ros.data.sets.selection import without_repeats
from guda_ros.data.sets.sources import DATA_SET, kind_of, Source, TRANSITIONS
from guda_ros.data.transitions import TransitionSet
from guda_ros.data.verdicts import VERDICTS
from guda_ros.errors import GudaError, naming_extras
from guda_ros.workflows.data.reading import read, Readable
from guda_ros.workflows.progress import Say, silent


@naming_extras()
def merge(
    sources: str | os.PathLike | Iterable[str | os.PathLike],
    out: str | os.PathLike,
    *,
    say: Say = silent,
) -> Source | TransitionSet:
    """
    Join data sets of one contract, or sets of transitions, as `guda data merge` does.

        both = guda_ros.merge(['runs/mine/dataset', 'runs/yours/dataset'], out='runs/ours')
        print(len(both.episodes))

    An episode that is in several of them is taken once; another one of the same name gets a new
    one.

    :param sources: one or several: data sets, recordings or folders of recordings; or only sets
        of transitions (.h5).
    :param out: data set, or .h5 file, to make.
    :return: what was written.
    :raises GudaError: if their contracts differ, or `out` is there.
    """
    paths, out = as_paths(sources, 'sources'), as_path(out, 'out')
    refuse_target(out)
    if not paths:
        raise GudaError('there is nothing to join')
    kinds = [kind_of(path) for path in paths]
    if TRANSITIONS in kinds:
        if set(kinds) != {TRANSITIONS}:
            raise GudaError(
                'sets of transitions (.h5) and episodes cannot be joined: the former '
                'have lost what was between the steps; `guda train --data` takes both'
            )
        sets, repeats = without_repeats([TransitionSet.load(path) for path in paths])
        for path, count in zip(paths, repeats):
            if count:
                say(f'    {path}: {count} transitions are in an earlier set, too, taken once')
        joined = TransitionSet.concatenate(sets)
        joined.save(out)
        return joined
    first = read(paths[0], say)
    found, contract = [first], first.contract
    for path in paths[1:]:
        found.append(read(path, say, contract))
        contract.require(found[-1].contract, str(path))
    episodes, notes = editing.merge(source.episodes for source in found)
    for note in notes:
        say(f'    {note}')
    return write(out, episodes, contract)


@naming_extras()
def split(
    source: Readable,
    out: str | os.PathLike,
    *,
    share: float = 0.8,
    seed: int = 0,
    names: Sequence[str] = ('train', 'validation'),
    say: Say = silent,
) -> tuple[Source, Source]:
    """
    Divide the episodes of a data set into two, as `guda data split` does.

        train, validation = guda_ros.split('runs/mine/dataset', 'runs/mine/split', share=0.8)

    :param source: data set, recording, folder of recordings, or a Source.
    :param out: folder in which the two data sets are made.
    :param share: of the episodes that goes to the first one, between 0 and 1.
    :param seed: of the drawing.
    :param names: of the two.
    :return: the two data sets.
    :raises GudaError: if one would be empty, or is there.
    """
    if names[0] == names[1]:
        raise GudaError(f'--names: two names that differ are needed, not twice {names[0]!r}')
    targets = [as_folder(out, 'out') / name for name in names]
    for target in targets:
        refuse_target(target)
    found = read(source, say)
    parts = editing.split(found.episodes, share, seed)
    one, other = (write(target, part, found.contract) for target, part in zip(targets, parts))
    return one, other


@naming_extras()
def trim(
    source: Readable,
    out: str | os.PathLike,
    *,
    episodes: Collection[str] = (),
    start: float = 0.0,
    stop: float | None = None,
    idle: float | None = None,
    drop: Collection[str] = (),
    verdicts: Collection[str] = (),
    usable: float | None = None,
    say: Say = silent,
) -> Source:
    """
    Cut episodes, and leave whole episodes out, as `guda data trim` does.

        guda_ros.trim('runs/mine/dataset', 'runs/mine/trimmed', idle=0.5, verdicts=['scored'])

    An episode whose end is cut off counts as aborted, because its outcome is not in it any more.

    :param source: data set, recording, folder of recordings, or a Source.
    :param out: data set to make.
    :param episodes: cut only these; the others are kept whole.
    :param start: cut what is before this time [s] from an episode's start.
    :param stop: cut what is after this time [s] from an episode's start.
    :param idle: cut to so long [s] before the first and after the last command.
    :param drop: leave these out.
    :param verdicts: keep only episodes that ended so.
    :param usable: keep only episodes with at least this share of usable steps.
    :return: what was written.
    :raises GudaError: for a name or verdict that is unknown, if nothing is left, or if `out` is
        there.
    """
    refuse_target(out)
    found = read(source, say)
    known = {episode.id for episode in found.episodes}
    unknown = [name for name in (*episodes, *drop) if name not in known]
    if unknown:
        raise GudaError(
            f'{found.path}: no episode {", ".join(unknown)}; there are {", ".join(sorted(known))}'
        )
    for verdict in verdicts:
        if verdict not in VERDICTS:
            raise GudaError(f'--verdicts: {verdict!r} is none of {", ".join(VERDICTS)}')

    def is_kept(episode: Episode) -> bool:
        if episode.id in drop or (verdicts and episode.verdict not in verdicts):
            return False
        return usable is None or float(episode.usable.mean()) >= usable

    def trimmed(episode: Episode) -> Episode:
        if episodes and episode.id not in episodes:
            return episode
        first, last = editing.seconds_to_steps(episode, start, stop)
        if idle is not None:
            begin, end = editing.driven_steps(episode, round(idle * found.contract.rate))
            first, last = max(first, begin), min(last, end)
        return editing.cut(episode, first, last)

    kept = [trimmed(episode) for episode in found.episodes if is_kept(episode)]
    if not kept:
        raise GudaError('no episode is left; nothing was written')
    return write(out, kept, found.contract)


def write(target: str | os.PathLike, episodes: Sequence[Episode], contract: Contract) -> Source:
    """Write a data set and return it."""
    path = as_path(target, 'out')
    write_minari(path, episodes, contract)
    return Source(path, DATA_SET, contract, list(episodes))
