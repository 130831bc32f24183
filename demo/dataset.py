"""A Dataset: all payments and companies that the demo's source holds, as two Arrow tables.

A folder with payments.parquet and companies.parquet is one on disk.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from demo.columns import (
    AMOUNT,
    FLAG,
    INTEGER,
    TEXT,
    TIME,
    Column,
    UnreadableTypeError,
    expectation,
    first_unreadable,
    read_values,
)

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


class DatasetError(Exception):
    """The files cannot be used; the message says which file and column, what was found and what is expected."""


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
    """Reads `folder`/payments.parquet and `folder`/companies.parquet; DatasetError when that cannot be done."""
    found = read_table(folder / "payments.parquet", PAYMENT_COLUMNS)
    listed = read_table(folder / "companies.parquet", COMPANY_COLUMNS)
    payments = _keep_newest(_fill_times(found), ["payment_id", "company_code"], [("updated_at", "ascending")])
    companies = _keep_newest(listed, ["company_code"], [])
    superseded = len(found) - len(payments) + len(listed) - len(companies)
    return Dataset(payments.cast(PAYMENT_SCHEMA), companies.cast(COMPANY_SCHEMA), superseded)


def read_table(path: Path, columns: tuple[Column, ...]) -> pa.Table:
    """All rows of a file in the types of `columns`, as they stand there; DatasetError when that cannot be done."""
    if not path.exists():
        raise DatasetError(f"{path}: no such file")
    try:
        present = set(pq.read_schema(path).names)
        _require_columns(path, present, columns)
        wanted = [column.name for column in columns if column.name in present]
        table = pq.read_table(path, columns=wanted, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(f"{path}: cannot be read as Parquet: {error}") from error
    if not len(table):
        raise DatasetError(f"{path}: holds no rows")
    return pa.table({column.name: _read_column(path, table, column) for column in columns})


def _require_columns(path: Path, present: set[str], columns: tuple[Column, ...]) -> None:
    missing = [column.name for column in columns if column.required and column.name not in present]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise DatasetError(f"{path}: column {names} is missing; found: {', '.join(sorted(present))}")


def _read_column(path: Path, table: pa.Table, column: Column) -> pa.ChunkedArray:
    if column.name not in table.column_names:
        return pa.chunked_array([pa.nulls(len(table), column.type)])
    values = table[column.name]
    place, expected = f"{path}: column '{column.name}'", expectation(column.type)
    try:
        read = read_values(values, column.type)
    except UnreadableTypeError as error:
        raise DatasetError(f"{place} has the type {values.type}; expected: {expected}") from error
    except ValueError as error:
        row = first_unreadable(values, column.type)
        found = str(values[row].as_py())[:40]
        raise DatasetError(
            f"{place}, row {row + 1}: cannot read {found!r} ({values.type}); expected: {expected}"
        ) from error
    if not column.nullable and read.null_count:
        row = pc.index(pc.is_null(read), True).as_py()
        raise DatasetError(f"{place} is empty in {read.null_count} rows, first in row {row + 1}; expected: {expected}")
    return read


def _fill_times(payments: pa.Table) -> pa.Table:
    """A missing created_at is the payment's own time, a missing updated_at the time of creation."""
    created = pc.coalesce(payments["created_at"], payments["payment_at"])
    updated = pc.coalesce(payments["updated_at"], created)
    if updated.null_count:
        row = pc.index(pc.is_null(updated), True).as_py()
        raise DatasetError(
            f"payments.parquet, row {row + 1}: payment_at, created_at and updated_at are all empty; "
            "at least one of them must say when the payment was last updated"
        )
    filled = payments.set_column(payments.schema.get_field_index("created_at"), "created_at", created)
    return filled.set_column(payments.schema.get_field_index("updated_at"), "updated_at", updated)


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
