"""Reading a folder of Parquet files as a Dataset."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demo.dataset import COMPANY_SCHEMA, PAYMENT_SCHEMA, Dataset, DatasetError, read_dataset

DAY = datetime(2024, 5, 1, tzinfo=UTC)
PAYMENTS: dict[str, Any] = {
    "payment_id": ["p1", "p2"],
    "payment_at": [DAY, DAY + timedelta(days=1)],
    "company_code": ["C1", "C2"],
    "status": ["paid", "paid"],
    "amount": [12.5, 3.0],
    "external_client_id": ["a", "b"],
}
COMPANIES: dict[str, Any] = {"company_id": [1, 2], "company_code": ["C1", "C2"], "company_name": ["One", "Two"]}


def write(folder: Path, payments: dict[str, Any] | None = None, companies: dict[str, Any] | None = None) -> Path:
    """Writes both files; a column given as None is left out of the standard ones."""
    for name, standard, changes in (("payments", PAYMENTS, payments), ("companies", COMPANIES, companies)):
        columns = {key: value for key, value in {**standard, **(changes or {})}.items() if value is not None}
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    return folder


def test_a_folder_becomes_two_tables_of_the_fixed_schemas(tmp_path: Path) -> None:
    made = read_dataset(write(tmp_path, {"surplus": [1, 2]}))

    assert (made.payments.schema, made.companies.schema) == (PAYMENT_SCHEMA, COMPANY_SCHEMA)
    assert made.payments["amount"].to_pylist() == [Decimal("12.50"), Decimal("3.00")]
    assert made.companies.to_pylist()[1] == {
        "company_id": 2,
        "company_code": "C2",
        "company_name": "Two",
        "category_id": None,
        "category_name": None,
        "is_top_biller": None,
    }


def test_missing_times_are_filled_from_the_payment(tmp_path: Path) -> None:
    later = DAY + timedelta(days=9)
    made = read_dataset(write(tmp_path, {"created_at": [later, None]}))

    assert made.payments["created_at"].to_pylist() == [later, DAY + timedelta(days=1)]
    assert made.payments["updated_at"].to_pylist() == made.payments["created_at"].to_pylist()


def test_the_newest_row_of_a_payment_is_kept_and_the_others_are_counted(tmp_path: Path) -> None:
    rows = {
        "payment_id": ["p", "p", "p", "other"],
        "company_code": ["C", "C", "C", "C"],
        "payment_at": [DAY] * 4,
        "updated_at": [DAY + timedelta(days=days) for days in (1, 3, 2, 0)],
        "status": ["first", "newest", "second", "paid"],
        "amount": [1, 1, 1, 1],
        "external_client_id": ["a"] * 4,
    }
    made = read_dataset(write(tmp_path, rows))

    assert made.payments["status"].to_pylist() == ["newest", "paid"]
    assert made.superseded == 2


def test_rows_of_one_payment_for_two_companies_are_two(tmp_path: Path) -> None:
    made = read_dataset(write(tmp_path, {"payment_id": ["p", "p"]}))

    assert len(made.payments) == 2
    assert made.superseded == 0


def test_the_last_row_of_a_company_is_kept(tmp_path: Path) -> None:
    made = read_dataset(write(tmp_path, companies={"company_code": ["C1", "C1"]}))

    assert made.companies["company_name"].to_pylist() == ["Two"]
    assert made.superseded == 1


def test_equal_rows_have_one_fingerprint_whatever_their_layout(tmp_path: Path) -> None:
    made = read_dataset(write(tmp_path))
    halves = [made.payments.slice(0, 1), made.payments.slice(1, 1)]

    again = Dataset(pa.concat_tables(halves), made.companies)
    other = Dataset(made.payments.slice(0, 1), made.companies)

    assert again.fingerprint() == made.fingerprint() != other.fingerprint()


@pytest.mark.parametrize("missing", ["payments.parquet", "companies.parquet"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    (write(tmp_path) / missing).unlink()

    with pytest.raises(DatasetError, match=f"{missing}: no such file"):
        read_dataset(tmp_path)


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (write(tmp_path) / "companies.parquet").write_text("company_code,company_name\n")

    with pytest.raises(DatasetError, match=r"companies\.parquet: cannot be read as Parquet"):
        read_dataset(tmp_path)


def test_a_file_without_rows_is_named(tmp_path: Path) -> None:
    empty: dict[str, Any] = {name: [] for name in COMPANIES}

    with pytest.raises(DatasetError, match=r"companies\.parquet: holds no rows"):
        read_dataset(write(tmp_path, companies=empty))


def test_missing_columns_are_named_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"column 'amount' is missing; found: company_code, pay.*1 more: `afin check-data"
    ):
        read_dataset(write(tmp_path, {"amount": None, "external_client_id": None}))


def test_a_column_of_a_wrong_type_is_named_with_what_was_found_and_expected(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"payments\.parquet: column 'amount' has the type bool; expected: numbers"):
        read_dataset(write(tmp_path, {"amount": [True, False]}))


def test_a_wrong_value_is_named_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"column 'payment_at', row 2: cannot read 'soon' \(string\); expected: time"
    ):
        read_dataset(write(tmp_path, {"payment_at": ["2024-05-01", "soon"]}))


def test_an_empty_key_is_named_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"column 'company_code' is empty in 1 rows, first in row 2"):
        read_dataset(write(tmp_path, {"company_code": ["C1", None]}))


def test_a_payment_without_any_time_is_named_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"row 1: payment_at, created_at and updated_at are all empty"):
        read_dataset(write(tmp_path, {"payment_at": [None, DAY]}))


def test_status_amount_and_client_may_be_empty(tmp_path: Path) -> None:
    empty: dict[str, Any] = {name: [None, None] for name in ("status", "amount", "external_client_id")}

    made = read_dataset(write(tmp_path, empty))

    assert made.payments.select(list(empty)).to_pylist() == [dict.fromkeys(empty)] * 2
