"""A Dataset: all payments and companies that the demo's source holds, as two Arrow tables.

A folder with payments.parquet and companies.parquet, or the same as .csv, is one on disk.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from demo.columns import AMOUNT, FLAG, INTEGER, TEXT, TIME, Column
from demo.errors import DemoError
from demo.tables import FoundTable, Problem, find_file, read_table

PAYMENT_COLUMNS = (
    Column("payment_id", TEXT, nullable=False),
    Column("payment_at", TIME),
    Column("company_code", TEXT, nullable=False),
    Column("status", TEXT),
    Column("amount", AMOUNT),
    Column("external_client_id", TEXT),
    Column("created_at", TIME, required=False),
    Column("updated_at", TIME, required=False),
)
COMPANY_COLUMNS = (
    Column("company_id", INTEGER, nullable=False),
    Column("company_code", TEXT, nullable=False),
    Column("company_name", TEXT, nullable=False),
    Column("category_id", INTEGER, required=False),
    Column("category_name", TEXT, required=False),
    Column("is_top_biller", FLAG, required=False),
)
PAYMENT_SCHEMA = pa.schema([(column.name, column.type) for column in PAYMENT_COLUMNS])
COMPANY_SCHEMA = pa.schema([(column.name, column.type) for column in COMPANY_COLUMNS])


class DatasetError(DemoError):
    """The files cannot be used; the message says which file and column, what was found and what is expected."""

    @classmethod
    def of(cls, problems: Sequence[Problem], folder: Path) -> "DatasetError":
        """The first of the problems in a line, and how to see the others."""
        others = f" (and {len(problems) - 1} more: `afin check-data {folder}`)" if len(problems) > 1 else ""
        return cls(f"{problems[0]}{others}")


@dataclass(frozen=True)
class Dataset:
    """One row per payment (`payment_id`, `company_code`) and per company (`company_code`), in the schemas above.

    Status, amount and client may be null: what is fit to use, those who read the source decide.
    """

    payments: pa.Table
    companies: pa.Table
    # Rows of the files that a newer row of the same payment, or a later one of the same company, replaced.
    superseded: int = 0

    def fingerprint(self) -> str:
        """SHA-256 in hex: equal for equal rows in equal order."""
        digest = hashlib.sha256()
        for table in (self.payments, self.companies):
            digest.update(_stream(table))
        return digest.hexdigest()


def read_dataset(folder: Path) -> Dataset:
    """Reads the payments and companies of `folder`; DatasetError when that cannot be done."""
    found = find_tables(folder)
    problems = [problem for each in found for problem in each.problems]
    payments, companies = (each.table for each in found)
    if problems or payments is None or companies is None:
        raise DatasetError.of(problems, folder)
    kept_payments = _keep_newest(payments, ["payment_id", "company_code"], [("updated_at", "ascending")])
    kept_companies = _keep_newest(companies, ["company_code"], [])
    superseded = len(payments) - len(kept_payments) + len(companies) - len(kept_companies)
    return Dataset(kept_payments.cast(PAYMENT_SCHEMA), kept_companies.cast(COMPANY_SCHEMA), superseded)


def read_whole(path: Path, columns: tuple[Column, ...]) -> pa.Table:
    """All rows of one file in the types of `columns`; DatasetError when that cannot be done."""
    found = read_table(path, columns)
    if found.table is None:
        raise DatasetError.of(found.problems, path.parent)
    return found.table


def find_tables(folder: Path) -> tuple[FoundTable, FoundTable]:
    """Payments and companies as they stand in `folder`, times filled in, or what is wrong with them."""
    payments = read_table(find_file(folder, "payments"), PAYMENT_COLUMNS)
    companies = read_table(find_file(folder, "companies"), COMPANY_COLUMNS)
    return _fill_times(payments), companies


def _fill_times(found: FoundTable) -> FoundTable:
    """A missing created_at is the payment's own time, a missing updated_at the time of creation."""
    payments = found.table
    if payments is None:
        return found
    created = pc.coalesce(payments["created_at"], payments["payment_at"])
    updated = pc.coalesce(payments["updated_at"], created)
    if updated.null_count:
        row = pc.index(pc.is_null(updated), True).as_py()
        problem = Problem(
            f"{found.path}, row {row + 1}",
            ": payment_at, created_at and updated_at are all empty",
            "at least one of them must say when the payment was last updated",
        )
        return replace(found, table=None, problems=[problem])
    filled = payments.set_column(payments.schema.get_field_index("created_at"), "created_at", created)
    filled = filled.set_column(payments.schema.get_field_index("updated_at"), "updated_at", updated)
    return replace(found, table=filled)


def _keep_newest(table: pa.Table, key: list[str], order: list[tuple[str, str]]) -> pa.Table:
    """For each key the row that is last by `order`, ties by place in the file; the rows stay in the file's order."""
    numbered = table.append_column("row", pa.array(range(len(table)), pa.int64()))
    ordered = numbered.sort_by([*order, ("row", "ascending")])
    rows = ordered.group_by(key, use_threads=False).aggregate([("row", "last")])["row_last"]
    return table if len(rows) == len(table) else table.take(rows.take(pc.sort_indices(rows)))


def _stream(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue()
