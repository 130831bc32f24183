"""Histories as bars over time."""

from datetime import UTC, datetime, timedelta

from console.views.timeline import NAMES, WIDTH, Version, timeline

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
NOW = FIRST + timedelta(days=10)
PAID = Version(FIRST, FIRST + timedelta(days=5), "paid", "paid, 12.50")
REFUNDED = Version(FIRST + timedelta(days=5), None, "refunded", "refunded, 12.50")


def test_bars_join_where_one_version_follows_another_and_the_last_reaches_to_now() -> None:
    drawn = timeline("History", {"p1": [PAID, REFUNDED]}, NOW)

    assert drawn is not None
    first, second = drawn.rows[0].spans
    assert (first.x, second.x) == (NAMES, NAMES + (WIDTH - NAMES) / 2)
    assert first.x + first.width + 1 == second.x
    assert second.x + second.width + 1 == WIDTH
    assert (first.is_current, second.is_current) == (False, True)
    assert first.label == "paid, 12.50: from 2026-11-01 00:00:00 to 2026-11-06 00:00:00"


def test_a_word_has_one_colour_in_all_rows() -> None:
    drawn = timeline("History", {"p1": [PAID, REFUNDED], "p2": [REFUNDED]}, NOW)

    assert drawn is not None
    assert drawn.rows[0].spans[1].kind == drawn.rows[1].spans[0].kind != drawn.rows[0].spans[0].kind
    assert [word for word, _ in drawn.legend] == ["paid", "refunded"]


def test_a_moment_that_is_looked_at_has_its_place() -> None:
    drawn = timeline("History", {"p1": [PAID]}, NOW, FIRST + timedelta(days=5))

    assert drawn is not None
    assert drawn.cursor == NAMES + (WIDTH - NAMES) / 2


def test_of_nothing_nothing_is_drawn() -> None:
    assert timeline("History", {}, NOW) is None
