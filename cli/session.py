"""A command that works until it is done or stopped: signals end it in order, errors are one line."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

import grpc
import typer

from cli.screen import Screen
from demo.dataset import DatasetError
from demo.main_job.pipelines import RunFailedError
from demo.stack.processes import ProcessFailedError
from demo.stack.stack import StackError

INTERRUPTED = 130
EXPECTED = (StackError, ProcessFailedError, RunFailedError, DatasetError)


def run_session(work: Coroutine[Any, Any, None], screen: Screen) -> None:
    """Runs `work`; Ctrl-C and SIGTERM cancel it, so that its contexts are left. Exits with 1 when it
    fails, and with 130 when it is stopped before it serves.
    """
    try:
        asyncio.run(_cancelled_by_signals(work))
    except asyncio.CancelledError:
        screen.say("stopped")
        raise typer.Exit(0 if screen.is_serving else INTERRUPTED) from None
    except EXPECTED as error:
        screen.fail(str(error))
        raise typer.Exit(1) from error
    except grpc.aio.AioRpcError as error:
        screen.fail(f"{error.code().name}: {error.details()}")
        raise typer.Exit(1) from error


async def _cancelled_by_signals(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    await task
