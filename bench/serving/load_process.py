"""`python -m bench.serving.load_process` loads a server from a process of its own, on a core of its own.

It reads a Task, pickled, from its standard input and writes a Load, pickled.
"""

import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from bench.serving.load import Load, Target, closed_load, open_load


@dataclass(frozen=True, slots=True)
class Task:
    """See `closed_load`; with a `rate`, see `open_load`. `core`: where, or anywhere."""

    target: Target
    messages: Sequence[bytes]
    at_once: int
    warm: float
    seconds: float
    core: int | None = None
    rate: float | None = None


def loaded(task: Task) -> Load:
    """Runs the process."""
    command = [sys.executable, "-m", "bench.serving.load_process"]
    done = subprocess.run(command, input=pickle.dumps(task), check=True, stdout=subprocess.PIPE)
    load: Load = pickle.loads(done.stdout)  # noqa: S301 - written by ourselves
    return load


def main() -> None:
    """Loads."""
    task: Task = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by ourselves
    if task.core is not None:
        os.sched_setaffinity(0, [task.core])
    gc.freeze()
    gc.disable()
    pickle.dump(_load(task), sys.stdout.buffer)


def _load(task: Task) -> Load:
    if task.rate is not None:
        return open_load(task.target, task.messages, task.rate, task.seconds)
    return closed_load(task.target, task.messages, task.at_once, task.warm, task.seconds)


if __name__ == "__main__":
    main()
