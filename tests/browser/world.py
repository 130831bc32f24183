"""A whole stack with generated payments, whose source the scenes hold in their hand, and the console before it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from demo.dataset import Dataset
from demo.generator import generate
from demo.population.parameters import GeneratorParameters
from demo.stack.options import StackOptions, free_ports
from demo.stack.stack import Stack, open_console, open_databases, open_services
from tests.e2e.canary.world import SETTINGS
from tests.integration.ingest.source_server import NOW, SourceServer, source_server


@dataclass(frozen=True)
class Stage:
    """Where the scenes play. `later`: payments that the source does not show yet."""

    stack: Stack
    source: SourceServer
    console: str
    client_id: str
    later: list[dict[str, Any]]

    def change_payments(self) -> None:
        """Some of the client's payments of the first runs are refunded since, others fail at last."""
        own = [row for row in self.source.payments if row["external_client_id"] == self.client_id]
        for number, row in enumerate(own[-14:-2:2]):
            at = min(datetime.fromisoformat(row["updated_at"]) + timedelta(days=2 + number), NOW)
            row |= {"status": ("refunded", "failed")[number % 2], "updated_at": at.isoformat()}


@asynccontextmanager
async def open_stage(state: Path) -> AsyncIterator[Stage]:
    """Everything at work; nothing has run yet."""
    dataset = generate(GeneratorParameters(end=_last_day(), clients=400, companies=150, days=300, payments=8000))
    async with source_server() as source:
        payments = _rows(dataset)
        source.companies = _companies(dataset)
        source.payments, later = payments[: len(payments) * 9 // 10], payments[len(payments) * 9 // 10 :]
        options = StackOptions(
            state=state,
            ports=free_ports(),
            source_url=source.url,
            first_day=NOW.date() - timedelta(days=400),
            settings=SETTINGS,
        )
        async with (
            open_databases(options, print) as databases,
            open_services(options, databases, print) as stack,
            open_console(stack, print) as console,
        ):
            yield Stage(stack, source, console, _busiest(payments), later)


def _last_day() -> date:
    """Generated payments end before the source's own clock."""
    return NOW.date() - timedelta(days=1)


def _rows(dataset: Dataset) -> list[dict[str, Any]]:
    """As the source API gives them, oldest change first."""
    rows = [_payment(row) for row in dataset.payments.to_pylist()]
    return sorted((row for row in rows if row["updated_at"] < NOW.isoformat()), key=lambda row: str(row["updated_at"]))


def _payment(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: _told(value) for name, value in row.items()}
    return {"id": told.pop("payment_id"), **told, "amount": float(row["amount"])}


def _companies(dataset: Dataset) -> list[dict[str, Any]]:
    return [
        {"id": row.pop("company_id"), **{name: _told(value) for name, value in row.items()}}
        for row in dataset.companies.to_pylist()
    ]


def _told(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _busiest(payments: list[dict[str, Any]]) -> str:
    """The client with most payments among them: there is much to see."""
    clients = [row["external_client_id"] for row in payments]
    return str(max(set(clients), key=clients.count))
