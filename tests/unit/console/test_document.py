"""docs/console.md says what the code says."""

from pathlib import Path

from console.settings import ConsoleSettings

DOCUMENT = (Path(__file__).parents[3] / "docs/console.md").read_text()


def test_every_setting_is_told_with_its_meaning() -> None:
    rows = {line.split("|")[1].strip(" `"): line for line in DOCUMENT.splitlines() if line.startswith("| `CONSOLE_")}

    assert rows.keys() == {f"CONSOLE_{name.upper()}" for name in ConsoleSettings.model_fields}
    for name, field in ConsoleSettings.model_fields.items():
        assert str(field.description) in rows[f"CONSOLE_{name.upper()}"]
