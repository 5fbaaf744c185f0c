"""
Drive a robot from this terminal, by keyboard or gamepad, and record episodes.

Starts a graph of nodes (a simulated robot by default) and shows how everything stands; needs no
X and works through SSH. A robot moves only while a key, or the pad's dead-man, is held. With
--policy the policy drives, and what you do over it is recorded as a correction.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
import getpass
import os
import time
from typing import TYPE_CHECKING

from guda_ros.cli.common import (
    add_contract,
    add_domain,
    add_names,
    add_no_check,
    add_node_settings,
    DOMAIN_OR_DRIVERS,
    load_contract,
    names_of,
)
from guda_ros.workflows.terminal.arguments import natural

if TYPE_CHECKING:
    from guda_ros.cli.screens.terminal import Terminal
    from guda_ros.control.gamepad import Gamepad
    from guda_ros.control.joystick import JoystickState
    from guda_ros.control.keyboard import KeyboardMap
    from guda_ros.data.contract import Contract
    from guda_ros.ros.control.operator_station import OperatorStation
    from guda_ros.ros.graph.processes import GraphProcesses
    from guda_ros.ros.robot_check.findings import Finding

EXAMPLE = """\
guda teleop --recordings runs/mine/driven
  guda teleop --policy runs/demo/train/guided_0.onnx
  guda teleop robot --domain 0 --network  # with a robot whose driver is in domain 0"""
#: Seconds from one `joy` to the next, and between two pictures of the screen.
_PERIOD, _REDRAW = 0.04, 0.1
#: A loop that took longer [s] was held up: what was typed meanwhile is no wish of now, but for
#: the emergency stop.
_HELD_UP = 0.4
ATTACH = 'attach'
CHOICES = {
    'drive': 'a simulated robot in real time',
    'robot': 'the nodes of a robot whose driver is in the domain',
    ATTACH: 'no nodes: join a graph that has a teleop node',
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        'graph',
        nargs='?',
        choices=CHOICES,
        default='drive',
        metavar='GRAPH',
        help='; '.join(f'{name}: {text}' for name, text in CHOICES.items())
        + ' (default: %(default)s)',
    )
    add_contract(parser)
    add_domain(parser, domain=DOMAIN_OR_DRIVERS)
    parser.add_argument(
        '--device',
        choices=('auto', 'keyboard', 'gamepad'),
        default='auto',
        help='auto: the keyboard, and a gamepad if there is one',
    )
    parser.add_argument(
        '--pad',
        default='',
        metavar='NAME',
        help='map of the gamepad in config/joysticks, or a YAML file (default: by its name)',
    )
    parser.add_argument(
        '--pad-device',
        default='',
        metavar='NAME',
        help='which gamepad: part of its name, or its number (default: the first that is known)',
    )
    parser.add_argument(
        '--keys',
        default='qwerty',
        metavar='NAME',
        help='map of the keyboard in config/keyboards, or a YAML file (default: %(default)s)',
    )
    parser.add_argument(
        '--policy',
        default='',
        metavar='FILE',
        help='policy that `guda export` made, to be corrected',
    )
    parser.add_argument(
        '--recordings',
        default='recordings',
        metavar='DIR',
        help='folder for recorded episodes (default: %(default)s)',
    )
    parser.add_argument(
        '--operator',
        default='',
        metavar='NAME',
        help='who drives, noted in the recordings (default: your user name)',
    )
    parser.add_argument(
        '--start-index',
        type=natural,
        default=0,
        metavar='N',
        help='number of the first start (default: %(default)s)',
    )
    add_no_check(parser)
    add_node_settings(parser)
    add_names(parser)


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.cli.screens.terminal import Terminal
    from guda_ros.control.keyboard import KeyboardMap

    contract = load_contract(args)
    keyboard, terminal = KeyboardMap.load(args.keys), Terminal()
    pad = _pad(args)
    with ExitStack() as stack:
        if pad is not None:
            stack.callback(pad.close)
        graph, domain = _graph(args, stack)
        lacks = _check(args, graph)
        from guda_ros.ros.control.operator_station import OperatorStation

        station = OperatorStation(domain, contract, names_of(args))
        stack.callback(station.close)
        title = f'{args.graph}  {contract.robot}  domain {domain}'
        session = _Session(station, contract, keyboard, pad, title, graph)
        try:
            with terminal:
                session.run(terminal)
        except KeyboardInterrupt:
            pass
        finally:
            station.let_go()
        if terminal.gone:
            return 1
        print(session.summary())
        for finding in lacks:
            # The screen has covered what was said at first.
            print(f'at the start {finding.level}: {finding.sentence}')
    return 0


def _pad(args: argparse.Namespace) -> Gamepad | None:
    from guda_ros.control.gamepad import Gamepad, GamepadError

    if args.device == 'keyboard':
        return None
    try:
        return Gamepad(args.pad, args.pad_device)
    except GamepadError:
        if args.device == 'gamepad' or args.pad or args.pad_device:
            raise
        return None


