"""A failpoint ends the process at the passing that was asked for; a wrong one is told before the process works."""

import os
import signal
import subprocess
import sys

import pytest

from services.runtime.failpoints import VARIABLE, arm_failpoint

PROGRAM = """
import os
from services.runtime.failpoints import Failpoint, arm_failpoint, passing
arm_failpoint(os.environ)
for number in range(3):
    passing(Failpoint.LOAD_STAGED)
    passing(Failpoint.LOAD_MERGED)
    print(number, flush=True)
"""


def run(failpoint: str) -> subprocess.Popen[str]:
    """A process that passes two places thrice, and counts."""
    environment = {**os.environ, VARIABLE: failpoint}
    return subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True)


def counted(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.isdecimal()]


@pytest.mark.parametrize(("failpoint", "passed"), [("load.staged", 0), ("load.merged:2", 1), ("load.merged:3", 2)])
def test_the_process_is_killed_at_the_passing_that_was_asked_for(failpoint: str, passed: int) -> None:
    with run(failpoint) as process:
        output, _ = process.communicate(timeout=60)

    assert process.returncode == -signal.SIGKILL
    assert counted(output) == [str(number) for number in range(passed)]


@pytest.mark.parametrize("failpoint", ["", "load.begun", "load.staged:4"])
def test_a_place_that_is_not_passed_so_often_harms_nobody(failpoint: str) -> None:
    with run(failpoint) as process:
        output, _ = process.communicate(timeout=60)

    assert (process.returncode, counted(output)) == (0, ["0", "1", "2"])


def test_a_process_can_be_frozen_instead_and_goes_on_when_it_is_told() -> None:
    with run("load.merged:1:stop") as process:
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])

        process.send_signal(signal.SIGCONT)
        output, _ = process.communicate(timeout=60)

    assert (process.returncode, counted(output)) == (0, ["0", "1", "2"])


@pytest.mark.parametrize("wrong", ["load.mergd", "load.merged:0", "load.merged:x", "load.merged:1:explode", ":1"])
def test_a_wrong_failpoint_is_told_in_one_line(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arm_failpoint({VARIABLE: wrong})

    assert (ended.value.code, len(capsys.readouterr().err.splitlines())) == (2, 1)
