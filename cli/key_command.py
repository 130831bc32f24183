"""`afin key new`: a new API key, and the line of API_KEYS_FILE that lets it in."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from cli.screen import Screen
from services.runtime.access.keys import line_of, make_key
from services.runtime.access.roles import ROLE_NAMES
from services.runtime.clock import utc_now

NameOption = Annotated[str, typer.Option(help="Who uses it, e.g. shop: audit tells it.")]
RoleOption = Annotated[str, typer.Option(help="read, operate or admin.")]
DaysOption = Annotated[
    int | None, typer.Option(min=1, max=3650, help="How many days it is valid; without it for ever.")
]
SecretOption = Annotated[Path | None, typer.Option(help="Write the key to this new file instead of showing it.")]
KeysFileOption = Annotated[Path | None, typer.Option(help="Add the line to this file instead of showing it.")]

key_app = typer.Typer(help="API keys.", no_args_is_help=True)


@key_app.callback()
def _group() -> None:
    """Keeps `new` a command of its own."""


@key_app.command()
def new(
    name: NameOption,
    role: RoleOption = "read",
    days: DaysOption = None,
    key_file: SecretOption = None,
    keys_file: KeysFileOption = None,
) -> None:
    """Makes a key of 256 random bits. It is shown this once, or written to a file that only you may read."""
    screen = Screen()
    key, expires_at = make_key(), utc_now() + timedelta(days=days) if days else None
    try:
        line = line_of(key, name, role, expires_at)
        if key_file is not None:
            _write_new(key_file, f"{key}\n")
        if keys_file is not None:
            _append(keys_file, f"{line}\n")
    except OSError as error:
        screen.fail(f"{error.filename}: {error.strerror}")
        raise typer.Exit(1) from None
    except ValueError:
        screen.fail(
            f"the role must be one of {', '.join(ROLE_NAMES)}, the name up to 64 characters of A-Z a-z 0-9 . _ @ -"
        )
        raise typer.Exit(2) from None
    if key_file is None:
        typer.echo(key)
    if keys_file is None:
        typer.echo(line)


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _append(path: Path, text: str) -> None:
    """In one write: a service that reads meanwhile sees the line, or does not."""
    ends_well = not path.exists() or path.read_bytes()[-1:] in (b"", b"\n")
    with path.open("ab", buffering=0) as file:
        file.write((text if ends_well else f"\n{text}").encode())
