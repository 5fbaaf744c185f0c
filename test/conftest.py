"""What all tests begin with, and what the markers and a missing package mean."""

import atexit
from functools import cache
import os
import shutil
import signal
import tempfile

from domains import own_domain
from optional import missing, without
import pytest

# A job in the background of a script begins with Ctrl-C ignored, and hands that on to processes
# whose answer to Ctrl-C is tested.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# As many processes as cores run tests; threads of their own would only make them wait.
for variable in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'):
    os.environ.setdefault(variable, '1')

# What nodes log and remember of a robot is that of these tests and of no robot of this machine.
os.environ['ROS_HOME'] = tempfile.mkdtemp(prefix='guda_ros_test_home_')
atexit.register(shutil.rmtree, os.environ['ROS_HOME'], ignore_errors=True)

#: Files and rooms that begin first, so that none of the processes works alone in the end: what
#: takes longest, then what waits more than it computes.
FIRST = (
    'workflows/test_demo.py',
    'workflows/test_scripts.py',
    'project/test_docs.py',
    'examples/test_notebook.py',
    'examples/test_new_task.py',
    'examples/test_examples.py',
    'learning/test_resume.py',
    'learning/test_td3_bc.py',
    'evaluation/test_benchmark.py',
    'nodes/test_recorder_faults.py',
    'nodes/test_graph.py',
    'nodes/test_simulator_sensors.py',
    'project/test_packaging.py',
    'nodes',
    'ros',
    'cli',
)

try:
    from hypothesis import HealthCheck, settings
except ImportError:
    pass
else:
    # How long an example takes depends on what else the machine does.
    settings.register_profile(
        'untimed', deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile('untimed')


@pytest.fixture
def domain():
    """Return a ROS domain that this test may give back: no other test takes it then."""
    with own_domain() as number:
        yield number


class OptionalModule(pytest.Module):
    """A file of tests, all of which are skipped where an optional package is not installed."""

    def collect(self):
        try:
            return super().collect()
        except self.CollectError as error:
            cause = error.__cause__
            reason = isinstance(cause, ModuleNotFoundError) and without(cause.name)
            if not reason:
                raise
            pytest.skip(reason, allow_module_level=True)


def pytest_pycollect_makemodule(module_path, parent):
    return OptionalModule.from_parent(parent, path=module_path)


def place(path):
    """Return which place of FIRST a file of tests has."""
    names = (f'{path.parent.name}/{path.name}', path.parent.name)
    return next((index for index, name in enumerate(FIRST) if name in names), len(FIRST))


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: place(item.path))
    absent = cache(missing)
    for item in items:
        reasons = [absent(part) for mark in item.iter_markers('needs') for part in mark.args]
        for reason in filter(None, reasons):
            item.add_marker(pytest.mark.skip(reason=reason))