def _graph(args: argparse.Namespace, stack: ExitStack) -> tuple[GraphProcesses | None, int]:
    """Start the graph; return it, or None for one that runs already, and its domain."""
    from guda_ros.ros.graph import environment
    from guda_ros.ros.graph.processes import GraphProcesses
    from guda_ros.ros.graph.table import GraphOptions, GRAPHS
    from guda_ros.workflows.up import read_overrides

    if args.graph == ATTACH:
        domain = environment.driver_domain(args.domain)
        environment.adopt(environment.ros_environment(domain, local=not args.network))
        return None, domain
    overrides = read_overrides(args.set)
    overrides.setdefault('data_collector', {}).setdefault('operator', args.operator or _user())
    options = GraphOptions(
        contract=args.contract,
        robot=args.robot or '',
        policy=args.policy,
        recordings=args.recordings,
        start_index=args.start_index,
        local=not args.network,
        overrides=overrides,
        names=names_of(args),
    )
    join = not GRAPHS[args.graph].simulated
    graph = stack.enter_context(
        GraphProcesses(
            args.graph,
            options,
            args.log_dir,
            environment.driver_domain(args.domain) if join else args.domain,
            join=join,
        )
    )
    print(f'graph {args.graph} in ROS domain {graph.domain}, logs in {graph.log_dir}')
    graph.wait_ready(progress=lambda name: print(f'  {name} is ready'))
    return graph, graph.domain


def _check(args: argparse.Namespace, graph: GraphProcesses | None) -> list[Finding]:
    """Look at a robot's driver; return what lacks."""
    from guda_ros.ros.graph.table import GRAPHS
    from guda_ros.workflows.robots.checking import check_graph

    if graph is None or GRAPHS[args.graph].simulated or args.no_check:
        return []
    return check_graph(graph).lacks


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return 'person'


class _Session:
    """A person at the terminal."""

    def __init__(
        self,
        station: OperatorStation,
        contract: Contract,
        keyboard: KeyboardMap,
        pad: Gamepad | None,
        title: str,
        graph: GraphProcesses | None,
    ) -> None:
        from guda_ros.cli.screens.teleop import View
        from guda_ros.control.keyboard import Keyboard

        self._station, self._keyboard, self._pad = station, Keyboard(keyboard), pad
        self._graph = graph
        self._colour = 'NO_COLOR' not in os.environ
        self._view = View(
            title=title,
            device='keyboard',
            pitch=contract.field,
            keyboard=keyboard,
            has_ball=contract.has_ball,
        )
        self._contract = contract
        self._drawn = 0.0

    def run(self, terminal: Terminal) -> None:
        """Read keys and pad, send what is wanted, draw; until the terminal is gone or Ctrl-C."""
        before = time.monotonic()
        while not terminal.gone:
            if self._graph is not None:
                self._graph.check()
            self._station.spin(_PERIOD / 2)
            keys, now = terminal.keys(_PERIOD / 2), time.monotonic()
            if now - before > _HELD_UP:
                self._keyboard.press_late(keys)
            else:
                self._keyboard.press(keys, now)
            before = now
            state = self._wish()
            if terminal.gone:
                break
            self._station.send(state)
            if time.monotonic() - self._drawn >= _REDRAW:
                self._drawn = time.monotonic()
                self._draw(terminal, state)

    def _wish(self) -> JoystickState:
        """Return what the person wants: by the pad where its dead-man is held, else by keys."""
        keys, view = self._keyboard.state(time.monotonic()), self._view
        pad = self._pad.state() if self._pad is not None else None
        used = self._pad.map if self._pad is not None else None
        if pad is None or used is None:
            if view.pad is not None:
                view.note = 'THE GAMEPAD IS GONE: plug it in again, or drive by keys'
            elif keys.pressed:
                view.note = ''
            view.pad, view.device = None, 'keyboard'
            view.note = (self._pad.problem if self._pad is not None else '') or view.note
            return keys
        view.pad, view.device = used, f'gamepad {used.name} + keyboard'
        view.note = pad.problem
        return keys.joined(pad)

    def _draw(self, terminal: Terminal, state: JoystickState) -> None:
        from guda_ros.cli.screens.teleop import screen

        view, station = self._view, self._station
        view.teleop, view.safety = station.teleop, station.safety
        view.silent = [name for name in ('safety', 'teleop') if station.silent(name)]
        view.recording, view.episode = station.recording, station.episode
        view.augmentation = station.augmentation
        view.seconds, view.complaints = station.seconds, station.complaints
        view.command, view.commander = station.latest('command'), station.latest('commander') or ''
        view.robot, view.ball, view.seen_by = station.scene
        view.wish, view.pressed = self._contract.to_command(state.action), state.pressed
        columns, rows = terminal.size
        terminal.draw(screen(view, columns, rows, terminal.unicode, self._colour))

    def summary(self) -> str:
        """Return what came of it."""
        status = self._station.teleop.get('episode', {})
        return (
            f'episodes kept: {status.get("kept", 0)}, set aside: {status.get("discarded", 0)}'
            + ('' if status.get('settled', True) else '; the last one stays as it is')
        )
