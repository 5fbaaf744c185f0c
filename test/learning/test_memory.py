"""Memory that training frees stays in the process."""

import os
import platform
import subprocess
import sys

import pytest

#: Page faults of tensors that are made anew, after the heap has grown to what they need.
SCRIPT = """
import resource, sys
import torch
from guda_ros.learning.memory import keep_freed_memory

if sys.argv[1] == 'keep':
    assert keep_freed_memory()
for number in range(20):
    if number == 15:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    tensors = [torch.ones(2_000_000) for _ in range(4)]
    del tensors
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='another C library')
def test_freed_memory_does_not_fault_again():
    # The C library is told to give back all it can, as it does with a heap that grows and shrinks.
    giving = {'MALLOC_MMAP_THRESHOLD_': '131072', 'MALLOC_TRIM_THRESHOLD_': '131072'}
    faults = {
        word: int(
            subprocess.run(
                [sys.executable, '-c', SCRIPT, word],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, **giving},
            ).stdout
        )
        for word in ('keep', 'leave')
    }
    # Five times four tensors of 8 MB are 39 000 pages of 4 kB.
    assert faults['keep'] < 1000 < faults['leave']
