"""Looking into a bundle as a child process: a bundle that kills it is not seen, and that is all."""

import asyncio
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from services.indexer.adapters.child_process import ChildDied, child_lines
from services.indexer.domain.viewing import Answer, CompanyMap, Question
from services.indexer.workflow.errors import NotViewable

MODULE = "services.indexer.viewing"
QUESTION, VERSION = "question.json", "version"


class Seen(BaseModel):
    """What was asked for, or why there is nothing: what the child tells."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    map: CompanyMap | None = None
    answer: Answer | None = None
    problem: str = ""


class ViewingProcess:
    """Looks into bundles outside of this process; see Glass."""

    def __init__(self, timeout: timedelta) -> None:
        self._timeout = timeout

    def bundle_folder(self, folder: Path) -> Path:
        """See Glass."""
        return folder / VERSION

    async def map_of(self, folder: Path, question: Question) -> CompanyMap:
        """See Glass."""
        seen = await self._look(folder, question)
        if seen.map is None:
            raise NotViewable(seen.problem or "the child told nothing")
        return seen.map

    async def answer_of(self, folder: Path, question: Question) -> Answer:
        """See Glass."""
        seen = await self._look(folder, question)
        if seen.answer is None:
            raise NotViewable(seen.problem or "the child told nothing")
        return seen.answer

    async def _look(self, folder: Path, question: Question) -> Seen:
        await asyncio.to_thread((folder / QUESTION).write_text, question.model_dump_json())
        try:
            async with asyncio.timeout(self._timeout.total_seconds()), child_lines(MODULE, folder) as lines:
                found = [Seen.model_validate_json(line) async for line in lines]
        except ChildDied as error:
            raise NotViewable(f"the process that looked into it died: {error}") from error
        except TimeoutError:
            raise NotViewable(f"that took more than {self._timeout.total_seconds():g} s") from None
        return found[0] if found else Seen()
