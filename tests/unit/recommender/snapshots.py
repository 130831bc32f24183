"""A snapshot in memory: companies 0 to 2 in the index, 3 and 4 outside; one client, who paid company 0."""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from services.contracts.bundle import Challenger, Choice, IndexManifest, Publication, Tuning
from services.contracts.candidate_lists import CandidateLists
from services.contracts.client_keys import client_key
from services.contracts.companies import CompanyTable
from services.contracts.company_columns import CompanyColumns, table_of
from services.contracts.factors import Factors, FloatArray
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.clients import ClientHistories
from services.recommender.domain.snapshot import Snapshot, norms_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLIENT = "client"
USUAL = Tuning(decay=0.5, shrinkage=1.0, trend=0.0, popularity=0.0)
NO_LISTS = CandidateLists(
    np.full(1, -1, np.int32), np.empty((0, 20), np.int32), np.empty((0, 20), np.float32), np.empty((0, 20), np.uint8)
)
TARGET = np.array([[1, 0, 0], [2, 0.2, 0], [0, 0, 0]], dtype=np.float32)


CHALLENGER = Challenger(
    experiment="try", version="20260301T120000Z-ba9876543210", manifest_sha256="0" * 64, share=0.5, since=2
)


def snapshot(
    epoch: int = 1,
    categories: tuple[int | None, ...] = (7, 7, 8, 7, None),
    challenger: Challenger | None = None,
) -> Snapshot:
    """The same for the same arguments."""
    return Snapshot(
        publication=publication(epoch).model_copy(update={"challenger": challenger}),
        manifest=manifest(),
        loaded_at=NOON,
        factors=Factors(TARGET, TARGET, np.array([4, 3, 2, 1, 0], dtype=np.int32), exact, 1.0),
        catalogue=Catalogue.of(table(categories)),
        clients=histories(),
        lists=NO_LISTS,
        target_norms=norms_of(TARGET[:, :-1]),
    )


def exact(vector: FloatArray, count: int) -> list[int]:
    """The search that Annoy approximates."""
    found: list[int] = np.argsort(-(TARGET @ vector), kind="stable")[:count].tolist()
    return found


def publication(epoch: int) -> Publication:
    """An epoch of one version."""
    version = "20260301T120000Z-0123456789ab"
    return Publication(epoch=epoch, version=version, manifest_sha256="0" * 64, published_at=NOON, reason="test")


def manifest() -> IndexManifest:
    """Without files or quality."""
    return IndexManifest(
        code_version="test",
        companies=5,
        categories=2,
        text_bytes=30,
        indexed=3,
        clients=1,
        pairs=1,
        judged=0,
        dimension=3,
        trees=1,
        search_nodes=500,
        lists=0,
        list_length=20,
        habit_weight=1.0,
        training_payments=1,
        first_payment_at=NOON,
        last_payment_at=NOON,
        watermark=None,
        choice=Choice(chosen=USUAL, usual=USUAL, payments=0, clients=0, trials=()),
        parameters={},
        quality=None,
        files=(),
    )


def table(
    categories: tuple[int | None, ...] = (7, 7, 8, 7, None),
    amounts: tuple[float | None, ...] = (10.0, 1000.0, 90.0, 100.0, None),
) -> CompanyTable:
    """Companies of the codes a to e."""
    nothing = (None,) * 5
    columns = CompanyColumns(
        company_id=(1, 2, 3, 4, 5),
        company_code=("a", "b", "c", "d", "e"),
        company_name=("A", "B", "C", "D", "E"),
        category_id=categories,
        category_name=tuple(None if category is None else f"Category {category}" for category in categories),
        is_top_biller=nothing,
        average_amount=amounts,
        average_days_between=nothing,
    )
    return table_of(columns)


def histories() -> ClientHistories:
    """One client that paid company 0."""
    keys: NDArray[np.uint64] = np.array([client_key(CLIENT)], dtype=np.uint64)
    one = np.ones(1, dtype=np.float32)
    return ClientHistories(keys, np.array([0, 1]), np.zeros(1, dtype=np.int32), one, one)
