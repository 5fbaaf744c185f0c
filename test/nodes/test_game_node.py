"""The game node over real UDP sockets, and what the safety node makes of what it tells."""

import json
import os
import signal
import socket
import struct
import time

from diagnostic_msgs.msg import DiagnosticStatus
from game_packets import control, penalise
from geometry_msgs.msg import PointStamped
from node_trial import NodeTrial
import numpy as np
import pytest
from std_msgs.msg import Bool, String

from guda_ros.ros.qos import LATCHED

GO = [0.2, -0.1, 0.5]
ZERO = [0.0, 0.0, 0.0]


def free_port() -> int:
    """Return a UDP port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(('127.0.0.1', 0))
        return found.getsockname()[1]


class Game:
    """A game controller's socket, and the nodes `game` and `safety` that hear it."""

    def __init__(self, trial, sockets, port):
        self.trial, self._port = trial, port
        self.out, self.back = sockets
        self.states = trial.listen(String, 'game/state', LATCHED)

    def send(self, data) -> None:
        self.out.sendto(bytes(data), ('127.0.0.1', self._port))

    def say(self, data, until, patience=20.0) -> None:
        """Send a packet, twice a second, until a condition holds."""
        deadline = time.monotonic() + patience
        while True:
            self.send(data)
            if self.trial.wait_for(until, 0.5):
                return
            assert time.monotonic() < deadline, (self.state, self.trial.log('game'))

    @property
    def state(self) -> dict:
        return json.loads(self.states[-1].data) if self.states else {}

    def becomes(self, **wanted):
        return lambda: wanted.items() <= self.state.items()

    def holds(self) -> bool:
        return 'game' in json.loads(self.trial.states[-1])['holds']

    def drives(self, source) -> bool:
        """Tell whether a command of a source reaches the robot as it is."""
        return self.trial.answer(self.trial.command(source, GO)) == GO

    def diagnosis(self) -> dict:
        self.trial.diagnostics.clear()
        assert self.trial.wait_for(lambda: '/game' in self.trial.diagnostics, 20)
        return self.trial.diagnostics['/game']


