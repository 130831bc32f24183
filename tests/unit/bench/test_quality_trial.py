"""Which payments a trial takes, and how it cuts them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.quality.trial import Trial, TrialError, read_tables, trial_of
from demo.dataset import COMPANY_SCHEMA, PAYMENT_SCHEMA

Row = tuple[str | None, str, float | None]
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY_LISTED = COMPANY_SCHEMA.empty_table()
# Client, company, day.
ROWS: list[Row] = [
    ("a", "X", 0.0),
    ("a", "Y", 1.0),
    ("b", "Y", 2.0),
    ("b", "X", 9.0),
    ("a", "Z", 9.0),
    ("c", "X", 10.0),
]


def table(rows: list[Row], **columns: list[str]) -> pa.Table:
    """Paid payments with ids of their own, unless `columns` say otherwise."""
    times = [None if day is None else FIRST + timedelta(days=day) for _, _, day in rows]
    values = {
        "payment_id": [f"P{number}" for number in range(len(rows))],
        "payment_at": times,
        "company_code": [company for _, company, _ in rows],
        "status": ["paid"] * len(rows),
        "amount": [None] * len(rows),
        "external_client_id": [client for client, _, _ in rows],
        "created_at": times,
        "updated_at": times,
        **columns,
    }
    return pa.table(values, schema=PAYMENT_SCHEMA)


def named(trial: Trial) -> dict[str, dict[str, set[str]]]:
    """Who judges by which companies, by name."""
    codes = trial.catalogue["company_code"]
    return {
        task: {trial.client_ids[client]: {codes[company] for company in wanted} for client, wanted in relevant.items()}
        for task, relevant in trial.relevant.items()
    }


def test_those_who_paid_before_the_cut_judge_by_companies_paid_before_it() -> None:
    trial = trial_of(table(ROWS), NOBODY_LISTED, "made up")

    assert named(trial) == {"new": {"b": {"X"}}, "any": {"b": {"X"}}}
    assert (trial.known, len(trial.split.before), len(trial.split.after)) == (2, 3, 3)


def test_clients_are_numbered_in_order_of_their_keys_as_an_index_numbers_them() -> None:
    keys = trial_of(table(ROWS), NOBODY_LISTED, "made up").client_keys

    assert keys[:, 0].tolist() == sorted(keys[:, 0].tolist())


def test_of_a_payment_id_the_first_paid_row_counts() -> None:
    again = table([*ROWS, ("b", "Z", 0.5), ("b", "Z", 0.5)], payment_id=["0", "1", "2", "3", "4", "5", "0", "7"])
    refused = again.set_column(3, "status", pa.array(["paid"] * 7 + ["refunded"]))

    assert named(trial_of(refused, NOBODY_LISTED, "made up")) == named(trial_of(table(ROWS), NOBODY_LISTED, "made up"))


def test_payments_without_a_time_or_a_client_are_left_out() -> None:
    more = table([*ROWS, ("b", "Z", None), (None, "Z", 0.0)])

    assert named(trial_of(more, NOBODY_LISTED, "made up")) == named(trial_of(table(ROWS), NOBODY_LISTED, "made up"))


def test_a_company_that_is_paid_but_not_listed_gets_a_free_id_and_its_code_as_its_name() -> None:
    listed = pa.Table.from_pylist(
        [{"company_id": 1, "company_code": "Y", "company_name": "Yes", "category_id": 2**40}], schema=COMPANY_SCHEMA
    )

    catalogue = trial_of(table(ROWS), listed, "made up").catalogue

    assert catalogue["company_code"].tolist() == ["X", "Y", "Z"]
    assert catalogue["company_id"].tolist() == [2, 1, 3]
    assert catalogue["company_name"].tolist() == ["X", "Yes", "Z"]
    assert catalogue["category_id"].fillna(0).tolist() == [0, 2**40, 0]


def test_companies_need_not_be_listed_in_a_file(tmp_path: Path) -> None:
    pq.write_table(table(ROWS), tmp_path / "payments.parquet")

    trial = trial_of(*read_tables(tmp_path), "made up")

    assert np.unique(trial.split.before.company).tolist() == [0, 1]


def test_where_nobody_can_judge_the_error_says_why() -> None:
    with pytest.raises(TrialError, match="no client can judge: nobody of the 2 clients pays"):
        trial_of(table([("a", "X", 0.0), ("b", "X", 10.0)]), NOBODY_LISTED, "made up")


def test_where_no_payment_is_paid_the_error_names_the_statuses_found() -> None:
    with pytest.raises(TrialError, match="the status 'paid'; statuses found: 'open'"):
        trial_of(table([("a", "X", 0.0)], status=["open"]), NOBODY_LISTED, "made up")
