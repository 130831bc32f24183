"""What threads worked with goes back to the system."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np

from services.runtime.freed_memory import return_freed_memory

THREADS = 6


def test_memory_that_many_threads_worked_with_in_turn_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True, timeout=60)

    assert int(done.stdout) < 40


def _work_in_turn() -> None:
    """In each of some threads, one after the other: two dozen arrays, a hundred MiB in all, and nothing is kept."""
    together = Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        for turn in range(THREADS):
            list(pool.map(lambda number, turn=turn: _work(together, is_its_turn=number == turn), range(THREADS)))


def _work(together: Barrier, *, is_its_turn: bool) -> None:
    together.wait()
    if is_its_turn:
        _ = [np.ones(4 << 20, dtype=np.uint8) for _ in range(24)]


def _anonymous_mib() -> int:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) >> 10


if __name__ == "__main__":
    return_freed_memory()
    before = _anonymous_mib()
    _work_in_turn()
    print(_anonymous_mib() - before)
