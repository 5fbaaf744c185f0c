"""A practice match: what a referee types becomes the packets of a game controller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from guda_ros.errors import GudaError
from guda_ros.game.packets import Control, Player, PLAYERS, Team, write_control
from guda_ros.game.tables import NONE, PENALTIES, SET_PLAYS

#: Seconds of a half, of `ready`, and of a set play.
HALF, READY, SET_PLAY = 600, 45, 45
#: Seconds of a penalty, and of `motion in set`, which is served in place (version 19).
PENALTY, IN_PLACE = 30, 10
#: Penalties that no time ends.
_FOR_GOOD = ('sent off', 'substitute')
BUDGET = 12000

HELP = """\
initial, ready, set, play, finish   the state
stop, go                            stop the game, let it go on
kickoff TEAM                        who kicks off or in
set play NAME TEAM                  such as: set play corner kick 5
penalise N [REASON] [team TEAM]     such as: penalise 2 pushing; without a reason, pick-up
forgive N [team TEAM]               end the penalty
goal TEAM                           count a goal
half 1, half 2, timeout, normal     half and phase
help, quit"""


class PracticeGame:
    """
    A game of two teams that a person rules by typing.

    :param team, other: their numbers. :param players: of a team that play, the others are
        substitutes. :param version: of the packets, 19 or 18. :param now: steady time [s].
    """

    def __init__(
        self, team: int, other: int, players: int = 4, version: int = 19, now: float = 0.0
    ) -> None:
        if team == other:
            raise GudaError(f'two different teams are needed, not {team} twice')
        self._version = version
        line = tuple(
            Player() if index < players else Player('substitute') for index in range(PLAYERS)
        )
        self.control = Control(
            teams=(
                Team(team, (0, 1), 1, budget=BUDGET, players=line),
                Team(other, (2, 3), 1, budget=BUDGET, players=line),
            ),
            version=version,
            competition=(0,) if version == 19 else (0, 0),
            players_per_team=players,
            kicking_team=team,
            seconds=HALF,
        )
        # When a second of the game has passed next.
        self._next = now + 1.0

    def do(self, text: str) -> str:
        """Do what a line says and return it in words; GudaError for what is no rule."""
        words = text.split()
        if not words:
            return self.describe()
        verb, rest = words[0].lower(), words[1:]
        rules: dict[str, Callable[[list[str]], Control]] = {
            'initial': lambda _: self._state('initial', 0),
            'ready': lambda _: self._state('ready', READY),
            'set': self._set,
            'play': lambda _: self._state('playing', 0),
            'finish': lambda _: self._state('finished', 0),
            'stop': lambda _: self._stop(True),
            'go': lambda _: self._stop(False),
            'kickoff': lambda r: replace(self.control, kicking_team=self._team(r)),
            'penalise': self._penalise,
            'forgive': lambda r: self._punish(r, NONE, 0),
            'goal': self._goal,
            'half': self._half,
            'timeout': lambda _: replace(self.control, phase='timeout', state='initial'),
            'normal': lambda _: replace(self.control, phase='normal'),
        }
        if verb not in rules:
            raise GudaError(f'{verb!r} is no rule; known: {", ".join(rules)}')
        self.control = rules[verb](rest)
        return self.describe()

    def packet(self, now: float) -> bytes:
        """Return the next packet at a steady time [s]; clocks run by it."""
        while now >= self._next:
            self._next += 1.0
            self._second()
        self.control = replace(self.control, packet=(self.control.packet + 1) % 256)
        return write_control(self.control)

    def describe(self) -> str:
        """Return the game in one line."""
        control = self.control
        score = ':'.join(str(team.score) for team in control.teams)
        set_play = '' if control.set_play == NONE else f', {control.set_play}'
        penalties = [
            f'{team.number}.{index} {player.penalty} {player.seconds} s'
            for team in control.teams
            for index, player in enumerate(team.players, 1)
            if player.penalty not in (NONE, 'substitute')
        ]
        return (
            f'{control.state}{" (stopped)" if control.stopped else ""}{set_play}, {score}, '
            f'{control.seconds} s left' + ''.join(f'; {text}' for text in penalties)
        )

    def _second(self) -> None:
        control = self.control
        if control.stopped:
            return
        runs = control.state == 'playing'
        teams = tuple(
            replace(
                team,
                players=tuple(
                    replace(player, seconds=max(0, player.seconds - 1)) for player in team.players
                ),
            )
            for team in control.teams
        )
        self.control = replace(
            control,
            teams=(teams[0], teams[1]),
            seconds=max(-32768, control.seconds - runs),
            secondary=max(0, control.secondary - 1),
            set_play=NONE if runs and control.secondary <= 1 else control.set_play,
        )

    def _state(self, state: str, seconds: int) -> Control:
        return replace(self.control, state=state, secondary=seconds, set_play=NONE, stopped=False)

    def _set(self, rest: list[str]) -> Control:
        if not rest:
            return self._state('set', 0)
        known = SET_PLAYS[self._version]
        name = ' '.join(rest[1:-1])
        if rest[0] != 'play' or name not in known.values():
            raise GudaError(f'set play NAME TEAM is expected; names: {", ".join(known.values())}')
        return replace(
            self.control, set_play=name, kicking_team=self._team(rest[-1:]), secondary=SET_PLAY
        )

    def _stop(self, stopped: bool) -> Control:
        if self._version != 19:
            raise GudaError('packets of version 18 cannot say that a game is stopped')
        return replace(self.control, stopped=stopped)

    def _penalise(self, rest: list[str]) -> Control:
        known = [name for name in PENALTIES[self._version].values() if name != NONE]
        words, _ = _before_team(rest)
        usual = 'pick-up' if self._version == 19 else 'request for pick-up'
        reason = ' '.join(words[1:]) or usual
        if reason not in known:
            raise GudaError(f'{reason!r} is no penalty; known: {", ".join(known)}')
        seconds = IN_PLACE if reason == 'motion in set' else PENALTY
        return self._punish(rest, reason, 0 if reason in _FOR_GOOD else seconds)

    def _punish(self, rest: list[str], reason: str, seconds: int) -> Control:
        _, team = _before_team(rest)
        number = self.control.teams[0].number if team is None else self._team(team)
        player = self._number(rest[:1], 'N', PLAYERS)
        first, second = (
            replace(
                team,
                players=tuple(
                    replace(one, penalty=reason, seconds=seconds) if index == player else one
                    for index, one in enumerate(team.players, 1)
                ),
            )
            if team.number == number
            else team
            for team in self.control.teams
        )
        return replace(self.control, teams=(first, second))

    def _goal(self, rest: list[str]) -> Control:
        number = self._team(rest)
        first, second = (
            replace(team, score=min(255, team.score + (team.number == number)))
            for team in self.control.teams
        )
        return replace(self.control, teams=(first, second))

    def _half(self, rest: list[str]) -> Control:
        half = self._number(rest, 'half 1 or half 2', 2)
        return replace(self.control, first_half=half == 1, seconds=HALF, state='initial')

    def _team(self, rest: list[str]) -> int:
        number = self._number(rest, 'TEAM', 254)
        known = [team.number for team in self.control.teams]
        if number not in known:
            raise GudaError(f'team {number} does not play; {known[0]} and {known[1]} do')
        return number

    @staticmethod
    def _number(rest: list[str], what: str, most: int) -> int:
        if not rest or not rest[0].isascii() or not rest[0].isdigit():
            raise GudaError(f'{what}: a number is expected, not {" ".join(rest) or "nothing"}')
        number = int(rest[0][:9])
        if not 1 <= number <= most:
            raise GudaError(f'{what}: {number} is not from 1 to {most}')
        return number


def _before_team(words: list[str]) -> tuple[list[str], list[str] | None]:
    """Return the words before `team` and those behind it, None where it is not said."""
    if 'team' not in words:
        return words, None
    end = words.index('team')
    return words[:end], words[end + 1 :]
