"""A store that never answers does not keep a process from ending."""

import signal
import subprocess
import sys

PROGRAM = """
import asyncio, threading
from services.runtime.lifecycle import run_until_stopped

async def work(stop):
    never = threading.Event()
    asyncio.get_running_loop().run_in_executor(None, never.wait)
    print("working", flush=True)
    await stop.wait()

run_until_stopped(work)
"""


def test_a_thread_that_hangs_does_not_keep_the_process_from_ending_well() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "working\n"

            process.send_signal(signal.SIGTERM)

            assert process.wait(60) == 0
        finally:
            process.kill()
