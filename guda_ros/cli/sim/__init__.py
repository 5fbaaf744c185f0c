"""Train from scratch, judge, watch and record players in the simulator, without ROS."""

from __future__ import annotations

import argparse

from guda_ros.cli.actions import add_actions, run_action

EXAMPLE = 'guda sim train ppo_penalty --seeds 0 1 2'

#: Module of this package for each action, in the order in which a person needs them.
ACTIONS = {name: name for name in ('train', 'evaluate', 'view', 'collect')}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their arguments."""
    add_actions(parser, __name__, ACTIONS)


def run(args: argparse.Namespace) -> int | None:
    """Run the action."""
    return run_action(args)
