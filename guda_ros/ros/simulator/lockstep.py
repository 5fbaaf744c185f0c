"""Who has answered a control step and who has not: the bookkeeping of lock-step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class LockStep:
    """
    The answers to one step.

    What sensors deliver late, or lose, must not stop the world for ever. So a step is answered by
    the stamp of the newest image that came with it, where a policy works by images, and where none
    came there is nothing to wait for. A person's eyes (ground truth) are never late: where no
    policy is, each step is answered by its own stamp.

    :param command: the topic whose message moves the robot.
    :param seen: the topic of perception, which says that it is done with an image.
    :param commands: topics of those who command; with the others they tell where an answer got
        stuck.
    """

    def __init__(self, command: str, seen: str, commands: Iterable[str] = ()) -> None:
        self._command, self._seen = command, seen
        self._last: dict[str, int | None] = dict.fromkeys((seen, *commands, command))
        self._wanted: dict[str, int] = {}
        self._open = False
        self.sources()

    def sources(
        self, perception: bool = False, policy: bool = False, camera: bool = False
    ) -> None:
        """Say who answers: whether there are perception, a policy and images."""
        self._sources = perception, policy, camera

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics whose stamps are looked at."""
        return tuple(self._last)

    def expect(self, now: int, newest: int | None) -> bool:
        """
        Begin a step at `now` [ns]; tell whether there is anything to wait for.

        :param newest: stamp of the newest image that has arrived with its odometry in this step.
        """
        perception, policy, camera = self._sources
        seen = newest if camera else now
        stamps = {self._seen: seen if perception else None, self._command: seen if policy else now}
        self._wanted = {topic: stamp for topic, stamp in stamps.items() if stamp is not None}
        self._open = True
        return bool(self._wanted)

    def finish(self) -> None:
        """Wait for nothing."""
        self._wanted, self._open = {}, False

    @property
    def complete(self) -> bool:
        """Whether a step is under way and all that answers it has come."""
        return self._open and not self.missing()

    def answer(self, topic: str, stamp: int) -> bool:
        """Take note of a message; tell whether it is one that is waited for."""
        self._last[topic] = stamp
        return self._wanted.get(topic) == stamp

    def missing(self) -> list[str]:
        """Return the topics that have not carried their stamp yet."""
        return [topic for topic, stamp in self._wanted.items() if self._last[topic] != stamp]

    def describe(self, publishers: Mapping[str, list[str]]) -> str:
        """
        Say where the answer got stuck.

        :param publishers: names of the nodes that publish each topic.
        """
        default = self._wanted.get(self._command, next(iter(self._wanted.values()), 0))
        stamps = {
            topic: self._wanted.get(topic, default)
            for topic in self._last
            if publishers.get(topic) or topic in self._wanted
        }
        stuck = next(
            (topic for topic, stamp in stamps.items() if self._last[topic] != stamp), self._command
        )
        nodes = ' or '.join(publishers.get(stuck, [])) or 'nobody publishes it'
        seen = []
        for topic, stamp in stamps.items():
            last = self._last[topic]
            when = 'never' if last is None else f'last stamp {last / 1e9:.3f} s'
            seen.append(f'{topic} {"answered" if last == stamp else when}')
        return (
            f'no {stuck} for stamp {stamps.get(stuck, default) / 1e9:.3f} s (from {nodes}); '
            + ', '.join(seen)
        )
