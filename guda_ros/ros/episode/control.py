"""Episodes at the press of a button: begin, end with a verdict, keep, set aside, record again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import json
from pathlib import Path
import time

import numpy as np
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_msgs.msg import String
from std_srvs.srv import Trigger

from guda_ros.data.contract import Contract
from guda_ros.data.recording.collector import FAILED
from guda_ros.evaluation.placing import placing_instructions
from guda_ros.ros import qos
from guda_ros.ros.episode.event import EpisodeEvent, read_event
from guda_ros.ros.topics import service_client, Topics
from guda_ros.soccer.starts import fixed_starts

#: Seconds from the announcement of an episode on a robot to its first observation.
LEAD = 0.3
#: Seconds until a service is found that is there, and until one that does not answer is given up.
DISCOVERY, PATIENCE = 3.0, 15.0
_VERDICTS = {'episode_success': 'scored', 'episode_failure': 'failed'}


class EpisodeControl:
    """
    What the buttons for episodes do.

    Where there is a simulator it is asked to begin and to end episodes. On a robot this class
    announces them itself, unless somebody else does. Starts are those of the purpose's fixed list,
    one after the other: a start that was set aside, or not recorded, comes again.

    :param on_reset: called with the stamp [ns] of the first observation when an episode begins.
    """

    def __init__(
        self,
        node: Node,
        contract: Contract,
        purpose: str,
        scenario: str,
        first: int,
        on_reset: Callable[[int], None],
    ) -> None:
        self._node, self._contract = node, contract
        self._purpose, self._scenario, self._index = purpose, scenario, first
        self._on_reset = on_reset
        self._event: EpisodeEvent | None = None
        self._recording: dict = {}
        self._settled = True
        self._busy: list[tuple] = []
        self._pressed: list[str] = []
        self._asked, self._under_way = 0.0, False
        self._told, self._placed = '', (-1, '')
        self._runner, self._looked = '', -np.inf
        self.kept = self.discarded = 0
        topics = Topics(contract)
        self._pub = topics.publisher(node, 'episode', qos=qos.LATCHED)
        topics.subscription(node, 'episode', self._on_episode)
        topics.subscription(node, 'recording', self._on_recording)
        self._parameters = service_client(node, 'simulator_parameters')
        self._reset = service_client(node, 'reset')
        self._end_client = service_client(node, 'end')
        self._discard = service_client(node, 'discard')

    @property
    def status(self) -> dict:
        """Return how things stand, as plain values; `told` and `place` are for the person."""
        event = self._event
        return {
            'id': event.id if event else '',
            'verdict': (event.verdict or '') if event else '',
            'running': self.running,
            'settled': self._settled,
            'start_index': self._index,
            'kept': self.kept,
            'discarded': self.discarded,
            'told': self._told,
            'place': '' if self.running or self._run_by() else self._placing(),
        }

    @property
    def running(self) -> bool:
        """Whether an episode is under way."""
        return self._event is not None and self._event.phase != 'end'

    def press(self, button: str) -> None:
        """Do what a button for episodes is for."""
        # What was known a second ago may be out of date.
        self._looked = -np.inf
        if self._busy and time.monotonic() - self._asked > PATIENCE:
            self._say(f'no answer from {self._busy[0][0].srv_name}; press again')
            self._busy.clear()
            self._pressed.clear()
        elif self._busy:
            self._pressed.append(button)
        elif button == 'episode_start':
            self._start()
        elif button in _VERDICTS:
            if self.running:
                self._finish(_VERDICTS[button])
            else:
                self._say('no episode is running')
        elif button == 'episode_keep':
            if self.running:
                self._say('first say how it ended: success or failure')
            elif self._settled:
                self._say('there is nothing to keep')
            else:
                self._keep()
        else:
            self._set_aside(again=button == 'episode_rerecord')

    def _start(self) -> None:
        if self.running:
            self._say('an episode is running: end it with success, failure or discard')
            return
        if not self._settled:
            self._keep()
        self._begin()

    def _keep(self) -> None:
        self._settled = True
        if (self._recording.get('id'), self._recording.get('state')) == (self._event.id, FAILED):
            self._say(f'{self._event.id} was NOT recorded: it comes again')
            return
        self.kept += 1
        self._index += 1
        self._say(f'{self._event.id} is kept')

    def _set_aside(self, again: bool) -> None:
        if self._event is None or (self._settled and not self.running):
            self._say('there is nothing to discard')
            return
        if self.running:
            self._finish('aborted', 'discarded by the operator')
        self._call(
            self._discard,
            Trigger.Request(),
            lambda answer: self._on_discarded(answer.message, again),
        )

    def _on_discarded(self, where: str, again: bool) -> None:
        self._settled = True
        self.discarded += 1
        self._say(f'set aside as {Path(where).name}')
        if again:
            self._begin()

    # A simulator, or the field

    def _run_by(self) -> str:
        """Return who announces episodes, an empty text if it is for this node to do."""
        if time.monotonic() - self._looked > 1.0:
            self._looked, self._runner = time.monotonic(), self._look()
        return self._runner

    def _look(self) -> str:
        topic = self._contract.topics['episode']
        others = [
            info.node_name
            for info in self._node.get_publishers_info_by_topic(topic)
            if info.node_name != self._node.get_name()
        ]
        # Whose time is simulated has a simulator, be it known to the graph by now or not.
        simulated = self._node.get_clock().ros_time_is_active
        return ', '.join(others) or ('simulator' if simulated else '')

    def _begin(self) -> None:
        run_by = self._run_by()
        if run_by == 'simulator':
            values = {
                'start_index': self._index,
                'seed': self._index,
                'purpose': self._purpose,
                'scenario': self._scenario,
            }
            request = SetParameters.Request(
                parameters=[
                    Parameter(name, value=value).to_parameter_msg()
                    for name, value in values.items()
                ]
            )
            self._call(self._parameters, request, lambda answer: None)
            self._call(self._reset, Trigger.Request(), lambda answer: self._say(''))
        elif run_by:
            self._say(f'episodes are run by {run_by}')
        else:
            start = self._start_of_list()
            now = self._node.get_clock().now().nanoseconds
            event = EpisodeEvent(
                id=f'{self._purpose}_{self._scenario}_{self._index:04d}_'
                f'{time.strftime("%Y%m%d_%H%M%S")}',
                phase='reset',
                scenario=self._scenario,
                start_index=self._index,
                seed=self._index,
                stamp=now + round(LEAD * 1e9),
                robot_start=tuple(map(float, start[:3])),
                contract_hash=self._contract.hash,
            )
            for phase in ('reset', 'start'):
                self._pub.publish(String(data=replace(event, phase=phase).to_json()))
            self._say('')

    def _finish(self, verdict: str, message: str = 'by the operator') -> None:
        run_by = self._run_by()
        if run_by == 'simulator':
            request = SetParameters.Request(
                parameters=[Parameter('verdict', value=verdict).to_parameter_msg()]
            )
            self._call(self._parameters, request, lambda answer: None)
            self._call(self._end_client, Trigger.Request(), lambda answer: None)
        elif run_by:
            self._say(f'episodes are run by {run_by}')
        else:
            self._pub.publish(
                String(
                    data=replace(
                        self._event,
                        phase='end',
                        verdict=verdict,
                        message=message,
                        stamp=self._node.get_clock().now().nanoseconds,
                    ).to_json()
                )
            )

    def _start_of_list(self) -> np.ndarray:
        return fixed_starts(self._purpose, self._index + 1, self._contract.field, self._scenario)[
            self._index
        ]

    def _placing(self) -> str:
        if self._placed[0] != self._index:
            lines = placing_instructions(
                self._start_of_list(), self._contract.field, self._contract.has_ball
            )
            self._placed = self._index, '; '.join(' '.join(line.split()) for line in lines[:3])
        return self._placed[1]

    def _on_episode(self, message: String) -> None:
        event = read_event(self._node, message.data)
        if event is None:
            return
        self._event = event
        if event.phase == 'reset':
            self._on_reset(event.stamp)
        elif event.phase == 'start':
            self._settled = False
        elif event.phase == 'end':
            self._say(f'{event.verdict}: keep, discard or record again?')

    def _on_recording(self, message: String) -> None:
        self._recording = json.loads(message.data)

    # Services, one after the other

    def _call(self, client, request, done: Callable) -> None:
        self._busy.append((client, request, done))
        if len(self._busy) == 1:
            self._ask()

    def _ask(self) -> None:
        self._asked, self._under_way = time.monotonic(), False
        self.tick()

    def tick(self) -> None:
        """Ask the service that is next as soon as it is there; call it several times a second."""
        if not self._busy or self._under_way:
            return
        entry = client, request, _ = self._busy[0]
        if client.service_is_ready():
            self._under_way = True
            client.call_async(request).add_done_callback(
                lambda future: self._on_answer(entry, future)
            )
        elif time.monotonic() - self._asked > DISCOVERY:
            self._busy.clear()
            self._pressed.clear()
            self._say(f'{client.srv_name} is not there: is its node running?')

    def _on_answer(self, entry: tuple, future) -> None:
        if not self._busy or self._busy[0] is not entry:
            # It was given up.
            return
        _, _, done = self._busy.pop(0)
        answer = future.result()
        problem = self._problem(answer)
        if problem:
            # What was pressed meanwhile took it for granted that this would be done.
            self._busy.clear()
            self._pressed.clear()
            self._say(problem)
            return
        waiting = bool(self._busy)
        done(answer)
        if waiting:
            self._ask()
        while self._pressed and not self._busy:
            self.press(self._pressed.pop(0))

    @staticmethod
    def _problem(answer) -> str:
        if isinstance(answer, SetParameters.Response):
            return '; '.join(result.reason for result in answer.results if not result.successful)
        return '' if answer.success else answer.message or 'refused'

    def _say(self, text: str) -> None:
        self._told = text
