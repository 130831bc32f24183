"""A client's id stands in no log, metric, trace, error, run or object key, however its payments fare."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2
from afin.warehouse.v1 import warehouse_pb2
from services.contracts.lake import LakeManifest
from services.runtime.checksums import sha256_of
from tests.e2e.canary.world import CANARY, World, canary_world, of_the_canary, places_of
from tests.integration.ingest.source_server import NOW, body, cut, status

pytestmark = pytest.mark.timeout(900)
TOO_LONG = CANARY + "x" * 300
WITH_NUL = CANARY + "\0"
ROW = json.dumps(of_the_canary(1))
TRACED = (
    "run recommendations",
    "merge",
    "training process",
    "afin.warehouse.v1.WarehouseService/ListClientPayments",
    "afin.recommender.v1.RecommenderService/Recommend",
)
# Each is refused for another reason.
BAD_ROWS: list[dict[str, Any]] = [
    {"amount": "much"},
    {"amount": None},
    {"amount": "1e400"},
    {"updated_at": (NOW + timedelta(days=300)).isoformat()},
    {"updated_at": CANARY},
    {"payment_at": "0001-01-01"},
    {"created_at": None},
    {"status": 7},
    {"company_code": ""},
    {"company_code": CANARY + "\0"},
    {"external_client_id": WITH_NUL},
    {"external_client_id": TOO_LONG},
    {"external_client_id": [CANARY]},
    {"id": {CANARY: CANARY}},
    {CANARY: CANARY, "amount": {}},
]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A stack whose first run has brought the canary's payments into an index."""
    async with canary_world(tmp_path / "state") as world:
        companies = await world.run(ingest_pb2.PIPELINE_COMPANIES)
        assert companies.state == ingest_pb2.RUN_STATE_SUCCEEDED, companies.error
        first = await world.recommendations()
        assert first.state == ingest_pb2.RUN_STATE_SUCCEEDED, first
        yield world


async def test_a_client_id_stands_nowhere_but_in_data(world: World) -> None:
    await _ask_about_the_client(world)
    await _ask_wrongly(world)
    await _let_the_source_misbehave(world)
    await _send_bad_rows(world)
    await _let_the_database_refuse(world)
    await _damage_the_lake(world)

    world.collector.wait_for(*TRACED)
    said = world.everything_said()

    assert b"call refused" in said["warehouse.log"]
    assert b"step failed" in said["ingest.log"]
    assert b"ERROR" in said["log"]  # PostgreSQL's own
    assert len(said) == 4 + 1 + 4 + 3
    assert places_of(CANARY, said) == []


async def test_the_search_finds_an_id_where_one_stands(world: World) -> None:
    world.told.append(f"payments of {CANARY} cannot be read".encode())

    assert len(places_of(CANARY, world.everything_said())) == 1


async def _ask_about_the_client(world: World) -> None:
    recommend = recommender_pb2.RecommendRequest(client_id=CANARY, max_results=5)
    assert (await world.recommender.Recommend(recommend, timeout=60, wait_for_ready=True)).client_known
    await world.recommender.BatchRecommend(recommender_pb2.BatchRecommendRequest(requests=[recommend]), timeout=60)
    listing = warehouse_pb2.ListClientPaymentsRequest(external_client_id=CANARY, page_size=2)
    assert len((await world.warehouse.ListClientPayments(listing, timeout=60)).payments) == 2


async def _ask_wrongly(world: World) -> None:
    wrong, refused = grpc.StatusCode.INVALID_ARGUMENT, world.refused
    for client in (TOO_LONG, WITH_NUL):
        listing = warehouse_pb2.ListClientPaymentsRequest(external_client_id=client)
        assert await refused(world.warehouse.ListClientPayments(listing, timeout=60)) is wrong
        recommend = recommender_pb2.RecommendRequest(client_id=client + "x" * 200, max_results=5)
        assert await refused(world.recommender.Recommend(recommend, timeout=60)) is wrong
    paged = warehouse_pb2.ListClientPaymentsRequest(external_client_id=CANARY, page_token=CANARY)
    assert await refused(world.warehouse.ListClientPayments(paged, timeout=60)) is wrong
    many = recommender_pb2.RecommendRequest(client_id=CANARY, max_results=10_000)
    assert await refused(world.recommender.Recommend(many, timeout=60)) is wrong
    mistaken = warehouse_pb2.GetPaymentHistoryRequest(payment_id=CANARY, company_code=CANARY)
    missing = grpc.StatusCode.NOT_FOUND
    assert await refused(world.warehouse.GetPaymentHistory(mistaken, timeout=60)) is missing
    company = recommender_pb2.SimilarCompaniesRequest(company_code="nobody", max_results=5)
    assert await refused(world.recommender.SimilarCompanies(company, timeout=60)) is missing


