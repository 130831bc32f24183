"""The rules of loads that need no database."""

from datetime import UTC, datetime, timedelta

import pytest

from services.warehouse.domain.fields import WrongField
from services.warehouse.domain.loads import (
    CLOCK_TOLERANCE,
    CatalogueRefused,
    CatalogueSizes,
    Load,
    LoadCounts,
    LoadIdTaken,
    LoadRequest,
    require_past_source_time,
    require_whole_catalogue,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHA256, OTHER_SHA256 = "0" * 64, "1" * 64
SECOND = timedelta(seconds=1)


def committed(sha256: str = SHA256) -> Load:
    return Load("run-1", "payments", "key", sha256, NOW, LoadCounts(1, 2, 3, 4), NOW, NOW)


def test_every_row_is_counted_once_and_retired_companies_are_no_rows() -> None:
    assert LoadCounts(new=1, changed=2, unchanged=3, late=4, retired=100).rows == 10


def test_a_watermark_within_the_tolerance_of_clocks_is_taken() -> None:
    LoadRequest("run-1", "key", SHA256, NOW + CLOCK_TOLERANCE).check(NOW)


def test_a_watermark_in_the_future_is_refused_by_name() -> None:
    with pytest.raises(WrongField, match="advance_watermark_to"):
        LoadRequest("run-1", "key", SHA256, NOW + CLOCK_TOLERANCE + SECOND).check(NOW)


def test_a_replay_gets_the_recorded_answer_marked_so() -> None:
    answer = LoadRequest("run-1", "another key", SHA256).recorded_answer(committed())
    assert answer.replayed
    assert answer.counts == committed().counts


def test_an_id_with_another_manifest_is_taken() -> None:
    with pytest.raises(LoadIdTaken, match="run-1"):
        LoadRequest("run-1", "key", OTHER_SHA256).recorded_answer(committed())


@pytest.mark.parametrize("sizes", [(1, 0, 0), (1, 1, 0), (9, 10, 1), (90, 10, 1), (7, 10, 3, 2)])
def test_a_catalogue_with_its_share_of_the_active_companies_is_whole(sizes: tuple[int, ...]) -> None:
    require_whole_catalogue(CatalogueSizes(*sizes), 0.9)


@pytest.mark.parametrize("sizes", [(0, 0, 0), (0, 10, 10), (8, 10, 2), (10, 10, 10), (7, 10, 3, 1)])
def test_an_empty_or_partial_catalogue_is_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(CatalogueRefused, match="stays as it was"):
        require_whole_catalogue(CatalogueSizes(*sizes), 0.9)


def test_an_empty_catalogue_is_refused_whatever_the_share() -> None:
    with pytest.raises(CatalogueRefused, match="empty"):
        require_whole_catalogue(CatalogueSizes(0, 0, 0), 0)


def test_a_catalogue_from_a_clock_that_runs_ahead_is_refused() -> None:
    require_past_source_time(NOW + CLOCK_TOLERANCE, NOW)
    with pytest.raises(CatalogueRefused, match="source_time"):
        require_past_source_time(NOW + CLOCK_TOLERANCE + SECOND, NOW)
