"""The certificates that cert-manager is asked for, shown to a real server that is set up as the component says."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from services.runtime.access.keys import AccessFileError
from services.runtime.access.proof import Proof
from tests.integration.runtime.access.authority import Authority, Pair
from tests.integration.runtime.access.doors import Visitor, open_doors
from tests.unit.deploy.kustomize import Manifest, build
from tests.unit.deploy.workloads import KUBERNETES, named

USES = {"server auth": ExtendedKeyUsageOID.SERVER_AUTH, "client auth": ExtendedKeyUsageOID.CLIENT_AUTH}
ERASE = "/afin.warehouse.v1.WarehouseService/EraseClient"


@pytest.fixture
def manifests() -> list[Manifest]:
    """With certificates of callers."""
    return build(KUBERNETES / "overlays/operators")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """In the place of cert-manager."""
    return Authority(tmp_path, "afin")


@pytest.fixture
def pairs(manifests: list[Manifest], authority: Authority) -> dict[str, Pair]:
    """What it would make, by the name of the Certificate."""
    specs = {name: each["spec"] for name, each in named(manifests, "Certificate").items()}
    return {
        name: authority.issue(spec["commonName"], uses=[USES[use] for use in spec["usages"] if use in USES])
        for name, spec in specs.items()
        if not spec.get("isCA")
    }


@pytest.fixture
async def warehouse(
    manifests: list[Manifest], authority: Authority, pairs: dict[str, Pair], tmp_path: Path
) -> AsyncIterator[Visitor]:
    """A server with its certificate, and with the file of callers."""
    callers = tmp_path / "callers"
    callers.write_text(named(manifests, "Secret")["api-keys"]["data"]["api_keys"])
    own = pairs["warehouse"]
    settings = {"tls_cert_file": own.certificate, "tls_key_file": own.key, "tls_client_ca_file": authority.certificate}
    async with open_doors("aio", **settings, api_keys_file=callers) as door:
        yield door


def proof_of(authority: Authority, own: Pair) -> Proof:
    return Proof(authority.certificate, own.certificate, own.key)


@pytest.mark.parametrize("caller", ["ingest", "operator"])
async def test_ingest_and_operators_may_do_what_admins_may(
    warehouse: Visitor, authority: Authority, pairs: dict[str, Pair], caller: str
) -> None:
    assert await warehouse.call(ERASE, proof=proof_of(authority, pairs[caller])) == grpc.StatusCode.OK


async def test_a_certificate_that_serves_alone_cannot_be_used_to_call(
    warehouse: Visitor, authority: Authority, pairs: dict[str, Pair]
) -> None:
    with pytest.raises(AccessFileError, match="unsuitable certificate purpose"):
        await warehouse.call(ERASE, proof=proof_of(authority, pairs["recommender"]))


async def test_a_caller_that_shows_no_certificate_is_not_let_in(warehouse: Visitor, authority: Authority) -> None:
    assert await warehouse.call(ERASE, proof=Proof(authority.certificate)) == grpc.StatusCode.UNAVAILABLE