async def _let_the_source_misbehave(world: World) -> None:
    misdeeds = [
        status(500, **{"X-Client": CANARY}),
        status(302, Location=f"/payments?client={CANARY}"),
        status(400),
        body(f"<html>{CANARY}</html>", "text/html"),
        body(f"[{ROW}"),
        body(f"[{ROW}]{CANARY}"),
        body(f'{{"error": {ROW}}}'),
        body(b"[" + ROW.encode() + b"\xff]"),
        body(f"[{ROW}{' ' * 1_000_000}]"),
        body(f'[{"[" * 100_000}"{CANARY}"'),
        cut,
    ]
    for misdeed in misdeeds:
        world.source.misdeeds = [misdeed] * 10
        run = await world.recommendations()
        world.source.misdeeds.clear()
        assert run.state == ingest_pb2.RUN_STATE_FAILED, run


async def _send_bad_rows(world: World) -> None:
    good = world.source.payments
    moment = NOW.isoformat()
    world.source.payments = good + [
        of_the_canary(700 + number, updated_at=moment) | changes for number, changes in enumerate(BAD_ROWS)
    ]
    few = await world.recommendations()
    assert few.account.quarantined == len(BAD_ROWS), few
    listing = ingest_pb2.ListQuarantinedRowsRequest(run_id=few.run_id)
    rows = (await world.ingest.ListQuarantinedRows(listing, timeout=60)).rows
    world.told += [row.reason.encode() for row in rows]
    assert len(rows) == len(BAD_ROWS)

    world.source.payments = good + [of_the_canary(800 + n, amount="much", updated_at=moment) for n in range(200)]
    many = await world.recommendations()
    assert "rows" in many.error
    assert many.state == ingest_pb2.RUN_STATE_FAILED
    world.source.payments = good


async def _let_the_database_refuse(world: World) -> None:
    """Each statement makes PostgreSQL refuse the canary's row in its own words, which quote the row."""
    moment = NOW.isoformat()
    world.source.payments += [of_the_canary(number, updated_at=moment, amount=950) for number in (900, 901)]
    refuse = f"CHECK (external_client_id <> '{CANARY}') NOT VALID"
    await _refused_by(world, "ALTER TABLE warehouse.payments ADD CONSTRAINT no_canary " + refuse)
    await world.as_owner("ALTER TABLE warehouse.payments DROP CONSTRAINT no_canary")
    await _refused_by(
        world, "CREATE UNIQUE INDEX one_payment ON warehouse.payments (external_client_id) WHERE amount > 900"
    )
    await world.as_owner("DROP INDEX warehouse.one_payment")
    await _refused_by(world, "REVOKE ALL ON warehouse.payments FROM afin_warehouse")
    await world.as_owner("GRANT SELECT, INSERT, UPDATE, DELETE ON warehouse.payments TO afin_warehouse")
    await _refused_by(world, "REVOKE ALL ON warehouse.training_payments FROM afin_indexer")
    await world.as_owner("GRANT SELECT ON warehouse.training_payments TO afin_indexer")
    healed = await world.recommendations()
    assert healed.state == ingest_pb2.RUN_STATE_SUCCEEDED, healed


async def _refused_by(world: World, statement: str) -> None:
    await world.as_owner(statement)
    run = await world.recommendations()
    assert run.state == ingest_pb2.RUN_STATE_FAILED, statement


async def _damage_the_lake(world: World) -> None:
    """A load of a part that is not what its manifest says, and one of a part that breaks the contract."""
    manifests = [each.key for each in world.objects.list("raw/payments/") if "manifest" in each.key]
    content = world.objects.get(manifests[0])
    manifest = LakeManifest.from_bytes(content)
    part = manifest.parts[0]
    path = world.stack.options.state / "objects" / part.key
    path.write_bytes(path.read_bytes()[:-8] + CANARY.encode()[:8])
    load = warehouse_pb2.LoadPaymentsRequest(
        load_id="damaged", manifest_key=manifests[0], manifest_sha256=sha256_of(content)
    )
    assert await world.refused(world.warehouse.LoadPayments(load, timeout=60)) is grpc.StatusCode.DATA_LOSS
    honest = part.model_copy(update={"sha256": sha256_of(path.read_bytes())})
    false = manifest.model_copy(update={"parts": (honest,)}).to_bytes()
    world.objects.put_if_absent("raw/payments/false.json", false)
    load = warehouse_pb2.LoadPaymentsRequest(
        load_id="false", manifest_key="raw/payments/false.json", manifest_sha256=sha256_of(false)
    )
    assert await world.refused(world.warehouse.LoadPayments(load, timeout=60)) is grpc.StatusCode.DATA_LOSS
