"""`afin check-data` with data as people bring it: wrong at first, then mended."""

import json
from decimal import Decimal
from pathlib import Path

from typer.testing import CliRunner, Result

from cli.app import app
from demo.dataset import read_dataset

PAYMENTS = """payment_id;company_code;payment_at;status;amount;client
1;007;2026-05-01T10:00:00Z;paid;12.50;a
2;007;;open;;a
3;008;2026-05-02;paid;3;b
"""
COMPANIES = "company_id,company_code,company_name\n1,007,Water\n2,008,Light\n"


def check(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["check-data", str(folder), *arguments])


def bring(folder: Path, payments: str, companies: str = COMPANIES) -> Path:
    (folder / "payments.csv").write_text(payments)
    (folder / "companies.csv").write_text(companies)
    return folder


def test_three_missing_columns_and_a_wrong_type_are_all_told_with_their_mending(tmp_path: Path) -> None:
    wrong = "payment_id,client_id,payment_at,total\n1,a,yesterday,5\n"
    done = check(bring(tmp_path, wrong))

    assert done.exit_code == 1
    for name in ("company_code", "status", "amount", "external_client_id"):
        assert f"column '{name}' is missing" in done.stdout
    assert "rename 'client_id' if that is it" in done.stdout
    assert "column 'payment_at', row 1: cannot read 'yesterday' (string)" in done.stdout
    assert "expected: timestamps, dates or ISO 8601 text" in done.stdout
    assert done.stderr == f"afin: 5 to mend, then again: afin check-data {tmp_path}\n"


def test_data_that_can_be_used_is_told_with_what_will_be_left_aside(tmp_path: Path) -> None:
    done = check(
        bring(tmp_path, PAYMENTS.replace("client\n", "external_client_id\n").replace("2;007;;", "2;009;2026-05-03;"))
    )

    assert (done.exit_code, done.stderr) == (0, "")
    assert "1 payments have no amount: they are refused" in done.stdout
    assert "1 companies are paid and stand not in companies: 009" in done.stdout
    assert f"can be used: afin demo --data {tmp_path}" in done.stdout


def test_a_program_reads_json(tmp_path: Path) -> None:
    told = json.loads(check(bring(tmp_path, PAYMENTS), "--json").stdout)
    assert told["ok"] is False
    assert told["files"][0]["columns"][0] == "payment_id"
    assert [problem["mend"] for problem in told["problems"]] == ["rename 'client' if that is it"]


def test_codes_of_csv_keep_their_zeros_and_empty_fields_are_missing(tmp_path: Path) -> None:
    payments = PAYMENTS.replace("client\n", "external_client_id\n").replace("2;007;;", "2;007;2026-05-03;")
    made = read_dataset(bring(tmp_path, payments)).payments
    assert made["company_code"].to_pylist() == ["007", "007", "008"]
    assert made["amount"].to_pylist() == [Decimal("12.50"), None, Decimal("3.00")]


def test_a_file_that_is_no_csv_is_told(tmp_path: Path) -> None:
    done = check(bring(tmp_path, PAYMENTS, "a,b\n1,2,3\n"))
    assert done.exit_code == 1
    assert "cannot be read as CSV" in done.stdout


def test_demo_tells_the_first_problem_and_where_the_others_are(tmp_path: Path) -> None:
    folder = bring(tmp_path, "payment_id\n1\n")
    done = CliRunner().invoke(app, ["demo", "--data", str(folder), "--state", str(tmp_path / "state"), "--free-ports"])
    assert done.exit_code == 1
    assert "column 'payment_at' is missing" in done.stderr
    assert f"and 4 more: `afin check-data {folder}`" in done.stderr
