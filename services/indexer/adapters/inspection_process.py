"""The inspection as a child process: a bundle that kills it has failed, and that is all."""

import asyncio
from datetime import timedelta
from pathlib import Path

from services.contracts.validation import Check
from services.indexer.adapters.child_process import ChildDied, child_lines
from services.indexer.domain.soundness import CHECKS
from services.runtime.tracing.spans import process_span

MODULE = "services.indexer.inspection"


class InspectionProcess:
    """Inspects a bundle outside of this process; see Inspector."""

    def __init__(self, timeout: timedelta) -> None:
        self._timeout = timeout

    async def inspect(self, folder: Path) -> tuple[Check, ...]:
        """See Inspector."""
        checks: list[Check] = []
        try:
            with process_span("inspection process"):
                async with asyncio.timeout(self._timeout.total_seconds()), child_lines(MODULE, folder) as lines:
                    async for line in lines:
                        checks.append(Check.model_validate_json(line))  # noqa: PERF401 - what came before an error counts
        except ChildDied as error:
            checks.append(_failed(checks, f"the inspecting process died: {error}"))
        except TimeoutError:
            checks.append(_failed(checks, f"the inspection did not end within {self._timeout.total_seconds():g} s"))
        return tuple(checks)


def _failed(done: list[Check], detail: str) -> Check:
    name = CHECKS[min(len(done), len(CHECKS) - 1)]
    return Check(name=name, passed=False, detail=detail)
