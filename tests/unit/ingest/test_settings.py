"""Settings from the environment: checked before a port opens."""

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from services.ingest.settings import IngestSettings

REQUIRED = {
    "database_url": "postgresql://u:secret@h/d",
    "object_store_url": "file:///objects",
    "source_url": "http://source:8080",
    "warehouse_address": "warehouse:50052",
    "indexer_address": "127.0.0.1:50053",
}


def settings(**fields: str) -> IngestSettings:
    """Settings as the environment gives them: text."""
    return IngestSettings(**{**REQUIRED, **fields})  # type: ignore[arg-type] # pydantic converts


def test_what_is_not_said_has_a_usual_value() -> None:
    found = settings()

    assert (found.overlap, found.first_day, found.page_limit) == (timedelta(hours=48), None, 5000)
    assert (found.companies_schedule, found.recommendations_schedule) == ("0 3 * * 0", "0 4 * * *")


@pytest.mark.parametrize("text", ["P2D", "PT48H", "48:00:00", "2 days"])
def test_a_duration_is_iso_8601_or_hours_minutes_and_seconds(text: str) -> None:
    assert settings(overlap=text).overlap == timedelta(hours=48)


def test_a_first_day_is_a_date() -> None:
    assert settings(first_day="2014-01-31").windows.first_day == date(2014, 1, 31)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("database_url", "mysql://h/d"),
        ("object_store_url", "objects"),
        ("object_store_endpoint_url", "seaweedfs:8333"),
        ("source_url", "source:8080"),
        ("source_url", "ftp://source"),
        ("source_url", "http://source?limit=3"),
        ("warehouse_address", "warehouse"),
        ("indexer_address", "http://indexer:50053/"),
        ("first_day", "31.01.2014"),
        ("overlap", "48"),
        ("overlap", "-P1D"),
        ("companies_schedule", "weekly"),
        ("recommendations_schedule", "0 0 31 2 *"),
        ("page_limit", "0"),
        ("max_page_bytes", "10"),
        ("max_quarantine_share", "5"),
        ("request_timeout", "PT0S"),
        ("request_attempts", "0"),
        ("patience", "P2D"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**{name: text})

    assert [error["loc"] for error in caught.value.errors()] == [(name,)]


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_missing_value_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        IngestSettings(**{key: value for key, value in REQUIRED.items() if key != name})  # type: ignore[arg-type]


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_OBJECT_STORE_ENDPOINT_URL", "")

    assert settings().object_store_endpoint_url is None


def test_the_databases_password_is_not_shown() -> None:
    assert "secret" not in repr(settings())
