"""What the log tells of calls that operate or administer, over a socket; and that it never names a client."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from afin.indexer.v1 import indexer_pb2
from afin.ingest.v1 import ingest_pb2
from afin.warehouse.v1 import warehouse_pb2
from tests.integration.runtime.access.doors import INFO, KINDS, NAMES, RELOAD, keys_in, open_doors, path_of, rpcs_of

CANARY = "canary-5b1f0c"


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    """Of server."""
    return str(request.param)


def audited(logs: list[Any]) -> list[tuple[str, str]]:
    return [(entry["who"], entry["code"]) for entry in logs if entry["event"] == "call" and "who" in entry]


async def test_answered_and_refused_calls_are_told_with_who_made_them(kind: str, tmp_path: Path) -> None:
    keys = keys_in(tmp_path / "keys", "shop", "olga", "alice")
    async with open_doors(kind, api_keys_file=tmp_path / "keys") as door:
        with capture_logs() as logs:
            for key in (keys["olga"], keys["shop"], "afin_stranger", None):
                await door.call(RELOAD, key=key)
            await door.call(INFO, key=keys["shop"])

    assert audited(logs) == [
        ("olga", "OK"),
        ("shop", "PERMISSION_DENIED"),
        ("unknown", "UNAUTHENTICATED"),
        ("unknown", "UNAUTHENTICATED"),
    ]
    assert not [key for key in keys.values() if key in str(logs)]


async def test_every_rpc_above_read_is_told_and_no_other(kind: str) -> None:
    async with open_doors(kind) as door:
        for name in NAMES:
            for method, rpc in rpcs_of(name).items():
                with capture_logs() as logs:
                    await door.call(path_of(name, method))
                assert audited(logs) == ([("anybody", "OK")] if rpc.is_audited else []), method


@pytest.mark.parametrize("is_known", [True, False])
async def test_no_line_names_the_client_that_a_call_is_about(kind: str, tmp_path: Path, is_known: bool) -> None:
    keys = keys_in(tmp_path / "keys")
    requests = {
        ("ingest", "EraseClient"): ingest_pb2.EraseClientRequest(external_client_id=CANARY, request_id=CANARY),
        ("ingest", "RunPipeline"): ingest_pb2.RunPipelineRequest(request_id=CANARY),
        ("warehouse", "ListClientPayments"): warehouse_pb2.ListClientPaymentsRequest(external_client_id=CANARY),
        ("warehouse", "GetPaymentHistory"): warehouse_pb2.GetPaymentHistoryRequest(payment_id=CANARY),
        ("indexer", "RollbackIndex"): indexer_pb2.RollbackIndexRequest(reason=CANARY),
    }
    async with open_doors(kind, api_keys_file=tmp_path / "keys") as door:
        with capture_logs() as logs:
            for (service, method), request in requests.items():
                key = keys["admin"] if is_known else CANARY
                code = await door.call(path_of(service, method), request.SerializeToString(), key=key)
                assert code == (grpc.StatusCode.OK if is_known else grpc.StatusCode.UNAUTHENTICATED)

    assert len(audited(logs)) == len(requests)
    assert CANARY not in str(logs)
