"""Independent jobs on all cores: one process each, one thread a process, stopped together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import as_completed, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
import ctypes
import multiprocessing
import os
import signal

from guda_ros.errors import GudaError

_PR_SET_PDEATHSIG = 1


def _start_worker() -> None:
    # The parent decides what Ctrl-C means; a worker never outlives it, not even after kill -9.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, 'fork') and os.uname().sysname == 'Linux':
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def run_jobs(
    function: Callable, jobs: Iterable[tuple], processes: int | None = None
) -> Iterator[tuple[tuple, object]]:
    """
    Yield (job, function(*job)) as jobs finish; the first exception stops the rest and is raised.

    :param function: importable by name; it runs in a fresh interpreter.
    :param processes: at most this many at once, by default one a core.
    :raises GudaError: if a worker process is killed.
    """
    jobs = list(jobs)
    if not jobs:
        return
    processes = min(processes or os.cpu_count() or 1, len(jobs))
    previous = {name: os.environ.get(name) for name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS')}
    os.environ.update(dict.fromkeys(previous, '1'))
    context = multiprocessing.get_context('spawn')
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_start_worker)
    try:
        waiting = {pool.submit(function, *job): job for job in jobs}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
        pool.shutdown()
    except BaseException as error:
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise GudaError(
                'a worker process was killed: was the memory used up? What was finished is kept; '
                'run the command again'
            ) from error
        raise
    finally:
        for name, value in previous.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
