"""The search for a newer sound index."""

from datetime import datetime, timedelta

import pytest

from services.recommender.domain.in_service import InService
from services.recommender.search import IndexRefused, Search
from services.runtime.errors import ServiceError
from services.runtime.objects.store import ObjectStoreUnavailable
from tests.unit.recommender.snapshots import CHALLENGER, NOON, snapshot
from tests.unit.recommender.sources import FakeSource

INTERVAL = timedelta(seconds=5)


class Watch:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        """Moves on."""
        self.now += timedelta(seconds=seconds)


def taken(search: Search, above: int = 0, *, impatient: bool = False) -> int | None:
    """The epoch that a search finds."""
    look = search.newest(InService.of(snapshot(above)) if above else None, impatient=impatient)
    return look.taken.epoch if look.taken else None


def test_the_newest_is_taken() -> None:
    source = FakeSource([1, 2, 3])

    assert taken(Search(source, INTERVAL, Watch())) == 3
    assert source.loads == [3]


def test_nothing_published_is_no_problem() -> None:
    look = Search(FakeSource(), INTERVAL, Watch()).newest(None, impatient=False)

    assert (look.taken, look.problem, look.outcome) == (None, None, "unchanged")


def test_an_epoch_in_service_or_older_is_not_loaded() -> None:
    source = FakeSource([1, 2, 3])

    assert taken(Search(source, INTERVAL, Watch()), above=3) is None
    assert source.loads == []


def test_after_a_refused_one_the_next_newest_is_taken_and_the_problem_told() -> None:
    source = FakeSource([1, 2, 3], refused={3})

    look = Search(source, INTERVAL, Watch()).newest(None, impatient=False)

    assert look.taken is not None
    assert look.taken.epoch == 2
    assert isinstance(look.problem, IndexRefused)


def test_no_more_than_five_are_tried() -> None:
    source = FakeSource(list(range(1, 100)), refused=set(range(1, 100)))

    assert taken(Search(source, INTERVAL, Watch())) is None
    assert source.loads == [99, 98, 97, 96, 95]


def test_a_refused_one_rests_before_it_is_tried_again() -> None:
    source, watch = FakeSource([7], refused={7}), Watch()
    search = Search(source, INTERVAL, watch)

    tries = []
    for _ in range(8):
        search.newest(None, impatient=False)
        tries.append(len(source.loads))
        watch.pass_seconds(5)

    assert tries == [1, 1, 2, 2, 2, 2, 3, 3]


def test_the_rest_never_grows_beyond_ten_minutes() -> None:
    source, watch = FakeSource([7], refused={7}), Watch()
    search = Search(source, INTERVAL, watch)

    for _ in range(20):
        search.newest(None, impatient=False)
        watch.pass_seconds(600)

    assert len(source.loads) == 20


def test_while_it_rests_the_problem_is_still_told() -> None:
    search = Search(FakeSource([7], refused={7}), INTERVAL, Watch())
    search.newest(None, impatient=False)

    assert search.newest(None, impatient=False).outcome == "refused"


def test_the_impatient_do_not_wait() -> None:
    source = FakeSource([7], refused={7})
    search = Search(source, INTERVAL, Watch())
    search.newest(None, impatient=False)
    source.refused.clear()

    assert taken(search, impatient=True) == 7


def test_a_newer_epoch_is_not_held_up_by_one_that_rests() -> None:
    source = FakeSource([7], refused={7})
    search = Search(source, INTERVAL, Watch())
    search.newest(None, impatient=False)
    source.published.append(8)

    look = search.newest(None, impatient=False)

    assert look.taken is not None
    assert look.taken.epoch == 8


def test_an_experiments_two_versions_are_taken_together() -> None:
    look = Search(FakeSource([3], challenger=CHALLENGER), INTERVAL, Watch()).newest(None, impatient=False)

    assert look.taken is not None
    assert look.taken.challenger is not None
    assert look.taken.challenger.publication.version == CHALLENGER.version
    assert (look.taken.problem, look.problem) == ("", None)


@pytest.mark.parametrize(
    "failure", [IndexRefused("epoch 3", "it is not sound"), ObjectStoreUnavailable("the store is away")]
)
def test_whatever_is_wrong_with_the_challenger_the_main_version_is_taken(failure: ServiceError) -> None:
    source = FakeSource([3], challenger=CHALLENGER, challenger_failure=failure)

    look = Search(source, INTERVAL, Watch()).newest(None, impatient=False)

    assert look.taken is not None
    assert (look.taken.epoch, look.taken.challenger, look.taken.problem) == (3, None, failure.message)
    assert look.problem is None


def test_a_challenger_that_is_missing_is_tried_again_when_it_has_rested() -> None:
    source = FakeSource([3], challenger=CHALLENGER, challenger_failure=IndexRefused("epoch 3", "damaged"))
    watch = Watch()
    search = Search(source, INTERVAL, watch)
    lacking = search.newest(None, impatient=False).taken

    assert search.newest(lacking, impatient=False).outcome == "unchanged"
    assert source.challengers == 1
    watch.pass_seconds(11)
    assert search.newest(lacking, impatient=False).outcome == "unchanged"
    watch.pass_seconds(11)
    assert search.newest(lacking, impatient=False).outcome == "unchanged"
    assert source.challengers == 2
    source.challenger_failure = None
    completed = search.newest(lacking, impatient=True).taken

    assert completed is not None
    assert completed.challenger is not None
    assert (completed.epoch, completed.problem, source.loads) == (3, "", [3])
    assert search.newest(completed, impatient=True).outcome == "unchanged"


def test_what_was_wrong_with_one_epochs_challenger_does_not_hold_up_the_next_ones() -> None:
    source = FakeSource([3], challenger=CHALLENGER, challenger_failure=IndexRefused("epoch 3", "damaged"))
    search = Search(source, INTERVAL, Watch())
    lacking = search.newest(None, impatient=False).taken
    source.published.append(4)
    source.challenger_failure = None

    look = search.newest(lacking, impatient=False)

    assert look.taken is not None
    assert look.taken.challenger is not None
