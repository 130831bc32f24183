"""The comparison as a child process: a bundle that kills it is not compared, and that is all."""

import asyncio
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from services.contracts.validation import Comparison
from services.indexer.adapters.child_process import ChildDied, child_lines
from services.indexer.workflow.errors import ComparisonDied, NotComparable
from services.runtime.tracing.spans import process_span

MODULE = "services.indexer.comparison"
BASE, VERSION = "base", "version"


class Compared(BaseModel):
    """The comparison, or why there is none: what the child tells."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    comparison: Comparison | None = None
    problem: str = ""


class ComparisonProcess:
    """Compares bundles outside of this process; see Comparator."""

    def __init__(self, timeout: timedelta) -> None:
        self._timeout = timeout

    def folders(self, folder: Path) -> tuple[Path, Path]:
        """See Comparator."""
        return folder / BASE, folder / VERSION

    async def compare(self, folder: Path) -> Comparison:
        """See Comparator."""
        try:
            with process_span("comparison process"):
                async with asyncio.timeout(self._timeout.total_seconds()), child_lines(MODULE, folder) as lines:
                    found = [Compared.model_validate_json(line) async for line in lines]
        except ChildDied as error:
            raise ComparisonDied(f"the comparing process died: {error}") from error
        except TimeoutError as error:
            raise ComparisonDied(f"the comparison did not end within {self._timeout.total_seconds():g} s") from error
        if not found or found[0].comparison is None:
            raise NotComparable(found[0].problem if found else "the comparing process told nothing")
        return found[0].comparison
