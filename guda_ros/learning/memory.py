"""Memory of processes that train."""

from __future__ import annotations

import ctypes
import platform

#: Parameters of mallopt, from malloc.h of glibc.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


def keep_freed_memory() -> bool:
    """
    Let the C library keep memory that was freed; False where it is another one than glibc.

    glibc gives large free pieces back to the system, and each page faults when it is needed again:
    with tensors of some MB that is thousands of faults and a fifth of an update of CQL. It holds
    for the whole process, which then keeps as much as it once needed: call it where a process does
    nothing but train.
    """
    if platform.libc_ver()[0] != 'glibc':
        return False
    library = ctypes.CDLL(None)
    # 32 MiB is the most that glibc takes for the second.
    return bool(
        library.mallopt(_TRIM_THRESHOLD, 2**30) and library.mallopt(_MMAP_THRESHOLD, 2**25)
    )
