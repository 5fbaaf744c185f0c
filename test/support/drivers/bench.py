"""A robot behind a stand-in driver, the nodes of `guda up robot`, and a person beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
import os
from pathlib import Path
import signal

import numpy as np
from pty_command import PtyCommand

from drivers.catalogue import DRIVERS
from drivers.person import Person
from drivers.process import DriverProcess, make_profile
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode, read_episode
from guda_ros.ros.graph.environment import adopt, ros_environment
from guda_ros.soccer import starts, world
from guda_ros.workflows.robots.checking import check_robot, RobotCheck

#: Where in base_link the ball is put at the begin of an episode: each camera sees it there.
BALL = {'naoqi': (0.8, 0.05), 'turtlebot4': (0.9, 0.05), 'op3': (0.7, 0.05)}
#: How often an episode is recorded again that the recorder does not like: on a busy machine
#: drivers and nodes are late.
TRIES = 6
#: What `guda check robot` looks at that a busy machine decides.
PACE = ('rate', 'stamps', 'streams')
#: Processes that wait for each core where a robot cannot be kept up with at all.
BUSY = 3.0


class Bench:
    """
    One driver in a ROS domain.

    :param name: of the driver. :param folder: for profile, recordings and logs.
    """

    def __init__(self, name: str, domain: int, folder: Path) -> None:
        self.name, self.domain, self.folder = name, domain, folder
        adopt(ros_environment(domain, folder))
        self.profile = make_profile(DRIVERS[name], folder)
        self.contract = Contract.load('soccer_push', str(self.profile))
        self.start = starts.fixed_starts('demonstration', 1, self.contract.field, 'attack')[0, :3]
        self.ball = world.from_frame(np.array(BALL[name]), self.start)
        self.driver = DriverProcess(name, self.profile, domain, folder / 'driver.log')
        self.person = Person(domain)

    @property
    def has_head(self) -> bool:
        """Whether the robot has a head that turns."""
        return DRIVERS[self.name].joint_states is not None

    @property
    def recordings(self) -> Path:
        """Folder of what is recorded."""
        return self.folder / 'recordings'

    def close(self) -> None:
        """Leave nothing running."""
        self.person.close()
        self.driver.close()

    def place(self) -> None:
        """Put the robot where an episode begins, and the ball before it."""
        self.driver.place([*self.start, *self.ball])

    def command(self, *arguments: str) -> PtyCommand:
        """Run `guda` for this robot in a terminal."""
        return PtyCommand(
            *arguments,
            *('--domain', str(self.domain)),
            *('--robot', str(self.profile)),
            *('--log-dir', str(self.folder / f'log_{arguments[0]}')),
            size=(80, 24),
        )

    @contextmanager
    def up(self, *arguments: str) -> Iterator[PtyCommand]:
        """Run `guda up robot`; Ctrl-C ends it, and the robot must stand then."""
        command = self.command('up', 'robot', '--recordings', str(self.recordings), *arguments)
        try:
            command.wait_for('running.*Ctrl-C stops it', timeout=120)
            yield command
            command.process.send_signal(signal.SIGINT)
            command.must_end(130)
        finally:
            command.close()
        assert self.driver.state['command'] == [0.0, 0.0, 0.0]
        self.driver.wait(lambda state: state['speed'] < 0.01)
        self.person.said.clear()

    def look(self) -> RobotCheck:
        """Return what `guda check robot` finds; how fast all goes is not looked at."""
        found = check_robot(robot=str(self.profile), domain=self.domain, seconds=3, patience=60)
        return replace(
            found, findings=tuple(each for each in found.findings if each.aspect not in PACE)
        )

    def seconds(self, seconds: float) -> None:
        """Hold on for so long, by the clock of the robot."""
        clock = self.person.node.get_clock()
        end = clock.now().nanoseconds + seconds * 1e9
        self.person.wait(lambda: clock.now().nanoseconds > end, seconds + 30)

    def passed(self, seconds: float) -> bool:
        """Hold on for so long; return False, as a condition that does not hold yet."""
        self.seconds(seconds)
        return False

    @property
    def busy(self) -> bool:
        """Whether the machine has so much else to do that no robot could be kept up with."""
        return os.getloadavg()[0] > BUSY * (os.cpu_count() or 1)

    @property
    def walked(self) -> np.ndarray:
        """How far (3,) the robot is from where it was placed, in its axes then."""
        return world.relative_pose(np.array(self.driver.state['robot']), self.start)

    def begin(self) -> str:
        """Begin an episode by the pad; return its name."""
        before = self.person.episode.get('id', '')
        self.person.press(
            'episode_start',
            lambda: self.person.episode.get('running') and self.person.episode['id'] != before,
        )
        name = self.person.episode['id']
        self.person.wait(lambda: self.person.recording.get('id') == name)
        return name

    def end(self) -> bool:
        """End it with a goal; keep it if the recorder says that it is good, and tell that."""
        person = self.person
        person.press('episode_success', lambda: not person.episode['running'])
        person.wait(lambda: person.recording.get('state') == 'closed')
        good = person.recording['good']
        count = 'kept' if good else 'discarded'
        before = person.episode[count]
        person.press(
            'episode_keep' if good else 'episode_discard',
            lambda: person.episode[count] > before,
        )
        return good

    def teach(self, sticks: Sequence[float] = (1.0, 0.0, 0.2), metres: float = 0.3) -> str:
        """Demonstrate: drive at the ball until the robot has gone so far; return the episode."""
        person, said = self.person, []
        for _ in range(TRIES):
            self.place()
            name = self.begin()
            person.held, person.sticks = True, np.array(sticks)
            person.wait(lambda: self.walked[0] > metres, 30, lambda: self.driver.state)
            person.sticks = np.zeros(3)
            self.seconds(0.5)
            person.held = False
            self.driver.wait(lambda state: state['speed'] < 0.01)
            if self.end():
                return name
            if len(said) == TRIES - 1 and self.busy:
                # The recorder is right, and there is nothing better to have.
                return f'{name}.discarded'
            said.append(str(person.recording))
        raise AssertionError('\n'.join(said))

    def replay(self, name: str) -> bool:
        """Send the commands of an episode to the robot again; tell whether all were sent."""
        self.place()
        self.person.held = False
        command = self.command('data', 'replay', str(self.recordings / name), '--on', 'robot')
        try:
            command.wait_for('type yes')
            command.press('yes\r')
            command.wait_for("hold the dead-man's button", timeout=120)
            self.person.held = True
            said = command.wait_for(
                's replayed|stopped after', timeout=120, meanwhile=lambda: self.seconds(0.02)
            )
            sent = said.endswith('s replayed')
            command.must_end(0 if sent else 1)
            return sent
        finally:
            command.close()

    def read(self, name: str) -> Episode:
        """Return a recorded episode."""
        return read_episode(self.recordings / name, self.contract)
