"""A command that works until it is done or stopped: signals end it in order, errors are one line."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

import typer

from cli.ending import INTERRUPTED, Failed
from cli.screen import Screen
from demo.errors import DemoError


def run_session(work: Coroutine[Any, Any, None], screen: Screen) -> None:
    """Runs `work`; Ctrl-C and SIGTERM cancel it, so that its contexts are left. Exits as cli/ending.py says, with 1
    for what fails on this machine, and with 130 when it is stopped before it serves.
    """
    with screen.ending():
        try:
            asyncio.run(_cancelled_by_signals(work))
        except asyncio.CancelledError:
            screen.say("stopped")
            raise typer.Exit(0 if screen.is_serving else INTERRUPTED) from None
        except DemoError as error:
            raise Failed(str(error)) from error


async def _cancelled_by_signals(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    await task
