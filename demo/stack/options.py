"""What the one-machine stack is told: where its state lies, which parts are real ones, on which ports it listens."""

import os
import random
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

HOST = "127.0.0.1"
FIXED_PORTS = {
    "ingest": 50051,
    "warehouse": 50052,
    "indexer": 50053,
    "recommender": 50054,
    "ingest-metrics": 9101,
    "warehouse-metrics": 9102,
    "indexer-metrics": 9103,
    "recommender-metrics": 9104,
    "source": 8080,
    "console": 8090,
    "console-metrics": 9105,
}
# No connection out takes one of these before the process that it is chosen for listens.
NOT_EPHEMERAL = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class StackOptions:
    """A URL that is given replaces the embedded part. `first_day`: where ingest's first pass starts.

    `settings`: further variables for the services, by full name.
    """

    state: Path
    ports: Mapping[str, int] = field(default_factory=lambda: FIXED_PORTS)
    database_url: str | None = None
    object_store_url: str | None = None
    object_store_endpoint_url: str | None = None
    source_url: str | None = None
    first_day: date | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


def options_from_environment(state: Path, ports: Mapping[str, int]) -> StackOptions:
    """Reads DATABASE_URL, OBJECT_STORE_URL, OBJECT_STORE_ENDPOINT_URL (an S3 server other than AWS) and SOURCE_URL."""
    return StackOptions(
        state=state.resolve(),
        ports=ports,
        database_url=os.environ.get("DATABASE_URL"),
        object_store_url=os.environ.get("OBJECT_STORE_URL"),
        object_store_endpoint_url=os.environ.get("OBJECT_STORE_ENDPOINT_URL"),
        source_url=os.environ.get("SOURCE_URL"),
    )


def free_ports(names: Iterable[str] = FIXED_PORTS, beside: Iterable[int] = ()) -> dict[str, int]:
    """A free port for each name, unless told otherwise of FIXED_PORTS; all different, and none of those `beside`."""
    candidates = (port for port in random.sample(NOT_EPHEMERAL, len(NOT_EPHEMERAL)) if port not in beside)
    free = (port for port in candidates if not _listens(port))
    return dict(zip(names, free, strict=False))


def taken_ports(ports: Mapping[str, int]) -> dict[str, int]:
    """Those of `ports` on which somebody listens already."""
    return {name: port for name, port in ports.items() if _listens(port)}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
