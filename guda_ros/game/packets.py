"""
Packets between a game controller and robots: control to the robots, status back.

All numbers are little-endian and without gaps; see tables for where that is published.
"""

from __future__ import annotations

from dataclasses import dataclass
import struct

from guda_ros.game.tables import name_of, NONE, number_of, PENALTIES, PHASES, SET_PLAYS, STATES

#: UDP ports: control packets to the robots, status packets to the game controller.
CONTROL_PORT, STATUS_PORT = 3838, 3939
CONTROL_HEADER, STATUS_HEADER = b'RGme', b'RGrt'
STATUS_VERSION = 4
#: Players of a team that a packet has, whoever plays.
PLAYERS = 20
#: `kickingTeam` of nobody.
NO_TEAM = 255

_HEAD = struct.Struct('<4s10B2h')
_TEAM = struct.Struct('<6B2H')
_STATUS = struct.Struct('<4s4B3ff2f')
#: Bytes of a player by version: penalty and seconds; in version 19 warnings and cautions, too.
_PLAYER_BYTES = {19: 4, 18: 2}
VERSIONS = tuple(_PLAYER_BYTES)

# Why a packet is refused, as it is counted.
SHORT, HEADER, VERSION, VALUE = 'wrong length', 'wrong header', 'wrong version', 'unknown state'


