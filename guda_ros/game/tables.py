"""
What the numbers of a game controller's packets mean.

Version 19: RoboCupGameControlData.h of
https://github.com/RoboCup-HumanoidSoccerLeague/GameController, commit 30a47f8. Version 18, its
predecessor: that of https://github.com/RoboCup-SPL/GameController3, commit 36353e4.
"""

from __future__ import annotations

#: `gamePhase`.
PHASES = {0: 'normal', 1: 'penalty shoot-out', 2: 'extra time', 3: 'timeout'}
#: `state`; the last only in version 18.
STATES = {0: 'initial', 1: 'ready', 2: 'set', 3: 'playing', 4: 'finished', 5: 'standby'}
#: `setPlay` by version.
SET_PLAYS = {
    19: {
        0: 'none',
        1: 'direct free kick',
        2: 'indirect free kick',
        3: 'penalty kick',
        4: 'throw-in',
        5: 'goal kick',
        6: 'corner kick',
    },
    18: {
        0: 'none',
        1: 'goal kick',
        2: 'pushing free kick',
        3: 'corner kick',
        4: 'kick-in',
        5: 'penalty kick',
    },
}
#: `penalty` of a player by version; every number but 0 keeps the player from playing.
PENALTIES = {
    19: {
        0: 'none',
        1: 'illegal positioning',
        2: 'motion in set',
        3: 'local game stuck',
        4: 'incapable robot',
        5: 'pick-up',
        6: 'ball holding',
        7: 'leaving the field',
        8: 'playing with arms or hands',
        9: 'pushing',
        10: 'sent off',
        11: 'substitute',
    },
    18: {
        0: 'none',
        1: 'illegal ball contact',
        2: 'pushing',
        3: 'illegal motion in set',
        4: 'inactive player',
        5: 'illegal position',
        6: 'leaving the field',
        7: 'request for pick-up',
        8: 'local game stuck',
        9: 'illegal position in set',
        10: 'player stance',
        11: 'illegal motion in standby',
        14: 'substitute',
        15: 'manual',
    },
}
#: Colours of jerseys.
COLOURS = (
    'blue',
    'red',
    'yellow',
    'black',
    'white',
    'green',
    'orange',
    'purple',
    'brown',
    'gray',
)
NONE = 'none'


def name_of(table: dict[int, str], number: int) -> str:
    """Return what a number means; one that the table has not is told as it is."""
    return table.get(number, f'number {number}')


def number_of(table: dict[int, str], name: str) -> int:
    """Return the number of a name; ValueError lists what there is."""
    for number, known in table.items():
        if known == name:
            return number
    raise ValueError(f'{name!r} is not one of {", ".join(table.values())}')
