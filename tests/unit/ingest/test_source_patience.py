"""The requests of one pass: all of them rest when one is told to."""

import asyncio
from datetime import timedelta

from services.ingest.adapters.source_patience import Patience, PatientFetch, Transient
from services.ingest.domain.page_rows import payments_of
from services.ingest.domain.paging import PageRequest
from services.ingest.workflow.values import Page
from tests.unit.ingest.fakes import NOW

REST = timedelta(milliseconds=50)
PATIENCE = Patience(attempts=2, retries=9, first_wait=timedelta(milliseconds=1))


async def test_what_one_request_is_told_holds_for_the_others_of_the_pass() -> None:
    told, asked = asyncio.Event(), []

    async def ask(request: PageRequest) -> Page:
        asked.append((request.offset, asyncio.get_running_loop().time()))
        if len(asked) == 1:
            told.set()
            raise Transient("answered 429", REST)
        return Page(payments_of([]), NOW)

    fetch = PatientFetch(ask, "/payments", PATIENCE).page
    first = asyncio.create_task(fetch(PageRequest(0, 10)))
    await told.wait()
    pages = [await fetch(PageRequest(10, 10)), await first]

    (_, refused_at), *later = asked
    assert sorted(offset for offset, _ in later) == [0, 10]
    assert all(moment - refused_at >= REST.total_seconds() for _, moment in later)
    assert [page.busy for page in pages].count(True) == 1, "the trouble is told once"
