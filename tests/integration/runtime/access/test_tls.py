"""TLS over a socket: who is let in, whom a caller trusts, and certificates that change while a server runs."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from prometheus_client import REGISTRY

from demo.stack.options import free_ports
from services.runtime.access.proof import Proof
from tests.integration.runtime.access.authority import Authority, Pair
from tests.integration.runtime.access.doors import INFO, KINDS, RELOAD, Visitor, open_doors, until

OK, UNAVAILABLE = grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE
HEALTH = "/grpc.health.v1.Health/Check"


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    """Of server."""
    return str(request.param)


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    """The authority that server and callers trust."""
    return Authority(tmp_path, "ours")


@pytest.fixture
def theirs(tmp_path: Path) -> Authority:
    """Another."""
    return Authority(tmp_path, "theirs")


def tls(pair: Pair, **more: Any) -> dict[str, Any]:
    return {"tls_cert_file": pair.certificate, "tls_key_file": pair.key, **more}


def trusting(authority: Authority, own: Pair | None = None) -> Proof:
    if own is None:
        return Proof(authority.certificate)
    return Proof(authority.certificate, own.certificate, own.key)


async def test_who_trusts_the_authority_is_answered_and_nobody_else(
    kind: str, ours: Authority, theirs: Authority
) -> None:
    async with open_doors(kind, **tls(ours.issue("localhost"))) as door:
        assert await door.call(INFO, proof=trusting(ours)) == OK
        assert await door.call(INFO, proof=trusting(theirs)) == UNAVAILABLE
        assert await door.call(INFO) == UNAVAILABLE
        assert await door.call(INFO, proof=trusting(ours)) == OK


async def test_callers_must_show_a_certificate_where_it_is_asked_for(
    kind: str, ours: Authority, theirs: Authority
) -> None:
    settings = tls(ours.issue("localhost"), tls_client_ca_file=ours.certificate)
    async with open_doors(kind, **settings) as door:
        assert await door.call(INFO, proof=trusting(ours, ours.issue("shop"))) == OK
        assert await door.call(INFO, proof=trusting(ours)) == UNAVAILABLE
        assert await door.call(INFO, proof=trusting(ours, theirs.issue("shop"))) == UNAVAILABLE


async def test_a_certificate_has_the_role_that_the_file_gives_it(kind: str, ours: Authority, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text('{"name": "web-shop", "role": "read", "certificate": "shop"}')
    settings = tls(ours.issue("localhost"), tls_client_ca_file=ours.certificate, api_keys_file=keys)
    shop, stranger = trusting(ours, ours.issue("shop")), trusting(ours, ours.issue("stranger"))
    async with open_doors(kind, **settings) as door:
        assert await door.call(INFO, proof=shop) == OK
        assert await door.call(RELOAD, proof=shop) == grpc.StatusCode.PERMISSION_DENIED
        assert await door.call(INFO, proof=stranger) == grpc.StatusCode.UNAUTHENTICATED


async def test_a_certificate_changes_without_a_restart(kind: str, ours: Authority, theirs: Authority) -> None:
    pair, newer = ours.issue("localhost"), theirs.issue("localhost")
    async with open_doors(kind, **tls(pair)) as door, door.channel(trusting(ours)) as channel:
        ask: Any = channel.unary_unary(INFO)
        await ask(b"", timeout=20)

        newer.key.replace(pair.key)
        newer.certificate.replace(pair.certificate)

        await until(_answers(door, trusting(theirs)))
        assert await door.call(INFO, proof=trusting(ours)) == UNAVAILABLE
        # Who was connected stays so.
        await ask(b"", timeout=20)


async def test_a_certificate_that_breaks_leaves_the_last_good_one(kind: str, ours: Authority) -> None:
    pair = ours.issue("localhost")
    async with open_doors(kind, **tls(pair)) as door:
        pair.certificate.write_text("nothing of the kind")
        await until(_unusable)

        assert await door.call(INFO, proof=trusting(ours)) == OK


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda pair, other: pair.certificate.unlink(), "No such file"),
        (lambda pair, other: pair.certificate.write_text("x"), "in PEM"),
        (lambda pair, other: pair.key.write_bytes(other.key.read_bytes()), "the key is another certificate's"),
    ],
)
async def test_a_server_does_not_start_with_files_that_it_cannot_use(
    kind: str, ours: Authority, spoil: Callable[[Pair, Pair], Any], problem: str
) -> None:
    pair, other = ours.issue("localhost"), ours.issue("other")
    spoil(pair, other)

    with pytest.raises(SystemExit, match=problem) as caught:
        async with open_doors(kind, **tls(pair)):
            pass

    assert "\n" not in str(caught.value)


async def test_a_server_does_not_start_with_a_certificate_that_has_expired(kind: str, ours: Authority) -> None:
    pair = ours.issue("localhost", timedelta(hours=-1))

    with pytest.raises(SystemExit, match=r"access: .*localhost\.pem: certificate has expired"):
        async with open_doors(kind, **tls(pair)):
            pass


async def test_when_the_certificate_expires_is_a_metric(kind: str, ours: Authority) -> None:
    async with open_doors(kind, **tls(ours.issue("localhost"))):
        expires = REGISTRY.get_sample_value("afin_tls_certificate_expires_timestamp_seconds")

    assert expires is not None
    assert expires > 0


async def test_probes_ask_for_health_alone_in_plaintext(kind: str, ours: Authority) -> None:
    port = free_ports()["recommender"]
    pair, probe = ours.issue("localhost"), Visitor(port)
    settings = tls(pair, tls_client_ca_file=ours.certificate, health_port=port)
    async with open_doors(kind, **settings) as door:
        assert await probe.call(HEALTH) == OK
        assert await probe.call(INFO) == grpc.StatusCode.UNIMPLEMENTED
        assert await door.call(HEALTH) == UNAVAILABLE


async def test_a_crowd_that_speaks_no_tls_hurts_nobody_else(kind: str, ours: Authority) -> None:
    async with open_doors(kind, **tls(ours.issue("localhost"))) as door:
        crowd = [asyncio.create_task(door.call(INFO)) for _ in range(30)]

        assert await door.call(INFO, proof=trusting(ours)) == OK
        assert set(await asyncio.gather(*crowd)) == {UNAVAILABLE}


def _answers(door: Visitor, proof: Proof) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        return await door.call(INFO, proof=proof) == OK

    return answers


async def _unusable() -> bool:
    return REGISTRY.get_sample_value("afin_access_file_unusable", {"file": "tls"}) == 1
