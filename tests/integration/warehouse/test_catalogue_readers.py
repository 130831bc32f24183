"""Readers never see a catalogue that is half loaded, whatever is loaded while they look."""

import asyncio
from datetime import timedelta

from services.warehouse.queries import PageRequest, Queries
from tests.integration.warehouse.conftest import Loader
from tests.integration.warehouse.lake_writer import Company
from tests.integration.warehouse.oracle import EPOCH

ODD = [Company(f"odd-{number:03}") for number in range(60)]
EVEN = [Company(f"even-{number:03}") for number in range(90)]
COMMON = [Company(f"common-{number:03}") for number in range(200)]


async def test_readers_see_the_catalogue_before_or_after_a_load_and_never_less(
    loader: Loader, queries: Queries
) -> None:
    states = [{row.company_code for row in (*COMMON, *some)} for some in (ODD, EVEN)]
    await loader.companies(*COMMON, *ODD)
    done = asyncio.Event()

    async def read() -> int:
        seen = 0
        while not done.is_set():
            page = await queries.companies(PageRequest(1000, ""), include_retired=False)
            assert {row.company_code for row in page.rows} in states
            assert (await queries.statistics()).current_companies in (260, 290)
            seen += 1
        return seen

    readers = [asyncio.create_task(read()) for _ in range(3)]
    for week in range(1, 9):
        some = EVEN if week % 2 else ODD
        load = await loader.companies(*COMMON, *some, source_time=EPOCH + timedelta(days=7 * week))
        assert load.counts.retired == len(ODD if week % 2 else EVEN)
    done.set()
    assert min(await asyncio.gather(*readers)) > 1
