"""Pages on their way before they are wanted: only a head start of requests that the pager will probably make."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from services.ingest.domain.pace import Pace
from services.ingest.domain.paging import PageIdentity, Pager, PageRequest
from services.ingest.workflow.ports import Fetch
from services.ingest.workflow.values import Page


class PagesAhead:
    """Requests under way. One that fails troubles nobody until its page is taken."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._coming: dict[PageRequest, asyncio.Task[Page]] = {}
        self._dropped: set[asyncio.Task[Page]] = set()

    def ask(self, requests: Sequence[PageRequest]) -> None:
        """Has these requests under way."""
        for request in requests:
            if request not in self._coming:
                self._coming[request] = asyncio.create_task(self._fetch(request))

    def keep(self, requests: Sequence[PageRequest]) -> int:
        """Drops what is under way beside these requests; how many that were."""
        useless = self._coming.keys() - set(requests)
        for request in useless:
            self._drop(self._coming.pop(request))
        return len(useless)

    async def take(self, request: PageRequest) -> Page:
        """The answer to a request, which is asked now unless it is under way. Raises what `fetch` raises."""
        self.ask([request])
        page = await self._coming[request]
        del self._coming[request]
        return page

    async def close(self) -> None:
        """Ends what is under way."""
        self.keep([])
        await asyncio.gather(*self._dropped, return_exceptions=True)

    def _drop(self, task: asyncio.Task[Page]) -> None:
        task.cancel()
        self._dropped.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Page]) -> None:
        self._dropped.discard(task)
        if not task.cancelled():
            # Seen, so that nobody is told of an exception that concerns nobody.
            task.exception()


async def pages_in_order(
    fetch: Fetch, pager: Pager, pace: Pace, identify: Callable[[Page], PageIdentity]
) -> AsyncGenerator[tuple[Page, list[int]], None]:
    """Each page that the pager asks for with its new rows, by index; the next ones are on their way meanwhile."""
    ahead = PagesAhead(fetch)
    try:
        request = pager.next_request()
        while request is not None:
            page = await ahead.take(request)
            fresh = pager.accept(identify(page))
            request = pager.next_request()
            likely = pager.likely_requests(pace.most)
            useless = ahead.keep(likely)
            # At the end of the set some are of no use however still it stands.
            pace.note(smooth=not (page.busy or (likely and useless)))
            if request is not None:
                ahead.ask(likely[: pace.pages] or [request])
            yield page, fresh
    finally:
        await ahead.close()
