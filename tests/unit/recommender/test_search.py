"""The search for a newer sound index."""

from datetime import datetime, timedelta

from services.recommender.search import IndexRefused, Search
from tests.unit.recommender.snapshots import NOON
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
    look = search.newest(above, impatient=impatient)
    return look.taken.epoch if look.taken else None


def test_the_newest_is_taken() -> None:
    source = FakeSource([1, 2, 3])

    assert taken(Search(source, INTERVAL, Watch())) == 3
    assert source.loads == [3]


def test_nothing_published_is_no_problem() -> None:
    look = Search(FakeSource(), INTERVAL, Watch()).newest(0, impatient=False)

    assert (look.taken, look.problem, look.outcome) == (None, None, "unchanged")


def test_an_epoch_in_service_or_older_is_not_loaded() -> None:
    source = FakeSource([1, 2, 3])

    assert taken(Search(source, INTERVAL, Watch()), above=3) is None
    assert source.loads == []


def test_after_a_refused_one_the_next_newest_is_taken_and_the_problem_told() -> None:
    source = FakeSource([1, 2, 3], refused={3})

    look = Search(source, INTERVAL, Watch()).newest(0, impatient=False)

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
        search.newest(0, impatient=False)
        tries.append(len(source.loads))
        watch.pass_seconds(5)

    assert tries == [1, 1, 2, 2, 2, 2, 3, 3]


def test_the_rest_never_grows_beyond_ten_minutes() -> None:
    source, watch = FakeSource([7], refused={7}), Watch()
    search = Search(source, INTERVAL, watch)

    for _ in range(20):
        search.newest(0, impatient=False)
        watch.pass_seconds(600)

    assert len(source.loads) == 20


def test_while_it_rests_the_problem_is_still_told() -> None:
    search = Search(FakeSource([7], refused={7}), INTERVAL, Watch())
    search.newest(0, impatient=False)

    assert search.newest(0, impatient=False).outcome == "refused"


def test_the_impatient_do_not_wait() -> None:
    source = FakeSource([7], refused={7})
    search = Search(source, INTERVAL, Watch())
    search.newest(0, impatient=False)
    source.refused.clear()

    assert taken(search, impatient=True) == 7


def test_a_newer_epoch_is_not_held_up_by_one_that_rests() -> None:
    source = FakeSource([7], refused={7})
    search = Search(source, INTERVAL, Watch())
    search.newest(0, impatient=False)
    source.published.append(8)

    look = search.newest(0, impatient=False)

    assert look.taken is not None
    assert look.taken.epoch == 8
