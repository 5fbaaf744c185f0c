"""The gate before the robot: every command that leaves it is finite and within limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
import math

import numpy as np

from guda_ros.control.arbiter import CommandArbiter, Instant, Lock, Source
from guda_ros.control.field_limit import FieldLimit
from guda_ros.control.limits import CommandLimiter
from guda_ros.data.verdicts import INTERVENTION, STOP

# Reasons of a decision.
DRIVING = 'driving'
#: Of an operator's node that answers with zero while nobody drives.
STANDING = 'standing'
IDLE = 'idle'
EMERGENCY_STOP = 'emergency_stop'
NO_DEADMAN = 'no_deadman'
SILENT = 'silent'
SUPPRESSED = 'suppressed'
LOCKED = 'locked'
STALE = 'stale'
FUTURE = 'future'
OUT_OF_ORDER = 'out_of_order'
WRONG_FRAME = 'wrong_frame'
NOT_FINITE = 'not_finite'
#: Of a command that no source in its senses sends, see IMPLAUSIBLE_FACTOR.
IMPLAUSIBLE = 'implausible'
#: Before the name of a hold, see SafetyGate.hold.
HELD = 'held'

#: Commands that were refused for what they are, as opposed to who sent them when.
FAULTS = (STALE, FUTURE, OUT_OF_ORDER, WRONG_FRAME, NOT_FINITE, IMPLAUSIBLE)
#: A command beyond so many times a limit is garbage and not haste: the robot stands.
IMPLAUSIBLE_FACTOR = 10.0


@dataclass(frozen=True)
class Decision:
    """
    What to send now and why.

    `command` (3,) is forward, left [m/s], turn [rad/s] in base_link, None to send nothing. `stamp`
    [s] is set where the decision does not answer a command: the moment from which it holds.
    `message` is for people.
    """

    command: np.ndarray | None
    reason: str
    message: str
    source: str | None = None
    stamp: float | None = None


class SafetyGate:
    """
    Arbitration, validity, dead-man, emergency stop and limits in front of a robot.

    Time is an argument everywhere (arbiter.Instant). A command is answered by at most one
    decision:

    - too old, from the future or older than the one before: nothing is sent, the source does not
      count as speaking;
    - not finite, far beyond the limits or not in base_link: the source counts as speaking, and if
      it is in charge the robot stands;
    - a source of higher priority is in charge: nothing is sent;
    - the emergency stop is latched, a lock or a hold is on, or the dead-man of a guarded source
      is not held: zero;
    - else the command, within the limits.

    `tick`, called often, stops a robot whose driver fell silent or whom something holds. The
    emergency stop stays latched until `release`, a hold until it is taken back.

    :param sources: name to Source.
    :param frame: the frame that commands must be in.
    :param future_tolerance: how far [s] a stamp may lie ahead of the clock.
    :param guarded: sources that may move the robot only while the joystick's dead-man is held.
    :param operator: the source that a person drives through the joystick: it steps back when the
        dead-man is let go.
    :param joystick_timeout: time [s] after which the last joystick message says nothing any more.
    :param joystick_age: how old [s] the stamp of such a message may be, by default the same.
    :param repeat_stop: how long [s] a stop is repeated by `tick`; 0 sends it once.
    :param locks: name to Lock, see arbiter.
    :param field_limit: keeps the robot on the carpet; None does not.
    """

    def __init__(
        self,
        limiter: CommandLimiter,
        sources: Mapping[str, Source],
        *,
        frame: str = 'base_link',
        future_tolerance: float = 0.5,
        guarded: tuple[str, ...] = (),
        operator: str | None = None,
        joystick_timeout: float = 0.5,
        joystick_age: float | None = None,
        repeat_stop: float = 0.0,
        locks: Mapping[str, Lock] | None = None,
        field_limit: FieldLimit | None = None,
    ) -> None:
        for name in (*guarded, *((operator,) if operator else ())):
            if name not in sources:
                raise ValueError(
                    f'{name!r} is not a source of commands; known: {", ".join(sources)}'
                )
        self._limiter = limiter
        self._arbiter = CommandArbiter(sources, locks)
        self.field_limit = field_limit
        self._frame = frame
        self._future_tolerance = future_tolerance
        self._guarded = frozenset(guarded)
        self._operator = operator
        self.joystick_timeout = joystick_timeout
        self.joystick_age = joystick_timeout if joystick_age is None else joystick_age
        self._repeat_stop = repeat_stop
        self._now: Instant | None = None
        self._stamps: dict[str, float] = {}
        self._wishes: dict[str, np.ndarray | None] = {}
        self._joystick: frozenset[str] = frozenset()
        self._joystick_at: Instant | None = None
        self._let_go_at: Instant | None = None
        self._stop_cause: str | None = None
        self._holds: dict[str, tuple[str, frozenset[str]]] = {}
        self._stopped_at: Instant | None = None
        self._driver: str | None = None
        #: How often each (source, reason) was decided; (source, 'clamped') counts commands above
        #: the limits, (source, 'at_the_edge') those that would have left the field.
        self.counts: Counter[tuple[str | None, str]] = Counter()

    @property
    def stopped(self) -> bool:
        """Whether the emergency stop is latched."""
        return self._stop_cause is not None

    @property
    def stop_cause(self) -> str:
        """Who latched the emergency stop, empty when it is not."""
        return self._stop_cause or ''

    @property
    def driver(self) -> str | None:
        """The source whose command moves the robot now, None while it stands."""
        return self._driver

    def active(self, now: Instant) -> str | None:
        """Return the source in charge, None when all are silent."""
        return self._arbiter.active(now)

    def idles(self, source: str, now: Instant) -> bool:
        """Tell whether the operator's node only says zero, while nobody holds the dead-man."""
        wish = self._wishes.get(source)
        return (
            source == self._operator
            and wish is not None
            and not np.any(wish)
            and not self._deadman(now)
        )

    def locks(self, now: Instant) -> list[str]:
        """Return the names of the locks that are on."""
        return self._arbiter.locks(now)

    def overruled(self, source: str, now: Instant) -> list[str]:
        """Return who would drive if a source did not."""
        return self._arbiter.overruled(source, now)

    def commander(self, decision: Decision, now: Instant) -> str:
        """Return who commands with a decision, as recordings tell it (verdicts.COMMANDERS)."""
        if decision.reason != DRIVING or decision.source is None:
            return STOP
        return INTERVENTION if self.overruled(decision.source, now) else decision.source

    def lock(self, name: str, on: bool, now: Instant) -> None:
        """Note what the owner of a lock says; `tick` stops who it keeps silent."""
        self._advance(now)
        self._arbiter.lock(name, on, now)

    def hold(self, name: str, why: str, only: Collection[str] = ()) -> None:
        """
        Keep sources standing for a reason that is no command's, such as a fall; `tick` stops them.

        :param name: of the hold, such as `fallen`; a second call replaces what the first said.
        :param why: for people; empty takes the hold back.
        :param only: the sources that it keeps; empty: all.
        """
        if why:
            self._holds[name] = why, frozenset(only)
        else:
            self._holds.pop(name, None)

    @property
    def holds(self) -> dict[str, str]:
        """Why somebody is kept standing, by the name of the hold."""
        return {name: why for name, (why, _) in self._holds.items()}

    def held_by(self, source: str) -> tuple[str, str]:
        """Return name and reason of a hold that keeps a source, empty texts if none does."""
        for name, (why, only) in self._holds.items():
            if not only or source in only:
                return name, why
        return '', ''

    def may_act(self, source: str, now: Instant, *, walking: bool = True) -> str:
        """
        Return why a source may not act, an empty text if it may.

        :param walking: False for the head alone, which a person turns without the dead-man.
        """
        self._advance(now)
        in_charge = self._arbiter.active(now)
        if self.stopped:
            return self._stop_message()
        if why := self.held_by(source)[1]:
            return f'{source} stands: {why}'
        if lock := self._arbiter.masked_by(source, now):
            return f'{source} is locked out by {lock}'
        sources = self._arbiter.sources
        if in_charge is not None and sources[in_charge].priority > sources[source].priority:
            return f'{source} gives way to {in_charge}'
        free = source == self._operator and not walking
        if source in self._guarded and not free and not self._deadman(now):
            return f'{source} waits for the dead-man button'
        return ''

    def offer(
        self, source: str, command: np.ndarray, stamp: float, frame: str, now: Instant
    ) -> Decision:
        """
        Decide about a command (3,) of a source.

        :param stamp: the message's stamp [s].
        :param frame: the frame that the message says it is in.
        """
        self._advance(now)
        decision = self._decide(source, np.asarray(command, dtype=np.float64), stamp, frame, now)
        self.counts[source, decision.reason] += 1
        return decision

    def joystick(
        self, deadman: bool, emergency_stop: bool, release: bool, now: Instant
    ) -> Decision | None:
        """
        Note what a person does on the joystick.

        :return: None, or what to send at once; without a command, the answer to a press of the
            release button.
        """
        self._advance(now)
        before = self._joystick if self._joystick_fresh(now) else None
        held = {'deadman': deadman, 'emergency_stop': emergency_stop, 'release': release}
        self._joystick = frozenset(name for name, down in held.items() if down)
        self._joystick_at = now
        if emergency_stop:
            return None if self.stopped else self.emergency_stop('joystick', now)
        # Only a press counts: a button that was stuck when the joystick appeared releases nothing.
        if release and before is not None and 'release' not in before and self.stopped:
            _, message = self.release(now)
            return Decision(
                None, EMERGENCY_STOP if self.stopped else IDLE, f'release by joystick: {message}'
            )
        if not deadman:
            if self._operator is not None and self._arbiter.fresh(self._operator, now):
                self._arbiter.withdraw(self._operator)
                self._let_go_at = now
            if self._driver is not None and self._driver in (*self._guarded, self._operator):
                return self._stop(
                    NO_DEADMAN, 'the dead-man was let go', self._driver, now, now.ros
                )
        return None

    def emergency_stop(self, cause: str, now: Instant) -> Decision:
        """Latch the emergency stop; only `release` ends it."""
        self._advance(now)
        if not self.stopped:
            self._stop_cause = cause
        return self._stop(EMERGENCY_STOP, self._stop_message(), None, now, now.ros)

    def release(self, now: Instant) -> tuple[bool, str]:
        """
        Release the emergency stop if nothing would move the robot at once.

        Return whether it is off, and why not. The robot stays where it is until a source sends
        its next command.
        """
        self._advance(now)
        if not self.stopped:
            return True, 'the emergency stop was not on'
        if self._joystick_fresh(now) and 'emergency_stop' in self._joystick:
            return False, 'refused: the emergency stop button is held'
        for source, wish in self._wishes.items():
            if self._arbiter.fresh(source, now) and (wish is None or np.any(wish)):
                what = 'commands motion' if wish is not None else 'sends commands that are refused'
                return False, f'refused: {source} {what}; stop it first'
        self._stop_cause = None
        return True, 'released'

    def tick(self, now: Instant) -> Decision:
        """Return what is to be sent although no command came: a stop, or nothing."""
        self._advance(now)
        driver = self._driver
        if driver is not None and not self._arbiter.fresh(driver, now):
            since = self._arbiter.expiry(driver)
            timeout = self._arbiter.sources[driver].timeout
            return self._stop(
                SILENT,
                f'{driver} fell silent (timeout {timeout:g} s)',
                driver,
                now,
                now.ros if since is None else min(since, now.ros),
            )
        if driver is not None and (lock := self._arbiter.masked_by(driver, now)):
            return self._stop(LOCKED, f'{driver} is locked out by {lock}', driver, now, now.ros)
        name, why = self.held_by(driver) if driver is not None else ('', '')
        if name:
            return self._stop(f'{HELD}:{name}', f'{driver} stands: {why}', driver, now, now.ros)
        if driver in self._guarded and not self._deadman(now):
            since = now.ros
            if self._joystick_at is not None:
                since = min(since, self._joystick_at.ros + self.joystick_timeout)
            return self._stop(NO_DEADMAN, 'the joystick fell silent', driver, now, since)
        reason = EMERGENCY_STOP if self.stopped else IDLE if driver is None else DRIVING
        repeat = (
            driver is None
            and self._stopped_at is not None
            and now.since(self._stopped_at) < self._repeat_stop
            and self._arbiter.active(now) is None
        )
        if repeat:
            return Decision(np.zeros(3), reason, '', driver, now.ros)
        return Decision(None, reason, '', driver)

    def _advance(self, now: Instant) -> None:
        # A clock that was set back makes every remembered moment meaningless; what is latched
        # stays.
        if self._now is not None and now.ros < self._now.ros - self._future_tolerance:
            self._arbiter.clear()
            self._stamps.clear()
            self._joystick, self._joystick_at = frozenset(), None
            self._let_go_at = self._stopped_at = None
            self._limiter.reset()
        self._now = now

    def _decide(
        self, source: str, command: np.ndarray, stamp: float, frame: str, now: Instant
    ) -> Decision:
        oldest = self._arbiter.sources[source].oldest
        ahead = stamp - now.ros
        said = f'{source}: stamp {stamp:.3f} is'
        if not math.isfinite(stamp) or ahead < -oldest:
            return Decision(
                None, STALE, f'{said} {-ahead:.3f} s old (at most {oldest:g} s)', source
            )
        if ahead > self._future_tolerance:
            return Decision(
                None,
                FUTURE,
                f'{said} {ahead:.3f} s ahead of the clock: do both '
                'nodes use the same time (use_sim_time)?',
                source,
            )
        if stamp < self._stamps.get(source, -math.inf):
            return Decision(None, OUT_OF_ORDER, f'{said} older than the one before', source)
        self._stamps[source] = stamp
        fault = message = ''
        if frame != self._frame:
            fault = WRONG_FRAME
            message = f'{source}: commands must be in {self._frame!r}, not {frame!r}'
        elif command.shape != (3,) or not np.all(np.isfinite(command)):
            fault, message = NOT_FINITE, f'{source}: the command is not finite: {command.tolist()}'
        elif self._limiter.excess(command) > IMPLAUSIBLE_FACTOR:
            fault = IMPLAUSIBLE
            message = (
                f'{source}: {command.tolist()} is more than {IMPLAUSIBLE_FACTOR:g} times what the '
                'robot may do: taken for garbage'
            )
        self._wishes[source] = None if fault else command
        in_charge = self._claim(source, stamp, now)
        if self.stopped:
            return self._stop(
                fault or EMERGENCY_STOP, message or self._stop_message(), source, now
            )
        if not in_charge:
            other = self._arbiter.active(now)
            if other is None:
                lock = self._arbiter.masked_by(source, now)
                return self._stop(
                    fault or LOCKED, message or f'{source} is locked out by {lock}', source, now
                )
            return Decision(
                None, fault or SUPPRESSED, message or f'{source} gives way to {other}', source
            )
        if fault:
            return self._stop(fault, message, source, now)
        name, why = self.held_by(source)
        if name:
            return self._stop(f'{HELD}:{name}', f'{source} stands: {why}', source, now)
        # With the zero of an operator who is not there nothing is withheld.
        moves = source != self._operator or np.any(command)
        if source in self._guarded and moves and not self._deadman(now):
            return self._stop(NO_DEADMAN, f'{source} waits for the dead-man button', source, now)
        return self._drive(source, command, now)

    def _claim(self, source: str, stamp: float, now: Instant) -> bool:
        if source == self._operator and self._let_go_at is not None:
            timeout = self._arbiter.sources[source].timeout
            handed_over, self._let_go_at = now.since(self._let_go_at) <= timeout, None
            wish = self._wishes[source]
            if handed_over and wish is not None and not np.any(wish):
                # The zero with which the operator lets go does not keep others waiting.
                return self._arbiter.active(now) is None
        return self._arbiter.claim(source, stamp, now)

    def _drive(self, source: str, command: np.ndarray, now: Instant) -> Decision:
        sent = self._limiter.limit(command, now.steady)
        if not np.array_equal(sent, command):
            self.counts[source, 'clamped'] += 1
        if self.field_limit is not None:
            inside = self.field_limit.limit(sent, now)
            if not np.array_equal(inside, sent):
                self.counts[source, 'at_the_edge'] += 1
                self._limiter.lowered(inside)
                sent = inside
            self.field_limit.sent(sent, now)
        if np.any(sent):
            self._driver = source
        elif self._driver is not None:
            self._driver, self._stopped_at = None, None
        return Decision(sent, DRIVING, f'{source} is in charge', source)

    def _stop(
        self,
        reason: str,
        message: str,
        source: str | None,
        now: Instant,
        stamp: float | None = None,
    ) -> Decision:
        if self._driver is not None or (reason == EMERGENCY_STOP and stamp is not None):
            self._stopped_at = now
        self._driver = None
        self._limiter.reset(now.steady)
        if self.field_limit is not None:
            self.field_limit.sent(np.zeros(3), now)
        if stamp is not None:
            self.counts[source, reason] += 1
        return Decision(np.zeros(3), reason, message, source, stamp)

    def _stop_message(self) -> str:
        return f'emergency stop by {self._stop_cause}'

    def _joystick_fresh(self, now: Instant) -> bool:
        return (
            self._joystick_at is not None and now.since(self._joystick_at) <= self.joystick_timeout
        )

    def _deadman(self, now: Instant) -> bool:
        return self._joystick_fresh(now) and 'deadman' in self._joystick
