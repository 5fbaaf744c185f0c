"""How an episode ended, and who commanded each of its steps: the names, and what they mean."""

from __future__ import annotations

#: How an episode ended, in words.
VERDICTS = {
    'scored': 'scored',
    'timeout': 'time ran out',
    'out': 'ball left the field',
    'fall': 'robot fell',
    'failed': 'failed',
    'error': 'error',
    'aborted': 'aborted',
}
#: Verdicts that an evaluation may give: who aborts an episode repeats it.
JUDGED = {name: words for name, words in VERDICTS.items() if name != 'aborted'}
#: Verdicts of episodes that did not come to an end of their own; empty: none was recorded.
BROKEN_OFF = ('', 'error', 'aborted')

#: Who wants to move the robot, the first with priority: a person, an exported policy.
SOURCES = ('teleop', 'policy')
#: The safety node itself, which stops the robot.
STOP = 'safety'
#: A person over a policy that would have driven.
INTERVENTION = 'intervention'
#: Who commanded a step, by `Episode.commanded_by`. The order is that of the numbers in data sets.
COMMANDERS = ('unknown', STOP, 'policy', 'teleop', INTERVENTION)


def commander_index(name: str) -> int:
    """Return the index into COMMANDERS of a name; one that is not known counts as not recorded."""
    return COMMANDERS.index(name) if name in COMMANDERS else 0
