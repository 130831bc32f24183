"""Settings from the environment: wrong ones end the process with one line."""

from pathlib import Path
from typing import Self

import pytest
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import ServiceSettings, load_settings


class HouseSettings(ServiceSettings):
    """Of a service that does not exist."""

    model_config = SettingsConfigDict(env_prefix="HOUSE_", frozen=True, extra="forbid")

    url: str
    token: SecretStr = SecretStr("none")
    rooms: int = Field(3, ge=1)

    @model_validator(mode="after")
    def _rooms_need_a_door(self) -> Self:
        if self.rooms == 13:
            raise ValueError("HOUSE_ROOMS=13 needs HOUSE_DOOR")
        return self


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_URL", "here")
    monkeypatch.setenv("HOUSE_ROOMS", "5")

    settings = load_settings(HouseSettings)

    assert (settings.url, settings.rooms) == ("here", 5)


def test_what_is_not_said_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_URL", "here")

    settings = load_settings(HouseSettings)

    assert (settings.host, settings.port, settings.log_level) == ("127.0.0.1", 0, "INFO")


def test_variables_of_others_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_URL", "here")
    monkeypatch.setenv("HOUSES_ROOMS", "many")
    monkeypatch.setenv("PORT", "none")

    assert load_settings(HouseSettings).port == 0


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "HOUSE_URL: Field required"),
        ({"HOUSE_URL": "x", "HOUSE_ROOMS": "many"}, "HOUSE_ROOMS: "),
        ({"HOUSE_URL": "x", "HOUSE_ROOMS": "0"}, "HOUSE_ROOMS: "),
        ({"HOUSE_URL": "x", "HOUSE_PORT": "65536"}, "HOUSE_PORT: "),
        ({"HOUSE_URL": "x", "HOUSE_TRACES_URL": "collector:4317"}, "HOUSE_TRACES_URL: "),
        ({"HOUSE_URL": "x", "HOUSE_TRACES_URL": "http://collector:4317/v1"}, "HOUSE_TRACES_URL: "),
        ({"HOUSE_URL": "x", "HOUSE_TRACES_URL": "http://me:secret@collector"}, "HOUSE_TRACES_URL: "),
        ({"HOUSE_URL": "x", "HOUSE_LOG_LEVEL": "loud"}, "HOUSE_LOG_LEVEL: "),
        ({"HOUSE_URL": "x", "HOUSE_DRAIN_SECONDS": "-1"}, "HOUSE_DRAIN_SECONDS: "),
        ({"HOUSE_URL": "x", "HOUSE_ROOM": "3"}, "unknown: HOUSE_ROOM (known: "),
        ({"HOUSE_URL": "x", "HOUSE_API_KEYS_FILE": ""}, "empty: HOUSE_API_KEYS_FILE (name the file"),
        ({"HOUSE_ROOMS": "0"}, "HOUSE_URL: Field required; HOUSE_ROOMS: "),
        ({"HOUSE_URL": "x", "HOUSE_ROOMS": "13"}, "house: wrong settings: HOUSE_ROOMS=13 needs HOUSE_DOOR\n"),
    ],
)
def test_wrong_settings_are_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variables: dict[str, str], named: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as caught:
        load_settings(HouseSettings)

    told = capsys.readouterr()
    assert caught.value.code == 2
    assert told.out == ""
    assert told.err.startswith("house: wrong settings: ")
    assert named in told.err
    assert told.err.count("\n") == 1


def test_a_wrong_value_is_not_repeated(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HOUSE_URL", "here")
    monkeypatch.setenv("HOUSE_ROOMS", "a-password-in-the-wrong-place")

    with pytest.raises(SystemExit):
        load_settings(HouseSettings)

    assert "a-password" not in capsys.readouterr().err


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOUSE_URL", "here")
    (tmp_path / "house_token").write_text("from-a-file\n")

    settings = load_settings(HouseSettings, tmp_path)

    assert settings.token.get_secret_value() == "from-a-file"


def test_the_environment_goes_before_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOUSE_URL", "from the environment")
    (tmp_path / "house_url").write_text("from a file")

    assert load_settings(HouseSettings, tmp_path).url == "from the environment"


def test_files_of_other_services_do_not_matter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOUSE_URL", "here")
    (tmp_path / "garden_token").write_text("another")

    assert load_settings(HouseSettings, tmp_path).token.get_secret_value() == "none"


def test_a_secret_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_URL", "here")
    monkeypatch.setenv("HOUSE_TOKEN", "hush")

    assert "hush" not in repr(load_settings(HouseSettings))
