"""A picture of what the logs of the physical NAO tell."""

from __future__ import annotations

import io

import numpy as np

from guda_ros.evaluation.pages.drawing import BALL, GOOD, INK, MUTED, new_figure
from guda_ros.identification.nao_findings import AXES, NaoFindings


def nao_png(found: NaoFindings) -> bytes:
    """Return a PNG: the line of the walking steps, and the answers to reversals of commands."""
    with new_figure(5.4) as figure:
        grid = figure.add_gridspec(
            2, 3, hspace=0.5, wspace=0.3, left=0.07, right=0.985, top=0.94, bottom=0.095
        )
        axes = figure.add_subplot(grid[0, :])
        for power, colour, label in zip(found.spectra, (GOOD, BALL), ('forward', 'turning')):
            axes.plot(found.frequencies, power / np.median(power), color=colour, label=label)
        step = found.values['rows a step']
        axes.axvline(0.5 / step.value, color=MUTED, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.axvline(1 / step.value, color=MUTED, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.set_title(f'Walking steps: {step.value:.1f} +- {step.deviation:.1f} rows each')
        axes.set_xlabel('frequency [1/row]')
        axes.set_ylabel('power / median')
        axes.legend()
        for axis, name in enumerate(AXES):
            axes = figure.add_subplot(grid[1, axis])
            lags, command, motion = found.answers[name]
            factor, unit = (1000, 'mm') if axis < 2 else (1, 'rad')
            smooth = np.convolve(motion * factor, np.ones(5) / 5, mode='same')
            top = np.nanmax(np.abs(smooth)) or 1.0
            axes.plot(lags, command * top, color=MUTED, linewidth=0.9, label='command')
            axes.plot(lags[2:-2], smooth[2:-2], color=GOOD, label='walked')
            axes.set_title(f'{name}: the command reverses', color=INK)
            axes.set_xlabel('rows after it')
            axes.set_ylabel(f'{unit} a row')
            if axis == 0:
                axes.legend(loc='lower right')
        buffer = io.BytesIO()
        figure.savefig(buffer, format='png', dpi=130, metadata={'Software': None})
    return buffer.getvalue()
