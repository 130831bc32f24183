"""Anchored paging over a set that moves: no row that stays is missed, and every pass comes to its end."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.paging import Pager, PageRequest, PagingError
from services.ingest.domain.rows import PAYMENT_FIELDS, SourceRow, source_row
from tests.unit.ingest.moving_source import KINDS, Situation, as_it_is_kept, filled, identity, read


def rows(*ids: int, version: int = 0) -> list[SourceRow]:
    """Rows with these ids; another version is another reading."""
    return [source_row({"id": number, "status": version}, "", PAYMENT_FIELDS) for number in ids]


def always(_: SourceRow) -> bool:
    """Every row was there when the pass began."""
    return True


def never(_: SourceRow) -> bool:
    """No row was there when the pass began."""
    return False


def accept(pager: Pager, page: list[SourceRow], is_awaited: Callable[[SourceRow], bool] = always) -> list[SourceRow]:
    """The rows of the page that are new to the pager."""
    return [page[row] for row in pager.accept(identity(page, is_awaited))]


def read_from(pager: Pager, answer: Callable[[PageRequest], list[SourceRow]]) -> list[SourceRow]:
    """All that a pass is given."""
    seen: list[SourceRow] = []
    while (request := pager.next_request()) is not None:
        seen += accept(pager, answer(request))
    return seen


def read_still(ids: Sequence[int], limit: int, cap: int = 10**6) -> tuple[list[str], list[PageRequest]]:
    """A pass over a set that stands still: the groups it was given, in order, and its requests."""
    requests: list[PageRequest] = []
    whole = rows(*ids)

    def answer(request: PageRequest) -> list[SourceRow]:
        requests.append(request)
        return whole[request.offset : request.offset + min(request.limit, cap)]

    return [row.group for row in read_from(Pager(limit, 1000), answer)], requests


def situations(room: list[int], rows: list[int], changes: list[int]) -> st.SearchStrategy[Situation]:
    """Situations with so much room in a page, so many rows at the start, and so many changes at once."""
    return st.builds(
        Situation,
        seed=st.integers(0, 10**9),
        codes=st.integers(1, 4),
        room=st.sampled_from(room),
        ids=st.sampled_from([10, 40, 1000]),
        rows=st.sampled_from(rows),
        asked=st.sampled_from([1, 3]),
        changes=st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(changes)), min_size=1, max_size=12),
        in_flight=st.sampled_from([1, 2, 5]),
        keeps=st.sampled_from([1, 3]),
        breaks=st.frozensets(st.integers(1, 20), max_size=3),
    )


@settings(max_examples=500, deadline=None)
@given(situation=situations(room=[2, 3, 4, 30], rows=[0, 1, 5, 30, 60, 100], changes=[0, 0, 1, 2, 3, 12]))
def test_no_row_that_stays_is_missed_in_silence_whatever_moves(situation: Situation) -> None:
    source = filled(situation)
    before = set(source.rows)

    try:
        seen = read(source, situation)
    except PagingError:
        seen = before  # refused, not missed

    assert before - source.touched <= seen


@settings(max_examples=200, deadline=None)
@given(situation=situations(room=[10, 30], rows=[30, 100, 300], changes=[0, 1, 2]))
def test_a_source_that_moves_slower_than_it_is_read_is_read_whole(situation: Situation) -> None:
    source = filled(situation)
    before = set(source.rows)

    seen = read(source, situation)

    assert before - source.touched <= seen


@settings(max_examples=100, deadline=None)
@given(count=st.integers(0, 300), limit=st.integers(3, 50), cap=st.integers(3, 50))
def test_a_set_that_stands_still_is_given_once_and_in_order(count: int, limit: int, cap: int) -> None:
    given_rows, _ = read_still(range(count), limit, cap)

    assert given_rows == [str(number) for number in range(count)]


def test_each_page_asks_again_for_the_last_rows_of_the_one_before() -> None:
    _, requests = read_still(range(1000), limit=500)

    assert requests[:3] == [PageRequest(0, 500), PageRequest(480, 500), PageRequest(960, 500)]


def test_a_short_page_does_not_end_the_pass() -> None:
    pager = Pager(100, 100)

    accept(pager, rows(1, 2, 3))

    assert pager.next_request() == PageRequest(1, 100)


def test_an_empty_set_ends_at_once() -> None:
    assert read_still([], limit=100) == ([], [PageRequest(0, 100)])


def test_deletions_before_the_page_are_noticed_and_stepped_back_from() -> None:
    pager = Pager(4, 100)
    accept(pager, rows(1, 2, 3, 4))
    # 1, 2 and 3 were deleted: at offset 2 stands what was at 5.
    assert accept(pager, rows(6, 7, 8, 9)) == []

    assert pager.next_request() == PageRequest(0, 4)
    assert [row.group for row in accept(pager, rows(4, 5, 6, 7))] == ["5", "6", "7"]


def test_a_row_that_changes_while_paging_is_given_again() -> None:
    pager = Pager(4, 100)
    accept(pager, rows(1, 2, 3))

    fresh = accept(pager, [*rows(2), *rows(3, version=1)])

    assert [row.fields for row in fresh] == [{"id": 3, "status": 1}]


def test_rows_that_share_an_id_across_a_page_end_are_all_given() -> None:
    def tied(code: int) -> SourceRow:
        return source_row({"id": 2, "company_code": code}, "", PAYMENT_FIELDS)

    pager = Pager(4, 100)
    first = accept(pager, [*rows(0, 1), tied(1)])
    # The source gives the tied rows the other way round this time.
    second = accept(pager, [*rows(1), tied(2), tied(1)])

    assert [row.fields.get("company_code") for row in [*first, *second]] == [None, None, 1, 2]


def test_rows_that_came_after_the_start_are_kept_but_not_waited_for() -> None:
    pager = Pager(4, 100)
    accept(pager, rows(1, 2, 3, 4))
    accept(pager, rows(3, 4))

    later = accept(pager, rows(5), never)

    assert (later, pager.next_request() is None) == ([], False)


def test_a_source_that_only_grows_by_later_rows_comes_to_an_end() -> None:
    pager, last = Pager(8, 1000), 8
    accept(pager, rows(*range(1, 9)))
    while (request := pager.next_request()) is not None:
        last += 2
        accept(pager, rows(*range(request.offset + 1, last + 1))[:8], never)
        assert last < 50, "the pass follows a source that runs away"


def test_many_pages_of_later_rows_do_not_hide_the_rows_behind_them() -> None:
    changed, old = rows(*range(1000), version=1), rows(*range(1000, 1010))
    whole, pager, seen = [*changed, *old], Pager(6, 10_000), set[str]()

    while (request := pager.next_request()) is not None:
        page = whole[request.offset : request.offset + 6]
        seen |= {row.group for row in accept(pager, page, lambda row: int(row.group) >= 1000)}

    assert {row.group for row in old} <= seen


def test_a_source_that_ignores_the_offset_is_refused() -> None:
    with pytest.raises(PagingError, match="ignores offset"):
        read_from(Pager(4, 10_000), lambda _: rows(1, 2, 3, 4))


def test_a_source_without_end_is_refused() -> None:
    with pytest.raises(PagingError, match="does not come to an end"):
        read_from(Pager(4, 50), lambda request: rows(*range(request.offset, request.offset + 4)))


def test_a_source_of_one_row_a_page_is_refused_rather_than_half_read() -> None:
    with pytest.raises(PagingError, match="pages are too short"):
        read_still(range(10), limit=100, cap=1)


def test_rows_without_an_id_are_given_too() -> None:
    nameless = [source_row({"status": number}, "", PAYMENT_FIELDS) for number in range(3)]
    pager = Pager(10, 100)

    assert accept(pager, nameless) == nameless


def test_what_is_remembered_does_not_grow_with_the_set() -> None:
    pager, at = Pager(1000, 10_000), 0
    while at < 60_000 and (request := pager.next_request()) is not None:
        accept(pager, rows(*range(request.offset, request.offset + 1000)))
        at = request.offset

    assert len(pager._seen) <= 16_000
    assert sum(len(page) for page in pager._closed) <= 8_000


def test_a_pass_goes_on_from_a_mark_behind_what_was_seen() -> None:
    pager = Pager(6, 100)
    accept(pager, rows(*range(6)))

    later = Pager(6, 100, as_it_is_kept(pager.mark))

    assert later.next_request() == PageRequest(3, 6)
    assert [row.group for row in accept(later, rows(*range(3, 9)))] == ["6", "7", "8"]


def test_from_a_mark_whose_anchors_are_gone_a_pass_steps_back() -> None:
    pager = Pager(6, 100)
    accept(pager, rows(*range(6)))

    later = Pager(6, 100, as_it_is_kept(pager.mark))

    assert accept(later, rows(*range(20, 26))) == []
    assert later.next_request() == PageRequest(0, 6)


def test_a_mark_is_small_and_holds_no_group_that_no_database_takes() -> None:
    odd = [source_row({"id": text}, "", PAYMENT_FIELDS) for text in ("a\x00", "\ud800", "x" * 500, "good", "last")]
    pager = Pager(1000, 100)
    accept(pager, [*rows(*range(500)), *odd])

    assert pager.mark.anchors[:2] == ("good", "499")
    assert (len(pager.mark.anchors), len(pager.mark.fingerprints)) == (100, 100)


def test_of_equal_rows_in_a_page_the_first_is_given() -> None:
    assert Pager(10, 100).accept(identity(rows(1, 2, 1, 3, 2), always)) == [0, 1, 3]
