"""A sitting of trials: placing, playing, and the key that the operator presses for the verdict."""

from __future__ import annotations

from collections.abc import Collection
import json
from pathlib import Path
import time

from guda_ros.data.contract import Contract
from guda_ros.evaluation.placing import placing_instructions
from guda_ros.evaluation.results import Episode
from guda_ros.evaluation.trials import ABORT, KEYS, REPEAT, TrialLog
from guda_ros.ros.episode.referee import Referee
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.workflows.robot_trials.stand_in import StandIn
from guda_ros.workflows.terminal.operator import Operator

#: Seconds without a command after which the operator is told what may be wrong.
_SILENCE = 8.0


class Session:
    """
    The trials of one sitting.

    :param log: which starts are done. :param folder: of the results, with `recordings` in it.
    :param operator: who places robot and ball, and judges.
    :param stand_in: a simulated robot that takes the place of the robot, if there is one.
    """

    def __init__(
        self,
        log: TrialLog,
        contract: Contract,
        graph: GraphProcesses,
        referee: Referee,
        operator: Operator,
        folder: Path,
        stand_in: StandIn | None = None,
    ) -> None:
        self._log, self._contract, self._graph, self._referee = log, contract, graph, referee
        self._operator, self._folder, self._stand_in = operator, folder, stand_in
        self._starts = log.evaluation.starts

    def run(self) -> None:
        """Run trials until all are made or the operator ends the session."""
        self._operator.say(
            "\nleft, right: as you look at the opponents' goal; the middle: the line from the "
            'centre mark to the middle of the goal'
        )
        keys = dict(KEYS)
        if not self._contract.has_ball:
            keys['o'] = keys['o'][0], 'all is lost'
        self._operator.say(
            'keys while the robot plays: '
            + ', '.join(f'{key} {words}' for key, (_, words) in keys.items())
            + f', {REPEAT} this trial does not count, {ABORT} stop here'
            + f'\nsuccess: {self._contract.words.meaning or "what the task calls so"}'
        )
        while self._log.next_start is not None:
            if self._place() == ABORT:
                break
            # Read anew: the operator may have chosen to make the trial before again.
            episode = self._play(self._log.next_start)
            if episode is None:
                break
            if isinstance(episode, Episode):
                self._keep(episode)
        else:
            self._operator.say('\nall trials are made')

    def _keep(self, episode: Episode) -> None:
        """Save a trial before anything else is done: Ctrl-C may come at any time."""
        self._log.add(episode)
        done = self._log.episodes
        self._operator.say(
            f'  {episode.verdict} after {episode.seconds:.1f} s; saved. '
            f'{sum(e.scored for e in done)} of {len(done)} '
            f'{self._log.evaluation.contract.words.past}'
        )
        problem = self._referee.wait_recorded()
        if problem:
            self._operator.say(f'  the trial counts, but was not recorded: {problem}')

    def _place(self) -> str:
        """Tell where robot and ball go next and wait until they are there; return the key."""
        while True:
            number = self._log.next_start
            start = self._starts.starts[number]
            self._operator.say(
                f'\ntrial {len(self._log.episodes) + 1} of {len(self._starts)}, start {number} '
                f'({self._starts.scenarios[number]})'
            )
            ball = self._contract.has_ball
            for line in placing_instructions(start, self._contract.field, ball):
                self._operator.say(f'  {line}')
            if self._stand_in:
                self._stand_in.place(start)
                there = 'and ball are' if ball else 'is'
                self._operator.say(f'  the simulated robot {there} there')
            placed = 'both are placed' if ball else 'it is placed'
            self._operator.say(
                f'Enter: {placed}, go; {REPEAT}: make the trial before again; {ABORT}: stop here'
            )
            key = self._wait_key(('\n', '\r', REPEAT, ABORT))
            if key != REPEAT:
                return key
            dropped = self._log.drop_last()
            self._operator.say(
                '  there is no trial before'
                if dropped is None
                else f'  start {dropped.start} ({dropped.verdict}) is made again'
            )

    def _wait_key(self, keys: Collection[str]) -> str:
        while True:
            key = self._key()
            if key in keys:
                return key

    def _key(self) -> str:
        """Return the key pressed within a moment, or an empty text; look after the nodes."""
        self._graph.check()
        self._referee.spin(0.03)
        if self._stand_in:
            self._stand_in.spin()
        return self._operator.key(0.02)

    def _play(self, number: int) -> Episode | str | None:
        """Run a trial; return its Episode, REPEAT, or None to stop."""
        name = self._name(number)
        referee = self._referee
        referee.begin(name, self._starts.starts[number], number, self._starts.name)
        began, told = time.monotonic(), False
        while True:
            key, seconds = self._key(), referee.seconds
            if key in KEYS or (seconds or 0) >= self._contract.time_limit:
                # The time of the key is that of the verdict; what follows is not timed.
                seconds = min(seconds or 0.0, self._contract.time_limit)
                verdict = KEYS[key][0] if key in KEYS else 'timeout'
                break
            if key in (REPEAT, ABORT):
                referee.end('aborted', 'the operator broke the trial off')
                referee.wait_recorded()
                self._operator.clear()
                self._operator.say('  this trial does not count')
                return REPEAT if key == REPEAT else None
            if seconds is None and not told and time.monotonic() - began > _SILENCE:
                told = True
                self._operator.say(f'  no command yet: {self._why_still()}')
            if seconds is not None:
                self._operator.show(
                    f'  {seconds:5.1f} s  {referee.policy_state}'
                    + (f'  {self._stand_in.told()}' if self._stand_in else '')
                )
        referee.end(verdict)
        self._operator.clear()
        return Episode(
            start=number,
            verdict=verdict,
            seconds=seconds,
            falls=int(verdict == 'fall'),
            message='',
            id=name,
        )

    def _why_still(self) -> str:
        state = self._referee.policy_state
        if state in ('', 'waiting', 'inactive'):
            return 'the policy sees no camera image; is the driver running in this ROS domain?'
        if state == 'pose unknown':
            return 'the pose is unknown; is the driver publishing odometry?'
        safety = json.loads(self._referee.safety_state)
        if safety.get('stopped'):
            return f'emergency stop by {safety.get("cause")}; release it'
        reason = safety.get('reasons', {}).get('policy', '')
        return f'safety holds the policy back ({reason or "no reason told"}); hold the dead-man'

    def _name(self, number: int) -> str:
        """Return a name for the recording that no earlier trial has."""
        folder, attempt = self._folder / 'recordings', 1
        while any(folder.glob(f'{(name := f"{self._starts.name}_{number:03d}_{attempt}")}*')):
            attempt += 1
        return name
