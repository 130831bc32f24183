"""Blocking work that must not keep the process from ending, whatever a store does that never answers.

asyncio's own threads are waited for before a process ends; a daemon thread is left behind.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


def in_daemon_thread(work: Callable[[], Result]) -> "asyncio.Future[Result]":
    """Starts `work` in a thread of its own; the future of its result or error. To cancel it does not stop the work."""
    done: Future[Result] = Future()
    done.set_running_or_notify_cancel()
    threading.Thread(target=_run, args=(work, done), daemon=True).start()
    return asyncio.wrap_future(done)


def _run(work: Callable[[], Result], done: "Future[Result]") -> None:
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it is raised where the future is awaited
        done.set_exception(error)
