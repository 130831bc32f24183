"""What the recommender can be told."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.recommender.settings import RecommenderSettings
from services.runtime.settings import load_settings

STORE = {"OBJECT_STORE_URL": "file:///objects"}


def given(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    """Sets RECOMMENDER_ variables."""
    for name, value in settings.items():
        monkeypatch.setenv(f"RECOMMENDER_{name}", value)


def test_the_object_store_is_all_that_must_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, STORE)

    settings = load_settings(RecommenderSettings)

    assert settings.object_store_url == "file:///objects"
    assert settings.reload_interval == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "RECOMMENDER_OBJECT_STORE_URL"),
        ({"OBJECT_STORE_URL": "ftp://somewhere"}, "RECOMMENDER_OBJECT_STORE_URL"),
        ({**STORE, "RELOAD_SECONDS": "never"}, "RECOMMENDER_RELOAD_SECONDS"),
        ({**STORE, "RELOAD_SECONDS": "0"}, "RECOMMENDER_RELOAD_SECONDS"),
        ({**STORE, "MAX_PER_CATEGORY": "101"}, "RECOMMENDER_MAX_PER_CATEGORY"),
        ({**STORE, "OBJECT_STORE_ENDPOINT_URL": "here"}, "RECOMMENDER_OBJECT_STORE_ENDPOINT_URL"),
        ({**STORE, "DATABASE_URL": "postgresql://h/d"}, "unknown: RECOMMENDER_DATABASE_URL"),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: dict[str, str], named: str
) -> None:
    given(monkeypatch, settings)

    with pytest.raises(SystemExit):
        load_settings(RecommenderSettings)

    assert named in capsys.readouterr().err


def test_the_cache_lies_where_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, {**STORE, "CACHE_FOLDER": "/some/folder"})

    assert load_settings(RecommenderSettings).cache == Path("/some/folder")


def test_recommenders_of_two_stores_do_not_share_a_cache_unless_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, STORE)
    one = load_settings(RecommenderSettings).cache
    given(monkeypatch, {"OBJECT_STORE_URL": "file:///other"})
    other = load_settings(RecommenderSettings).cache

    assert one != other
    assert one.parent == other.parent
