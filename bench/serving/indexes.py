"""The two indexes that are served: of the payments of a folder, and of a large made-up catalogue.

Each is built, judged and published by the indexer's own code into a folder, and found there by later runs.
"""

import asyncio
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from bench.index.rows import SIZES, MadeRows, batches
from bench.quality.served import NumberedRows, publish
from bench.quality.trial import generated_tables, paid_rows_of, read_tables
from services.contracts.bundle import FILES, IndexManifest
from services.contracts.client_keys import client_key
from services.indexer.workflow.ports import TrainingRows

Say = Callable[[str], None]
BUILT = "built.json"
ROOT = Path(__file__).parents[2]
MADE_BY = ("services/contracts", "services/indexer", "bench/index", "bench/quality")
SOURCES = ("*.py", "*.cpp", "*.hpp")
# Baskets are made of so many payments: a company is in them as often as it is paid.
SAMPLE = 100_000


@dataclass(frozen=True, slots=True)
class Served:
    """An object store's folder with a published index, all clients of the index, and companies as often as paid."""

    name: str
    objects: Path
    clients: Sequence[str]
    paid_codes: Sequence[str]


def given(data: Path | None, keep: Path, say: Say) -> Served:
    """Of the payments of a folder; without one, of those that the demo makes up."""
    tables = read_tables(data) if data else generated_tables()
    paid = paid_rows_of(*tables)
    rows = NumberedRows(paid.rows, paid.client_keys, paid.catalogue)
    codes = paid.catalogue["company_code"].tolist()
    sample = np.random.default_rng(1).choice(paid.rows.company, SAMPLE)
    amount = pc.sum(tables[0]["amount"]).as_py()
    what = f"{len(paid.rows):,} payments of {len(paid.client_ids):,} clients, {amount:,} in all"
    objects = _built("given", what, rows, keep, say)
    return Served("given", objects, paid.client_ids, [codes[number] for number in sample])


def generated(keep: Path, divisor: int, say: Say) -> Served:
    """Of 10M payments of 1M clients to 100k companies, or of that divided."""
    size = SIZES["100k_companies"].divided(divisor)
    clients = [f"client-{number:07d}" for number in range(size.clients)]
    sample = next(iter(batches(size))).company[:SAMPLE]
    objects = _built("generated", repr(size), MadeRows(size, _keys(clients)), keep, say)
    return Served("generated", objects, clients, [f"c{number:07d}" for number in sample])


def _keys(clients: Sequence[str]) -> NDArray[np.uint64]:
    return np.array([client_key(client) for client in clients], dtype=np.uint64)


def _code() -> str:
    """A digest of what an index is made by: with other code, lists and rankings may be others."""
    files = sorted(file for package in MADE_BY for kind in SOURCES for file in (ROOT / package).rglob(kind))
    return _sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _built(name: str, what: str, rows: TrainingRows, keep: Path, say: Say) -> Path:
    folder = keep / name
    schema = IndexManifest.model_fields["schema_version"].default
    mark = {"of": _sha256(what.encode()), "schema": schema, "files": list(FILES), "code": _code()}
    if (folder / BUILT).exists() and json.loads((folder / BUILT).read_text()) == mark:
        say(f"{name}: the index in {folder} is used again")
        return folder / "objects"
    say(f"{name}: building an index of {what}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    asyncio.run(publish(rows, folder, lambda line: say(f"  {line}")))
    (folder / BUILT).write_text(json.dumps(mark))
    return folder / "objects"
