"""Train the ball networks of renders and labelled pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from guda_ros.arguments import as_folder, as_paths, as_whole
from guda_ros.errors import GudaError, naming_extras
from guda_ros.workflows.progress import Say, silent


@naming_extras()
def render_scenes(
    out: str | Path, split: str = 'test', pictures: int = 480, *, seed: int = 7, say: Say = silent
) -> float:
    """
    Render labelled pictures of random scenes, as `guda perceive render` does.

        guda_ros.render_scenes('runs/mine/renders', 'test', 96)

    :param out: folder for them; what is there already is kept.
    :param split: `training`, or `test` for families that no training sees.
    :param pictures: how many the folder is to hold. :param seed: of the scenes.
    :return: pictures a second of this call, NaN if none was missing.
    :raises GudaError: if the split is unknown or nothing can be drawn.
    """
    from guda_ros.perception_training.renders import write_renders

    folder = as_folder(out, 'out')
    as_whole(pictures, 'pictures', 1), as_whole(seed, 'seed', 0)
    return write_renders(
        folder, split, pictures, seed, lambda n, rate: say(f'{n} pictures, {rate:.1f} a second')
    )


@naming_extras()
def train_perception(
    out: str | Path,
    work: str | Path,
    *,
    sets: Sequence[str | Path] = (),
    leave_out: Sequence[str] = (),
    renders: int = 1464,
    effort: float = 1.0,
    seed: int = 1,
    command: str = '',
    say: Say = silent,
) -> Path:
    """
    Train the ball networks, as `guda perceive train` does, and return their folder.

        guda_ros.train_perception('eyes', 'runs/eyes', sets=['humanoid_ball'])

    Rendering and every epoch are kept in `work`: the same call goes on where it was.

    :param out: folder for the two networks. :param seed: of everything.
    :param sets: folders of labelled pictures. :param leave_out: series that no training sees.
    :param renders: pictures of the simulator.
    :param effort: share of the usual length.
    :param command: what the files say that they were made by.
    :raises GudaError: if `work` is of another training, or pictures cannot be read or rendered.
    """
    from guda_ros.perception_training.run import Plan, train_ball

    out, work = as_folder(out, 'out'), as_folder(work, 'work')
    as_whole(renders, 'renders', 1), as_whole(seed, 'seed', 0)
    if not 0 < effort <= 10:
        raise GudaError(f'effort {effort:g}: a number above 0, at most 10, is expected')
    folders = as_paths(sets, 'sets')
    plan = Plan(
        tuple(str(folder.resolve()) for folder in folders),
        tuple(leave_out),
        renders,
        # Every twentieth, but enough for a quantile.
        max(48, min(192, renders // 5)),
        effort,
        seed,
    )
    about = {
        'command': command,
        'data': ', '.join(['renders of guda_ros', *(folder.name for folder in folders)]),
        'left_out': ', '.join(leave_out),
        'licences': ' | '.join(filter(None, (_licence(folder) for folder in folders))),
    }
    return train_ball(work, out, plan, about, say)


def _licence(folder: Path) -> str:
    """Return the first lines of a set's licence, with whose it is."""
    for name in ('LICENSE', 'LICENSE.txt', 'LICENCE'):
        path = folder / name
        if path.is_file():
            lines = [line.strip() for line in path.read_text(errors='replace').splitlines()]
            return f'{folder.name}: ' + '; '.join(filter(None, lines[:4]))
    return ''
