"""What every node's main() does: start, spin in one thread, name errors in one line, stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import functools
import os
import re
import signal
import sys
import threading
import time
import traceback
from typing import Any, TYPE_CHECKING

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.executors import ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
import rclpy.signals
from rclpy.subscription import Subscription
from rclpy.timer import Timer

from guda_ros.config.files import ConfigError
from guda_ros.data.contract_base import ContractMismatch
from guda_ros.errors import GudaError
from guda_ros.interrupts import interrupts_first
from guda_ros.ros.executor import QuietExecutor
from guda_ros.ros.hearing import heard_by

if TYPE_CHECKING:
    from rclpy.publisher import Publisher


class NodeStartError(GudaError):
    """A node cannot start; the message says why and what to do."""


#: Errors that are told without a traceback.
USER_ERRORS = (
    GudaError,
    ConfigError,
    ContractMismatch,
    OSError,
    InvalidParameterTypeException,
    InvalidParameterValueException,
)


#: Errors of rcl, such as arguments or parameter files that it cannot read.
_ROS_ERRORS = (_rclpy.RCLError, _rclpy.UnknownROSArgsError)


def run_node(factory: Callable[[], Node], args: Sequence[str] | None = None) -> int:
    """
    Run a node until it is interrupted or terminated; return the exit code.

    A node that sets `exit_message` (str) is ended with that error. What a user can mend (a wrong
    file, parameter or contract) is told on stderr without a traceback, with exit code 1.
    """
    node = None
    try:
        # Before rclpy's own handler, which hands Ctrl-C on.
        with interrupts_first():
            rclpy.init(args=args)
            node = factory()
            executor = QuietExecutor()
            executor.add_node(node)
            while rclpy.ok():
                # Without a timeout: rclpy would make a timer for each call.
                executor.spin_once()
                if getattr(node, 'exit_message', None):
                    raise NodeStartError(node.exit_message)
        return 0
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0
    except USER_ERRORS as error:
        print(f'{_name(node, factory)}: {error}', file=sys.stderr, flush=True)
        return 1
    except Exception as error:
        if node is not None and not rclpy.ok():
            # The context went away in the middle of a callback: that is a stop, not a failure.
            return 0
        if not isinstance(error, _ROS_ERRORS):
            raise
        print(f'{_name(node, factory)}: {explain(error)}', file=sys.stderr, flush=True)
        return 1
    finally:
        # `ros2 launch` sends Ctrl-C again to what is already stopping.
        _on_interrupt(lambda *_: None)
        if node is not None:
            close = getattr(node, 'close', None)
            if close is not None:
                close()
            node.destroy_node()
        if rclpy.ok():
            rclpy.shutdown()
        # Python itself, while it ends, would restore the default of any other handler.
        _on_interrupt(signal.SIG_IGN)


def _name(node: Node | None, factory: Callable[[], Node]) -> str:
    return node.get_name() if node is not None else getattr(factory, '__name__', 'node')


def explain(error: Exception) -> str:
    """Return an error of rcl in one line, without places in its source, and what to do."""
    text = re.sub(r',? at /\S+:\d+', '', ' '.join(str(error).split()))
    text = text.removeprefix('failed to initialize rcl: ')
    if 'Sequence should be of same type' in text:
        text += '; write 1.0 for 1 where the other numbers of a list are reals'
    return text


def terminable(make: Callable[[], Node]) -> Callable[[], Node]:
    """
    Return a factory of a node that is told of SIGINT and SIGTERM by a call of its `terminate`.

    rclpy's own handlers would shut the context down before a last command could be sent.
    """

    def factory() -> Node:
        rclpy.signals.uninstall_signal_handlers()
        node = make()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, node.terminate)
        return node

    factory.__name__ = make.__name__.lower()
    return factory


def _on_interrupt(handler) -> None:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handler)


def reports_failure(transition: Callable[..., Any]) -> Callable[..., Any]:
    """
    Decorate a lifecycle transition: an exception makes it fail, and the node's `failure` says why.

    rclpy turns an exception into ERROR and says nothing about it.
    """

    @functools.wraps(transition)
    def wrapper(self, state):
        self.failure = ''
        try:
            return transition(self, state)
        except (*USER_ERRORS, ValueError) as error:
            self.failure = str(error)
        except Exception as error:
            self.failure = f'{type(error).__name__}: {error}'
            traceback.print_exc()
        self.get_logger().error(f'{transition.__name__}: {self.failure}')
        return TransitionCallbackReturn.FAILURE

    return wrapper


def autostart(node: Node, enabled: bool) -> None:
    """
    Configure and activate a lifecycle node.

    :raises NodeStartError: with the node's `failure` text when a transition fails.
    """
    if not enabled:
        return
    for step in (node.trigger_configure, node.trigger_activate):
        if step() != TransitionCallbackReturn.SUCCESS:
            failure = getattr(node, 'failure', '')
            raise NodeStartError(failure or f'{step.__name__} failed')


def steady_timer(node: Node, period: float, callback: Callable[[], None]) -> Timer:
    """
    Create a timer of real time [s].

    Timers on simulated time fire in bursts when it jumps, and not at all while it stands still.
    """
    return node.create_timer(period, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))


def destroy_entities(node: Node, entities: Sequence) -> None:
    """Destroy subscriptions, timers and services, of whatever kind each is."""
    for entity in entities:
        if isinstance(entity, Subscription):
            entity = heard_by(entity)
        for destroy in (node.destroy_subscription, node.destroy_timer, node.destroy_service):
            destroy(entity)


def wait_until_connected(node: Node, publisher: Publisher, timeout: float) -> bool:
    """
    Wait until all subscribers that a node knows of, at least one, are connected to a publisher.

    What a volatile publisher sends before that is lost. Returns False after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        connected = publisher.get_subscription_count()
        if connected and connected >= node.count_subscribers(publisher.topic_name):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)


def exit_process(code: int) -> None:
    """Leave with an exit code once output is flushed, without waiting for other threads."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
