"""
Find balls by the networks, judge them on labelled pictures, train them.

`guda perceive PATH` looks at a picture, a video, a folder of pictures or a bag.
"""

from __future__ import annotations

import argparse

from guda_ros.cli.actions import add_actions, run_action

EXAMPLE = """\
guda perceive camera.jpg --out runs/mine/perceived
  guda perceive evaluate pictures/humanoid_ball --out runs/mine/eyes"""

#: Module of this package for each action, in the order in which a person needs them.
ACTIONS = {'look': 'look', 'evaluate': 'evaluate', 'render': 'render', 'train': 'train'}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their arguments."""
    add_actions(parser, __name__, ACTIONS, usual='look')


def run(args: argparse.Namespace) -> int | None:
    """Run the action."""
    return run_action(args)
