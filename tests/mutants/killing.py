"""Runs the tests of the merge against mutants, each in a copy of this tree."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.mutants import Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("afin", "bench", "demo", "services", "tests", "pyproject.toml")
WAREHOUSE = "tests/integration/warehouse"
# The quick ones first: most mutants are dead by then.
TESTS = [
    f"{WAREHOUSE}/{name}"
    for name in (
        "test_payments_load.py",
        "test_sieve.py",
        "test_scd2_property.py",
        "test_lake.py",
        "test_lost_connections.py",
        "test_transactions.py",
    )
]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.mutants.plugin", "-p", "no:cacheprovider"]
# A mutant that waits for ever is noticed too.
TIMEOUT_SECONDS = 600


def check_sound() -> None:
    """Raises unless the tests pass without a mistake: tests that always fail kill everything."""
    with copied_tree() as tree:
        if killer := failing_test(tree):
            raise RuntimeError(f"without any mutant, {killer} fails; mend that first")


def killer_of(mutant: Mutant) -> str | None:
    """The test that noticed the mutant; None when none did: it lives."""
    with copied_tree() as tree:
        apply(mutant, tree)
        return failing_test(tree)


def apply(mutant: Mutant, tree: Path) -> None:
    """Makes the mistake; ValueError when its place is gone, or there are several."""
    path = tree / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"mutant {mutant.name!r}: its text stands {text.count(mutant.old)} times in {mutant.file}")
    path.write_text(text.replace(mutant.old, mutant.new))


@contextmanager
def copied_tree() -> Iterator[Path]:
    """What the tests need, apart from what is edited meanwhile."""
    with TemporaryDirectory(prefix="afin-mutant-") as folder:
        for name in COPIED:
            source, target = ROOT / name, Path(folder) / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        yield Path(folder)


def failing_test(tree: Path) -> str | None:
    """The first test that fails in a tree; None when all pass."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*PYTEST, *TESTS]
    try:
        result = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "the time limit"
    if result.returncode == 0:
        return None
    failed = [
        line.split(" ", 1)[1].split(" - ")[0]
        for line in result.stdout.splitlines()
        if line.startswith(("FAILED ", "ERROR "))
    ]
    if not failed:
        raise RuntimeError(f"pytest ended with {result.returncode}:\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    return failed[0].rpartition("::")[2]
