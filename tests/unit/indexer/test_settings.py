"""Settings from the environment."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.indexer.settings import IndexerSettings

REQUIRED = {"database_url": "postgresql://u:secret@h/d", "object_store_url": "file:///objects"}


def settings(**fields: object) -> IndexerSettings:
    return IndexerSettings(**{**REQUIRED, **fields})  # type: ignore[arg-type] # as the environment gives them


def test_what_is_not_said_has_a_usual_value() -> None:
    found = settings()

    assert (found.statuses, found.created_since, found.max_training_payments) == (("paid",), None, None)
    assert (found.dimension, found.trees, found.min_clients, found.seed) == (128, 50, 2, 0)
    assert (found.min_gain, found.quality_tolerance) == (0.0, 0.1)
    assert found.work_folder.is_dir()


def test_statuses_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDEXER_STATUSES", "paid, settled ,")

    assert settings().statuses == ("paid", "settled")


def test_a_moment_is_read_with_its_time_zone() -> None:
    assert settings(created_since="2026-01-01T00:00:00Z").created_since == datetime(2026, 1, 1, tzinfo=UTC)


def test_the_databases_password_is_not_shown() -> None:
    assert "secret" not in repr(settings())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("database_url", "mysql://h/d"),
        ("object_store_url", "objects"),
        ("object_store_endpoint_url", "seaweedfs:8333"),
        ("statuses", " , "),
        ("created_since", "2026-01-01T00:00:00"),
        ("max_training_payments", "0"),
        ("dimension", "0"),
        ("trees", "0"),
        ("min_clients", "0"),
        ("seed", "-1"),
        ("min_gain", "2"),
        ("quality_tolerance", "-0.1"),
        ("work_folder", Path("/nowhere")),
        ("validation_timeout_seconds", "0"),
        ("engine", "spark"),
        ("dask_scheduler", "scheduler:8786"),
    ],
)
def test_wrong_values_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**{field: value})

    assert [error["loc"] for error in caught.value.errors()] == [(field,)]


def test_a_cluster_is_named_by_the_address_of_its_scheduler() -> None:
    found = settings(engine="dask", dask_scheduler="tls://dask-scheduler:8786")

    assert (found.engine, found.dask_scheduler) == ("dask", "tls://dask-scheduler:8786")


def test_a_cluster_without_an_address_is_refused() -> None:
    with pytest.raises(ValidationError, match="INDEXER_ENGINE=dask needs INDEXER_DASK_SCHEDULER"):
        settings(engine="dask")
