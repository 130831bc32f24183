"""Tables that a user brings, as Parquet or CSV: read column by column, with all that is wrong told at once."""

import csv
import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from demo.columns import Column, UnreadableTypeError, expectation, first_unreadable, read_values

DELIMITERS = ",;\t|"
HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong where, and how to mend it."""

    place: str
    found: str
    mend: str

    def __str__(self) -> str:
        return f"{self.place}{self.found}; {self.mend}"


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A file as it was read. `table` has all columns that were asked for, and is None where there are problems."""

    path: Path
    rows: int = 0
    columns: tuple[str, ...] = ()
    table: pa.Table | None = None
    problems: list[Problem] = field(default_factory=list)


def find_file(folder: Path, name: str) -> Path:
    """`folder`/name.csv where that is the only one there, else the Parquet file."""
    parquet, text = folder / f"{name}.parquet", folder / f"{name}.csv"
    return text if text.exists() and not parquet.exists() else parquet


def read_table(path: Path, columns: tuple[Column, ...]) -> FoundTable:
    """All rows of a file in the types of `columns`, as they stand there, or all that is wrong with it."""
    if not path.exists():
        other = path.with_suffix(".csv").name
        return FoundTable(path, problems=[Problem(f"{path}", ": no such file", f"put it there, or {other}")])
    try:
        names, given = _read(path, {column.name for column in columns})
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        kind = "CSV" if path.suffix == ".csv" else "Parquet"
        told = " ".join(str(error).split())
        return FoundTable(path, problems=[Problem(f"{path}", f": cannot be read as {kind}: {told}", "write it anew")])
    problems = list(_missing(path, names, columns))
    if not len(given):
        problems.append(Problem(f"{path}", ": holds no rows", "give it the rows that are meant"))
    read: dict[str, pa.ChunkedArray] = {}
    for column in columns:
        found = _read_column(path, given, column)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            read[column.name] = found
    table = None if problems else pa.table(read)
    return FoundTable(path, len(given), names, table, problems)


def _read(path: Path, wanted: set[str]) -> tuple[tuple[str, ...], pa.Table]:
    """The names of all columns, and those that are wanted."""
    if path.suffix == ".csv":
        text = _read_csv(path)
        return tuple(text.column_names), text
    names = tuple(pq.read_schema(path).names)
    chosen = [name for name in names if name in wanted]
    return names, pq.read_table(path, columns=chosen, page_checksum_verification=True)


def _read_csv(path: Path) -> pa.Table:
    """Everything as text: what it stands for, its column decides. 007 stays 007. An empty field is missing."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES).decode("utf-8-sig", errors="replace").splitlines()
    first = head[0] if head else ""
    delimiter = max(DELIMITERS, key=first.count)
    names = next(csv.reader([first], delimiter=delimiter), [])
    if len(set(names)) < len(names):
        raise pa.ArrowInvalid("a column name stands there twice")
    return pyarrow.csv.read_csv(
        path,
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )


def _missing(path: Path, names: tuple[str, ...], columns: tuple[Column, ...]) -> Iterable[Problem]:
    wanted = {column.name for column in columns}
    for column in columns:
        if column.required and column.name not in names:
            spare = [name for name in names if name not in wanted]
            near = difflib.get_close_matches(column.name, spare, n=1, cutoff=0.5)
            mend = f"rename '{near[0]}' if that is it" if near else f"add it: {expectation(column.type)}"
            found = f"column '{column.name}' is missing; found: {', '.join(sorted(names))}"
            yield Problem(f"{path}: ", found, mend)


def _read_column(path: Path, given: pa.Table, column: Column) -> pa.ChunkedArray | Problem:
    """The column in its type; a missing one is empty, which `_missing` complains of where it must not be."""
    if column.name not in given.column_names:
        return pa.chunked_array([pa.nulls(len(given), column.type)])
    values = given[column.name]
    place, expected = f"{path}: column '{column.name}'", f"expected: {expectation(column.type)}"
    try:
        read = read_values(values, column.type)
    except UnreadableTypeError:
        return Problem(place, f" has the type {values.type}", expected)
    except ValueError:
        row = first_unreadable(values, column.type)
        found = str(values[row].as_py())[:40]
        return Problem(f"{place}, row {row + 1}", f": cannot read {found!r} ({values.type})", expected)
    if not column.nullable and read.null_count:
        row = pc.index(pc.is_null(read), True).as_py()
        return Problem(place, f" is empty in {read.null_count} rows, first in row {row + 1}", expected)
    return read
