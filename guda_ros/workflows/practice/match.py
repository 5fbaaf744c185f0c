"""Rule a practice match: type, and the robots hear a game controller."""

from __future__ import annotations

from collections.abc import Callable
import os
import select
import socket
import time
from typing import TextIO

from guda_ros.errors import GudaError
from guda_ros.game.packets import (
    BadPacket,
    CONTROL_PORT,
    read_status,
    Status,
    STATUS_PORT,
)
from guda_ros.game.practice import HELP, PracticeGame

#: Seconds between packets, as a game controller sends them.
PERIOD = 0.5
#: Seconds after which a robot that says nothing is told.
ROBOT_LIFE = 5.0


class Match:
    """
    Send the packets of a practice game, and hear the robots.

    :param to: address of a robot, or the broadcast address of a network. :param port: of the
        robots; status_port: of this computer, 0 for a free one.
    :param say: called with what happens, in words.
    :raises GudaError: if the status port cannot be had.
    """

    def __init__(
        self,
        game: PracticeGame,
        to: str = '127.0.0.1',
        *,
        port: int = CONTROL_PORT,
        status_port: int = STATUS_PORT,
        say: Callable[[str], None] = print,
    ) -> None:
        self._game, self._to, self._say = game, (to, port), say
        self._robots: dict[tuple[int, int], float] = {}
        self._due = 0.0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._socket.setblocking(False)
        try:
            self._socket.bind(('', status_port))
        except OSError as error:
            self._socket.close()
            raise GudaError(
                f'UDP port {status_port}, on which robots answer, cannot be had: '
                f'{error.strerror}; does another game controller run?'
            ) from error
        self.status_port: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def rule(self, lines: TextIO, patience: float = 0.0) -> None:
        """
        Do what is typed until `quit` or the end of the input.

        :param lines: a file with a descriptor, such as sys.stdin.
        :param patience: seconds for which the last state is sent on after the end of the input.
        """
        self.send()
        # Not by readline: what it has read ahead is unknown to select.
        descriptor, rest = lines.fileno(), b''
        while True:
            wait = max(0.0, self._due - time.monotonic())
            ready, _, _ = select.select([descriptor, self._socket], [], [], wait)
            if self._socket in ready:
                self.hear()
            if descriptor in ready:
                read = os.read(descriptor, 4096)
                *typed, rest = (rest + read).split(b'\n') if read else [rest, b'']
                for line in typed:
                    if not self._type(line.decode('utf-8', 'replace').strip()):
                        return
                if not read:
                    self.run(patience)
                    return
            if time.monotonic() >= self._due:
                self.send()

    def run(self, seconds: float) -> None:
        """Send on and hear for a time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if time.monotonic() >= self._due:
                self.send()
            wait = max(0.0, min(self._due, until) - time.monotonic())
            if select.select([self._socket], [], [], wait)[0]:
                self.hear()

    def send(self) -> None:
        """Send a packet now."""
        now = time.monotonic()
        self._due = now + PERIOD
        try:
            self._socket.sendto(self._game.packet(now), self._to)
        except OSError as error:
            raise GudaError(f'{self._to[0]}:{self._to[1]}: {error.strerror}') from error
        for robot, heard in list(self._robots.items()):
            if now - heard > ROBOT_LIFE:
                del self._robots[robot]
                self._say(f'{robot[0]}.{robot[1]} says nothing any more')

    def hear(self) -> None:
        """Take what robots have sent."""
        while True:
            try:
                status = read_status(self._socket.recv(2048))
            except BlockingIOError:
                return
            except OSError:
                # Nobody listens there yet.
                continue
            except BadPacket as error:
                self._say(f'not understood: {error}')
                continue
            robot = status.team, status.player
            if robot not in self._robots:
                self._say(_words(status))
            self._robots[robot] = time.monotonic()

    def _type(self, line: str) -> bool:
        """Do one line; tell whether to go on."""
        if line in ('quit', 'exit'):
            return False
        if line == 'help':
            self._say(HELP)
            return True
        try:
            self._say(self._game.do(line))
        except GudaError as error:
            self._say(str(error))
        else:
            self.send()
        return True


def _words(status: Status) -> str:
    fallen = {None: '', False: ', stands', True: ', fallen'}[status.fallen]
    x, y, _ = status.pose
    ball = 'no ball' if status.ball_age is None else f'ball seen {status.ball_age:.0f} s ago'
    return f'{status.team}.{status.player} is there{fallen}, at {x:.1f}, {y:.1f} m, {ball}'
