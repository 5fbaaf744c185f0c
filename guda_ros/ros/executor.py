"""An executor that spends less on waiting than rclpy's: it keeps what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
import inspect
import time

from rclpy.context import Context
from rclpy.executors import (
    ExternalShutdownException,
    InvalidHandle,
    ShutdownException,
    SingleThreadedExecutor,
)
from rclpy.impl.implementation_singleton import rclpy_implementation

#: Seconds between two looks at events of publishers and subscriptions.
_EVENTS = 0.5
#: What a node has to wait for, as nodes and as wait sets call it.
_KINDS = {'timers': 'timer', 'subscriptions': 'subscription', 'guards': 'guard_condition',
          'clients': 'client', 'services': 'service'}
#: Whether rclpy makes handlers as Jazzy and Kilted do; with another one all waits are left to it.
_KNOWN = [*inspect.signature(SingleThreadedExecutor._make_handler).parameters] == [
    'self', 'entity', 'node', 'take_from_wait_list']


class _Silence:
    """A guard condition that wakes nobody."""

    def trigger(self) -> None:
        """Do nothing."""


class QuietExecutor(SingleThreadedExecutor):
    """
    A SingleThreadedExecutor whose waits cost a fraction of rclpy's.

    Waiting is what rclpy spends most of its time on.

    - After every callback it triggers a guard condition, so that other threads look for work; in
      one thread the only effect is that the next wait returns at once for nothing.
    - Two thirds of what it waits for are events of publishers and subscriptions, such as an
      incompatible quality of service. They last until they are taken, so that a look every
      `_EVENTS` seconds misses none.
    - For each wait it builds a wait set; here one is kept until a node has other entities.

    Whatever is not plain (an event, a coroutine that waits, a timeout) is left to rclpy.
    """

    def __init__(self, *, context: Context | None = None) -> None:
        super().__init__(context=context)
        self._looked = float('-inf')
        self._entities: list | None = None
        self._add: list[tuple] = []
        self._wait_set: rclpy_implementation.WaitSet | None = None
        self._in_use = ExitStack()

    def release(self) -> None:
        """Let go of what was waited for, so that it can be destroyed; call it after spinning."""
        self._entities, self._add, self._wait_set = None, [], None
        self._in_use.close()

    def _make_handler(self, *arguments):
        guard, self._guard = self._guard, _Silence()
        try:
            return super()._make_handler(*arguments)
        finally:
            self._guard = guard

    def _wait_for_ready_callbacks(self, timeout_sec=None, nodes=None, condition=lambda: False):
        with self._tasks_lock:
            self._tasks = [entry for entry in self._tasks if not entry[0].done()]
        now = time.monotonic()
        due = now - self._looked >= _EVENTS
        if due:
            self._looked = now
        plain = timeout_sec is None and nodes is None and not condition()
        if not _KNOWN or due or self._tasks or not plain:
            return super()._wait_for_ready_callbacks(timeout_sec, nodes, condition)
        return self._wait()

    def _wait(self) -> Iterator[tuple]:
        """Wait until something is ready and yield it as rclpy does: task, entity and node."""
        self._prepare()
        wait_set = self._wait_set
        with self._context.handle:
            wait_set.wait(-1)
        if self._is_shutdown:
            raise ShutdownException()
        if not self._context.ok():
            raise ExternalShutdownException()
        ready = {kind: wait_set.get_ready_entities(kind) for kind in _KINDS.values()}
        # Now, because they are not ready any more when a callback makes them wait for it.
        for guard in (guard for node in self.get_nodes() for guard in node.guards):
            guard._executor_triggered |= guard.handle.pointer in ready['guard_condition']
        for name, kind in _KINDS.items():
            if not ready[kind]:
                continue
            take = getattr(self, f'_take_{kind}')
            # As they are now: an earlier callback may have destroyed one.
            for node in self.get_nodes():
                for entity in list(getattr(node, name)):
                    if entity.handle.pointer not in ready[kind] or not self.can_execute(entity):
                        continue
                    # A timer that was cancelled since is not.
                    if kind != 'timer' or entity.handle.is_timer_ready():
                        yield self._make_handler(entity, node, take), entity, node

    def _prepare(self) -> None:
        """Put all entities into the wait set, a new one if there are others than before."""
        nodes = self.get_nodes()
        entities = [[*getattr(node, name)] for name in _KINDS for node in nodes]
        if entities != self._entities:
            self._build(nodes, entities)
        self._wait_set.clear_entities()
        for add, handle in self._add:
            add(handle)

    def _build(self, nodes: list, entities: list) -> None:
        self.release()
        handles = {kind: [] for kind in _KINDS.values()}
        handles['guard_condition'] += [
            guard.handle for guard in (self._guard, self._sigint_gc) if guard is not None]
        for name, kind in _KINDS.items():
            for entity in (entity for node in nodes for entity in getattr(node, name)):
                # Nothing can be destroyed as long as it is in the wait set.
                with suppress(InvalidHandle):
                    self._in_use.enter_context(entity.handle)
                    handles[kind].append(entity.handle)
        counts = [len(handles[kind]) for kind in ('subscription', 'guard_condition', 'timer',
                                                  'client', 'service')]
        self._wait_set = rclpy_implementation.WaitSet(*counts, 0, self._context.handle)
        self._add = [(getattr(self._wait_set, f'add_{kind}'), handle)
                     for kind, kind_handles in handles.items() for handle in kind_handles]
        self._entities = entities
