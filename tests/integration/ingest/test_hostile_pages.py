"""Whatever the source answers, a run ends in bounded time, with an exact account and reasons a person understands."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from aiohttp import web

from afin.ingest.v1 import ingest_pb2 as pb
from services.ingest.adapters.parquet import MAX_RAW_BYTES
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.serving import Ingest
from tests.integration.ingest.source_server import (
    Endless,
    Misdeed,
    SourceServer,
    body,
    bomb,
    cut,
    encoded,
    payment,
)
from tests.integration.ingest.warehouse_server import WarehouseServer

MEBIBYTE = 1024 * 1024


def row(number: int, old: str = "", new: str | bytes = "") -> bytes:
    """The text of a good payment, with a piece of it replaced; `AMOUNT` and `STATUS` stand for these values."""
    text = json.dumps(payment(number, amount="AMOUNT", status="STATUS")).replace('"AMOUNT"', "AMOUNT").encode()
    replacement = new.encode() if isinstance(new, str) else new
    assert not old or old.encode() in text
    for name, value in ((old, replacement), ("AMOUNT", b"12.5"), ("STATUS", b"paid")):
        text = text.replace(name.encode(), value) if name else text
    return text


HOSTILE: dict[str, tuple[bytes, str]] = {
    "NaN": (row(100, "AMOUNT", "NaN"), "amount is not a number"),
    "infinity": (row(101, "AMOUNT", "-Infinity"), "amount is not a number"),
    "1e400": (row(102, "AMOUNT", "1e400"), "amount has more than 16 digits before the point"),
    "a number of 5,000 digits": (row(103, "AMOUNT", "9" * 5000), "amount is not a number"),
    "an exponent beyond all": (row(104, "AMOUNT", "1e99999999999999999999"), "amount is not a number"),
    "an escaped NUL": (row(105, "STATUS", r"a\u0000b"), "status holds control characters"),
    "a NUL": (row(106, "STATUS", "a\0b"), "status holds control characters"),
    "half a surrogate pair": (row(107, "STATUS", r"a\ud800b"), "status is not valid Unicode"),
    "bytes that are no UTF-8": (row(108, "STATUS", b"a\xff\xfeb"), "status is not valid Unicode"),
    "year 1": (row(109, f'"payment_at": "{payment(109)["payment_at"]}"', '"payment_at": "0001-01-01T00:00:00Z"'),
               "payment_at lies outside the years 1970 to 9998"),
    "year 9999": (row(110, f'"payment_at": "{payment(110)["payment_at"]}"', '"payment_at": "9999-12-31T00:00:00Z"'),
                  "payment_at lies outside the years 1970 to 9998"),
    "a missing key": (row(111, '"status": "STATUS", ', ""), "status is missing"),
    "a key given twice": (row(112, '"STATUS"', '"paid", "status": "paid"'), "status is given twice"),
    "a long id": (row(113, "p00113", "p" * 129), "id is longer than 128 characters"),
    "a row nested too deep": (row(114, '"STATUS"', "[" * 20_000 + "]" * 20_000), "the row is nested too deep"),
    "a row of 10 MiB": (row(115, "STATUS", "s" * 10 * MEBIBYTE), "the row is larger than 64 KiB"),
    "null": (b"null", "the row is not a JSON object"),
    "a list": (b"[[]]", "the row is not a JSON object"),
    "a text": (b'"payments"', "the row is not a JSON object"),
}  # fmt: skip


def serves(rows: Sequence[bytes], start: bytes = b"") -> Misdeed:
    """A source of these rows, whose bodies begin with `start`."""

    async def misdeed(request: web.Request) -> web.StreamResponse:
        offset, limit = int(request.query["offset"]), int(request.query["limit"])
        page = start + b"[" + b",\n".join(rows[offset : offset + limit]) + b"]"
        return web.Response(body=page, content_type="application/json")

    return misdeed


async def test_each_hostile_row_costs_itself_alone_and_says_why(
    serve: Serve, source: SourceServer, warehouse: WarehouseServer
) -> None:
    rows = [text for number, (bad, _) in enumerate(HOSTILE.values()) for text in (bad, row(number))]
    async with serve(max_quarantine_share=1.0) as ingest:
        await ingest.load_companies()
        source.beyond = (0, serves(rows))

        run = await ingest.recommendations()

        assert run.state == pb.RUN_STATE_SUCCEEDED, run.error
        bad = len(HOSTILE)
        assert (run.account.read, run.account.new, run.account.quarantined) == (2 * bad, bad, bad)
        assert (await warehouse.statistics()).current_payments == bad
        listed = (await ingest.quarantined(run.run_id, size=100)).rows
        assert [found.reason for found in listed] == [reason for _, reason in HOSTILE.values()]


async def test_the_quarantine_shows_a_row_as_the_source_gave_it(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    source.beyond = (0, serves([bad for bad, _ in HOSTILE.values()]))

    run = await ingest.recommendations()

    found = dict(zip(HOSTILE, (await ingest.quarantined(run.run_id, size=100)).rows, strict=True))
    texts = {name: bad.decode(errors="surrogateescape") for name, (bad, _) in HOSTILE.items()}
    odd = {"a NUL": r"a\u0000b", "bytes that are no UTF-8": r"a\udcff\udcfeb"}
    assert found["a row of 10 MiB"].raw == texts.pop("a row of 10 MiB")[:MAX_RAW_BYTES]
    assert all(piece in found[name].raw for name, piece in odd.items())
    assert {name: found[name].raw for name in texts.keys() - odd} == {name: texts[name] for name in texts.keys() - odd}


async def test_a_byte_order_mark_before_the_list_is_no_harm(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    source.beyond = (0, serves([row(1), row(2)], start=b"\xef\xbb\xbf"))

    run = await ingest.recommendations()

    assert (run.state, run.account.read, run.account.new) == (pb.RUN_STATE_SUCCEEDED, 2, 2)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (body("<html>busy</html>", "text/html"), "a body that is not a JSON list"),
        (body(b""), "a body that is not a JSON list"),
        (body("null"), "a body that is not a JSON list"),
        (body('{"payments": []}'), "a body that is not a JSON list"),
        (body("[]".encode("utf-16")), "a body that is not a JSON list"),
        (body(b"[" + row(1) + b', {"id'), "a body that is not JSON, or cut"),
        (body(b"[" * 1_000_000), "a body that is not JSON, or cut"),
        (body(b"[" + b"0," * 10_001 + b"0]"), "a body that holds more than 10000 rows"),
        (cut, "broke off its answer"),
        (encoded(bomb(2), "gzip"), "has more than 1048576 bytes"),
        (Endless(64 * 1024), "has more than 1048576 bytes"),
        (Endless(1, pause=0.01), "gave no whole answer within"),
    ],
    ids=[
        "html", "nothing", "null", "an object", "utf-16", "cut", "only brackets", "too many rows", "broken off",
        "a bomb", "without end", "drop by drop",
    ],
)  # fmt: skip
async def test_a_page_that_is_none_ends_the_run_with_what_is_wrong(
    serve: Serve, source: SourceServer, warehouse: WarehouseServer, answer: Misdeed, problem: str
) -> None:
    bounds = {"request_attempts": 1, "max_page_bytes": MEBIBYTE, "request_timeout": timedelta(seconds=1)}
    async with serve(**bounds) as ingest:
        await ingest.load_companies()
        source.beyond = (0, answer)

        run = await ingest.recommendations()

    assert run.state == pb.RUN_STATE_FAILED
    assert problem in run.error
    assert "client-" not in run.error
    assert (await warehouse.statistics()).current_payments == 0
