"""What the live mode lets clients pay, and at what pace."""

import asyncio
from collections import Counter
from decimal import Decimal

import numpy as np

from demo.live.changes import SHARES
from demo.live.habits import NEW_COMPANY, NextPayment, PastHabits
from demo.live.pace import ticks

# Two circles of clients that share no company.
PAIRS = [
    ("anna", "bakery", 30, 6.0),
    ("anna", "market", 10, 40.0),
    ("ben", "bakery", 5, 6.0),
    ("ben", "cinema", 5, 12.0),
    ("cora", "gym", 50, 35.0),
]


def drawn(count: int, seed: int = 1) -> list[NextPayment]:
    habits, random = PastHabits(PAIRS), np.random.default_rng(seed)
    return [habits.draw(random) for _ in range(count)]


def test_clients_pay_as_often_as_they_did() -> None:
    clients = Counter(payment.client for payment in drawn(5000))

    assert {name: round(count / 5000, 1) for name, count in clients.items()} == {"anna": 0.4, "ben": 0.1, "cora": 0.5}


def test_most_payments_go_to_companies_that_the_client_paid() -> None:
    known = {(client, company) for client, company, _, _ in PAIRS}

    repeated = sum((payment.client, payment.company_code) in known for payment in drawn(5000))

    assert 1 - NEW_COMPANY <= repeated / 5000 < 1


def test_a_new_company_is_one_that_a_neighbour_pays() -> None:
    companies = {(payment.client, payment.company_code) for payment in drawn(5000)}

    assert ("anna", "cinema") in companies
    assert ("ben", "market") in companies
    assert {company for client, company in companies if client == "cora"} == {"gym"}


def test_amounts_are_decimals_near_the_usual_one() -> None:
    amounts = [payment.amount for payment in drawn(2000) if payment.company_code == "gym"]

    assert all(amount == amount.quantize(Decimal("0.01")) for amount in amounts)
    assert 34 < sum(amounts) / len(amounts) < 37


def test_the_same_seed_draws_the_same_payments() -> None:
    assert drawn(50, seed=9) == drawn(50, seed=9) != drawn(50, seed=10)


def test_the_shares_of_changes_add_up() -> None:
    assert round(sum(SHARES.values()), 9) == 1


async def test_ticks_end_with_their_seconds() -> None:
    made = [tick async for tick in ticks(asyncio.Event(), per_second=1000, seconds=0.02)]

    assert len(made) == 20


async def test_ticks_end_at_once_when_they_are_stopped() -> None:
    stop, made = asyncio.Event(), 0
    async with asyncio.timeout(5):
        async for _ in ticks(stop, per_second=0.001, seconds=None):
            made += 1
            stop.set()

    assert made == 1
