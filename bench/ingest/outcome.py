"""What a reading process says when it is done, and how it is heard."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from services.runtime.resident_memory import peak_rss_mib


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one reading; imports are not in the time."""

    seconds: float
    rows: int
    peak_rss_mib: float


def say(seconds: float, rows: int) -> None:
    """Writes the outcome of this process to standard output."""
    print(json.dumps(asdict(Outcome(seconds, rows, peak_rss_mib()))))


def outcome_of(module: str, url: str, folder: Path) -> Outcome:
    """Runs a module of this package as a process of its own."""
    command = [sys.executable, "-m", module, url, str(folder)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=600)
    return Outcome(**json.loads(answer.stdout))
