"""A few rounds of eight publishers; `make index-race-test` runs twenty."""

from datetime import UTC, datetime

import pytest

from services.contracts.bundle import Publication
from tests.index_races.__main__ import raced_on
from tests.index_races.race import Raced, Races
from tests.index_races.stores import KINDS

PUBLISHERS, ROUNDS = 8, 3


@pytest.mark.parametrize("kind", KINDS)
async def test_of_publishers_who_race_each_gets_the_epoch_after_the_one_that_it_was_judged_against(kind: str) -> None:
    found = await raced_on(kind, PUBLISHERS, ROUNDS)

    assert found["problems"] == []
    assert found["publications"] == PUBLISHERS * ROUNDS


def published(epoch: int, version: str) -> Publication:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    return Publication(epoch=epoch, version=version, manifest_sha256="", published_at=moment, reason="race")


@pytest.mark.parametrize(
    ("raced", "stored", "named"),
    [
        ([Raced("a", 1, 0, 1), Raced("b", 1, 0, 1)], [published(1, "b")], "the epochs of 2 publications are [1]"),
        ([Raced("a", 1, 0, 1), Raced("b", 3, 2, 1)], [published(1, "a"), published(3, "b")], "are [1, 3]"),
        ([Raced("a", 1, 0, 1)], [published(1, "b")], "what publishers were told"),
        ([Raced("a", 1, 0, 1), Raced("b", 2, 0, 1)], [published(1, "a"), published(2, "b")], "does not follow"),
    ],
)
def test_a_lost_publication_a_gap_and_a_blind_one_would_be_noticed(
    raced: list[Raced], stored: list[Publication], named: str
) -> None:
    assert any(named in problem for problem in Races(raced, stored).problems())
