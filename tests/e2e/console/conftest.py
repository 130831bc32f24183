"""One stack for all tests of this folder that run in one process."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from afin.ingest.v1 import ingest_pb2
from tests.e2e.console.world import Browser, ConsoleWorld, console_world


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ConsoleWorld]:
    """A stack whose first runs have published an index."""
    async with console_world(tmp_path_factory.mktemp("console") / "state") as console:
        for pipeline in (ingest_pb2.PIPELINE_COMPANIES, ingest_pb2.PIPELINE_RECOMMENDATIONS):
            run = await console.world.run(pipeline)
            assert run.state == ingest_pb2.RUN_STATE_SUCCEEDED, run
        yield console


@pytest.fixture
def browser(console: ConsoleWorld) -> Browser:
    """It looks at the console."""
    return console.browser
