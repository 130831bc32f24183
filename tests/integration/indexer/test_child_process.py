"""Child processes: how they are stopped, and what is told of their end."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from services.indexer.adapters.child_process import ChildDied, child_lines
from services.indexer.adapters.inspection_process import InspectionProcess

MODULE = "tests.integration.indexer.obedient"
# A service that starts a child, tells its number, and waits.
PARENT = f"""
import asyncio, sys
from pathlib import Path
from services.indexer.adapters.child_process import child_lines
async def main():
    async with child_lines({MODULE!r}, Path(sys.argv[1])) as lines:
        print(await anext(lines), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def ordered(folder: Path, order: str) -> Path:
    (folder / "order").write_text(order)
    return folder


async def all_lines(folder: Path) -> list[str]:
    async with child_lines(MODULE, folder) as lines:
        return [line async for line in lines]


async def test_a_long_line_is_read_whole(tmp_path: Path) -> None:
    lines = await all_lines(ordered(tmp_path, "talk"))

    assert len(lines[-1]) == 200_001


async def test_leaving_the_context_kills_the_child(tmp_path: Path) -> None:
    async with child_lines(MODULE, ordered(tmp_path, "wait")) as lines:
        process = int(await anext(lines))
        assert psutil.pid_exists(process)

    assert not psutil.pid_exists(process)


async def test_cancelling_who_reads_kills_the_child(tmp_path: Path) -> None:
    started = asyncio.Queue[int]()

    async def read() -> None:
        async with child_lines(MODULE, ordered(tmp_path, "wait")) as lines:
            async for line in lines:
                started.put_nowait(int(line))

    reading = asyncio.create_task(read())
    process = await asyncio.wait_for(started.get(), timeout=20)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert not psutil.pid_exists(process)


async def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(ordered(tmp_path, "wait")), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = psutil.Process(int(await asyncio.wait_for(parent.stdout.readline(), timeout=20)))
    parent.kill()
    await parent.wait()

    assert child not in psutil.wait_procs([child], timeout=20)[1]


async def test_a_death_is_told_with_the_signal_after_the_last_line(tmp_path: Path) -> None:
    with pytest.raises(ChildDied, match="ended by SIGSEGV") as caught:
        await all_lines(ordered(tmp_path, "die"))

    assert caught.value.signal == "SIGSEGV"


async def test_a_failure_is_told_with_the_exit_code(tmp_path: Path) -> None:
    with pytest.raises(ChildDied, match="ended with exit code 3") as caught:
        await all_lines(ordered(tmp_path, "fail"))

    assert caught.value.signal == ""


async def test_a_child_gets_none_of_our_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDEXER_DATABASE_URL", "postgresql://u:secret@h/d")

    _, names = await all_lines(ordered(tmp_path, "tell"))

    assert "PATH" in names
    assert "INDEXER_DATABASE_URL" not in names


async def test_an_inspection_that_does_not_end_fails_by_name(tmp_path: Path) -> None:
    (check,) = await InspectionProcess(timedelta(milliseconds=1)).inspect(tmp_path)

    assert (check.name, check.passed) == ("files", False)
    assert "did not end within 0.001 s" in check.detail
