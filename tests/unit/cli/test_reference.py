"""The page of all commands is made of the commands."""

from pathlib import Path

from cli.reference import leaves, reference

PAGE = Path(__file__).parents[3] / "docs/reference/cli.md"
AGAIN = "run: .venv/bin/python -m cli.reference > docs/reference/cli.md"


def test_the_page_says_what_the_commands_say() -> None:
    assert PAGE.read_text() == reference(), AGAIN


def test_every_command_has_a_section() -> None:
    page = PAGE.read_text()
    assert [path for path in leaves() if f"## afin {' '.join(path)}\n" not in page] == []
