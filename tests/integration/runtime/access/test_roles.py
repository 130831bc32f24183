"""Each role at each RPC, over a socket; keys that come, go and expire; reflection; and the door that stands open."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from afin.indexer.v1 import indexer_pb2
from services.runtime.access.keys import line_of, make_key
from services.runtime.access.roles import Role
from tests.integration.runtime.access.doors import (
    CALL_SECONDS,
    INFO,
    KINDS,
    NAMES,
    RELOAD,
    WATCH,
    Visitor,
    keys_in,
    open_doors,
    path_of,
    rpcs_of,
    until,
)
from tests.integration.runtime.house import details_of

OK, DENIED, UNKNOWN = grpc.StatusCode.OK, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    """Of server."""
    return str(request.param)


def refused_so_far(reason: str) -> float:
    return REGISTRY.get_sample_value("afin_auth_refused_total", {"reason": reason}) or 0


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_may_call_what_it_may_and_nothing_else(kind: str, tmp_path: Path, role: Role) -> None:
    keys = keys_in(tmp_path / "keys")
    async with open_doors(kind, api_keys_file=tmp_path / "keys") as door:
        for name in NAMES:
            expected = {method: OK if role >= rpc.role else DENIED for method, rpc in rpcs_of(name).items()}
            called = {m: await door.call(path_of(name, m), key=keys[role.name.lower()]) for m in expected}
            assert called == expected


async def test_nobody_may_call_anything_without_a_key(kind: str, tmp_path: Path) -> None:
    keys_in(tmp_path / "keys")
    async with open_doors(kind, api_keys_file=tmp_path / "keys") as door:
        for name in NAMES:
            called = {await door.call(path_of(name, method)) for method in rpcs_of(name)}
            assert called == {UNKNOWN}


@pytest.mark.parametrize("path", [RELOAD, WATCH])
async def test_a_refusal_tells_reason_and_remedy_and_is_counted(kind: str, tmp_path: Path, path: str) -> None:
    keys_in(tmp_path / "keys")
    before = refused_so_far("UNKNOWN_KEY")
    async with open_doors(kind, api_keys_file=tmp_path / "keys") as door:
        error = await door.refusal(path, key="afin_wrong")

    assert error is not None
    assert details_of(error)[0].reason == "UNKNOWN_KEY"
    assert "authorization: Bearer <key>" in str(error.details())
    assert "afin_wrong" not in str(error.details())
    assert refused_so_far("UNKNOWN_KEY") == before + 1


async def test_an_override_is_an_admins(kind: str, tmp_path: Path) -> None:
    keys = keys_in(tmp_path / "keys")
    forced = indexer_pb2.ValidateIndexRequest(version="v", publish=True, override_reason="x").SerializeToString()
    async with open_doors(kind, api_keys_file=tmp_path / "keys") as door:
        path = path_of("indexer", "ValidateIndex")

        assert await door.call(path, key=keys["operate"]) == OK
        assert await door.call(path, forced, key=keys["operate"]) == DENIED
        assert await door.call(path, forced, key=keys["admin"]) == OK


async def test_keys_change_without_a_restart(kind: str, tmp_path: Path) -> None:
    old, new, path = make_key(), make_key(), tmp_path / "keys"
    path.write_text(line_of(old, "shop", "read"))
    async with open_doors(kind, api_keys_file=path) as door:
        path.write_text(f"{line_of(old, 'shop', 'read')}\n{line_of(new, 'shop', 'read')}\n")
        await until(lambda: _is(door.call(INFO, key=new), OK))
        assert await door.call(INFO, key=old) == OK

        path.write_text(line_of(new, "shop", "read"))
        await until(lambda: _is(door.call(INFO, key=old), UNKNOWN))
        assert await door.call(INFO, key=new) == OK


@pytest.mark.parametrize("broken", ["afin_a_key_by_mistake", "", None])
async def test_a_file_that_breaks_leaves_the_last_good_keys_and_is_told(
    kind: str, tmp_path: Path, broken: str | None
) -> None:
    path = tmp_path / "keys"
    keys = keys_in(path)
    async with open_doors(kind, api_keys_file=path) as door:
        with capture_logs() as logs:
            path.unlink() if broken is None else path.write_text(broken)
            await until(_unusable)

        assert await door.call(INFO, key=keys["read"]) == OK
        told = [entry for entry in logs if entry["event"] == "access file unusable, the last good one stays"]
        assert [entry["file"] for entry in told] == ["api_keys"]
        assert "mistake" not in str(logs)
        path.write_text(line_of(keys["read"], "shop", "read"))
        await until(lambda: _is(door.call(RELOAD, key=keys["operate"]), UNKNOWN))
        assert not await _unusable()


@pytest.mark.parametrize("content", ["", "{}", None])
async def test_a_server_does_not_start_with_keys_that_it_cannot_read(
    kind: str, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "keys").write_text(content)

    with pytest.raises(SystemExit, match=rf"access: {tmp_path / 'keys'}: ") as caught:
        async with open_doors(kind, api_keys_file=tmp_path / "keys"):
            pass

    assert "\n" not in str(caught.value)


async def test_a_probe_needs_no_key(kind: str, tmp_path: Path) -> None:
    keys_in(tmp_path / "keys")
    async with open_doors(kind, api_keys_file=tmp_path / "keys") as door:
        request = health_pb2.HealthCheckRequest().SerializeToString()

        assert await door.call("/grpc.health.v1.Health/Check", request) == OK


async def reflected(door: Visitor, key: str | None = None) -> grpc.StatusCode:
    metadata = (("authorization", f"Bearer {key}"),) if key else ()
    async with door.channel() as channel:
        ask: Any = channel.unary_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        )
        try:
            request = reflection_pb2.ServerReflectionRequest(list_services="")
            answers = [each async for each in ask(request, metadata=metadata, timeout=CALL_SECONDS)]
        except grpc.aio.AioRpcError as error:
            return error.code()
    assert len(answers) == 1
    return OK


async def test_reflection_is_for_readers(kind: str, tmp_path: Path) -> None:
    keys = keys_in(tmp_path / "keys")
    async with open_doors(kind, api_keys_file=tmp_path / "keys") as door:
        assert await reflected(door) == UNKNOWN
        assert await reflected(door, keys["read"]) == OK


async def test_reflection_can_be_switched_off(kind: str) -> None:
    async with open_doors(kind, reflection=False) as door:
        assert await reflected(door) == grpc.StatusCode.UNIMPLEMENTED
        assert await door.call(INFO) == OK


async def test_without_a_file_the_door_is_open(kind: str) -> None:
    async with open_doors(kind) as door:
        assert {await door.call(path) for path in (INFO, RELOAD, WATCH)} == {OK}


async def _is(call: Any, code: grpc.StatusCode) -> bool:
    return bool(await call == code)


async def _unusable() -> bool:
    return REGISTRY.get_sample_value("afin_access_file_unusable", {"file": "api_keys"}) == 1