class BadPacket(ValueError):
    """A packet is none of a game controller's; `why` is one of the constants above."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True)
class Player:
    """One player: what it is penalised for (`none`), seconds until it is not, and cards."""

    penalty: str = NONE
    seconds: int = 0
    warnings: int = 0
    cautions: int = 0


@dataclass(frozen=True)
class Team:
    """
    One team.

    colours: numbers of field players and goalkeeper, see tables.COLOURS. goalkeeper: number of the
    player, 0 for none. shots: penalty shots taken, and bits of those that were goals. budget:
    messages that it may still send. players: PLAYERS of them, player 1 first.
    """

    number: int
    colours: tuple[int, int] = (0, 0)
    goalkeeper: int = 0
    score: int = 0
    shots: tuple[int, int] = (0, 0)
    budget: int = 0
    players: tuple[Player, ...] = (Player(),) * PLAYERS


@dataclass(frozen=True)
class Control:
    """
    What a game controller says.

    competition: its bytes 7 and, in version 18, 8. kicking_team: None for nobody. seconds: left of
    the half; secondary: of what else runs, such as ready or a set play.
    """

    teams: tuple[Team, Team]
    version: int = 19
    packet: int = 0
    players_per_team: int = 4
    competition: tuple[int, ...] = (0,)
    stopped: bool = False
    phase: str = 'normal'
    state: str = 'initial'
    set_play: str = NONE
    first_half: bool = True
    kicking_team: int | None = None
    seconds: int = 600
    secondary: int = 0


@dataclass(frozen=True)
class Status:
    """
    What a robot says of itself.

    player: from 1. fallen: None is not known. pose: x, y [m], theta [rad] from the field's centre,
    x to the opponent's goal. ball_age [s]: since it was seen, None for never; ball: (x, y) [m]
    before the robot.
    """

    player: int
    team: int
    fallen: bool | None = None
    pose: tuple[float, float, float] = (0.0, 0.0, 0.0)
    ball_age: float | None = None
    ball: tuple[float, float] = (0.0, 0.0)


def control_size(version: int) -> int:
    """Return how many bytes a control packet of a version has."""
    return _HEAD.size + 2 * (_TEAM.size + PLAYERS * _PLAYER_BYTES[version])


def read_control(data: bytes) -> Control:
    """
    Read a control packet of version 19 or 18.

    :raises BadPacket: for anything else.
    """
    if data[:4] != CONTROL_HEADER:
        raise BadPacket(HEADER, f'header {data[:4]!r} is not {CONTROL_HEADER!r}')
    version = data[4] if len(data) > 4 else -1
    if version not in VERSIONS:
        known = ' and '.join(map(str, VERSIONS))
        raise BadPacket(VERSION, f'version {version}; {known} are known')
    if len(data) != control_size(version):
        raise BadPacket(
            SHORT, f'{len(data)} bytes; {control_size(version)} are those of version {version}'
        )
    (
        _,
        _,
        packet,
        count,
        seventh,
        eighth,
        phase,
        state,
        set_play,
        half,
        kicking,
        seconds,
        more,
    ) = _HEAD.unpack_from(data)
    if state not in STATES or phase not in PHASES:
        raise BadPacket(VALUE, f'state {state}, phase {phase}')
    size = control_size(version)
    middle = (_HEAD.size + size) // 2
    return Control(
        teams=(_read_team(data, _HEAD.size, version), _read_team(data, middle, version)),
        version=version,
        packet=packet,
        players_per_team=count,
        competition=(seventh,) if version == 19 else (seventh, eighth),
        stopped=version == 19 and bool(eighth),
        phase=PHASES[phase],
        state=STATES[state],
        set_play=name_of(SET_PLAYS[version], set_play),
        first_half=bool(half),
        kicking_team=None if kicking == NO_TEAM else kicking,
        seconds=seconds,
        secondary=more,
    )


def _read_team(data: bytes, offset: int, version: int) -> Team:
    number, field, goal, keeper, score, shot, shots, budget = _TEAM.unpack_from(data, offset)
    width, first = _PLAYER_BYTES[version], offset + _TEAM.size
    rows = (data[first + width * index :][:width] for index in range(PLAYERS))
    return Team(
        number,
        (field, goal),
        keeper,
        score,
        (shot, shots),
        budget,
        tuple(Player(name_of(PENALTIES[version], row[0]), *row[1:]) for row in rows),
    )


def write_control(control: Control) -> bytes:
    """Return the bytes of a control packet; ValueError or struct.error for what it cannot hold."""
    version = control.version
    seventh, eighth = (*control.competition, 0)[:2]
    head = _HEAD.pack(
        CONTROL_HEADER,
        version,
        control.packet % 256,
        control.players_per_team,
        seventh,
        int(control.stopped) if version == 19 else eighth,
        number_of(PHASES, control.phase),
        number_of(STATES, control.state),
        number_of(SET_PLAYS[version], control.set_play),
        int(control.first_half),
        NO_TEAM if control.kicking_team is None else control.kicking_team,
        control.seconds,
        control.secondary,
    )
    parts = [head]
    for team in control.teams:
        parts.append(
            _TEAM.pack(
                team.number,
                *team.colours,
                team.goalkeeper,
                team.score,
                *team.shots,
                team.budget,
            )
        )
        for player in team.players:
            row = (
                number_of(PENALTIES[version], player.penalty),
                min(player.seconds, 255),
                player.warnings,
                player.cautions,
            )
            parts.append(bytes(row[: _PLAYER_BYTES[version]]))
    return b''.join(parts)


def write_status(status: Status) -> bytes:
    """Return the bytes of a status packet of version 4."""
    x, y, theta = status.pose
    return _STATUS.pack(
        STATUS_HEADER,
        STATUS_VERSION,
        status.player,
        status.team,
        255 if status.fallen is None else int(status.fallen),
        x * 1000,
        y * 1000,
        theta,
        -1.0 if status.ball_age is None else status.ball_age,
        *(value * 1000 for value in status.ball),
    )


def read_status(data: bytes) -> Status:
    """Read a status packet of version 4; BadPacket for anything else."""
    if data[:4] != STATUS_HEADER:
        raise BadPacket(HEADER, f'header {data[:4]!r} is not {STATUS_HEADER!r}')
    if len(data) != _STATUS.size:
        raise BadPacket(SHORT, f'{len(data)} bytes; {_STATUS.size} are expected')
    _, version, player, team, fallen, x, y, theta, age, ahead, left = _STATUS.unpack(data)
    if version != STATUS_VERSION:
        raise BadPacket(VERSION, f'version {version} of a status; {STATUS_VERSION} is known')
    return Status(
        player,
        team,
        None if fallen == 255 else bool(fallen),
        (x / 1000, y / 1000, theta),
        None if age < 0 else age,
        (ahead / 1000, left / 1000),
    )
