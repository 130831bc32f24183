"""The limit of open files of a process."""

import json
import subprocess
import sys

PROGRAM = """
import resource, sys
hard = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
from services.runtime.telemetry import configure_logging
from services.runtime.open_files import raise_open_files
configure_logging("house", "INFO")
raise_open_files(enough=512)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def lines_of(hard: int) -> list[str]:
    """What a process under such a hard limit says, and at last its soft limit."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(hard)], capture_output=True, text=True, check=True, timeout=60
    )
    return run.stdout.splitlines()


def test_a_process_takes_what_it_may() -> None:
    assert lines_of(512) == ["512"]


def test_too_few_are_told_with_what_to_do() -> None:
    warning, limit = lines_of(256)

    assert limit == "256"
    assert (json.loads(warning)["level"], json.loads(warning)["limit"]) == ("warning", 256)
    assert "MAX_CONNECTIONS" in json.loads(warning)["remedy"]
