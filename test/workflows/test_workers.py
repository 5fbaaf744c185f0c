"""Jobs in processes of their own: results, errors and a worker that is killed."""

import math
import signal

import pytest

from guda_ros.errors import GudaError
from guda_ros.workflows.parallel.workers import run_jobs


def test_every_job_is_done_once():
    jobs = [(number,) for number in (1, 4, 9)]
    assert sorted(run_jobs(math.isqrt, jobs, 2)) == [((1,), 1), ((4,), 2), ((9,), 3)]
    assert list(run_jobs(math.isqrt, [])) == []


def test_the_error_of_a_job_is_raised():
    with pytest.raises(ValueError, match='nonnegative'):
        list(run_jobs(math.isqrt, [(-1,)], 1))


def test_a_killed_worker_is_told_as_an_error_that_a_user_understands():
    with pytest.raises(GudaError, match='a worker process was killed'):
        list(run_jobs(signal.raise_signal, [(signal.SIGKILL,)], 1))
