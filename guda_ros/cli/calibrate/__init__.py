"""
Calibrate a robot's camera: print a board, find the lens, find where the camera sits.

What is found goes into the robot profile with its standard deviations, and pictures of no use are
refused with what to do.
"""

from __future__ import annotations

import argparse

from guda_ros.cli.actions import add_actions, run_action

EXAMPLE = """\
guda calibrate board --out runs/mine/board.pdf
  guda calibrate camera pictures/board --base my_robot.yaml --out calibrated.yaml
  guda calibrate mount bags/head_turns --base calibrated.yaml --field spl --out mounted.yaml"""

#: Module of this package for each action, in the order in which a person needs them.
ACTIONS = {'board': 'board', 'camera': 'camera', 'mount': 'mount'}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their arguments."""
    add_actions(parser, __name__, ACTIONS)


def run(args: argparse.Namespace) -> int | None:
    """Run the action."""
    return run_action(args)
