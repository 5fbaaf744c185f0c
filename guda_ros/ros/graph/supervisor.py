"""
Two small programs that keep a graph of processes tidy; the standard library only, run as a file.

`exec PARENT COMMAND...` becomes the command, which the kernel terminates when its parent dies.
`keep` reads process groups, one a line, from standard input. When its parent goes away without the
line `done`, even by SIGKILL, it ends those groups and removes what they left in shared memory.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

PR_SET_PDEATHSIG = 1


def become(parent: int, command: list[str]) -> None:
    """Replace this process by a command that gets SIGTERM when `parent` dies."""
    if sys.platform.startswith('linux'):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit('the program that started this node is gone')
    os.execv(command[0], command)


def end_groups(groups: list[int], grace: float = 3.0) -> None:
    """End process groups: SIGTERM, then SIGKILL to what is left after `grace` seconds."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + grace
        for group in groups:
            _signal(group, number)
        while groups and time.monotonic() < deadline:
            groups = [group for group in groups if _alive(group)]
            time.sleep(0.05)


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        # The number belongs to somebody else by now.
        return False
    return True


def _alive(group: int) -> bool:
    if not _signal(group, 0):
        return False
    try:
        with open(f'/proc/{group}/stat', encoding='utf-8', errors='replace') as stat:
            # A dead leader that nobody has waited for still answers signals.
            return stat.read().rpartition(')')[2].split()[0] not in 'ZX'
    except FileNotFoundError:
        return not os.path.isdir('/proc/self')


def keep() -> None:
    """Wait for the end of the parent and tidy up unless it did so itself."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups = []
    for line in sys.stdin:
        if line.strip() == 'done':
            return
        groups.append(int(line))
    end_groups(groups)
    here = os.path.abspath(__file__)
    sys.path.insert(0, os.path.abspath(os.path.join(here, *[os.pardir] * 4)))
    from guda_ros.ros.graph.shared_memory import clean_shared_memory

    clean_shared_memory()


if __name__ == '__main__':
    # Run as a file, this folder is the first on the path and would hide modules of the same name.
    sys.path.pop(0)
    if sys.argv[1] == 'exec':
        become(int(sys.argv[2]), sys.argv[3:])
    else:
        keep()
