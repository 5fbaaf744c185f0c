"""Judge a policy on a robot: a person places robot and ball and presses a key for the outcome."""

from __future__ import annotations

import argparse
from contextlib import contextmanager, ExitStack
import json
import math
import os
from pathlib import Path
import select
import sys
import time
from typing import TYPE_CHECKING

from guda_ros.errors import GudaError

if TYPE_CHECKING:
    import numpy as np

    from guda_ros.data.contract import Contract
    from guda_ros.evaluation.results import Evaluation
    from guda_ros.ros.graph.table import Graph, NodeSpec

#: Seconds without a command after which the operator is told what may be wrong.
_SILENCE = 8.0


def evaluate_on_robot(args: argparse.Namespace) -> Evaluation:
    """
    Run the trials that are missing and return the Evaluation.

    :param args: of `guda evaluate`.
    """
    from guda_ros.cli.common import load_contract
    from guda_ros.data.contract import robot_of
    from guda_ros.evaluation.trials import TrialLog
    from guda_ros.ros.graph.environment import driver_domain
    from guda_ros.workflows.judging import choose_starts, list_policies, make_evaluation

    contract = load_contract(args)
    (policy,), _ = list_policies(args.policies, 'robot', contract, args.ungrouped)
    robot_of(contract, args.robot)
    starts = choose_starts(args.set, 'robot', contract, args.starts)
    note = 'A rehearsal: a simulated robot took the place of the robot.'
    notes = [note] if args.rehearse or args.sim_time else []
    empty = make_evaluation(contract, args.robot, starts, [policy], [args.command], notes)
    log = TrialLog.resume(empty, args.out)
    if log.episodes:
        print(f'{len(log.episodes)} of {len(starts)} trials were made before and are kept')
    if log.next_start is None:
        return log.evaluation
    with ExitStack() as stack:
        keyboard = stack.enter_context(_keyboard())
        stand_in = stack.enter_context(_stand_in(contract, args)) if args.rehearse else None
        domain = stand_in.domain if stand_in else driver_domain(args.domain)
        graph = stack.enter_context(_graph(policy, contract, args, domain, bool(stand_in)))
        print(f'graph robot in ROS domain {domain}, logs in {graph.log_dir}')
        graph.wait_ready()
        from guda_ros.ros.episode.referee import Referee

        referee = stack.enter_context(Referee(domain, contract, bool(stand_in) or args.sim_time))
        referee.wait_for_time()
        session = _Session(log, contract, graph, referee, keyboard, args.out, stand_in)
        session.run()
    return log.evaluation


class _Session:
    """The trials of one sitting."""

    def __init__(
        self, log, contract: Contract, graph: Graph, referee, read_key, folder: Path, stand_in
    ) -> None:
        self._log, self._contract, self._graph, self._referee = log, contract, graph, referee
        self._read_key, self._folder, self._stand_in = read_key, folder, stand_in
        self._starts = log.evaluation.starts

    def run(self) -> None:
        """Run trials until all are made or the operator ends the session."""
        from guda_ros.evaluation.trials import ABORT, KEYS, REPEAT

        print(
            "\nleft, right: as you look at the opponents' goal; the middle: the line from the "
            'centre mark to the middle of the goal'
        )
        print(
            'keys while the robot plays: '
            + ', '.join(f'{key} {words}' for key, (_, words) in KEYS.items())
            + f', {REPEAT} this trial does not count, {ABORT} stop here'
        )
        while self._log.next_start is not None:
            if self._place() == ABORT:
                break
            # Read anew: the operator may have chosen to make the trial before again.
            episode = self._play(self._log.next_start)
            if episode is None:
                break
            if episode != REPEAT:
                self._keep(episode)
        else:
            print('\nall trials are made')

    def _keep(self, episode) -> None:
        """Save a trial before anything else is done: Ctrl-C may come at any time."""
        self._log.add(episode)
        done = self._log.episodes
        print(
            f'  {episode.verdict} after {episode.seconds:.1f} s; saved. '
            f'{sum(e.scored for e in done)} of {len(done)} scored'
        )
        problem = self._referee.wait_recorded()
        if problem:
            print(f'  the trial counts, but was not recorded: {problem}')

    def _place(self) -> str:
        """Tell where robot and ball go next and wait until they are there; return the key."""
        from guda_ros.evaluation.placing import placing_instructions
        from guda_ros.evaluation.trials import ABORT, REPEAT

        while True:
            number = self._log.next_start
            start = self._starts.starts[number]
            print(
                f'\ntrial {len(self._log.episodes) + 1} of {len(self._starts)}, start {number} '
                f'({self._starts.scenarios[number]})'
            )
            for line in placing_instructions(start, self._contract.field):
                print(f'  {line}')
            if self._stand_in:
                self._stand_in.place(start)
                print('  the simulated robot and ball are there')
            print(
                f'Enter: both are placed, go; {REPEAT}: make the trial before again; '
                f'{ABORT}: stop here'
            )
            key = self._wait_key(('\n', '\r', REPEAT, ABORT))
            if key != REPEAT:
                return key
            dropped = self._log.drop_last()
            print(
                '  there is no trial before'
                if dropped is None
                else f'  start {dropped.start} ({dropped.verdict}) is made again'
            )

    def _wait_key(self, keys) -> str:
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
        return self._read_key(0.02)

    def _play(self, number: int):
        """Run a trial; return its Episode, REPEAT, or None to stop."""
        from guda_ros.evaluation.results import Episode
        from guda_ros.evaluation.trials import ABORT, KEYS, REPEAT

        name = self._name(number)
        referee = self._referee
        referee.begin(name, self._starts.starts[number], number, self._starts.name)
        began, told, status = time.monotonic(), False, _Status()
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
                status.clear()
                print('  this trial does not count')
                return REPEAT if key == REPEAT else None
            if seconds is None and not told and time.monotonic() - began > _SILENCE:
                told = True
                print(f'  no command yet: {self._why_still()}')
            if seconds is not None:
                status.show(
                    f'  {seconds:5.1f} s  {referee.policy_state}'
                    + (f'  {self._stand_in.told()}' if self._stand_in else '')
                )
        referee.end(verdict)
        status.clear()
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


