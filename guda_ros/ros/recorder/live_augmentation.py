"""Live augmentation in the data collector: a process that augments, markers and words about it."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict
import json
import subprocess
import sys
import threading

from rclpy.node import Node
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from guda_ros.augmentation.coverage import in_words
from guda_ros.augmentation.live import LiveSettings, load_live_guide
from guda_ros.data.contract import Contract
from guda_ros.ros.recorder.markers import augmentation_markers
from guda_ros.ros.running import steady_timer
from guda_ros.ros.topics import Topics

_TICK = 0.2
#: Time [s] to finish in when the node ends.
_GRACE = 2.0
#: Lines of the process' standard error that are kept.
_LAST_WORDS = 5


class LiveAugmentation:
    """
    Augment what was recorded after each episode, and say what to demonstrate next.

    Publishes `~/augmentation` (latched std_msgs/String, JSON as LiveAugmenter.run returns it,
    without what is drawn) and `~/augmented` (latched MarkerArray in `map`). The work is done by a
    process of low priority; whatever happens to it, recording goes on.

    :param folder: of the recordings.
    :raises GudaError: for an unknown guide, or one of another task.
    """

    def __init__(self, node: Node, guide: str, folder: str, contract: Contract) -> None:
        load_live_guide(guide, contract)
        self._node, self._frame = node, contract.frames['map']
        self._settings = LiveSettings(folder, guide, contract.to_json())
        self._process: subprocess.Popen | None = None
        self._answers: deque[str] = deque()
        self._errors: deque[str] = deque(maxlen=_LAST_WORDS)
        self._asked = self._answered = 0
        self._latest: dict = {}
        self._said: list[str] = []
        topics = Topics(contract)
        self._words_pub = topics.publisher(node, 'augmentation')
        self._markers_pub = topics.publisher(node, 'augmented')
        # The first one takes .2 s, which is to be over before an episode is recorded.
        self._markers_pub.publish(MarkerArray())
        self._timer = steady_timer(node, _TICK, self._look)
        # What an earlier run left in the folder counts, too.
        self.ask()

    def ask(self) -> None:
        """Let the process look at the folder; returns at once."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        try:
            self._process.stdin.write('look\n')
            self._process.stdin.flush()
        except OSError:
            # It has just ended; `_look` says so.
            return
        self._asked += 1

    def values(self) -> dict[str, object]:
        """Return what belongs into the diagnostics."""
        keys = (
            'guide',
            'episodes',
            'augmented',
            'acceptance',
            'covered',
            'places_covered',
            'next',
        )
        values = {f'augmentation.{key}': self._latest[key] for key in keys if key in self._latest}
        values['augmentation.working'] = self._asked > self._answered
        if self._latest.get('problems'):
            values['augmentation.problems'] = '; '.join(self._latest['problems'])
        return values

    def close(self) -> None:
        """Let the process finish what it was asked for, so that it is saved, and end it."""
        try:
            self._process.stdin.close()
        except OSError:
            # It has ended before it took the last word.
            pass
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        self._asked = self._answered = 0
        self._process = subprocess.Popen(
            [
                sys.executable,
                '-m',
                'guda_ros.augmentation.live',
                json.dumps(asdict(self._settings)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Ctrl-C in the terminal is the node's business, which then ends this process.
            start_new_session=True,
        )
        for stream, target in (
            (self._process.stdout, self._answers),
            (self._process.stderr, self._errors),
        ):
            threading.Thread(target=_collect, args=(stream, target), daemon=True).start()

    def _look(self) -> None:
        while self._answers:
            self._answered += 1
            self._tell(json.loads(self._answers.popleft()))
        if self._asked > self._answered and self._process.poll() is not None:
            self._asked = self._answered = 0
            words = self._errors[-1].strip() if self._errors else 'no word'
            self._latest['problems'] = [
                f'the augmentation ended ({words}); it is started again after the next episode'
            ]
            self._say()

    def _tell(self, report: dict) -> None:
        self._markers_pub.publish(augmentation_markers(report, self._frame))
        for key in ('stretches', 'places'):
            del report[key]
        self._latest = report
        self._say()
        if report['episodes']:
            self._node.get_logger().info(in_words(report))

    def _say(self) -> None:
        said, self._said = self._said, list(self._latest['problems'])
        for problem in self._said:
            if problem not in said:
                self._node.get_logger().warning(f'live augmentation: {problem}')
        self._words_pub.publish(String(data=json.dumps(self._latest)))


def _collect(stream, target: deque) -> None:
    for line in stream:
        target.append(line)
