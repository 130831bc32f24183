"""`afin up`: the whole suite on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from cli.screen import Screen
from cli.session import run_session
from demo.stack.options import FIXED_PORTS, free_ports, options_from_environment

StateOption = Annotated[Path, typer.Option(help="Folder that keeps database, objects and logs between runs.")]
FreePortsOption = Annotated[bool, typer.Option("--free-ports", help="Take free ports instead of the usual ones.")]
LiveOption = Annotated[bool, typer.Option("--live", help="Keep adding and changing payments in the source.")]
DEFAULT_STATE = Path(".afin")


def up(state: StateOption = DEFAULT_STATE, live: LiveOption = False, free: FreePortsOption = False) -> None:
    """Runs PostgreSQL, the source API, the four services and the console on loopback ports until Ctrl-C.

    DATABASE_URL, OBJECT_STORE_URL (s3://bucket or file:///folder) and SOURCE_URL replace the embedded parts.
    """
    # The whole suite takes a second to import; other commands do without.
    from cli.up_job import serve  # noqa: PLC0415

    screen = Screen()
    options = options_from_environment(state, free_ports() if free else FIXED_PORTS)
    run_session(serve(options, live, screen), screen)
