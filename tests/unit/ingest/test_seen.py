"""Which rows are remembered."""

from services.ingest.domain.seen import Seen

# In no order that texts have.
GROUPS = ["b", "a", "c"]


def test_the_last_pages_are_remembered() -> None:
    seen = Seen([2], pages=3)
    for page in range(3, 12):
        seen.add([f"{page:02}"], [page])
        assert seen.unseen([f"{row:02}" for row in range(page - 1, page + 2)], [page - 1, page, page + 1]) == [2]


def test_older_pages_are_forgotten() -> None:
    seen = Seen([0], pages=3)
    for page in range(1, 10):
        seen.add([str(page)], [page])

    assert len(seen) == 3
    assert seen.unseen(["0", "1", "2"], [0, 1, 2]) == [0, 1, 2]


def test_a_page_is_remembered_in_whatever_order_it_came() -> None:
    seen = Seen([], pages=3)
    seen.add(GROUPS, [20, 10, 30])

    assert seen.unseen(["c", "b", "d", "a", "c"], [30, 20, 40, 11, 31]) == [2, 3, 4]


def test_of_equal_rows_the_first_is_new() -> None:
    assert Seen([7], pages=3).unseen(["g", "h", "g", "g", "g"], [5, 7, 6, 5, 6]) == [0, 2]
