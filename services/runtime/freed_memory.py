"""Large blocks of memory go back to the system as soon as they are freed, whichever thread used them."""

import ctypes
from contextlib import suppress

# glibc gives each thread an arena of its own and, unless it is told a threshold, learns to keep blocks of up to
# 32 MiB there: what a thread once worked with then stays with it. See mallopt(3), malloc.h.
M_MMAP_THRESHOLD = -3
LARGE_BYTES = 1 << 20


def return_freed_memory() -> None:
    """For this process, from now on; of no effect where the C library is another than glibc."""
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
