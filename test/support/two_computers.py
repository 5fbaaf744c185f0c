"""Two computers on one cable, as network namespaces of this one: a laptop here, a robot there."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

#: Addresses of the two ends, of a network that nobody else here is in.
LAPTOP, ROBOT = '10.77.31.1', '10.77.31.2'


def lacks() -> str:
    """Return why there can be no second computer, or an empty text."""
    if not all(map(shutil.which, ('ip', 'unshare', 'nsenter'))):
        return 'iproute2 and util-linux are needed (ip, unshare, nsenter)'
    made = subprocess.run(['unshare', '-n', 'true'], capture_output=True)
    return '' if made.returncode == 0 else 'network namespaces need the rights of root'


class TwoComputers:
    """
    A second network, and a cable between it and this one, as long as the block lasts.

    Both have one /dev/shm, which two computers have not: environment() leaves shared memory out.
    """

    def __enter__(self) -> TwoComputers:
        self._holder = subprocess.Popen(['unshare', '-n', 'sleep', 'infinity'])
        self._here, there = f'gl{os.getpid()}', f'gr{os.getpid()}'
        try:
            mine = os.readlink('/proc/self/ns/net')
            deadline = time.monotonic() + 10
            while os.readlink(f'/proc/{self._holder.pid}/ns/net') == mine:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            self._run('ip', 'link', 'add', self._here, 'type', 'veth', 'peer', 'name', there)
            self._run('ip', 'link', 'set', there, 'netns', str(self._holder.pid))
            self._run('ip', 'address', 'add', f'{LAPTOP}/24', 'dev', self._here)
            self._run(*self.on_robot('ip', 'address', 'add', f'{ROBOT}/24', 'dev', there))
            for name in ('lo', there):
                self._run(*self.on_robot('ip', 'link', 'set', name, 'up'))
            self.mend()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        subprocess.run(['ip', 'link', 'delete', self._here], capture_output=True)
        self._holder.kill()
        self._holder.wait()

    @staticmethod
    def _run(*command: str) -> None:
        subprocess.run(command, check=True)

    @staticmethod
    def environment(**more: str) -> dict[str, str]:
        """Return variables for processes of either computer."""
        return {**os.environ, 'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4', **more}

    def on_robot(self, *command: str) -> tuple[str, ...]:
        """Return a command as it runs on the robot."""
        return ('nsenter', '-t', str(self._holder.pid), '-n', *command)

    def cut(self) -> None:
        """Pull the cable."""
        self._run('ip', 'link', 'set', self._here, 'down')

    def mend(self) -> None:
        """Plug the cable in."""
        self._run('ip', 'link', 'set', self._here, 'up')
