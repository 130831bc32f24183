"""What an erasure does to an experiment: no version that knows an erased client is put before anybody."""

import pytest

from services.runtime.errors import FailedPrecondition
from tests.unit.indexer.boards import built, versions
from tests.unit.indexer.experimenting import House


async def test_a_challenger_that_knows_an_erased_client_is_refused() -> None:
    house = House(built("a", "erasure-1"), built("x"))
    await house.publish("a")

    with pytest.raises(FailedPrecondition, match="before a client was erased"):
        await house.start("x")


async def test_an_index_without_an_erased_client_ends_an_experiment_whose_version_knows_the_client() -> None:
    house = House(built("a"), built("x"), built("b", "erasure-1"))
    await house.publish("a")
    await house.start("x")

    await house.publish("b")

    assert house.pairs[-1] == ("b",)
    assert house.last.reason == "passed; the experiment try ends: its version was built before a client was erased"


async def test_a_challenger_without_the_erased_client_stays() -> None:
    house = House(built("a"), built("x", "erasure-1"), built("b", "erasure-1"))
    await house.publish("a")
    await house.start("x")

    await house.publish("b")

    assert house.pairs[-1] == ("b", "x")


async def test_an_erasure_that_changes_nothing_of_the_main_version_ends_the_experiment_all_the_same() -> None:
    """The build after the erasure came to the version in service again; of the challenger nobody knows."""
    await (before := House(built("a"), built("x"))).publish("a")
    await before.start("x")
    after = House(built("a", "erasure-1"), built("x"), board=before.board)

    published = await after.publish("a")

    assert after.pairs[-1] == ("a",)
    assert published == after.last


async def test_what_was_rolled_back_from_comes_back_if_it_is_without_a_client_whom_the_other_knows() -> None:
    await (before := House(built("a"), built("b"))).publish("a", "b")
    await before.publisher.roll_back("", "complaints")
    after = House(built("a"), built("b", "erasure-1"), board=before.board)

    published = await after.publish("b")

    assert versions(after.board) == [(1, "a"), (2, "b"), (3, "a"), (4, "b")]
    assert published == after.last


async def test_promotion_never_brings_an_erased_client_back() -> None:
    await (before := House(built("a"), built("x"))).publish("a")
    await before.start("x")
    after = House(built("a", "erasure-1"), built("x"), board=before.board)

    with pytest.raises(FailedPrecondition, match="before a client was erased"):
        await after.experiments.promote("try", "why")
