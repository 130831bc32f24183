"""Who is let in, and what the others are told."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from afin.indexer.v1 import indexer_pb2
from services.runtime.access.admission import Admission
from services.runtime.access.keys import KeyRing, line_of, make_key, parse_keys
from services.runtime.access.roles import ADMIN, OPERATE, READ, Role, Rpc
from services.runtime.errors import PermissionDenied, ServiceError, Unauthenticated

NOW = datetime(2026, 11, 30, tzinfo=UTC)
KEYS = {role: make_key() for role in ("read", "operate", "admin")}
OLD = make_key()
BILLING = '{"name": "billing", "role": "operate", "certificate": "billing.example"}'
RING = parse_keys(
    "\n".join(
        [*(line_of(key, f"{role}er", role) for role, key in KEYS.items()), line_of(OLD, "old", "admin", NOW), BILLING]
    )
)
VALIDATE = Rpc(Role.OPERATE, admin_fields=("override_reason",))


@dataclass
class Context:
    """A call as the server shows it."""

    metadata: tuple[tuple[str, str | bytes], ...] = ()
    certificate: dict[str, list[bytes]] = field(default_factory=dict)

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return self.metadata

    def auth_context(self) -> dict[str, list[bytes]]:
        return self.certificate


def with_key(key: str) -> Context:
    return Context((("user-agent", "grpc"), ("authorization", f"Bearer {key}")))


def admission(ring: KeyRing | None = RING) -> Admission:
    return Admission({"afin.x.v1.X": {"Read": READ, "Operate": OPERATE}}, lambda: ring, NOW.timestamp)


def refusal(context: Context, rpc: Rpc = READ, request: object = None) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        admission().admit(rpc, request, context)
    return caught.value


@pytest.mark.parametrize("needed", list(Role))
@pytest.mark.parametrize("given", list(Role))
def test_a_role_may_do_what_those_below_it_may(given: Role, needed: Role) -> None:
    context = with_key(KEYS[given.name.lower()])

    if given >= needed:
        assert admission().admit(Rpc(needed), None, context).name == f"{given.name.lower()}er"
    else:
        refused = refusal(context, Rpc(needed))
        assert isinstance(refused, PermissionDenied)
        assert (refused.reason, refused.metadata["needed"]) == ("ROLE_TOO_LOW", needed.name.lower())


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (Context(), "NO_KEY"),
        (Context(certificate={"x509_common_name": [b"stranger.example"]}), "NO_KEY"),
        (with_key(make_key()), "UNKNOWN_KEY"),
        (with_key(""), "UNKNOWN_KEY"),
        (Context((("authorization", KEYS["admin"]),)), "UNKNOWN_KEY"),
        (Context((("authorization", f"Basic {KEYS['admin']}"),)), "UNKNOWN_KEY"),
        (Context((("authorization", b"\xff\xfe"),)), "UNKNOWN_KEY"),
        (with_key(OLD), "EXPIRED_KEY"),
    ],
)
def test_who_is_not_known_is_refused_with_a_reason_and_what_to_do(context: Context, reason: str) -> None:
    refused = refusal(context)

    assert isinstance(refused, Unauthenticated)
    assert refused.reason == reason
    assert "key" in refused.message


def test_no_refusal_repeats_what_was_sent() -> None:
    assert "afin_sent" not in str(refusal(with_key("afin_sent")))


@pytest.mark.parametrize("kind", ["x509_common_name", "x509_subject_alternative_name"])
def test_a_certificate_lets_in_who_is_named_in_the_file(kind: str) -> None:
    context = Context(certificate={kind: [b"billing.example"]})

    assert admission().admit(OPERATE, None, context).name == "billing"
    assert refusal(context, ADMIN).reason == "ROLE_TOO_LOW"


def test_a_wrong_key_is_refused_whatever_the_certificate() -> None:
    context = Context((("authorization", "Bearer wrong"),), {"x509_common_name": [b"billing.example"]})

    assert refusal(context).reason == "UNKNOWN_KEY"


def test_to_override_a_check_takes_an_admin() -> None:
    plain = indexer_pb2.ValidateIndexRequest(version="v", publish=True)
    forced = indexer_pb2.ValidateIndexRequest(version="v", publish=True, override_reason="because")
    operator = with_key(KEYS["operate"])

    assert admission().admit(VALIDATE, plain, operator).name == "operateer"
    assert refusal(operator, VALIDATE, forced).reason == "ROLE_TOO_LOW"
    assert admission().admit(VALIDATE, forced, with_key(KEYS["admin"])).name == "adminer"


def test_without_a_file_everybody_may_do_everything() -> None:
    assert admission(None).admit(ADMIN, None, Context()).name == "anybody"


def test_a_method_that_nobody_gave_a_role_is_admins() -> None:
    assert admission().rpc("/afin.x.v1.X/Read") is READ
    assert admission().rpc("/afin.x.v1.X/Forgotten") is ADMIN
