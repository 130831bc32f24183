"""The payments of a folder, cut in time: what methods may see, and what they are judged by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from demo.dataset import COMPANY_COLUMNS, PAYMENT_COLUMNS, read_whole
from demo.generator import generate
from demo.population.parameters import GeneratorParameters
from services.contracts.client_keys import client_key
from services.indexer.domain.evaluation import CUT_SHARE, TASKS, Relevant, Task, relevant_companies
from services.indexer.domain.payments import Payments, Split, split_at

CATALOGUE_TYPES = {"company_id": "int64", "category_id": "Int64", "is_top_biller": "boolean"}
# Beyond it those who judge are a sample by chance: all methods together take milliseconds a client.
MOST_JUDGES = 20_000
# That which trains unless the indexer is told otherwise.
STATUS = "paid"
MADE_UNTIL = date(2026, 1, 1)


class TrialError(Exception):
    """Nothing can be judged by these payments; the message says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """`name`: of the data. client_ids and client_keys, (clients, 2): by number; catalogue: a row a company, by number.

    known: how many companies were paid before the cut.
    """

    name: str
    split: Split
    client_ids: tuple[str, ...]
    client_keys: NDArray[np.uint64]
    catalogue: pd.DataFrame
    known: int
    relevant: Mapping[Task, Relevant]


@dataclass(frozen=True, slots=True)
class PaidRows:
    """Payments with numbers for clients and companies; the rest is as in Trial."""

    rows: Payments
    client_ids: tuple[str, ...]
    client_keys: NDArray[np.uint64]
    catalogue: pd.DataFrame


def read_tables(folder: Path) -> tuple[pa.Table, pa.Table]:
    """payments.parquet, and companies.parquet, empty where there is none; DatasetError when they cannot be read."""
    payments = read_whole(folder / "payments.parquet", PAYMENT_COLUMNS)
    path = folder / "companies.parquet"
    if path.exists():
        return payments, read_whole(path, COMPANY_COLUMNS)
    return payments, pa.schema([(column.name, column.type) for column in COMPANY_COLUMNS]).empty_table()


def generated_tables() -> tuple[pa.Table, pa.Table]:
    """Payments and companies as the demo makes them up; the same every time."""
    made = generate(GeneratorParameters(end=MADE_UNTIL))
    return made.payments, made.companies


def paid_rows_of(payments: pa.Table, companies: pa.Table) -> PaidRows:
    """Of the paid ones, of each id the first row; TrialError when there is none."""
    used = _used(payments)
    catalogue = _catalogue(companies, pc.unique(used["company_code"]).to_pylist())
    client_ids, keys, clients = _clients(used["external_client_id"])
    numbers = pc.index_in(used["company_code"], pa.array(catalogue["company_code"], pa.string()))
    rows = Payments(
        clients,
        numbers.to_numpy().astype(np.int32),
        used["payment_at"].cast(pa.int64()).to_numpy(),
        np.rint(pc.fill_null(used["amount"].cast(pa.float64()), 0.0).to_numpy() * 100).astype(np.int64),
        clients=len(client_ids),
        companies=len(catalogue),
    ).in_order()
    return PaidRows(rows, client_ids, keys, catalogue)


def trial_of(payments: pa.Table, companies: pa.Table, name: str) -> Trial:
    """Of the paid ones, of each id the first row; TrialError when no client can judge."""
    paid = paid_rows_of(payments, companies)
    rows = paid.rows
    split = split_at(rows, rows.first + int((rows.newest - rows.first) * CUT_SHARE))
    relevant = {task: relevant_companies(split, task, MOST_JUDGES) for task in TASKS}
    if not relevant["any"]:
        raise TrialError(
            f"no client can judge: nobody of the {len(paid.client_ids):,} clients pays, both before and after the cut "
            f"at {CUT_SHARE:.0%} of the time, a company that was paid before it"
        )
    known = len(np.unique(split.before.company))
    return Trial(name, split, paid.client_ids, paid.client_keys, paid.catalogue, known, relevant)


def _used(payments: pa.Table) -> pa.Table:
    chosen = payments.filter(pc.equal(payments["status"], STATUS))
    chosen = chosen.filter(pc.and_(pc.is_valid(chosen["payment_at"]), pc.is_valid(chosen["external_client_id"])))
    if not len(chosen):
        found = ", ".join(repr(status) for status in pc.unique(payments["status"]).to_pylist()[:10])
        raise TrialError(f"no payment has a time, a client and the status {STATUS!r}; statuses found: {found}")
    numbered = chosen.append_column("row", pa.array(range(len(chosen)), pa.int64()))
    first = numbered.group_by("payment_id", use_threads=False).aggregate([("row", "min")])["row_min"]
    return chosen if len(first) == len(chosen) else chosen.take(first)


def _clients(ids: pa.ChunkedArray) -> tuple[tuple[str, ...], NDArray[np.uint64], NDArray[np.int32]]:
    """Ids and keys in order of keys, as an index numbers clients, and the number of each row's client."""
    encoded = ids.combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    keys = np.array([client_key(name) for name in names], dtype=np.uint64).reshape(-1, 2)
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    number = np.empty(len(order), dtype=np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    return tuple(names[place] for place in order), keys[order], number[encoded.indices.to_numpy()]


def _catalogue(companies: pa.Table, paid: list[str]) -> pd.DataFrame:
    """Those listed, and those that are paid but not listed: known by their codes alone."""
    listed = companies.to_pandas().drop_duplicates("company_code", keep="last")
    missing = sorted(set(paid) - set(listed["company_code"]))
    free = np.setdiff1d(np.arange(1, len(listed) + len(missing) + 1), listed["company_id"])[: len(missing)]
    added = pd.DataFrame({"company_id": free, "company_code": missing, "company_name": missing})
    frame = pd.concat([listed, added]) if missing else listed
    names = [column.name for column in COMPANY_COLUMNS]
    typed: pd.DataFrame = frame.reindex(columns=names).astype(CATALOGUE_TYPES)
    return typed.sort_values("company_code", ignore_index=True)
