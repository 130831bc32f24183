"""A few rounds of eight publishers; `make index-race-test` runs twenty."""

from datetime import UTC, datetime

import pytest

from services.contracts.bundle import Challenger, Publication
from tests.index_races.__main__ import raced_on
from tests.index_races.race import Raced, Races
from tests.index_races.stores import KINDS

PUBLISHERS, ROUNDS = 8, 3


@pytest.mark.parametrize("kind", KINDS)
async def test_of_publishers_who_race_each_gets_the_epoch_after_the_one_that_it_was_judged_against(kind: str) -> None:
    found = await raced_on(kind, PUBLISHERS, ROUNDS)

    assert found["problems"] == []
    assert found["publications"] == PUBLISHERS * ROUNDS


def published(epoch: int, version: str, challenger: str = "") -> Publication:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    theirs = Challenger(experiment="race", version=challenger, manifest_sha256="", share=0.5, since=1)
    return Publication(
        epoch=epoch,
        version=version,
        manifest_sha256="",
        published_at=moment,
        reason="race",
        challenger=theirs if challenger else None,
    )


def raced(version: str, epoch: int, followed: int, role: str = "main") -> Raced:
    return Raced(role, version, epoch, followed, 1)


@pytest.mark.parametrize(
    ("answers", "stored", "named"),
    [
        ([raced("a", 1, 0), raced("b", 1, 0)], [published(1, "b")], "the epochs of 2 publications are [1]"),
        ([raced("a", 1, 0), raced("b", 3, 2)], [published(1, "a"), published(3, "b")], "are [1, 3]"),
        ([raced("a", 1, 0)], [published(1, "b")], "what publishers were told"),
        ([raced("a", 1, 0), raced("b", 2, 0)], [published(1, "a"), published(2, "b")], "does not follow"),
        (
            [raced("a", 1, 0), raced("x", 2, 1, "challenger"), raced("b", 3, 2)],
            [published(1, "a"), published(2, "a", "x"), published(3, "b")],
            "what publishers were told",
        ),
    ],
)
def test_a_lost_publication_a_gap_and_a_blind_one_would_be_noticed(
    answers: list[Raced], stored: list[Publication], named: str
) -> None:
    assert any(named in problem for problem in Races(answers, stored).problems())


def test_a_main_version_and_a_challenger_that_leave_each_other_alone_are_no_problem() -> None:
    answers = [raced("a", 1, 0), raced("x", 2, 1, "challenger"), raced("b", 3, 2)]

    assert Races(answers, [published(1, "a"), published(2, "a", "x"), published(3, "b", "x")]).problems() == []
