"""A second version before a share of the clients, with publications kept in memory."""

import pytest

from services.contracts.bundle import Publication
from services.indexer.workflow.experiments import Trial
from services.runtime.errors import FailedPrecondition
from tests.unit.indexer.boards import SHA256, Board, versions
from tests.unit.indexer.experimenting import TRY, House


async def test_an_experiment_is_a_publication_of_the_main_version_with_a_challenger() -> None:
    house = House()
    await house.publish("a")

    await house.start("x")

    challenger = house.last.challenger
    assert challenger is not None
    assert versions(house.board) == [(1, "a"), (2, "a")]
    assert (challenger.experiment, challenger.version, challenger.share, challenger.since) == ("try", "x", 0.2, 2)
    assert house.last.reason == "fewer factors may do; passed"


async def test_the_same_experiment_asked_for_again_changes_nothing() -> None:
    house = House()
    await house.publish("a")
    first = await house.start("x")

    assert await house.start("x") == first
    assert len(house.board.published) == 2


async def test_under_the_same_name_another_version_takes_the_challengers_place() -> None:
    house = House()
    await house.publish("a")
    await house.start("x")

    await house.start("y")

    assert house.pairs[-1] == ("a", "y")
    assert house.last.challenger is not None
    assert house.last.challenger.since == 2


@pytest.mark.parametrize(
    ("version", "name", "reason"), [("y", "other", "EXPERIMENT_RUNNING"), ("a", "try", "IS_IN_SERVICE")]
)
async def test_there_is_one_experiment_and_it_is_of_another_version(version: str, name: str, reason: str) -> None:
    house = House()
    await house.publish("a")
    await house.start("x")

    with pytest.raises(FailedPrecondition) as refused:
        await house.start(version, Trial(name, 0.2, "why"))

    assert refused.value.reason == reason


async def test_before_the_first_publication_there_is_no_experiment() -> None:
    with pytest.raises(FailedPrecondition, match="publish one first"):
        await House().start("x")


async def test_a_challenger_that_is_not_approved_is_not_published() -> None:
    house = House()
    await house.publish("a")

    async def refused(present: Publication | None) -> None:
        return None

    assert await house.experiments.start("x", SHA256, refused, "annoy", TRY) is None
    assert house.pairs == [("a",)]


async def test_a_newer_version_replaces_the_main_one_and_the_experiment_goes_on() -> None:
    house = House()
    await house.publish("a")
    await house.start("x")
    before = house.last.challenger

    await house.publish("b")

    assert house.pairs[-1] == ("b", "x")
    assert house.last.challenger == before
    assert house.last.reason == "passed"


async def test_the_challenger_published_for_everybody_ends_the_experiment() -> None:
    house = House()
    await house.publish("a")
    await house.start("x")

    await house.publish("x")

    assert house.pairs[-1] == ("x",)
    assert house.last.reason == "passed; the experiment try ends: its version is the main one now"


async def test_another_share_keeps_the_rest() -> None:
    house = House()
    await house.publish("a")
    await house.start("x")

    await house.experiments.change_share(Trial("try", 0.5, "more"))

    assert house.last.challenger is not None
    assert (house.last.challenger.share, house.last.challenger.since, house.last.reason) == (0.5, 2, "more")


async def test_a_share_that_is_asked_for_again_changes_nothing() -> None:
    house = House()
    await house.publish("a")
    await house.start("x")

    for _ in range(2):
        await house.experiments.change_share(Trial("try", 0.5, "more"))

    assert house.last.epoch == 3


async def test_promoted_the_challenger_is_everybodys() -> None:
    house = House()
    await house.publish("a")
    await house.start("x")

    await house.experiments.promote("try", "it is better")

    assert house.pairs[-1] == ("x",)
    assert house.last.reason == "it is better"


async def test_a_rollback_after_a_promotion_goes_back_to_the_former_main_version() -> None:
    house = House()
    await house.publish("a")
    await house.start("x")
    await house.experiments.promote("try", "it is better")

    await house.publisher.roll_back("", "it is not")

    assert house.pairs[-1] == ("a",)


async def test_discarded_the_challenger_goes() -> None:
    house = House()
    await house.publish("a")
    await house.start("x")

    await house.experiments.discard("try", "it is worse")

    assert house.pairs[-1] == ("a",)
    assert house.last.reason == "it is worse"


@pytest.mark.parametrize("running", [False, True])
async def test_an_experiment_that_is_not_running_can_be_neither_changed_nor_ended(running: bool) -> None:
    house = House()
    await house.publish("a")
    if running:
        await house.start("x")

    for call in (
        house.experiments.change_share(Trial("other", 0.5, "more")),
        house.experiments.promote("other", "why"),
        house.experiments.discard("other", "why"),
    ):
        with pytest.raises(FailedPrecondition, match="no experiment other is running"):
            await call
    assert len(house.pairs) == (2 if running else 1)


async def test_a_rollback_ends_the_experiment() -> None:
    house = House()
    await house.publish("a", "b")
    await house.start("x")

    await house.publisher.roll_back("", "complaints")

    assert house.pairs[-1] == ("a",)
    assert house.last.reason == "complaints"


async def test_a_rollback_to_the_main_version_ends_the_experiment() -> None:
    house = House()
    await house.publish("a")
    await house.start("x")

    await house.publisher.roll_back("a", "complaints")

    assert house.pairs[-1] == ("a",)


async def test_a_version_that_only_was_a_challenger_cannot_be_rolled_back_to() -> None:
    house = House()
    await house.publish("a")
    await house.start("x")
    await house.experiments.discard("try", "it is worse")

    with pytest.raises(FailedPrecondition, match="x was never published"):
        await house.publisher.roll_back("x", "why")


async def test_who_is_overtaken_by_a_newer_main_version_stands_beside_that_one() -> None:
    board = Board()
    house = House(board=board)
    await house.publish("a")
    board.rivals.append("b")

    published = await house.start("x")

    assert published is not None
    assert published.epoch == 3
    assert house.pairs == [("a",), ("b",), ("b", "x")]


async def test_a_challenger_that_is_removed_while_it_is_published_does_not_stay() -> None:
    house = House(removed="x")
    await house.publish("a")

    with pytest.raises(FailedPrecondition, match="x was removed meanwhile"):
        await house.start("x")

    assert house.pairs == [("a",), ("a", "x"), ("a",)]
