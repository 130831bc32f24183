"""Settings tell what is wrong with them in one line, and never their secrets."""

import pytest
from pydantic import ValidationError

from services.runtime.settings import load_settings
from services.warehouse.migrate import MigrationSettings
from services.warehouse.settings import WarehouseSettings

RIGHT = {"WAREHOUSE_DATABASE_URL": "postgresql://u:secret@db/afin", "WAREHOUSE_OBJECT_STORE_URL": "s3://lake/afin"}


def load_with(monkeypatch: pytest.MonkeyPatch, **values: str) -> WarehouseSettings:
    for name, value in {**RIGHT, **values}.items():
        monkeypatch.setenv(name, value)
    return load_settings(WarehouseSettings)


def test_two_urls_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_with(monkeypatch)
    assert settings.object_store_url == "s3://lake/afin"
    assert settings.min_catalogue_share == 0.9


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAREHOUSE_DATABASE_URL", "mysql://u:secret@db/afin"),
        ("WAREHOUSE_DATABASE_URL", "secret"),
        ("WAREHOUSE_DATABASE_URL", "postgresql://u@db:secret/afin"),
        ("WAREHOUSE_OBJECT_STORE_URL", "/relative"),
        ("WAREHOUSE_OBJECT_STORE_URL", "s3://"),
        ("WAREHOUSE_OBJECT_STORE_ENDPOINT_URL", "seaweed:8333"),
        ("WAREHOUSE_MIN_CATALOGUE_SHARE", "1.5"),
        ("WAREHOUSE_LOAD_TIMEOUT_SECONDS", "0"),
        ("WAREHOUSE_COLOUR", "blue"),
    ],
)
def test_a_wrong_or_unknown_setting_is_named_in_one_line_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        load_with(monkeypatch, **{name: value})
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert told.count("\n") == 1
    assert name in told
    assert "secret" not in told


def test_the_url_of_the_database_is_not_shown_where_settings_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "secret" not in repr(load_with(monkeypatch))


def test_the_migration_refuses_a_url_of_another_database() -> None:
    with pytest.raises(ValidationError, match="postgresql://"):
        MigrationSettings.model_validate({"database_url": "sqlite://"})
