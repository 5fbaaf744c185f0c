"""ROS domains for tests that give a domain back and look at it afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
from pathlib import Path
import tempfile
import time

#: None of those that are handed out by themselves, and with ports that Linux gives nobody.
DOMAINS = range(215, 233)


@contextmanager
def own_domain() -> Iterator[int]:
    """Give the number of a domain that no other test on this machine has meanwhile."""
    folder = Path(tempfile.gettempdir())
    while True:
        for number in DOMAINS:
            with open(folder / f'guda_ros_test_domain_{number}.lock', 'a') as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield number
                return
        time.sleep(0.1)
