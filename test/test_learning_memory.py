"""Memory that training frees stays in the process."""

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
import torch
from guda_ros.learning.memory import keep_freed_memory

if sys.argv[1] == 'keep':
    assert keep_freed_memory()
for _ in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    tensors = [torch.ones(2_000_000) for _ in range(4)]
    del tensors
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='another C library')
def test_freed_memory_does_not_fault_again():
    faults = {
        word: int(subprocess.run([sys.executable, '-c', SCRIPT, word], capture_output=True,
                                 text=True, check=True).stdout)
        for word in ('keep', 'leave')
    }
    # Four tensors of 8 MB are 7 800 pages of 4 kB.
    assert faults['keep'] < 100 < faults['leave']
