"""The stack of `afin up`, until it is stopped."""

import asyncio
from contextlib import nullcontext

from cli.addresses import print_addresses
from cli.screen import Screen
from demo.stack.options import StackOptions
from demo.stack.stack import open_console, open_databases, open_live, open_services


async def serve(options: StackOptions, live: bool, screen: Screen) -> None:
    """Runs it; with `live` payments keep coming in the source."""
    screen.title("Starting")
    async with (
        open_databases(options, screen.say) as databases,
        open_services(options, databases, screen.say) as stack,
        open_live(stack, screen.say) if live else nullcontext(),
        open_console(stack, screen.say),
    ):
        print_addresses(stack, screen)
        await asyncio.Event().wait()
