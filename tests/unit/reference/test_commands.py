"""Every command `afin …` that a page shows is one of ours, with arguments and options that it takes."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from cli.app import app
from tests.unit.reference.protos import ROOT
from tests.unit.reference.test_links import PAGES

BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^(?:\.venv/bin/)?afin (.*)$", re.MULTILINE)


def _shown() -> list[tuple[Path, str]]:
    blocks = ((page, block) for page in PAGES for block in BLOCK.findall(page.read_text()))
    return [(page, line) for page, block in blocks for line in COMMAND.findall(block.replace("\\\n", " "))]


@pytest.mark.parametrize("page", sorted({page for page, _ in _shown()}), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_commands_that_are_there(page: Path) -> None:
    for line in (line for other, line in _shown() if other == page):
        words = shlex.split(line, comments=True)
        command, name = get_command(app), ""
        while hasattr(command, "commands"):
            assert words[0] in command.commands, line
            name = words.pop(0)
            command = command.commands[name]
        # Raises UsageError for what the command does not take, or lacks.
        arguments = [_standing(word) for word in words]
        context = command.make_context(name, arguments)
        assert context.args == [], line


def _standing(word: str) -> str:
    """A folder for a folder; all else as it is shown."""
    return str(ROOT) if "/" in word or word == "own" else word
