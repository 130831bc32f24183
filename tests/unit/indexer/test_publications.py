"""Which version a rollback goes back to, and what may name a version."""

from datetime import UTC, datetime

import pytest

from services.contracts.bundle import Publication
from services.indexer.domain.publications import before_present, is_version, newest_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def published(versions: str) -> list[Publication]:
    return [
        Publication(epoch=place + 1, version=version, manifest_sha256="0" * 64, published_at=NOON, reason="why")
        for place, version in enumerate(versions)
    ]


@pytest.mark.parametrize(
    ("versions", "epoch"),
    [
        ("ab", 1),
        ("abc", 2),
        # After a rollback from b, another goes back further, not forward to b.
        ("abcb", 1),
        ("abac", 3),
    ],
)
def test_a_rollback_goes_to_what_was_there_before_the_present_version_first_came(versions: str, epoch: int) -> None:
    previous = before_present(published(versions))

    assert previous is not None
    assert previous.epoch == epoch


@pytest.mark.parametrize("versions", ["", "a", "aa", "aba"])
def test_there_is_nothing_before_the_first_version(versions: str) -> None:
    assert before_present(published(versions)) is None


def test_the_newest_publication_of_a_version_is_found() -> None:
    found = newest_of(published("aba"), "a")

    assert found is not None
    assert found.epoch == 3
    assert newest_of(published("aba"), "c") is None


@pytest.mark.parametrize("name", ["20260301T123015Z-abababababab", "unknown-000000000000"])
def test_names_of_versions_are_recognised(name: str) -> None:
    assert is_version(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "latest",
        "../../etc",
        "20260301T123015Z-ABABABABABAB",
        "unknown-00000000000",
        "unknown-000000000000\n",
        "x/y",
    ],
)
def test_other_names_are_not(name: str) -> None:
    assert not is_version(name)
