"""An executor of one thread that spends its time on callbacks rather than on waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import inspect
import time
from typing import Any

from rclpy import executors
from rclpy.context import Context
from rclpy.executors import (
    ExternalShutdownException,
    ShutdownException,
    SingleThreadedExecutor,
    TimeoutException,
)
from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
from rclpy.node import Node
from rclpy.timer import Timer

#: What is used here of the inside of rclpy's executors; where one is missing, theirs waits.
_INSIDE = (
    *('_tasks', '_tasks_lock', '_guard', '_sigint_gc', '_is_shutdown', '_context'),
    *('_take_timer', '_take_subscription', '_take_guard_condition', '_take_client'),
    *('_take_service', '_take_waitable'),
)
#: Other distributions of ROS may have them elsewhere, or not at all.
_InvalidHandle = getattr(_rclpy, 'InvalidHandle', None)
_ConditionReached = getattr(executors, 'ConditionReachedException', None)
_PARAMETERS = ['self', 'entity', 'node', 'take_from_wait_list']

#: Where rclpy's handler of an event of quality of service keeps what is waited for.
_EVENT = '_EventHandler__event'


class _Silence:
    """A guard condition that wakes nobody."""

    def trigger(self) -> None:
        """Do nothing."""


class _Entities:
    """What an executor waits for, in the order in which rclpy looks at it."""

    def __init__(self, executor: QuietExecutor) -> None:
        self.guards: list[Any] = []
        #: Events of quality of service, of which most never come, and what else can be awaited.
        self.events: list[tuple[Any, Any, Node]] = []
        self.others: list[tuple[Any, Node]] = []
        self.timers, self.subscriptions, self.clients, self.services = [], [], [], []
        #: Address, entity, its node and what takes a message from it.
        self.calls: list[tuple[int, Any, Node, Callable]] = []
        for node in executor.get_nodes():
            for entity in node.waitables:
                event = getattr(entity, _EVENT, None)
                if event is None:
                    self.others.append((entity, node))
                else:
                    self.events.append((event, entity, node))
            for mine, entities, take in (
                (self.timers, node.timers, executor._take_timer),
                (self.subscriptions, node.subscriptions, executor._take_subscription),
                (self.guards, node.guards, executor._take_guard_condition),
                (self.clients, node.clients, executor._take_client),
                (self.services, node.services, executor._take_service),
            ):
                for entity in entities:
                    mine.append(entity.handle)
                    self.calls.append((entity.handle.pointer, entity, node, take))
        self.node_guards = [call[1] for call in self.calls if call[1].handle in self.guards]
        self.guards += [
            guard.handle for guard in (executor._guard, executor._sigint_gc) if guard is not None
        ]
        self.handles = [
            *(self.timers + self.subscriptions + self.guards + self.clients + self.services),
            *(event for event, _, _ in self.events),
            *(waitable for waitable, _ in self.others),
            executor._context.handle,
        ]
        counts = [0, 0, 0, 0, 0, len(self.events)]
        for waitable, _ in self.others:
            more = waitable.get_num_entities()
            for index, kind in enumerate(
                ('subscriptions', 'guard_conditions', 'timers', 'clients', 'services', 'events')
            ):
                counts[index] += getattr(more, f'num_{kind}')
        for index, own in enumerate(
            (self.subscriptions, self.guards, self.timers, self.clients, self.services)
        ):
            counts[index] += len(own)
        self._wait_set = _rclpy.WaitSet(*counts, executor._context.handle)

    def wait(self, nanoseconds: int) -> tuple[set[int], list]:
        """
        Wait, forever if `nanoseconds` is negative; return addresses and waitables that are ready.

        :raises rclpy's InvalidHandle: if something is not there any more.
        """
        entered = 0
        try:
            # What is waited for must not be destroyed meanwhile, by another thread.
            for handle in self.handles:
                handle.__enter__()
                entered += 1
            waiting = self._wait_set
            waiting.clear_entities()
            for handles, add in (
                (self.subscriptions, waiting.add_subscription),
                (self.clients, waiting.add_client),
                (self.services, waiting.add_service),
                (self.timers, waiting.add_timer),
                (self.guards, waiting.add_guard_condition),
            ):
                for handle in handles:
                    add(handle)
            for event, _, _ in self.events:
                waiting.add_event(event)
            for waitable, _ in self.others:
                waitable.add_to_wait_set(waiting)
            waiting.wait(nanoseconds)
            ready = set()
            for kind in ('subscription', 'guard_condition', 'timer', 'client', 'service'):
                ready.update(waiting.get_ready_entities(kind))
            waitables = []
            # An event has the place in the wait set that it has in the list.
            for index, (_, handler, node) in enumerate(self.events):
                if waiting.is_ready('event', index):
                    handler._event_index = index
                    if handler.is_ready(waiting):
                        waitables.append((handler, node))
            waitables += [pair for pair in self.others if pair[0].is_ready(waiting)]
            return ready, waitables
        finally:
            for handle in self.handles[:entered]:
                handle.__exit__(None, None, None)


class QuietExecutor(SingleThreadedExecutor):
    """
    A SingleThreadedExecutor that calls what rclpy's calls, in its order, for a third of the time.

    rclpy's gathers anew before each wait what there is to wait for, of which most are events of
    quality of service that never come, and wakes itself after every callback, so that other
    threads look for work: with one thread the next wait returns at once for nothing. Here what is
    waited for is gathered when something was made or destroyed.
    """

    def __init__(self, *, context: Context | None = None) -> None:
        super().__init__(context=context)
        self._entities: _Entities | None = None
        self._known = (
            all(hasattr(self, name) for name in _INSIDE)
            and list(inspect.signature(SingleThreadedExecutor._make_handler).parameters)
            == _PARAMETERS
            and None not in (_InvalidHandle, _ConditionReached)
        )

    def wake(self) -> None:
        """Look again for what there is to wait for."""
        self._entities = None
        super().wake()

    def add_node(self, node: Node) -> bool:
        """Manage the callbacks of a node, too."""
        self._entities = None
        return super().add_node(node)

    def remove_node(self, node: Node) -> None:
        """Stop managing the callbacks of a node."""
        self._entities = None
        super().remove_node(node)

    def shutdown(self, timeout_sec: float | None = None, **more: Any) -> bool:
        """Stop, as rclpy's does."""
        self._entities = None
        return super().shutdown(timeout_sec, **more)

    def _make_handler(self, *arguments):
        guard, self._guard = self._guard, _Silence()
        try:
            return super()._make_handler(*arguments)
        finally:
            self._guard = guard

    def _wait_for_ready_callbacks(
        self, timeout_sec=None, nodes=None, condition=lambda: False
    ) -> Iterator:
        if self._known:
            with self._tasks_lock:
                self._tasks = [task for task in self._tasks if not task[0].done()]
        if not self._known or self._tasks or nodes is not None or hasattr(timeout_sec, 'timeout'):
            # A callback waits for something in the middle of its work, or rclpy is another.
            yield from super()._wait_for_ready_callbacks(timeout_sec, nodes, condition)
            return
        deadline = None
        if timeout_sec is not None and timeout_sec >= 0:
            deadline = time.monotonic() + timeout_sec
        while not condition():
            left = -1
            if deadline is not None:
                left = max(0, round((deadline - time.monotonic()) * 1e9))
            worked = False
            for handler in self._ready(left):
                worked = True
                yield handler
            if worked:
                return
            if self._is_shutdown:
                raise ShutdownException
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutException
        raise _ConditionReached

    def _ready(self, nanoseconds: int) -> Iterator:
        """Wait once; yield what is to be called, as rclpy does it."""
        if self._is_shutdown:
            raise ShutdownException
        if not self._context.ok():
            raise ExternalShutdownException
        entities = self._entities
        if entities is None:
            entities = self._entities = _Entities(self)
        for guard in entities.node_guards:
            # Woken before, but not handled.
            if guard._executor_triggered:
                guard.trigger()
        try:
            ready, waitables = entities.wait(nanoseconds)
        except _InvalidHandle:
            self._entities = None
            return
        if self._is_shutdown:
            raise ShutdownException
        if not self._context.ok():
            raise ExternalShutdownException
        for guard in entities.node_guards:
            if guard.handle.pointer in ready:
                guard._executor_triggered = True
        work = [(entity, node, self._take_waitable) for entity, node in waitables]
        work += [call for address, *call in entities.calls if address in ready]
        for entity, node, take in work:
            if self._entities is not entities:
                # A callback made or destroyed something: what is left is ready in the next wait.
                return
            if not entity.callback_group.can_execute(entity):
                continue
            # A timer that was cancelled meanwhile is not called.
            if isinstance(entity, Timer) and not entity.handle.is_timer_ready():
                continue
            yield self._make_handler(entity, node, take), entity, node