@pytest.fixture(scope='module')
def game(tmp_path_factory):
    port, answers = free_port(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    answers.bind(('127.0.0.1', 0))
    answers.setblocking(False)
    nodes = {
        'safety': {'require_deadman': False},
        'game': {
            'team': 6,
            'player': 2,
            'address': '127.0.0.1',
            'port': port,
            'status_port': answers.getsockname()[1],
            'status_period': 0.5,
            'lost_after': 3.0,
        },
    }
    with (
        answers,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
        NodeTrial(nodes, tmp_path_factory.mktemp('log')) as trial,
    ):
        yield Game(trial, (out, answers), port)


def test_before_a_game_controller_is_heard_the_policy_stands_and_a_person_drives(game):
    assert game.trial.wait_for(game.holds, 20)
    assert game.state['stand'] == 'no game controller was heard yet' and game.state['lost']
    assert game.trial.answer(game.trial.command('policy', GO)) == ZERO
    assert game.drives('teleop')
    level, message, _ = game.diagnosis()
    assert level == DiagnosticStatus.ERROR and message == 'no game controller for 3 s'
    game.trial.spin(0.6)


def test_the_policy_plays_while_the_game_is_played_and_stands_otherwise(game):
    game.say(control(), game.becomes(state='playing', stand=''))
    assert game.trial.wait_for(lambda: not game.holds(), 20)
    assert game.drives('policy')
    assert (game.state['score'], game.state['kicking']) == ([3, 2], True)
    for data, why in (
        (control(offset_10=2), 'set'),
        (penalise(control(), 1, 2, 5, 30), 'penalised: pick-up'),
        (control(offset_8=1), 'the game is stopped'),
        (control(18, offset_10=0), 'initial'),
    ):
        game.say(data, game.becomes(stand=why))
        assert game.trial.wait_for(
            lambda why=why: f'game: {why}' in json.loads(game.trial.states[-1])['holds'].values()
        )
        assert game.trial.answer(game.trial.command('policy', GO)) == ZERO
    game.say(control(), game.becomes(stand=''))
    assert game.trial.wait_for(lambda: not game.holds(), 20)
    assert game.drives('policy')


def test_a_whistle_in_set_lets_the_policy_play_before_the_packet_comes(game):
    game.say(control(offset_10=2), game.becomes(stand='set', whistle=False))
    game.trial.publish(Bool, 'game/whistle', Bool(data=True))
    game.say(control(offset_10=2), game.becomes(stand='', whistle=True, state='set'))


def test_the_robot_answers_the_game_controller_with_what_it_knows_of_itself(game):
    trial = game.trial
    trial.stand_at(1.5, -0.25, 0.5)
    ball = PointStamped()
    ball.point.x, ball.point.y = 0.75, -0.1
    trial.publish(PointStamped, 'ball/detection', ball)
    trial.publish(String, 'adapter/state', String(data='{"fall": "fallen"}'), LATCHED)
    latest = []

    def told() -> bool:
        try:
            while True:
                latest[:] = [game.back.recv(100)]
        except BlockingIOError:
            return bool(latest) and latest[0][7] == 1

    game.say(control(), told)
    assert len(latest[0]) == 32 and latest[0][:7] == b'RGrt\x04\x02\x06'
    x, y, theta, age, ahead, left = struct.unpack_from('<6f', latest[0], 8)
    np.testing.assert_allclose((x, y, theta), (1500, -250, 0.5), atol=1e-3)
    assert age >= 0 and (ahead, left) == pytest.approx((750, -100))
    # The safety node has heard of the fall, too: nobody drives.
    assert trial.wait_for(lambda: 'robot_fallen' in json.loads(trial.states[-1])['holds'])
    assert trial.answer(trial.command('teleop', GO)) == ZERO
    trial.publish(String, 'adapter/state', String(data='{"fall": ""}'), LATCHED)
    assert trial.wait_for(lambda: 'robot_fallen' not in json.loads(trial.states[-1])['holds'])


def test_hostile_packets_change_nothing_and_are_counted(game):
    game.say(control(offset_10=2), game.becomes(stand='set', lost=False))
    for data in (
        control()[:-1],
        b'',
        b'RGme',
        control(offset_0=0),
        control(offset_4=17),
        control(offset_10=9),
        control(offset_108=7),
        b'\xff' * 2000,
    ):
        game.send(data)

    def counted() -> bool:
        values = game.diagnosis()[2]
        return {
            'refused, wrong length',
            'refused, wrong header',
            'refused, wrong version',
            'refused, unknown state',
            'refused, wrong team',
        } <= values.keys()

    game.say(control(offset_10=2), counted)
    assert game.state['stand'] == 'set'


def test_a_game_controller_that_falls_silent_is_told_and_the_policy_stands(game):
    game.say(control(), game.becomes(stand=''))
    assert game.trial.wait_for(game.becomes(lost=True, stand='the game controller is lost'), 20)
    assert game.trial.wait_for(game.holds, 20)
    assert game.diagnosis()[0] == DiagnosticStatus.ERROR
    game.say(control(), game.becomes(stand='', lost=False))


def test_a_game_node_that_is_killed_leaves_a_policy_that_stands(tmp_path):
    port = free_port()
    nodes = {
        'safety': {'require_deadman': False},
        'game': {'team': 6, 'player': 2, 'address': '127.0.0.1', 'port': port},
    }
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
        NodeTrial(nodes, tmp_path) as trial,
    ):
        game = Game(trial, (out, out), port)
        game.say(control(), game.becomes(stand=''))
        assert trial.wait_for(lambda: not game.holds(), 20)
        os.killpg(trial.graph.pids['game'], signal.SIGKILL)
        assert trial.wait_for(game.holds, 20)
        holds = json.loads(trial.states[-1])['holds']
        assert 'the game node says nothing' in holds['game']
