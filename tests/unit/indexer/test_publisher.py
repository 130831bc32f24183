"""Publishing against rivals, with publications kept in memory."""

from datetime import UTC, datetime

import pytest

from services.contracts.bundle import IndexManifest, Publication
from services.indexer.workflow.publish import Publisher
from services.runtime.checksums import sha256_of
from services.runtime.errors import DataLoss, FailedPrecondition

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANIFEST = IndexManifest(
    code_version="test",
    companies=3,
    indexed=2,
    clients=1,
    pairs=1,
    judged=0,
    dimension=1,
    trees=1,
    habit_weight=2.0,
    training_payments=1,
    first_payment_at=NOON,
    last_payment_at=NOON,
    watermark=None,
    parameters={},
    quality=None,
    files=(),
).to_bytes()
SHA256 = sha256_of(MANIFEST)


class OneManifest:
    """Every version has this manifest."""

    async def manifest(self, version: str) -> bytes:
        return MANIFEST


class Board:
    """Publications in memory. Each rival publishes just before our next attempt."""

    def __init__(self, *rivals: str) -> None:
        self.published: list[Publication] = []
        self._rivals = list(rivals)

    async def all(self) -> list[Publication]:
        return list(self.published)

    async def add(self, publication: Publication) -> bool:
        if self._rivals:
            self.published.append(publication.model_copy(update={"version": self._rivals.pop(0)}))
        if any(known.epoch == publication.epoch for known in self.published):
            return False
        self.published.append(publication)
        return True


def publisher(board: Board) -> Publisher:
    return Publisher(OneManifest(), board, lambda: NOON)


def versions(board: Board) -> list[tuple[int, str]]:
    return [(publication.epoch, publication.version) for publication in board.published]


async def test_each_publication_has_the_next_epoch() -> None:
    board = Board()

    for version in ("a", "b"):
        await publisher(board).publish(version, SHA256, "why")

    assert versions(board) == [(1, "a"), (2, "b")]


async def test_who_loses_an_epoch_takes_the_next() -> None:
    board = Board("x", "y")

    publication = await publisher(board).publish("a", SHA256, "why")

    assert publication.epoch == 3
    assert versions(board) == [(1, "x"), (2, "y"), (3, "a")]


async def test_who_loses_to_the_same_version_is_content() -> None:
    board = Board("a")

    publication = await publisher(board).publish("a", SHA256, "why")

    assert publication.epoch == 1
    assert versions(board) == [(1, "a")]


async def test_a_version_in_service_is_not_published_again() -> None:
    board = Board()
    first = await publisher(board).publish("a", SHA256, "why")

    again = await publisher(board).publish("a", SHA256, "why not")

    assert again == first


async def test_a_rollback_puts_the_version_before_into_service_under_a_new_epoch() -> None:
    board = Board()
    for version in ("a", "b"):
        await publisher(board).publish(version, SHA256, "why")

    publication = await publisher(board).roll_back("", "b is bad")

    assert (publication.epoch, publication.version, publication.reason) == (3, "a", "b is bad")


async def test_a_repeated_rollback_does_not_go_forward_again() -> None:
    board = Board()
    for version in ("a", "b"):
        await publisher(board).publish(version, SHA256, "why")
    await publisher(board).roll_back("", "b is bad")

    with pytest.raises(FailedPrecondition, match="no other version was in service before"):
        await publisher(board).roll_back("", "b is bad")


async def test_a_version_that_never_was_published_cannot_be_rolled_back_to() -> None:
    board = Board()
    await publisher(board).publish("a", SHA256, "why")

    with pytest.raises(FailedPrecondition, match="b was never published"):
        await publisher(board).roll_back("b", "why")


async def test_a_damaged_version_cannot_be_rolled_back_to() -> None:
    board = Board()
    await publisher(board).publish("a", "0" * 64, "why")
    await publisher(board).publish("b", SHA256, "why")

    with pytest.raises(DataLoss, match="manifest of a"):
        await publisher(board).roll_back("", "why")


async def test_a_repeated_publication_does_not_undo_a_rollback() -> None:
    board = Board()
    ours = publisher(board)
    await ours.publish("v1", SHA256, "good")
    bad = await ours.publish("v2", SHA256, "passed")
    await ours.roll_back("v1", "complaints")

    repeated = await ours.publish("v2", SHA256, "passed")

    assert repeated == bad
    assert [publication.version for publication in board.published] == ["v1", "v2", "v1"]
