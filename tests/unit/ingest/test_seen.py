"""Which rows are remembered."""

from services.ingest.domain.seen import Seen


def test_the_last_pages_are_remembered() -> None:
    seen = Seen([2], pages=3)
    for page in range(3, 12):
        seen.add([page])
        assert seen.unseen([page - 1, page, page + 1]) == {page + 1}


def test_older_pages_are_forgotten() -> None:
    seen = Seen([0], pages=3)
    for page in range(1, 10):
        seen.add([page])

    assert len(seen) <= 6
    assert seen.unseen([0, 1, 2]) == {0, 1, 2}
