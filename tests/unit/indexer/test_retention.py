"""Which versions may go. Times are days; versions are letters, newest first."""

from datetime import UTC, datetime, timedelta

import pytest

from services.contracts.bundle import Build, Challenger, Publication
from services.indexer.domain.retention import Erasures, Keep, Why, to_prune

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NONE = Erasures([])


def published(versions: str) -> list[Publication]:
    """The first on day 0, the others a day later each."""
    return [
        Publication(
            epoch=day + 1, version=version, manifest_sha256="0" * 64, published_at=NOON + timedelta(day), reason="why"
        )
        for day, version in enumerate(versions)
    ]


def tried(publications: list[Publication], version: str) -> list[Publication]:
    """The same, and a day later the last one with a challenger."""
    last = publications[-1]
    challenger = Challenger(experiment="try", version=version, manifest_sha256="", share=0.5, since=last.epoch + 1)
    day = last.published_at + timedelta(1)
    changes = {"epoch": last.epoch + 1, "challenger": challenger, "published_at": day}
    return [*publications, last.model_copy(update=changes)]


def built(version: str, *erasures: str) -> Build:
    return Build(build_id=version, version=version, manifest_sha256="0" * 64, built_at=NOON, erasures=erasures)


def pruned(versions: str, publications: str, keep: Keep, erasures: Erasures = NONE, day: float = 100) -> str:
    return "".join(to_prune(versions, published(publications), erasures, keep, NOON + timedelta(day)))


@pytest.mark.parametrize(("newest", "gone"), [(1, "cba"), (2, "cba"), (3, "ba"), (5, "")])
def test_the_newest_stay_and_what_is_in_service_and_what_was_before_it(newest: int, gone: str) -> None:
    assert pruned("edcba", "abde", Keep(newest, timedelta(0))) == gone


def test_an_old_version_that_is_in_service_again_stays() -> None:
    assert pruned("cba", "abca", Keep(1, timedelta(0))) == "b"


def test_what_was_in_service_lately_stays() -> None:
    assert pruned("dcba", "abcd", Keep(1, timedelta(days=2)), day=3.5) == "a"


def test_a_challenger_stays_and_one_of_an_ended_experiment_for_a_while() -> None:
    running = tried(published("d"), "b")
    ended = [*running, running[-1].model_copy(update={"challenger": None, "published_at": NOON + timedelta(2)})]
    keep = Keep(1, timedelta(days=3))

    assert set(to_prune("dcba", running, NONE, keep, NOON + timedelta(100))) == {"a", "c"}
    assert set(to_prune("dcba", ended, NONE, keep, NOON + timedelta(4))) == {"a", "c"}
    assert set(to_prune("dcba", ended, NONE, keep, NOON + timedelta(6))) == {"a", "b", "c"}


def test_a_challenger_that_knows_an_erased_client_stays_as_long_as_it_is_before_clients() -> None:
    erasures = Erasures([built("a", "erasure-1"), built("b")])

    assert to_prune("ab", tried(published("a"), "b"), erasures, Keep(1, timedelta(0)), NOON) == {}


def test_without_a_publication_only_the_newest_stay() -> None:
    assert pruned("cba", "", Keep(2, timedelta(0))) == "a"


def test_what_knows_an_erased_client_goes_whatever_else_would_keep_it() -> None:
    erasures = Erasures([built("a"), built("b"), built("c", "erasure-1"), built("d", "erasure-1")])

    assert to_prune("dcba", published("abcd"), erasures, Keep(10, timedelta(days=99)), NOON) == {
        "b": Why.BEFORE_ERASURE,
        "a": Why.BEFORE_ERASURE,
    }


def test_while_the_version_in_service_knows_an_erased_client_the_others_stay_as_they_are() -> None:
    erasures = Erasures([built("a"), built("b"), built("c", "erasure-1")])

    assert pruned("cba", "ab", Keep(10, timedelta(0)), erasures) == ""


def test_a_version_that_a_build_after_the_erasure_came_to_again_is_without_the_client() -> None:
    erasures = Erasures([built("a"), built("a", "erasure-1"), built("b", "erasure-1")])

    assert erasures.are_behind("a")
    assert pruned("ba", "ab", Keep(1, timedelta(0)), erasures) == ""


def test_of_a_version_without_a_build_nothing_is_known() -> None:
    assert not Erasures([built("a", "erasure-1")]).are_behind("b")
