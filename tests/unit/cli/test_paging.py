"""Listings as long as they were asked for, however long a page is."""

import pytest

from afin.ingest.v1 import ingest_pb2
from cli.paging import PAGE, gathered, more

HELD = 450


class Runs:
    """So many runs, given in pages; `sizes`: what was asked for."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    async def list(self, asked: ingest_pb2.ListRunsRequest, timeout: float) -> ingest_pb2.ListRunsResponse:  # noqa: ASYNC109 - as a stub has it
        assert timeout > 0
        self.sizes.append(asked.page_size)
        first = int(asked.page_token or 0)
        end = min(first + asked.page_size, HELD)
        runs = [ingest_pb2.Run(run_id=str(number)) for number in range(first, end)]
        return ingest_pb2.ListRunsResponse(runs=runs, next_page_token=str(end) if end < HELD else "")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("limit", "sizes", "goes_on"),
    [(20, [20], True), (PAGE + 1, [PAGE, 1], True), (HELD, [PAGE, PAGE, 50], False), (9000, [PAGE] * 3, False)],
)
async def test_pages_are_asked_for_until_there_are_enough_or_no_more(
    limit: int, sizes: list[int], goes_on: bool
) -> None:
    runs = Runs()

    answer = await gathered(runs.list, ingest_pb2.ListRunsRequest(), "runs", limit)

    assert [run.run_id for run in answer.runs] == [str(number) for number in range(min(limit, HELD))]
    assert runs.sizes == sizes
    assert bool(more(answer)) == goes_on
