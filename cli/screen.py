"""What a person sees of a command: lines as things happen, tables, and one moving line for what goes on now."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.ending import Failed
from cli.following import RunFollower
from cli.progress import Before

# Nothing is cut where no terminal says how wide it is.
WIDE = 4000


class Screen:
    """Prints to a terminal with colours and motion, elsewhere as plain lines. NO_COLOR takes the colours."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        if not self.console.is_terminal:
            self.console.width = WIDE
        # From here on there is nothing left to finish: to be stopped is a good end.
        self.is_serving = False
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def title(self, words: str) -> None:
        """Begins a part."""
        self.console.print(Text.assemble("\n", (words, "bold")))

    def say(self, words: str) -> None:
        """Tells one thing that happened."""
        self.console.print(f"  {words}", markup=False)

    def fail(self, words: str) -> None:
        """Tells, on stderr, why the command ends."""
        self._errors.print(f"afin: {words}", markup=False)

    def note(self, words: str) -> None:
        """Tells, on stderr, what is no part of the answer."""
        self._errors.print(words, markup=False)

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
        """Prints rows of texts below their heads; a head that begins with > has its column to the right."""
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for head in heads:
            table.add_column(Text(head.lstrip(">")), justify="right" if head.startswith(">") else "left")
        for row in rows:
            table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
        self.console.print(table, soft_wrap=False)

    def listing(self, heads: Sequence[str], rows: Sequence[Sequence[str | Text]], *, none: str, more: str = "") -> None:
        """Prints a table of what was asked for, or says `none`; `more` is noted below one that goes on."""
        if rows:
            self.table(heads, rows)
        else:
            self.say(none)
        if more:
            self.note(more)

    def json(self, value: Any, *, one_line: bool = False) -> None:
        """Prints a value for a program."""
        typer.echo(json.dumps(value, ensure_ascii=False, indent=None if one_line else 2))

    def fields(self, fields: Iterable[tuple[str, str | Text]]) -> None:
        """Prints what there is to say of one thing, a line each; what is empty is left out."""
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        for name, value in fields:
            if value:
                table.add_row(Text(name, "dim"), value if isinstance(value, Text) else Text(value))
        self.console.print(table, soft_wrap=False)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Makes an exit code, and a line on stderr, of a Failed."""
        try:
            yield
        except Failed as error:
            self.fail(str(error))
            raise typer.Exit(error.exit_code) from error

    @contextmanager
    def following(self, before: Before | None = None) -> Iterator[RunFollower]:
        """Follows one run on the screen; `before`: the steps of an earlier one, which tell how long is left."""
        follower = RunFollower(self.console, before or {})
        with Live(get_renderable=follower.moving, console=self.console, transient=True, refresh_per_second=4):
            yield follower
