"""The replicas of a world: two of each service, with settings that lead them through proxies."""

import random
from collections.abc import Iterable
from functools import partial
from urllib.parse import urlparse

from tests.crash.faults import ingest_failpoint, warehouse_failpoint
from tests.crash.links import Link
from tests.crash.objects import CREDENTIALS
from tests.crash.plan import Plan
from tests.crash.processes import Deaths, Replica

INGEST_TO_POSTGRES = "ingest to PostgreSQL"
WAREHOUSE_TO_POSTGRES = "warehouse to PostgreSQL"
INGEST_TO_WAREHOUSE = "ingest to warehouse"
INGEST_TO_INDEXER = "ingest to indexer"
NEVER = "0 0 29 2 *"


def warehouses(plan: Plan, ports: Iterable[int], settings: dict[str, str], deaths: Deaths) -> list[Replica]:
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


def ingests(plan: Plan, ports: Iterable[int], settings: dict[str, str], deaths: Deaths) -> list[Replica]:
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


def indexer(plan: Plan, port: int, settings: dict[str, str], deaths: Deaths) -> Replica:
    """One indexer, which dies at any moment."""
    work_folder = plan.folder / "indexer"
    work_folder.mkdir()
    settings |= {"PORT": str(port), "DRAIN_SECONDS": "0", "WORK_FOLDER": str(work_folder)}
    log = plan.folder / f"indexer-{port}.log"
    return Replica("services.indexer", environment("INDEXER", settings), port, log, deaths, str)


def environment(prefix: str, settings: dict[str, str]) -> dict[str, str]:
    """Settings as a service of this prefix reads them."""
    return CREDENTIALS | {f"{prefix}_{name}": value for name, value in settings.items()}


def warehouse_settings(url: str, links: dict[str, Link]) -> dict[str, str]:
    """But for the lake's."""
    return {"DATABASE_URL": _through(links[WAREHOUSE_TO_POSTGRES], url, "warehouse"), "LOAD_TIMEOUT_SECONDS": "20"}


def indexer_settings(url: str) -> dict[str, str]:
    """But for the lake's. Of the few payments that a season has, each counts, and most may go from pass to pass."""
    few = {"MIN_CLIENTS": "1", "TREES": "5", "MAX_LOSS": "1"}
    return few | {"DATABASE_URL": url.replace("//postgres", "//indexer")}


def ingest_settings(url: str, links: dict[str, Link], source_url: str, plan: Plan) -> dict[str, str]:
    """But for the lake's. Small pages, and little patience."""
    return {
        "DATABASE_URL": _through(links[INGEST_TO_POSTGRES], url, "ingest"),
        "SOURCE_URL": source_url,
        "WAREHOUSE_ADDRESS": f"127.0.0.1:{links[INGEST_TO_WAREHOUSE].port}",
        "INDEXER_ADDRESS": f"127.0.0.1:{links[INGEST_TO_INDEXER].port}",
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
