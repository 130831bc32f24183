"""Who may be asked for: clients of the source's first payments."""

from collections import Counter
from typing import Any

import aiohttp

from demo.main_job.pipelines import CALL_TIMEOUT

SAMPLE_PAYMENTS = 1000
MAX_CLIENT_ID = 128
LONG_AGO = "1970-01-01"


async def clients_that_pay(source_url: str, count: int) -> list[str]:
    """The `count` clients with most payments among the first ones of the source."""
    parameters = {"updated_at": LONG_AGO, "limit": str(SAMPLE_PAYMENTS), "offset": "0"}
    timeout = aiohttp.ClientTimeout(total=CALL_TIMEOUT.total_seconds())
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(f"{source_url}/payments", params=parameters) as response,
    ):
        response.raise_for_status()
        payments = await response.json()
    found = Counter(payment["external_client_id"] for payment in payments if _can_be_asked_for(payment))
    return [client for client, _ in sorted(found.items(), key=lambda item: (-item[1], item[0]))[:count]]


def _can_be_asked_for(payment: dict[str, Any]) -> bool:
    client = payment["external_client_id"]
    return payment["status"] == "paid" and isinstance(client, str) and 0 < len(client.strip()) <= MAX_CLIENT_ID
