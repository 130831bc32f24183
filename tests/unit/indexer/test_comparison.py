"""Two versions side by side, on worlds of three companies that are small enough to count by hand."""

from datetime import UTC, datetime

import numpy as np
import pytest

from services.contracts.bundle import IndexManifest
from services.contracts.company_columns import CompanyColumns, table_of
from services.contracts.factors import Factors
from services.indexer.domain.comparison import Side, common_clients, compare, turnover
from services.indexer.domain.histories import Histories
from tests.unit.indexer.planted import UNTRIED

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAN = float("nan")


def keys(*numbers: int) -> "np.ndarray[tuple[int, int], np.dtype[np.uint64]]":
    """Keys whose halves both tell who it is."""
    return np.array([(number // 10, number) for number in numbers], dtype=np.uint64).reshape(-1, 2)


def side(codes: str, clients: dict[int, str], holdout: list[list[float]] | None = None, payments: int = 10) -> Side:
    """`codes`: companies by number of clients; `clients`: by key, the companies each paid. Nothing is indexed."""
    count = len(codes)
    columns = CompanyColumns(
        company_id=tuple(range(count)),
        company_code=tuple(codes),
        company_name=tuple(codes),
        category_id=(None,) * count,
        category_name=(None,) * count,
        is_top_biller=(None,) * count,
        average_amount=(None,) * count,
        average_days_between=(None,) * count,
    )
    pairs = [codes.index(code) for paid in clients.values() for code in paid]
    offsets = np.cumsum([0, *map(len, clients.values())])
    ones = np.ones(len(pairs), np.float32)
    return Side(
        version=codes,
        manifest=_manifest(count, len(clients), len(pairs), payments),
        table=table_of(columns),
        factors=Factors(
            np.empty((0, 1), np.float32), np.empty((0, 1), np.float32), np.arange(count, dtype=np.int32),
            lambda _vector, _count: (), 2.0,
        ),
        histories=Histories(offsets, np.array(pairs, np.int32), ones, ones),
        keys=keys(*clients),
        holdout=np.array(holdout or [[NAN, NAN]] * len(clients), np.float32).reshape(-1, 2),
    )  # fmt: skip


def _manifest(companies: int, clients: int, pairs: int, payments: int) -> IndexManifest:
    return IndexManifest(
        code_version="test", companies=companies, categories=0, text_bytes=0, indexed=0,
        clients=clients, pairs=pairs, judged=0, dimension=1,
        trees=1, search_nodes=500, lists=0, list_length=20, habit_weight=2.0,
        training_payments=payments, first_payment_at=NOON, last_payment_at=NOON, watermark=None,
        choice=UNTRIED, parameters={}, quality=None, files=(),
    )  # fmt: skip


def test_clients_of_both_are_found_whatever_stands_between_them() -> None:
    base, ours = common_clients(keys(11, 22, 31, 57), keys(10, 22, 31, 42, 58))

    assert (base.tolist(), ours.tolist()) == ([1, 2], [1, 2])


@pytest.mark.parametrize(("before", "after"), [((), (1,)), ((1,), ()), ((1,), (2,))])
def test_without_a_common_client_there_is_nothing_to_pair(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    found = compare(side("abc", dict.fromkeys(before, "a")), side("abc", dict.fromkeys(after, "a")))

    assert (found.overlap_clients, found.overlap_new, found.overlap_any, found.new) == (0, None, None, None)


def test_only_clients_that_both_were_judged_by_are_paired() -> None:
    clients = {11: "a", 22: "a", 33: "a", 44: "a"}
    base = side("abc", clients, [[0.5, NAN], [0.1, NAN], [0.9, NAN], [NAN, NAN]])
    ours = side("abc", clients, [[0.75, 1.0], [0.5, NAN], [NAN, NAN], [0.4, NAN]])

    found = compare(base, ours)

    assert found.new is not None
    assert found.new.clients == 2
    assert found.new.base_ndcg == pytest.approx(0.3)
    assert found.new.ndcg == pytest.approx(0.625)
    assert found.new.difference == pytest.approx(0.325)
    assert found.new.difference_low == pytest.approx(0.25)
    assert found.new.difference_high == pytest.approx(0.4)
    assert found.any is None


def test_the_overlap_is_the_share_of_the_answers_that_are_the_same() -> None:
    # The client paid a: the base answers b, c; the other b, d, e.
    found = compare(side("abc", {11: "a"}), side("abde", {11: "a"}))

    assert found.overlap_clients == 1
    assert found.overlap_new == pytest.approx(1 / 3)
    assert found.overlap_any == pytest.approx(2 / 4)


def test_what_came_and_what_went_is_counted_and_named() -> None:
    found = compare(side("abc", {11: "a", 22: "b"}, payments=7), side("bcde", {22: "b", 33: "c", 44: "d"}, payments=9))

    assert found.base == "abc"
    assert (found.base_training_payments, found.training_payments) == (7, 9)
    assert (found.clients.before, found.clients.after, found.clients.came, found.clients.went) == (2, 3, 2, 1)
    assert (found.companies.came_examples, found.companies.went_examples) == (("d", "e"), ("a",))
    assert found.popular == found.companies
    assert found.indexed.after == 0


def test_of_many_companies_the_first_twenty_are_named() -> None:
    found = turnover([f"{number:03}" for number in range(100)], [])

    assert (found.went, len(found.went_examples), found.went_examples[-1]) == (100, 20, "019")


def test_clients_are_counted_and_never_named() -> None:
    found = compare(side("abc", {11: "a"}), side("abc", {22: "a"}))

    assert (found.clients.came_examples, found.clients.went_examples) == ((), ())