class _Status:
    """A line of the terminal that is written over, at most ten times a second."""

    def __init__(self) -> None:
        self._next, self._shown = 0.0, False

    def show(self, text: str) -> None:
        if time.monotonic() >= self._next:
            self._next, self._shown = time.monotonic() + 0.1, True
            sys.stdout.write(f'\r{text:<78}')
            sys.stdout.flush()

    def clear(self) -> None:
        if self._shown:
            sys.stdout.write('\r' + ' ' * 78 + '\r')
            sys.stdout.flush()


@contextmanager
def _keyboard():
    """Give a function that returns the key pressed within some seconds, or an empty text."""
    import termios
    import tty

    if not sys.stdin.isatty():
        raise GudaError('trials need a terminal: the verdicts are key presses')
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def read(timeout: float) -> str:
        if not select.select([descriptor], [], [], timeout)[0]:
            return ''
        pressed = os.read(descriptor, 1)
        if not pressed:
            raise GudaError('the terminal is gone; what was saved is kept, run the command again')
        if pressed == b'\x1b':
            # An arrow or function key sends letters behind it, which are no verdict.
            while select.select([descriptor], [], [], 0.02)[0]:
                os.read(descriptor, 32)
            return ''
        return pressed.decode('ascii', 'replace').lower()

    try:
        tty.setcbreak(descriptor)
        # Ctrl-Z would leave a robot that moves without the time limit and without a verdict.
        mode = termios.tcgetattr(descriptor)
        mode[6][termios.VSUSP] = b'\x00'
        termios.tcsetattr(descriptor, termios.TCSADRAIN, mode)
        yield read
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _graph(policy, contract: Contract, args: argparse.Namespace, domain: int, rehearsal: bool):
    """Return the graph robot, not started, in a domain in which the driver is."""
    from guda_ros.ros.graph.processes import GraphProcesses
    from guda_ros.ros.graph.table import GraphOptions, GRAPHS

    sim_time = {'use_sim_time': True} if rehearsal or args.sim_time else {}
    options = GraphOptions(
        contract=args.contract,
        robot=args.robot or '',
        policy=policy.file,
        recordings=str(args.out / 'recordings'),
        require_deadman=False if rehearsal or args.no_deadman else None,
        local=not args.network,
        overrides=dict.fromkeys((*GRAPHS['robot'].nodes, 'policy'), sim_time) if sim_time else {},
    )
    return GraphProcesses('robot', options, args.log_dir, domain, join=True)


@contextmanager
def _stand_in(contract: Contract, args: argparse.Namespace):
    """Run a simulated robot that has nothing of a referee: driver topics alone."""
    from guda_ros.ros.graph.processes import GraphProcesses

    with GraphProcesses(
        [stand_in_spec(args.contract, args.robot or '')], None, None, args.domain
    ) as graph:
        graph.wait_ready()
        yield StandIn(graph, contract)


def stand_in_spec(contract: str, robot: str = '') -> NodeSpec:
    """Return the simulator as a robot's driver: in real time, its own episodes out of the way."""
    from guda_ros.ros.graph.table import NodeSpec

    return NodeSpec(
        'simulator',
        'simulator',
        parameters={'use_sim_time': False, 'mode': 'free', 'contract': contract, 'robot': robot},
        remappings={'episode': 'simulator/episode'},
        lifecycle=True,
    )


class StandIn:
    """A simulated robot in a graph of its own, with hands to place it."""

    def __init__(self, graph: Graph, contract: Contract) -> None:
        from guda_ros.ros.qos import COMMAND
        from guda_ros.ros.topics import Topics

        self._graph, self._contract = graph, contract
        self._runner = graph.runner()
        self._ball = None
        Topics(contract).subscription(
            graph.monitor.node, 'ground_truth_ball', self._on_ball, qos=COMMAND
        )

    @property
    def domain(self) -> int:
        """ROS domain of the simulated robot."""
        return self._graph.domain

    def _on_ball(self, message) -> None:
        place = message.pose.pose.position
        self._ball = place.x, place.y

    def place(self, start: np.ndarray) -> None:
        """Put robot and ball to a start (5,)."""
        self._runner.place(start)
        self._ball = None

    def spin(self) -> None:
        """Handle what arrives."""
        self._graph.check()
        self._graph.monitor.spin(0.0)

    def told(self) -> str:
        """Return what a person beside the field would see."""
        if self._ball is None:
            return ''
        if self._contract.scored(self._ball):
            return 'the ball is in the goal'
        if self._contract.out(self._ball):
            return 'the ball is out'
        if self._contract.task != 'soccer_push':
            left = math.dist(self._contract.goal, self._ball)
            return f'the ball is {left:.1f} m from where it is to go'
        left = self._contract.field.goal_line - self._ball[0]
        return f'the ball is {left:.1f} m from the goal line'
