"""The most memory that this process held since it was last asked to forget, as Linux tells it."""

import ctypes
import re
from contextlib import suppress
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")
# proc_pid_clear_refs(5): resets VmHWM to what is resident now.
FORGET_PEAK = "5"


def peak_rss_mib() -> int:
    """In MiB; 0 where the kernel does not tell (getrusage counts the parent's, too)."""
    peak = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text()) if STATUS.exists() else None
    return int(peak[1]) // 1024 if peak else 0


def forget_peak() -> None:
    """Gives back what is free, and begins anew; where that is not allowed, the peak stays the last one."""
    with suppress(AttributeError):  # glibc alone keeps much, and can be told so
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):
        CLEAR_REFS.write_text(FORGET_PEAK)
