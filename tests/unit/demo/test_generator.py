"""The generated payments look like payments, and are the same for the same seed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from demo.dataset import COMPANY_SCHEMA, PAYMENT_SCHEMA, Dataset
from demo.generator import generate
from demo.population.names import MOST_NAMES, company_names
from demo.population.parameters import GeneratorParameters

DEFAULT = GeneratorParameters(end=date(2025, 7, 1))
SMALL = GeneratorParameters(end=date(2025, 7, 1), clients=100, companies=60, days=200, payments=3000)


@cache
def default_dataset() -> Dataset:
    return generate(DEFAULT)


@pytest.fixture(scope="module")
def payments() -> pd.DataFrame:
    frame: pd.DataFrame = default_dataset().payments.to_pandas()
    return frame.assign(amount=frame["amount"].astype(float), known_at=frame["payment_at"].fillna(frame["created_at"]))


@pytest.fixture(scope="module")
def companies() -> pd.DataFrame:
    frame: pd.DataFrame = default_dataset().companies.to_pandas()
    return frame


def test_the_same_parameters_give_identical_tables() -> None:
    first, second = generate(SMALL), generate(SMALL)

    assert first.payments.equals(second.payments)
    assert first.companies.equals(second.companies)
    assert first.fingerprint() == second.fingerprint()


@pytest.mark.parametrize("change", [{"seed": 2}, {"end": date(2025, 7, 2)}, {"payments": 3001}])
def test_other_parameters_give_other_tables(change: dict[str, Any]) -> None:
    assert generate(replace(SMALL, **change)).fingerprint() != generate(SMALL).fingerprint()


@pytest.mark.parametrize(
    "parameters",
    [
        SMALL,
        replace(SMALL, days=30, clients=30, companies=30, payments=300),
        replace(SMALL, days=3000, clients=10, companies=30, payments=10),
        replace(SMALL, clients=1, payments=5000),
    ],
    ids=["small", "a month", "hardly any payments", "one client"],
)
def test_any_size_gives_exactly_what_was_asked_for(parameters: GeneratorParameters) -> None:
    made = generate(parameters)

    assert (made.payments.schema, made.companies.schema) == (PAYMENT_SCHEMA, COMPANY_SCHEMA)
    assert (len(made.payments), len(made.companies)) == (parameters.payments, parameters.companies)


@pytest.mark.parametrize(
    "wrong", [{"payments": 99}, {"clients": 0}, {"companies": 29}, {"days": 29}, {"seed": -1}, {"companies": 16_001}]
)
def test_a_number_out_of_reach_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(SMALL, **wrong)


def test_every_time_lies_within_the_days_before_the_end(payments: pd.DataFrame) -> None:
    end = datetime(2025, 7, 1, tzinfo=UTC)
    times = payments[["payment_at", "created_at", "updated_at"]]

    assert times.max().max() < end
    assert times.min().min() >= end - timedelta(days=DEFAULT.days)
    assert (payments["updated_at"] >= payments["created_at"]).all()
    assert (payments["updated_at"] >= payments["payment_at"])[payments["payment_at"].notna()].all()


def test_keys_are_unique_and_every_payment_has_its_company(payments: pd.DataFrame, companies: pd.DataFrame) -> None:
    assert payments["payment_id"].is_unique
    assert companies["company_code"].is_unique
    assert companies["company_id"].is_unique
    assert companies["company_name"].is_unique
    assert set(payments["company_code"]) <= set(companies["company_code"])
    assert payments["external_client_id"].nunique() == DEFAULT.clients


def test_ids_of_companies_are_sparse_and_some_are_huge(companies: pd.DataFrame) -> None:
    assert companies["company_id"].max() > 2**40
    assert companies["company_id"].median() > 100 * len(companies)


def test_a_few_companies_have_no_category_and_one_in_twenty_is_a_top_biller(companies: pd.DataFrame) -> None:
    assert 0.01 < companies["category_id"].isna().mean() < 0.1
    assert (companies["category_id"].isna() == companies["category_name"].isna()).all()
    assert companies["is_top_biller"].sum() == 30
    assert companies["category_name"].nunique() == 30


def test_most_payments_repeat_a_company_that_the_client_paid_before(payments: pd.DataFrame) -> None:
    repeated = payments.sort_values("known_at").duplicated(["external_client_id", "company_code"]).mean()

    assert 0.6 < repeated < 0.85


def test_few_companies_take_much_of_the_payments_and_many_take_little(payments: pd.DataFrame) -> None:
    shares = payments["company_code"].value_counts(normalize=True)

    assert 0.15 < shares.head(10).sum() < 0.5
    assert shares.tail(len(shares) // 2).sum() < 0.15


def test_bills_come_monthly_on_a_day_of_their_own(payments: pd.DataFrame, companies: pd.DataFrame) -> None:
    internet = companies.loc[companies["category_name"] == "Internet", "company_code"]
    bills = payments[payments["company_code"].isin(internet)].sort_values("known_at")
    gaps = bills.groupby(["external_client_id", "company_code"])["known_at"].diff().dropna().dt.days

    assert gaps.between(27, 34).mean() > 0.9


def test_one_client_pays_a_flat_bill_with_the_same_amount(payments: pd.DataFrame, companies: pd.DataFrame) -> None:
    internet = companies.loc[companies["category_name"] == "Internet", "company_code"]
    bills = payments[payments["company_code"].isin(internet)]
    usual = bills.groupby(["external_client_id", "company_code"])["amount"].transform("median")

    assert (bills["amount"] == usual).mean() > 0.95


def test_the_week_and_the_year_show(payments: pd.DataFrame, companies: pd.DataFrame) -> None:
    named = payments.merge(companies[["company_code", "category_name"]], on="company_code").dropna()
    restaurants = named[named["category_name"] == "Restaurants"]["payment_at"].dt.day_of_week
    clinics = named[named["category_name"] == "Health"]["payment_at"].dt.day_of_week
    toys = named[named["category_name"] == "Toys"]["payment_at"].dt.month

    assert (restaurants >= 5).mean() > 2 / 7 > 2 * (clinics >= 5).mean()
    assert toys.isin([11, 12, 1]).sum() > 1.5 * toys.isin([5, 6, 7]).sum()


def test_companies_enter_over_time(payments: pd.DataFrame) -> None:
    first = payments.groupby("company_code")["known_at"].min()

    assert (first > payments["known_at"].quantile(0.3)).mean() > 0.05


def test_some_payments_are_refunded_corrected_entered_late_or_settled_late(payments: pd.DataFrame) -> None:
    day = timedelta(days=1)
    shares = {
        "refunded": payments["status"] == "refunded",
        "corrected": (payments["status"] == "paid") & (payments["updated_at"] > payments["created_at"]),
        "late": payments["created_at"] - payments["payment_at"] > day,
        "settled": payments["created_at"] < payments["payment_at"],
    }

    for name, rows in shares.items():
        assert 0.01 < rows.mean() < 0.05, name


def test_only_recent_payments_wait_and_they_have_no_time_of_payment(payments: pd.DataFrame) -> None:
    waiting = payments["status"] == "pending"

    assert (waiting == payments["payment_at"].isna()).all()
    assert waiting.sum() > 10
    assert (payments.loc[waiting, "created_at"] > payments["created_at"].max() - timedelta(days=30)).all()


def test_names_differ_up_to_their_number() -> None:
    names = company_names(np.random.default_rng(1), [("Market", "Foods")] * MOST_NAMES)

    assert len(set(names)) == MOST_NAMES


def test_what_like_clients_pay_tells_new_companies_better_than_popularity(payments: pd.DataFrame) -> None:
    """A plain item-to-item cosine, judged on the last fifth of the time on companies that a client never paid."""
    cut = payments["known_at"].min() + 0.8 * (payments["known_at"].max() - payments["known_at"].min())
    before, after = _pairs(payments, payments["known_at"] <= cut), _pairs(payments, payments["known_at"] > cut)
    norms = np.sqrt(before.sum(axis=0)) + 1e-9
    alike = before.T @ before / norms[:, None] / norms
    np.fill_diagonal(alike, 0)
    is_new = (after > 0) & (before == 0)

    collaborative = _recall(before @ alike, before, is_new)
    popular = _recall(np.broadcast_to(before.sum(axis=0), before.shape), before, is_new)

    assert collaborative > 1.1 * popular > 0


def _pairs(payments: pd.DataFrame, rows: pd.Series) -> Any:
    """Clients x companies, 1 where the client paid the company in these rows."""
    pairs = np.zeros((DEFAULT.clients, DEFAULT.companies))
    client = payments["external_client_id"].astype("category").cat.codes
    company = payments["company_code"].astype("category").cat.codes
    pairs[client[rows], company[rows]] = 1
    return pairs


def _recall(scores: Any, paid: Any, is_new: Any) -> float:
    """The mean share of a client's new companies among its ten best that it had not paid."""
    best = np.argsort(-np.where(paid > 0, -np.inf, scores), axis=1)[:, :10]
    hits, wanted = np.take_along_axis(is_new, best, axis=1).sum(axis=1), is_new.sum(axis=1)
    judged = (paid.sum(axis=1) > 0) & (wanted > 0)
    return float((hits[judged] / wanted[judged]).mean())
