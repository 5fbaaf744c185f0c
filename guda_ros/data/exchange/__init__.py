"""Other formats: bags and logs that are imported, data sets that are exported."""

from __future__ import annotations

from typing import get_args, Literal

#: Formats of other libraries that `guda data export` writes.
Format = Literal['robomimic', 'npz', 'lerobot']
FORMATS: tuple[Format, ...] = get_args(Format)
