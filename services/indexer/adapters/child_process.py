"""Python modules run as child processes: they can be stopped at any moment, and their death is not ours."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SECRETS_PREFIXES = ("INDEXER_", "AWS_")
LONGEST_LINE = 8 * 1024 * 1024  # bytes; a comparison names companies, whose codes may be long


class ChildDied(Exception):
    """The child ended otherwise than with exit code 0; `signal` names what killed it, empty when nothing did."""

    def __init__(self, module: str, code: int) -> None:
        self.code = code
        self.signal = signal.Signals(-code).name if code < 0 else ""
        super().__init__(f"{module} ended by {self.signal}" if self.signal else f"{module} ended with exit code {code}")


@asynccontextmanager
async def child_lines(module: str, folder: Path) -> AsyncIterator[AsyncIterator[str]]:
    """Runs `python -m module folder` and yields its lines of stdout; after the last one ChildDied may be raised.

    Leaving the context, also by cancellation, kills the child. It gets none of our settings, hence no secret.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        str(folder),
        stdin=PIPE,  # its end tells the child that we are dead
        stdout=PIPE,
        limit=LONGEST_LINE,
        env={name: value for name, value in os.environ.items() if not name.startswith(SECRETS_PREFIXES)},
        start_new_session=True,  # Ctrl-C in a terminal is for us; we stop the child
    )
    try:
        yield _lines(process, module)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _lines(process: Process, module: str) -> AsyncIterator[str]:
    if process.stdout is None:
        raise RuntimeError("the child was started without a pipe")
    async for line in process.stdout:
        yield line.decode()
    code = await process.wait()
    if code:
        raise ChildDied(module, code)
