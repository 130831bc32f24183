"""`python -m bench.serving.load_process` loads a server from a process of its own, on a core of its own.

It reads a Task as JSON from its standard input and writes a Load.
"""

import gc
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter

from bench.serving.load import Load, Target, closed_load, open_load


@dataclass(frozen=True, slots=True)
class Task:
    """See `closed_load`; with a `rate`, see `open_load`. `core`: where, or anywhere."""

    # Messages are no text.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    target: Target
    messages: Sequence[bytes]
    at_once: int
    warm: float
    seconds: float
    core: int | None = None
    rate: float | None = None


TASK = TypeAdapter(Task)
LOAD = TypeAdapter(Load)


def loaded(task: Task) -> Load:
    """Runs the process."""
    command = [sys.executable, "-m", "bench.serving.load_process"]
    done = subprocess.run(command, input=TASK.dump_json(task), check=True, stdout=subprocess.PIPE)
    return LOAD.validate_json(done.stdout)


def main() -> None:
    """Loads."""
    task = TASK.validate_json(sys.stdin.buffer.read())
    if task.core is not None:
        os.sched_setaffinity(0, [task.core])
    gc.freeze()
    gc.disable()
    sys.stdout.buffer.write(LOAD.dump_json(_load(task)))


def _load(task: Task) -> Load:
    if task.rate is not None:
        return open_load(task.target, task.messages, task.rate, task.seconds)
    return closed_load(task.target, task.messages, task.at_once, task.warm, task.seconds)


if __name__ == "__main__":
    main()
