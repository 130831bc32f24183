"""The replicas of a world: two of each service, with settings that lead them through proxies."""

import itertools
import random
from functools import partial
from urllib.parse import urlparse

from demo.stack.options import taken_ports
from tests.crash.faults import ingest_failpoint, warehouse_failpoint
from tests.crash.links import Link
from tests.crash.objects import CREDENTIALS
from tests.crash.plan import Plan
from tests.crash.processes import Deaths, Replica

INGEST_TO_POSTGRES = "ingest to PostgreSQL"
WAREHOUSE_TO_POSTGRES = "warehouse to PostgreSQL"
INGEST_TO_WAREHOUSE = "ingest to warehouse"
NEVER = "0 0 29 2 *"
NOT_EPHEMERAL = range(20_000, 32_000)
Ports = tuple[int, int]


def port_pairs() -> tuple[Ports, Ports]:
    """Free ports of two warehouses, and of two ingests: none that a connection out might take while they are dead."""
    ports = random.sample(NOT_EPHEMERAL, 50)
    first, second, third, fourth = itertools.islice((port for port in ports if not taken_ports({"": port})), 4)
    return (first, second), (third, fourth)


def warehouses(plan: Plan, ports: Ports, settings: dict[str, str], deaths: Deaths) -> list[Replica]:
    """Two warehouses, which die where their lives' failpoints want it."""
    chance = random.Random(plan.seed)
    return [
        Replica(
            "services.warehouse",
            environment("WAREHOUSE", settings | {"PORT": str(port), "DRAIN_SECONDS": "0"}),
            port,
            plan.folder / f"warehouse-{port}.log",
            deaths,
            partial(warehouse_failpoint, chance),
        )
        for port in ports
    ]


def ingests(plan: Plan, ports: Ports, settings: dict[str, str], deaths: Deaths) -> list[Replica]:
    """Two ingests, either of which may lead."""
    chance = random.Random(plan.seed)
    return [
        Replica(
            "services.ingest",
            environment("INGEST", settings | {"PORT": str(port), "DRAIN_SECONDS": "0"}),
            port,
            plan.folder / f"ingest-{port}.log",
            deaths,
            partial(ingest_failpoint, chance),
        )
        for port in ports
    ]


def environment(prefix: str, settings: dict[str, str]) -> dict[str, str]:
    """Settings as a service of this prefix reads them."""
    return CREDENTIALS | {f"{prefix}_{name}": value for name, value in settings.items()}


def warehouse_settings(url: str, links: dict[str, Link]) -> dict[str, str]:
    """But for the lake's."""
    return {"DATABASE_URL": _through(links[WAREHOUSE_TO_POSTGRES], url, "warehouse"), "LOAD_TIMEOUT_SECONDS": "20"}


def ingest_settings(url: str, links: dict[str, Link], source_url: str, plan: Plan) -> dict[str, str]:
    """But for the lake's. Small pages, and little patience."""
    return {
        "DATABASE_URL": _through(links[INGEST_TO_POSTGRES], url, "ingest"),
        "SOURCE_URL": source_url,
        "WAREHOUSE_ADDRESS": f"127.0.0.1:{links[INGEST_TO_WAREHOUSE].port}",
        # No indexer runs: what it does comes after all that is looked at here.
        "INDEXER_ADDRESS": "127.0.0.1:1",
        "FIRST_DAY": plan.first_moment.date().isoformat(),
        "COMPANIES_SCHEDULE": NEVER,
        "RECOMMENDATIONS_SCHEDULE": NEVER,
        "PAGE_LIMIT": "10",
        "REQUEST_TIMEOUT": "PT5S",
        "REQUEST_ATTEMPTS": "2",
        "PATIENCE": "PT20S",
        "CALL_TIMEOUT": "PT5S",
        "WORK_TIMEOUT": "PT30S",
    }


def _through(link: Link, url: str, login: str) -> str:
    return f"postgresql://{login}@127.0.0.1:{link.port}{urlparse(url).path}"
