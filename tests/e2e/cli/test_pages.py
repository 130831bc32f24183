"""What the README, the tutorial and docs/how-to show is typed as it stands there, in a shell before a running stack."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.stack.options import FIXED_PORTS
from tests.e2e.canary.world import ordinary
from tests.e2e.cli.shell import Shell, open_shell

ROOT = Path(__file__).parents[3]
HOW_TO = ROOT / "docs" / "how-to"
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
CALL_SECONDS = 120
SERVICES = ("ingest", "warehouse", "indexer", "recommender")
Name = Callable[[Shell], str]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A stack with two index versions; some rows of the first run were refused."""
    with open_shell(tmp_path_factory.mktemp("state")) as shell:
        shell.afin("run", "companies", "--watch")
        shell.afin("run", "recommendations", "--watch")
        shell.source.payments += [ordinary(number) for number in range(600, 640)]
        shell.afin("run", "recommendations", "--watch")
        yield shell


def first_run(shell: Shell) -> str:
    """The one with refused rows."""
    runs = shell.json("runs", "--pipeline", "recommendations", "-n", "50")["runs"]
    return str(runs[-1]["runId"])


def reconciliation(shell: Shell) -> str:
    """The newest, which is waited for."""
    run = str(shell.json("runs", "--pipeline", "reconcile", "-n", "1")["runs"][0]["runId"])
    shell.afin("run", "watch", run)
    return run


def client(number: int) -> Name:
    """Its id."""
    return lambda shell: f"client-{number}"


def version(nth: int) -> Name:
    """The nth of the index versions, newest first."""
    return lambda shell: str(shell.json("index", "list")["indexVersions"][nth]["version"])


def challenger(shell: Shell) -> str:
    """The newest version, which is taken out of service first."""
    shell.afin("index", "rollback", version(-1)(shell), "--reason", "to try another beside it")
    return version(0)(shell)


def payment(field: str) -> Name:
    """Of a client's newest payment."""
    return lambda shell: str(shell.json("client", "history", "client-1", "-n", "1")["payments"][0][field])


def erasure(shell: Shell) -> str:
    """The newest."""
    return str(shell.json("erasure", "list")["erasures"][0]["erasureId"])


def answer(shell: Shell) -> str:
    """The id of one."""
    return str(shell.json("recommend", "client-1")["recommendationId"])


PAGES: dict[str, dict[str, Name]] = {
    "run": {"RUN": first_run, "PASS": reconciliation},
    "quarantine": {"RUN": first_run},
    "history": {"CLIENT": client(1), "ID": payment("paymentId"), "CODE": payment("companyCode")},
    "index-versions": {"VERSION": version(0), "OTHER": version(1)},
    "experiments": {"VERSION": challenger, "ID": answer, "CODE": lambda shell: "c7"},
    "erase": {"CLIENT": client(2), "ID": erasure},
}
# What a page shows for another moment than that of the test: the command's words, and what it is told instead.
NOT_NOW = {
    "retry RUN": "only a failed or cancelled run can be retried",
    "RetryRun": "only a failed or cancelled run can be retried",
    "cancel RUN": "nothing to cancel",
    "CancelRun": "nothing to cancel",
}


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_do_what_it_says(shell: Shell, page: str) -> None:
    for command in commands(page):
        code, said = typed(shell, command, PAGES[page])
        refusal = next((NOT_NOW[words] for words in NOT_NOW if words in command), None)
        assert bool(code) == bool(refusal), f"{command}: {said}"
        assert refusal is None or refusal in said, f"{command}: {said}"


@pytest.mark.parametrize(("page", "shown"), [("README.md", 3), ("docs/tutorial.md", 2)])
def test_commands_of_a_first_hour_do_what_they_should(shell: Shell, small_data: Path, page: str, shown: int) -> None:
    """Those of make are typed by test_main_job, and by who builds a release; grpcurl may not be there."""
    blocks = "".join(BLOCK.findall((ROOT / page).read_text())).replace("\\\n", "")
    lines = [line for line in blocks.splitlines() if line.startswith(".venv/bin/")]

    assert len(lines) == shown
    for line in lines:
        code, said = typed(shell, re.sub(r"path/to/folder|\bown\b", str(small_data), line), {"CLIENT": client(1)})
        assert code == 0, f"{line}: {said}"


def commands(page: str) -> list[str]:
    """A line each, but for the function, which is typed before each of those that use it."""
    lines = [line for block in BLOCK.findall((HOW_TO / f"{page}.md").read_text()) for line in block.splitlines()]
    functions = [line for line in lines if line.startswith("call() ")]
    return [f"{functions[0]}\n{line}" if line.startswith("call ") else line for line in lines if line not in functions]


def typed(shell: Shell, command: str, names: dict[str, Name]) -> tuple[int, str]:
    """Exit code, and all that was printed; words in capitals and ports are those of the stack."""
    for word, name in names.items():
        if re.search(rf"\b{word}\b", command):
            command = re.sub(rf"\b{word}\b", name(shell), command)
    profile = tomllib.loads(shell.profiles.read_text())["default"]
    for service in SERVICES:
        port = profile[service].rpartition(":")[2]
        command = re.sub(
            rf"(^call |127\.0\.0\.1:){FIXED_PORTS[service]}\b", rf"\g<1>{port}", command, flags=re.MULTILINE
        )
    environment = {**os.environ, **shell.environment(), "COLUMNS": "200"}
    script = command.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    done = subprocess.run(
        ["bash", "-euc", script], capture_output=True, text=True, env=environment, timeout=CALL_SECONDS, check=False
    )
    return done.returncode, done.stdout + done.stderr
