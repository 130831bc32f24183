"""`python -m bench.ingest.source_process ROWS LATENCY_MS`: a source whose answers are ready before they are asked for.

Writes its URL to standard output, and serves until its input ends.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta

from aiohttp import web

LONGEST_PAGE = 1000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def payment(number: int) -> bytes:
    """The JSON of one of many payments; every tenth was not made yet."""
    created_at = BEGIN + timedelta(seconds=number)
    return json.dumps(
        {
            "id": f"p{number:09}",
            "payment_at": created_at.isoformat() if number % 10 else None,
            "company_code": f"company-{number % 997}",
            "status": ("paid", "pending", "rejected")[number % 3],
            "amount": number % 100_000 / 100,
            "external_client_id": f"client-{number % 9973:06}",
            "created_at": created_at.isoformat(),
            "updated_at": (created_at + timedelta(microseconds=number)).isoformat(),
        }
    ).encode()


async def serve(rows: int, latency: timedelta) -> None:
    """On a free port."""
    payments = [payment(number) for number in range(rows)]

    async def page(request: web.Request) -> web.Response:
        await asyncio.sleep(latency.total_seconds())
        offset, limit = int(request.query["offset"]), min(int(request.query["limit"]), LONGEST_PAGE)
        body = b"[" + b", ".join(payments[offset : offset + limit]) + b"]"
        return web.Response(body=body, content_type="application/json")

    application = web.Application()
    application.router.add_get("/payments", page)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), timedelta(milliseconds=float(sys.argv[2]))))
