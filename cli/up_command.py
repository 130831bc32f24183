"""`afin up`: the whole suite on this machine."""

import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from cli.addresses import print_addresses
from cli.screen import Screen
from cli.session import run_session
from demo.stack.options import FIXED_PORTS, StackOptions, free_ports, options_from_environment
from demo.stack.stack import open_console, open_databases, open_live, open_services

StateOption = Annotated[Path, typer.Option(help="Folder that keeps database, objects and logs between runs.")]
FreePortsOption = Annotated[bool, typer.Option("--free-ports", help="Take free ports instead of the usual ones.")]
LiveOption = Annotated[bool, typer.Option("--live", help="Keep adding and changing payments in the source.")]
DEFAULT_STATE = Path(".afin")


def up(state: StateOption = DEFAULT_STATE, live: LiveOption = False, free: FreePortsOption = False) -> None:
    """Runs PostgreSQL, the source API, the four services and the console on loopback ports until Ctrl-C.

    DATABASE_URL, OBJECT_STORE_URL (s3://bucket or file:///folder) and SOURCE_URL replace the embedded parts.
    """
    screen = Screen()
    options = options_from_environment(state, free_ports() if free else FIXED_PORTS)
    run_session(_up(options, live, screen), screen)


async def _up(options: StackOptions, live: bool, screen: Screen) -> None:
    screen.title("Starting")
    async with (
        open_databases(options, screen.say) as databases,
        open_services(options, databases, screen.say) as stack,
        open_live(stack, screen.say) if live else nullcontext(),
        open_console(stack, screen.say),
    ):
        print_addresses(stack, screen)
        await asyncio.Event().wait()
