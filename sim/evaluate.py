#!/usr/bin/env python3
"""`guda sim evaluate`, for a checkout."""

from guda_ros.cli.sim import evaluate
from guda_ros.cli.sim.common import run_as_script

if __name__ == '__main__':
    run_as_script(evaluate, 'sim/evaluate.py')
