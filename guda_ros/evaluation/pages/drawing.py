"""
The look of the report: colours, fonts, and figures as the text of an SVG, made without a display.

Colours are those of Okabe and Ito (2008), which people with impaired colour vision can tell
apart; what matters is also told by position, line style or marker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
import io
import re
from typing import TYPE_CHECKING

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = '#222B33'
MUTED = '#6B7680'
FAINT = '#D9DEE2'
ROBOT = '#3A4B5C'
BALL = '#D55E00'
GOOD = '#0072B2'
BAD = '#D55E00'
#: Colour, words and short words for the arms of the experiment.
ARMS = {
    'demonstrator_clean': ('#A3ABB2', 'demonstrator, no flaws', 'no flaws'),
    'demonstrator': ('#5B6670', 'demonstrator', 'demonstrator'),
    'raw': ('#E69F00', 'BC, demonstrations only', 'raw'),
    'random': ('#CC79A7', 'BC, random augmentation', 'random'),
    'guided': ('#0072B2', 'BC, guided augmentation', 'guided'),
    'td3_bc': ('#009E73', 'TD3+BC, guided augmentation', 'TD3+BC'),
}
_OTHERS = ('#56B4E9', '#882255', '#999933', '#332288')
#: Colours of policies that have none of their own, in the order in which they are given out.
PALETTE = (
    '#0072B2',
    '#E69F00',
    '#009E73',
    '#CC79A7',
    '#56B4E9',
    '#5B6670',
    '#882255',
    '#999933',
    '#D55E00',
    '#332288',
)
WIDTH = 9.2
_FONTS = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
_STYLE = {
    'svg.fonttype': 'none',
    'svg.hashsalt': 'guda_ros',
    'font.family': 'DejaVu Sans',
    'font.size': 8.5,
    'axes.titlesize': 9,
    'axes.titleweight': 'bold',
    'axes.titlelocation': 'left',
    'axes.labelsize': 8.5,
    'axes.edgecolor': MUTED,
    'axes.labelcolor': INK,
    'axes.linewidth': 0.7,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.axisbelow': True,
    'grid.color': FAINT,
    'grid.linewidth': 0.6,
    'text.color': INK,
    'xtick.color': MUTED,
    'ytick.color': MUTED,
    'xtick.labelcolor': INK,
    'ytick.labelcolor': INK,
    'xtick.labelsize': 8,
    'ytick.labelsize': 8,
    'xtick.major.size': 3,
    'ytick.major.size': 3,
    'legend.frameon': False,
    'legend.fontsize': 8,
    'lines.solid_capstyle': 'round',
    'path.simplify': True,
    'path.simplify_threshold': 0.15,
}


#: Colour, words and short words by name, for figures whose names are not those of ARMS.
Looks = Mapping[str, tuple[str, str, str]]


def arm_colour(name: str, looks: Looks = ARMS) -> str:
    """Return the colour of an arm; an arm without one of its own gets one by its name."""
    return looks[name][0] if name in looks else _OTHERS[sum(map(ord, name)) % len(_OTHERS)]


def arm_label(name: str, looks: Looks = ARMS) -> str:
    """Return an arm's name in words."""
    return looks[name][1] if name in looks else name.replace('_', ' ')


def arm_short(name: str, looks: Looks = ARMS) -> str:
    """Return an arm's name in a word."""
    return looks[name][2] if name in looks else name.replace('_', ' ')


def looks_of(names: Sequence[str]) -> Looks:
    """Return looks for policies of any names: colours that differ, names short enough to fit."""
    known = {name: look[1:] for name, look in ARMS.items() if name.startswith('demonstrator')}
    return {
        name: (
            PALETTE[index % len(PALETTE)],
            *known.get(name, (_shortened(name, 24), _shortened(name, 14))),
        )
        for index, name in enumerate(names)
    }


def _shortened(name: str, most: int) -> str:
    """Return the end of a name that is too long; names that differ do so there."""
    return name if len(name) <= most else '…' + name[1 - most :]


def hide_y_axis(axes: Axes) -> None:
    axes.spines['left'].set_visible(False)
    axes.tick_params(axis='y', length=0)
    axes.grid(axis='x')


@contextmanager
def new_figure(height: float, width: float = WIDTH) -> Iterator[Figure]:
    """Provide a figure [inches] in the report's style, without the global state of pyplot."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        FigureCanvasSVG(figure)
        yield figure


def svg_text(figure: Figure) -> str:
    """Return a figure as the text of an SVG, without metadata, coordinates rounded to .01 pt."""
    buffer = io.StringIO()
    figure.savefig(
        buffer,
        format='svg',
        transparent=True,
        metadata={'Date': None, 'Creator': None, 'Format': None, 'Type': None},
    )
    _, tag, text = buffer.getvalue().partition('<svg')
    text = tag + text
    text = re.sub(r'<metadata>.*?</metadata>\s*', '', text, flags=re.DOTALL)
    text = text.replace("'DejaVu Sans'", _FONTS)
    text = re.sub(r'<!--.*?-->', '', text, flags=re.DOTALL)
    text = re.sub(r'"[^"]*"', lambda quoted: re.sub(r'(\d\.\d\d)\d+', r'\1', quoted.group()), text)
    return re.sub(r'\n\s+', '\n', text)
