"""Runs a rival: a process of its own, in an environment that has its packages."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

from bench.load.rows import Payments


class Rival:
    """Loads into one database."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self._path = folder / "rows.parquet"

    def load(self, payments: Payments) -> float:
        """Seconds that the rival took for these rows, reading the file included, as ours."""
        pq.write_table(payments.table(), self._path, compression="zstd")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"parquet": str(self._path)}), file=self._process.stdin, flush=True)
        if not (answer := self._process.stdout.readline()):
            raise RuntimeError("the rival's process has ended; see what it says above")
        return float(json.loads(answer)["seconds"])


@contextmanager
def rival(python: Path, call: tuple[str, ...], database_url: str, folder: Path) -> Iterator[Rival]:
    """`call`: a module of this folder and what it is told; `python`: of the environment that has what it imports."""
    command = [str(python), "-m", f"bench.load.rivals.{call[0]}", database_url, *call[1:]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Rival(process, folder)
        finally:
            assert process.stdin is not None
            process.stdin.close()
