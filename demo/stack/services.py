"""Which processes the stack runs, and what each is told through its environment."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from demo.stack.options import HOST, StackOptions, free_ports
from demo.stack.postgres import DatabaseUrls
from demo.stack.processes import ProcessSpec, ReadyCheck
from demo.stack.readiness import grpc_is_ready, http_is_ready

# The recommender is alive before it has an index to serve; the others are ready when they can do their work.
READY_NAMES = {
    "warehouse": "afin.warehouse.v1.WarehouseService",
    "indexer": "afin.indexer.v1.IndexerService",
    "recommender": "",
    "ingest": "afin.ingest.v1.IngestService",
}


def source_spec(options: StackOptions, databases: DatabaseUrls) -> ProcessSpec:
    """The source API over the source's own database."""
    port = options.ports["source"]
    environment = {"SOURCE_DATABASE_URL": databases.source, "SOURCE_HOST": HOST, "SOURCE_PORT": str(port)}
    return ProcessSpec("source", "demo.source", environment, _log(options, "source"), _http_ready(port))


def live_spec(options: StackOptions, databases: DatabaseUrls) -> ProcessSpec:
    """The live mode, which keeps adding payments to the source and changing them."""
    environment = {"SOURCE_DATABASE_URL": databases.source}
    return ProcessSpec("live", "demo.live", environment, _log(options, "live"), _at_once)


def service_specs(options: StackOptions, databases: DatabaseUrls, objects: str, source: str) -> list[ProcessSpec]:
    """The four services in the order in which they start."""
    settings = {
        "warehouse": {"DATABASE_URL": databases.warehouse, "OBJECT_STORE_URL": objects},
        "indexer": {"DATABASE_URL": databases.indexer, "OBJECT_STORE_URL": objects},
        "recommender": {
            "OBJECT_STORE_URL": objects,
            "CACHE_FOLDER": str(options.state / "recommender"),
            "RELOAD_SECONDS": "1",
        },
        "ingest": {
            "DATABASE_URL": databases.ingest,
            "OBJECT_STORE_URL": objects,
            "SOURCE_URL": source,
            "WAREHOUSE_ADDRESS": f"{HOST}:{options.ports['warehouse']}",
            "INDEXER_ADDRESS": f"{HOST}:{options.ports['indexer']}",
            **({"FIRST_DAY": options.first_day.isoformat()} if options.first_day else {}),
        },
    }
    health_ports = free_ports(READY_NAMES, beside=options.ports.values())
    return [_service(options, name, fields, health_ports[name]) for name, fields in settings.items()]


def console_spec(options: StackOptions) -> ProcessSpec:
    """The operators' page, over the four services."""
    addresses = {f"CONSOLE_{name.upper()}_ADDRESS": f"{HOST}:{options.ports[name]}" for name in READY_NAMES}
    environment = {**_listening(options, "console"), **addresses, **_own(options, "console")}
    return ProcessSpec(
        "console", "console", environment, _log(options, "console"), _http_ready(options.ports["console"])
    )


async def _at_once() -> bool:
    return True


def _service(options: StackOptions, name: str, fields: dict[str, str], free_port: int) -> ProcessSpec:
    endpoint = options.object_store_endpoint_url
    store = {"OBJECT_STORE_ENDPOINT_URL": endpoint} if endpoint else {}
    told = {f"{name.upper()}_{field}": value for field, value in {**store, **fields}.items()}
    own = _own(options, name)
    health = _health_port(name, {**os.environ, **own}, free_port)
    own |= {f"{name.upper()}_HEALTH_PORT": health} if health else {}
    environment = {**_listening(options, name), **told, **own}
    ready = partial(grpc_is_ready, f"{HOST}:{health or options.ports[name]}", READY_NAMES[name])
    return ProcessSpec(name, f"services.{name}", environment, _log(options, name), ready)


def _listening(options: StackOptions, name: str) -> dict[str, str]:
    prefix, ports = name.upper(), options.ports
    return {
        f"{prefix}_HOST": HOST,
        f"{prefix}_PORT": str(ports[name]),
        f"{prefix}_METRICS_PORT": str(ports[f"{name}-metrics"]),
    }


def _own(options: StackOptions, name: str) -> dict[str, str]:
    return {key: value for key, value in options.settings.items() if key.startswith(f"{name.upper()}_")}


def _http_ready(port: int) -> ReadyCheck:
    return partial(http_is_ready, f"http://{HOST}:{port}/healthz")


def _health_port(service: str, settings: Mapping[str, str], free_port: int) -> str | None:
    """Where it speaks TLS, we ask for health on a plaintext port of its own: a free one unless settings name one."""
    speaks_tls = f"{service.upper()}_TLS_CERT_FILE" in settings
    return settings.get(f"{service.upper()}_HEALTH_PORT", str(free_port) if speaks_tls else None)


def _log(options: StackOptions, name: str) -> Path:
    return options.state / "logs" / f"{name}.log"
