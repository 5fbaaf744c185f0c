"""
Packets of a game controller byte by byte, by the offsets of the published headers.

Nothing here knows the code under test. Version 19: RoboCupGameControlData.h of
RoboCup-HumanoidSoccerLeague/GameController @30a47f8; version 18: of RoboCup-SPL/GameController3
@36353e4.
"""

from __future__ import annotations


def control(version=19, **fields) -> bytearray:
    """
    Return a control packet: teams 5 and 6, four players each, state playing.

    :param fields: offset_N=value for bytes that differ.
    """
    player = {19: 4, 18: 2}[version]
    team = 10 + 20 * player
    data = bytearray(18 + 2 * team)
    data[0:4] = b'RGme'
    data[4] = version
    data[5] = 77
    data[6] = 4
    data[10] = 3
    data[12] = 1
    data[13] = 6
    data[14:16] = (421).to_bytes(2, 'little')
    data[16:18] = (-3).to_bytes(2, 'little', signed=True)
    for offset, number in ((18, 5), (18 + team, 6)):
        data[offset] = number
        data[offset + 3] = 1
        data[offset + 4] = number - 3
        data[offset + 8 : offset + 10] = (12000).to_bytes(2, 'little')
    for name, value in fields.items():
        data[int(name.removeprefix('offset_'))] = value
    return data


def penalise(data: bytearray, team: int, player: int, penalty: int, seconds: int) -> bytearray:
    """Set penalty and seconds of a player (from 1) of the first (0) or second (1) team."""
    size = {19: 4, 18: 2}[data[4]]
    offset = 18 + team * (10 + 20 * size) + 10 + (player - 1) * size
    data[offset], data[offset + 1] = penalty, seconds
    return data
