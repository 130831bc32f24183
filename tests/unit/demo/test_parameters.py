"""The query parameters of the source API."""

from datetime import UTC, datetime

import pytest

from demo.source.parameters import BadParameterError, Page, read_page, read_updated_after


def test_a_day_means_its_midnight_in_utc() -> None:
    assert read_updated_after({"updated_at": "2024-02-29"}) == datetime(2024, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize("value", ["", "2023-02-29", "2024-1-1", "20240101", "2024-W01-1", "2024-01-01 ", "٢٠٢٤-٠١-٠١"])
def test_anything_but_a_day_of_the_calendar_is_refused(value: str) -> None:
    with pytest.raises(BadParameterError, match="updated_at"):
        read_updated_after({"updated_at": value})


def test_a_page_has_defaults_within_the_cap() -> None:
    assert read_page({}, max_limit=5000) == Page(limit=1000, offset=0)
    assert read_page({}, max_limit=10) == Page(limit=10, offset=0)


def test_a_limit_over_the_cap_is_the_cap() -> None:
    assert read_page({"limit": "5001", "offset": "7"}, max_limit=5000) == Page(limit=5000, offset=7)


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "+1"}, {"limit": " 1"}, {"offset": "-1"}, {"offset": ""}])
def test_a_page_that_is_no_page_is_refused_by_name(query: dict[str, str]) -> None:
    with pytest.raises(BadParameterError, match=next(iter(query))):
        read_page(query, max_limit=5000)
