"""Other formats: bags and logs that are imported, data sets that are exported."""

from __future__ import annotations

from typing import get_args, Literal

#: Formats of other libraries that `guda data export` writes.
Format = Literal['robomimic', 'npz', 'lerobot']
FORMATS: tuple[Format, ...] = get_args(Format)

#: What the software of each format makes of the steps.
READERS: dict[Format, str] = {
    'npz': 'rows with `timeouts` are no steps, they hold where steps end: d3rlpy and D4RL read '
    'every step with its successor',
    'robomimic': '`next_obs` holds the successor of every step',
    'lerobot': "LeRobot's own loader has no successor for the last step of a trajectory: it is "
    'in `next.observation.state`',
}
