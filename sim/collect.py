#!/usr/bin/env python3
"""`guda sim collect`, for a checkout."""

from guda_ros.cli.sim import collect
from guda_ros.cli.sim.common import run_as_script

if __name__ == '__main__':
    run_as_script(collect, 'sim/collect.py')
