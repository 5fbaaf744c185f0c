"""A practice match that a person rules by typing."""

import pytest

from guda_ros.errors import GudaError
from guda_ros.game.packets import read_control
from guda_ros.game.practice import PracticeGame


def test_clocks_run_while_the_game_is_played_and_penalties_run_down():
    game = PracticeGame(5, 6, now=100.0)
    game.do('penalise 2 pushing')
    game.do('play')
    said = read_control(game.packet(110.5))
    assert said.seconds == 590
    assert said.teams[0].players[1].seconds == 20
    game.do('stop')
    assert read_control(game.packet(120.5)).seconds == 590
    game.do('go')
    assert read_control(game.packet(121.5)).seconds == 589
    game.do('forgive 2')
    assert read_control(game.packet(121.6)).teams[0].players[1].penalty == 'none'


def test_a_set_play_ends_by_itself_and_with_the_next_state():
    game = PracticeGame(5, 6, now=0.0)
    game.do('play')
    game.do('set play corner kick 6')
    said = read_control(game.packet(44.0))
    assert (said.set_play, said.kicking_team, said.secondary) == ('corner kick', 6, 1)
    assert read_control(game.packet(45.0)).set_play == 'none'
    game.do('set play corner kick 6')
    game.do('ready')
    assert read_control(game.packet(46.0)).set_play == 'none'


def test_the_number_of_a_packet_begins_again_after_255():
    game = PracticeGame(5, 6)
    numbers = [read_control(game.packet(0.0)).packet for _ in range(257)]
    assert numbers[:2] == [1, 2] and numbers[254:] == [255, 0, 1]


@pytest.mark.parametrize(
    'text, said',
    [
        ('dance', 'is no rule; known: initial, ready, set, play'),
        ('penalise', 'N: a number is expected, not nothing'),
        ('penalise 21', '21 is not from 1 to 20'),
        ('penalise two', 'a number is expected, not two'),
        ('penalise 2 dancing', 'is no penalty; known: illegal positioning'),
        ('penalise 2 team 9', 'team 9 does not play; 5 and 6 do'),
        ('goal', 'TEAM: a number is expected'),
        ('kickoff 7', 'team 7 does not play'),
        ('set play dance 5', 'names: none, direct free kick'),
        ('set play corner kick', 'names: none, direct free kick'),
        ('half 3', '3 is not from 1 to 2'),
        ('goal ²', 'a number is expected'),
    ],
)
def test_what_is_no_rule_is_told_and_changes_nothing(text, said):
    game = PracticeGame(5, 6)
    before = game.control
    with pytest.raises(GudaError, match=said):
        game.do(text)
    assert game.control == before


def test_two_teams_are_two():
    with pytest.raises(GudaError, match='two different teams'):
        PracticeGame(5, 5)
