"""What a game asks of one robot: stand or play, by the packets of its game controller."""

from __future__ import annotations

from collections import Counter

from guda_ros.game.packets import BadPacket, Control, Player, read_control, Team
from guda_ros.game.tables import NONE

#: States in which nobody moves.
STILL = ('initial', 'set', 'finished', 'standby')
# Why a sound packet is not heeded, as it is counted.
WRONG_TEAM, OTHER_SENDER = 'wrong team', 'other sender'


class GameWatch:
    """
    Keep what the game controller said last, and say whether the robot may play.

    It heeds one sender until that is lost, and only packets of games of its team. Times are
    seconds of one steady clock.

    :param team, player: numbers of the robot's team and of the robot in it, from 1.
    :param lost_after: silence [s] after which the game controller counts as lost.
    :param whistle_delay: how long [s] `playing` may come after the whistle: for so long a whistle
        that was heard in `set` stands for it.
    :param controller: address of the only sender that is heeded; empty: the first.
    :param stand_when_lost: whether the robot stands while the game controller is lost;
        else what it said last holds.
    """

    def __init__(
        self,
        team: int,
        player: int,
        *,
        lost_after: float = 5.0,
        whistle_delay: float = 12.0,
        controller: str = '',
        stand_when_lost: bool = True,
    ) -> None:
        self.team, self.player = team, player
        self.lost_after, self._whistle_delay = lost_after, whistle_delay
        self._controller, self._stand_when_lost = controller, stand_when_lost
        #: What was said last, None before anything was.
        self.control: Control | None = None
        #: Address of who said it, empty while nobody is heeded.
        self.sender = controller
        #: Packets that were heeded, and those that were not, by why.
        self.heard, self.refused = 0, Counter[str]()
        #: What was wrong with the packet that was refused last.
        self.problem = ''
        self._heard_at = self._whistle_at = float('-inf')

    def packet(self, data: bytes, sender: str, now: float) -> bool:
        """Take what a sender's address sent; tell whether it was heeded."""
        try:
            control = read_control(data)
        except BadPacket as error:
            return self._refuse(error.why, f'{sender}: {error}')
        bound = self._controller or ('' if self.lost(now) else self.sender)
        if bound and sender != bound:
            return self._refuse(OTHER_SENDER, f'{sender} is not {bound}')
        if self.team not in (team.number for team in control.teams):
            plays = ' and '.join(str(team.number) for team in control.teams)
            return self._refuse(WRONG_TEAM, f'{sender}: teams {plays} play, not {self.team}')
        if control.state != 'set':
            self._whistle_at = float('-inf')
        self.control, self.sender, self._heard_at = control, sender, now
        self.heard += 1
        return True

    def whistle(self, now: float) -> bool:
        """Take it that the whistle was blown; only in `set` that means anything."""
        means = self.control is not None and self.control.state == 'set' and not self.lost(now)
        if means:
            self._whistle_at = now
        return means

    def lost(self, now: float) -> bool:
        """Tell whether the game controller is not heard, or not any more."""
        return now - self._heard_at > self.lost_after

    @property
    def mine(self) -> Team | None:
        """The robot's team."""
        teams = self.control.teams if self.control else ()
        return next((team for team in teams if team.number == self.team), None)

    @property
    def me(self) -> Player:
        """The robot among the players."""
        mine = self.mine
        return mine.players[self.player - 1] if mine is not None else Player()

    def plays_on_whistle(self, now: float) -> bool:
        """Tell whether a whistle stands for the `playing` that has not come yet."""
        return now - self._whistle_at <= self._whistle_delay

    def stand(self, now: float) -> str:
        """Return why the robot has to stand, empty if it may move."""
        control = self.control
        if control is None:
            return 'no game controller was heard yet'
        if self._stand_when_lost and self.lost(now):
            return 'the game controller is lost'
        if self.me.penalty != NONE:
            return f'penalised: {self.me.penalty}'
        if control.stopped:
            return 'the game is stopped'
        if control.phase == 'timeout':
            return 'timeout'
        still = control.state in STILL and not self.plays_on_whistle(now)
        return control.state if still else ''

    def as_dict(self, now: float) -> dict[str, object]:
        """Return what is known in plain values, for a topic; null is not known."""
        control, mine = self.control, self.mine
        known: dict[str, object] = {
            'team': self.team,
            'player': self.player,
            'stand': self.stand(now),
            'lost': self.lost(now),
        }
        if control is None or mine is None:
            return known
        other = next(team for team in control.teams if team is not mine)
        return {
            **known,
            'state': control.state,
            'phase': control.phase,
            'set_play': control.set_play,
            'kicking': None if control.kicking_team is None else control.kicking_team == self.team,
            'stopped': control.stopped,
            'first_half': control.first_half,
            'seconds': control.seconds,
            'secondary': control.secondary,
            'penalty': self.me.penalty,
            'penalty_seconds': self.me.seconds,
            'goalkeeper': mine.goalkeeper == self.player,
            'score': [mine.score, other.score],
            'budget': mine.budget,
            'whistle': self.plays_on_whistle(now),
        }

    def _refuse(self, why: str, message: str) -> bool:
        self.refused[why] += 1
        self.problem = message
        return False
