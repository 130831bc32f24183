"""Publishing against rivals, with publications kept in memory."""

import pytest

from services.contracts.bundle import Build, Publication
from services.indexer.workflow.publish import Publisher
from services.runtime.errors import DataLoss, FailedPrecondition
from tests.unit.indexer.boards import SHA256, Board, built, epochs, versions


def publisher(board: Board, *builds: Build, removed: str = "") -> Publisher:
    return Publisher(epochs(board, *builds, removed=removed))


async def approved(present: Publication | None) -> str:
    return "why"


async def put(ours: Publisher, version: str, sha256: str = SHA256) -> Publication:
    """Publishes a version that may follow any other."""
    publication = await ours.publish(version, sha256, approved)
    assert publication is not None
    return publication


async def test_each_publication_has_the_next_epoch() -> None:
    board = Board()

    for version in ("a", "b"):
        await put(publisher(board), version)

    assert versions(board) == [(1, "a"), (2, "b")]


async def test_who_loses_an_epoch_takes_the_next() -> None:
    board = Board("x", "y")

    publication = await put(publisher(board), "a")

    assert publication.epoch == 3
    assert versions(board) == [(1, "x"), (2, "y"), (3, "a")]


async def test_who_loses_to_the_same_version_is_content() -> None:
    board = Board("a")

    publication = await put(publisher(board), "a")

    assert publication.epoch == 1
    assert versions(board) == [(1, "a")]


async def test_a_version_in_service_is_not_published_again() -> None:
    board = Board()
    first = await put(publisher(board), "a")

    again = await put(publisher(board), "a")

    assert again == first


async def test_a_rollback_puts_the_version_before_into_service_under_a_new_epoch() -> None:
    board = Board()
    for version in ("a", "b"):
        await put(publisher(board), version)

    publication = await publisher(board).roll_back("", "b is bad")

    assert (publication.epoch, publication.version, publication.reason) == (3, "a", "b is bad")


async def test_a_rollback_to_the_version_in_service_keeps_its_reason() -> None:
    board = Board()
    await put(publisher(board), "a")

    publication = await publisher(board).roll_back("a", "the complaints were not about it")

    assert (publication.epoch, publication.reason) == (2, "the complaints were not about it")


async def test_a_rollback_to_a_named_version_that_is_repeated_changes_nothing() -> None:
    board = Board()
    for version in ("a", "b"):
        await put(publisher(board), version)
    first = await publisher(board).roll_back("a", "b is bad")

    assert await publisher(board).roll_back("a", "b is bad") == first


async def test_a_repeated_rollback_does_not_go_forward_again() -> None:
    board = Board()
    for version in ("a", "b"):
        await put(publisher(board), version)
    await publisher(board).roll_back("", "b is bad")

    with pytest.raises(FailedPrecondition, match="no version was in service before"):
        await publisher(board).roll_back("", "b is bad")


async def test_a_version_that_never_was_published_cannot_be_rolled_back_to() -> None:
    board = Board()
    await put(publisher(board), "a")

    with pytest.raises(FailedPrecondition, match="b was never published"):
        await publisher(board).roll_back("b", "why")


async def test_a_damaged_version_cannot_be_rolled_back_to() -> None:
    board = Board()
    await put(publisher(board), "a", "0" * 64)
    await put(publisher(board), "b")

    with pytest.raises(DataLoss, match="manifest of a"):
        await publisher(board).roll_back("", "why")


async def test_a_repeated_publication_does_not_undo_a_rollback() -> None:
    board = Board()
    ours = publisher(board)
    await put(ours, "v1")
    bad = await put(ours, "v2")
    await ours.roll_back("v1", "complaints")

    repeated = await put(ours, "v2")

    assert repeated == bad
    assert [publication.version for publication in board.published] == ["v1", "v2", "v1"]


async def test_what_is_not_approved_is_not_published() -> None:
    board = Board()

    async def refused(present: Publication | None) -> None:
        return None

    assert await publisher(board).publish("a", SHA256, refused) is None
    assert board.published == []


async def test_who_is_overtaken_is_judged_against_who_was_faster() -> None:
    board, judged = Board("x", "y"), list[str]()

    async def approve(present: Publication | None) -> str | None:
        judged.append(present.version if present else "")
        return "why" if len(judged) < 3 else None

    assert await publisher(board).publish("a", SHA256, approve) is None
    assert judged == ["", "x", "y"]
    assert versions(board) == [(1, "x"), (2, "y")]


async def test_a_rollback_never_brings_an_erased_client_back() -> None:
    board = Board()
    ours = publisher(board, built("a"), built("b", "erasure-1"), built("c", "erasure-1"))
    for version in ("a", "b", "c"):
        await put(ours, version)

    with pytest.raises(FailedPrecondition, match="before a client was erased"):
        await ours.roll_back("a", "why")
    assert (await ours.roll_back("b", "why")).epoch == 4


async def test_a_version_from_before_an_erasure_does_not_follow_one_from_after_it() -> None:
    board = Board()
    ours = publisher(board, built("a"), built("b", "erasure-1"))
    await put(ours, "b")

    with pytest.raises(FailedPrecondition, match="before a client was erased"):
        await put(ours, "a")

    assert versions(board) == [(1, "b")]


async def test_before_the_index_is_without_an_erased_client_a_rollback_makes_nothing_worse() -> None:
    board = Board()
    ours = publisher(board, built("a"), built("b"), built("c", "erasure-1"))
    for version in ("a", "b"):
        await put(ours, version)

    assert (await ours.roll_back("a", "why")).version == "a"


async def test_a_rollback_to_a_removed_version_names_what_to_do() -> None:
    board = Board()
    for version in ("a", "b"):
        await put(publisher(board), version)

    with pytest.raises(FailedPrecondition, match="a was removed; name another"):
        await publisher(board, removed="a").roll_back("", "why")


async def test_a_version_that_is_removed_while_it_is_published_leaves_the_one_before_in_service() -> None:
    board = Board()
    await put(publisher(board), "a")

    with pytest.raises(FailedPrecondition, match="b was removed meanwhile"):
        await put(publisher(board, removed="b"), "b")

    assert versions(board) == [(1, "a"), (2, "b"), (3, "a")]
