"""Payments with a known truth: groups of clients who pay the companies of their group, and hardly others."""

from datetime import UTC, datetime

import numpy as np

from services.contracts.bundle import Choice, IndexManifest, Tuning
from services.indexer.domain.habits import learn_habits
from services.indexer.domain.model import Known
from services.indexer.domain.payments import MICROSECONDS_A_DAY, LongInts, Payments

START = 1_700_000_000_000_000
USUAL = Tuning(decay=0.5, shrinkage=1.0, trend=0.0, popularity=0.0)
UNTRIED = Choice(chosen=USUAL, usual=USUAL, payments=0, clients=0, trials=())
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
# Of nearly nothing, and judged by nobody.
MANIFEST = IndexManifest(
    code_version="test",
    companies=3,
    categories=0,
    text_bytes=6,
    indexed=2,
    clients=1,
    pairs=1,
    judged=0,
    dimension=1,
    trees=1,
    search_nodes=500,
    lists=0,
    list_length=20,
    habit_weight=2.0,
    training_payments=1,
    first_payment_at=NOON,
    last_payment_at=NOON,
    watermark=None,
    choice=UNTRIED,
    parameters={},
    quality=None,
    files=(),
)


def payments(rows: list[tuple[int, int, float]], companies: int | None = None) -> Payments:
    """In order, from (client, company, day); each of 10.00."""
    client, company, day = (np.array(column) for column in zip(*rows, strict=True))
    at = START + (day * MICROSECONDS_A_DAY).astype(np.int64)
    known = int(company.max()) + 1 if companies is None else companies
    cents = np.full(len(rows), 1000, dtype=np.int64)
    return Payments(
        client.astype(np.int32), company.astype(np.int32), at, cents, int(client.max()) + 1, known
    ).in_order()


def known(rows: Payments, listed: LongInts | None = None) -> Known:
    """All there is to know of payments; the companies are all of the catalogue unless others are listed."""
    return Known(rows, np.arange(rows.companies) if listed is None else listed, learn_habits(rows))


def planted(groups: int = 4, clients: int = 200, size: int = 10, seed: int = 1) -> Payments:
    """Each client pays 12 times over 100 days, nine times of ten a company of its group; ten more are paid by all."""
    rng = np.random.default_rng(seed)
    rows = []
    for client in range(clients):
        group = client % groups
        for _ in range(12):
            stranger = rng.random() < 0.1
            company = groups * size + rng.integers(10) if stranger else group * size + rng.integers(size)
            rows.append((client, int(company), float(rng.random() * 100)))
    return payments(rows, groups * size + 10)
