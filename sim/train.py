#!/usr/bin/env python3
"""`guda sim train`, for a checkout."""

from guda_ros.cli.sim import train
from guda_ros.cli.sim.common import run_as_script

if __name__ == '__main__':
    run_as_script(train, 'sim/train.py')
