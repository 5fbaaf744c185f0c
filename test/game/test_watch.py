"""What a game asks of a robot: stand or play."""

from game_packets import control, penalise
import pytest

from guda_ros.game.watch import GameWatch, OTHER_SENDER, WRONG_TEAM

STATES = {'initial': 0, 'ready': 1, 'set': 2, 'playing': 3, 'finished': 4}


def watch(**options):
    return GameWatch(6, 2, **options)


def state(name, version=19, **more):
    return bytes(control(version, offset_10=STATES[name], **more))


@pytest.mark.parametrize(
    'name, stands',
    [
        ('initial', True),
        ('ready', False),
        ('set', True),
        ('playing', False),
        ('finished', True),
    ],
)
@pytest.mark.parametrize('version', [19, 18])
def test_a_robot_moves_in_ready_and_playing_only(name, stands, version):
    game = watch()
    assert game.stand(0.0) == 'no game controller was heard yet'
    assert game.packet(state(name, version), 'gc', 1.0)
    assert game.stand(1.0) == (name if stands else '')


def test_a_robot_stands_while_it_is_penalised_and_the_others_do_not():
    game = watch()
    game.packet(bytes(penalise(control(), 1, 3, 9, 20)), 'gc', 0.0)
    assert game.stand(0.0) == ''
    game.packet(bytes(penalise(control(), 0, 2, 9, 20)), 'gc', 0.0)
    assert game.stand(0.0) == ''
    game.packet(bytes(penalise(control(), 1, 2, 9, 20)), 'gc', 0.0)
    assert game.stand(0.0) == 'penalised: pushing'
    assert game.as_dict(0.0)['penalty_seconds'] == 20


def test_a_stopped_game_and_a_timeout_keep_everybody_standing():
    game = watch()
    game.packet(state('playing', offset_8=1), 'gc', 0.0)
    assert game.stand(0.0) == 'the game is stopped'
    game.packet(state('playing', offset_9=3), 'gc', 0.0)
    assert game.stand(0.0) == 'timeout'


def test_a_whistle_in_set_stands_for_the_playing_that_comes_late_but_not_for_ever():
    game = watch(whistle_delay=12.0, lost_after=100.0)
    game.packet(state('initial'), 'gc', 0.0)
    assert not game.whistle(0.0) and game.stand(0.0) == 'initial'
    game.packet(state('set'), 'gc', 1.0)
    assert game.whistle(2.0) and game.stand(2.0) == ''
    game.packet(state('set'), 'gc', 13.0)
    assert game.stand(13.9) == ''
    assert game.stand(14.1) == 'set'
    game.whistle(15.0)
    # A whistle that was none of this game: it goes back.
    game.packet(state('ready'), 'gc', 16.0)
    game.packet(state('set'), 'gc', 17.0)
    assert game.stand(17.0) == 'set'


def test_a_whistle_does_not_free_who_is_penalised():
    game = watch()
    game.packet(bytes(penalise(control(offset_10=2), 1, 2, 2, 10)), 'gc', 0.0)
    game.whistle(0.0)
    assert game.stand(0.0) == 'penalised: motion in set'


@pytest.mark.parametrize('stands', [True, False])
def test_a_game_controller_that_falls_silent_is_lost_after_the_stated_time(stands):
    game = watch(stand_when_lost=stands)
    game.packet(state('playing'), 'gc', 0.0)
    assert not game.lost(5.0) and game.stand(5.0) == ''
    assert game.lost(5.1) and bool(game.stand(5.1)) == stands
    game.packet(state('set'), 'gc', 6.0)
    assert game.stand(20.0) == ('the game controller is lost' if stands else 'set')


def test_packets_of_another_game_or_sender_are_counted_and_change_nothing():
    game = watch()
    assert game.packet(state('set'), 'gc', 0.0)
    assert not game.packet(state('playing', offset_108=7), 'gc', 0.1)
    assert not game.packet(state('playing'), 'rogue', 0.2)
    assert not game.packet(b'RGme', 'gc', 0.3)
    assert game.stand(0.4) == 'set'
    assert game.heard == 1
    assert game.refused == {WRONG_TEAM: 1, OTHER_SENDER: 1, 'wrong version': 1}
    # Once the first is lost, another may take the game over.
    assert game.packet(state('playing'), 'second', 9.0) and game.stand(9.0) == ''


def test_a_named_game_controller_is_the_only_one_that_is_ever_heeded():
    game = watch(controller='10.0.0.1')
    assert not game.packet(state('playing'), '10.0.0.2', 0.0)
    assert game.stand(0.0) == 'no game controller was heard yet'
    assert game.packet(state('playing'), '10.0.0.1', 0.0)
    assert not game.packet(state('set'), '10.0.0.2', 100.0)
