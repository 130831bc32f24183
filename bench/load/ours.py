"""Our own loads: a process of their own, so that its memory is what a load takes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

from bench.load.lake import put_payments
from bench.load.rows import Payments
from services.runtime.objects.local import LocalObjectStore


@dataclass(frozen=True, slots=True)
class Loaded:
    """One committed load: how long it took, how many MiB its process held at most so far, and its account."""

    seconds: float
    peak_rss_mib: float
    new: int
    changed: int
    unchanged: int


class Loader:
    """Loads into one database."""

    def __init__(self, process: "subprocess.Popen[str]", store: LocalObjectStore) -> None:
        self._process = process
        self._store = store

    def load(self, payments: Payments) -> Loaded:
        """Puts the rows into the lake, then loads them; the time is that of the load alone."""
        request = put_payments(self._store, f"bench-{uuid4().hex}", payments)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(asdict(request), default=str), file=self._process.stdin, flush=True)
        if not (answer := self._process.stdout.readline()):
            raise RuntimeError("the loading process has ended; see what it says above")
        told = json.loads(answer)
        return Loaded(**{name: told[name] for name in Loaded.__slots__})


@contextmanager
def loader(database_url: str, folder: Path) -> Iterator[Loader]:
    """A process that loads; its lake lies in `folder`."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "bench.load.loading_process", database_url, folder.as_uri()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Loader(process, LocalObjectStore(folder))
        finally:
            assert process.stdin is not None
            process.stdin.close()
