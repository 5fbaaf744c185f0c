#!/usr/bin/env python3
"""`guda sim view`, for a checkout."""

from guda_ros.cli.sim import view
from guda_ros.cli.sim.common import run_as_script

if __name__ == '__main__':
    run_as_script(view, 'sim/view.py')
