"""Packets of game controllers, by the offsets of the published headers."""

import math
import struct

from game_packets import control, penalise
from hypothesis import given
from hypothesis import strategies as st
import pytest

from guda_ros.game import packets
from guda_ros.game.packets import BadPacket, read_control, read_status, Status, write_status
from guda_ros.game.practice import PracticeGame
from guda_ros.game.tables import PENALTIES, SET_PLAYS


@pytest.mark.parametrize('version, size', [(19, 198), (18, 118)])
def test_a_control_packet_says_what_the_header_puts_where(version, size):
    data = penalise(control(version, offset_11=5), 1, 3, 6, 29)
    assert len(data) == size
    said = read_control(bytes(data))
    assert (said.version, said.packet, said.players_per_team) == (version, 77, 4)
    assert (said.state, said.phase, said.first_half, said.stopped) == (
        'playing',
        'normal',
        True,
        False,
    )
    assert said.set_play == {19: 'goal kick', 18: 'penalty kick'}[version]
    assert (said.kicking_team, said.seconds, said.secondary) == (6, 421, -3)
    one, two = said.teams
    assert (one.number, one.goalkeeper, one.score, one.budget) == (5, 1, 2, 12000)
    assert (two.number, two.score) == (6, 3)
    third = two.players[2]
    assert third.penalty == {19: 'ball holding', 18: 'leaving the field'}[version]
    assert third.seconds == 29
    others = [player for team in said.teams for player in team.players if player is not third]
    assert len(others) == 39 and {player.penalty for player in others} == {'none'}


def test_only_version_19_says_that_a_game_is_stopped_and_has_cards():
    assert read_control(bytes(control(19, offset_8=1))).stopped
    # There, it is the type of the competition.
    assert not read_control(bytes(control(18, offset_8=1))).stopped
    # Player 20 of the first team: 18 + 10 + 19 * 4.
    said = read_control(bytes(control(19, offset_106=2, offset_107=1)))
    assert (said.teams[0].players[19].warnings, said.teams[0].players[19].cautions) == (2, 1)


def test_nobody_kicks_is_255_and_numbers_without_a_name_are_told_as_they_are():
    said = read_control(bytes(penalise(control(offset_13=255, offset_11=99), 0, 1, 77, 5)))
    assert said.kicking_team is None and said.set_play == 'number 99'
    assert said.teams[0].players[0].penalty == 'number 77'


@pytest.mark.parametrize(
    'data, why',
    [
        (b'', packets.HEADER),
        (b'RGme', packets.VERSION),
        (bytes(control(19))[:-1], packets.SHORT),
        (bytes(control(19)) + b'\0', packets.SHORT),
        (bytes(control(18, offset_4=19)), packets.SHORT),
        (bytes(control(19, offset_4=18)), packets.SHORT),
        (bytes(control(19, offset_4=17)), packets.VERSION),
        (bytes(control(19, offset_0=0)), packets.HEADER),
        (b'RGrt' + bytes(control(19))[4:], packets.HEADER),
        (bytes(control(19, offset_10=6)), packets.VALUE),
        (bytes(control(19, offset_9=4)), packets.VALUE),
        (b'\xff' * 198, packets.HEADER),
    ],
)
def test_what_is_no_control_packet_is_refused_with_a_reason(data, why):
    with pytest.raises(BadPacket) as error:
        read_control(data)
    assert error.value.why == why


@given(st.binary(max_size=300))
def test_whatever_arrives_is_read_or_refused(data):
    for start in (b'', b'RGme\x13', b'RGme\x12'):
        try:
            read_control(start + data)
        except BadPacket:
            pass
    for start in (b'', b'RGrt\x04'):
        try:
            read_status(start + data)
        except BadPacket:
            pass


def test_a_status_packet_has_every_number_where_the_header_puts_it():
    data = write_status(Status(3, 5, True, (1.5, -0.25, 0.5), 2.0, (0.75, -0.1)))
    assert len(data) == 32 and data[:8] == b'RGrt\x04\x03\x05\x01'
    floats = struct.unpack_from('<6f', data, 8)
    assert floats == pytest.approx((1500, -250, 0.5, 2.0, 750, -100))
    unknown = write_status(Status(3, 5))
    assert unknown[7] == 255 and struct.unpack_from('<f', unknown, 20) == (-1.0,)


def test_a_status_packet_is_read_as_it_was_meant():
    raw = b'RGrt' + bytes([4, 2, 9, 0]) + struct.pack('<6f', -1000, 2000, math.pi, -1, 0, 0)
    status = read_status(raw)
    assert (status.player, status.team, status.fallen, status.ball_age) == (2, 9, False, None)
    assert status.pose == pytest.approx((-1.0, 2.0, math.pi))
    for wrong in (raw[:-1], b'RGme' + raw[4:], raw[:4] + b'\x03' + raw[5:]):
        with pytest.raises(BadPacket):
            read_status(wrong)


@pytest.mark.parametrize('version', [19, 18])
def test_what_a_practice_game_sends_has_its_bytes_where_the_header_puts_them(version):
    game = PracticeGame(5, 6, players=4, version=version)
    game.do('play')
    game.do(f'set play {SET_PLAYS[version][3]} 6')
    game.do('penalise 2 pushing team 6')
    game.do('goal 6')
    data = game.packet(0.0)
    expected = control(version, offset_5=1, offset_11=3)
    team = len(expected) // 2 - 9
    expected[14:16] = (600).to_bytes(2, 'little')
    expected[16:18] = (45).to_bytes(2, 'little')
    pushing = {19: 9, 18: 2}[version]
    penalise(expected, 1, 2, pushing, 30)
    substitute = {19: 11, 18: 14}[version]
    for side in (0, 1):
        for player in range(5, 21):
            penalise(expected, side, player, substitute, 0)
        start = 18 + side * team
        expected[start + 1 : start + 3] = (b'\0\1', b'\2\3')[side]
        expected[start + 4] = side
    assert data == bytes(expected)


def test_every_penalty_and_set_play_that_is_sent_is_read_as_what_it_is():
    for version in (19, 18):
        for name in list(PENALTIES[version].values())[1:]:
            game = PracticeGame(5, 6, version=version)
            game.do(f'penalise 1 {name}')
            assert read_control(game.packet(0.0)).teams[0].players[0].penalty == name
        for name in list(SET_PLAYS[version].values())[1:]:
            game.do(f'set play {name} 6')
            assert read_control(game.packet(0.0)).set_play == name
