"""Each RPC of each proto has one role, and those that a table names are there."""

from importlib import import_module

import pytest
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass

from services.runtime.access.audit import TEXTS
from services.runtime.access.roles import Role, Rpcs

SERVICES = ("ingest", "warehouse", "indexer", "recommender")
# By the proto's words for what they do; the rest is judged one by one.
READS = ("Get", "List", "Watch", "Recommend", "BatchRecommend", "Similar", "Compare", "Record")
PRIVATE = {"GetPaymentHistory", "ListClientPayments", "ListQuarantinedRows"}
WRITES_OF_THE_WAREHOUSE = {"RecordCompaniesUpdate"}


def _rpcs(service: str) -> Rpcs:
    table: Rpcs = import_module(f"services.{service}.access").RPCS
    return table


def _descriptor(service: str) -> ServiceDescriptor:
    file = import_module(f"afin.{service}.v1.{service}_pb2").DESCRIPTOR
    found: ServiceDescriptor = next(iter(file.services_by_name.values()))
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_rpc_has_a_role_and_no_role_is_of_an_rpc_that_there_is_not(service: str) -> None:
    assert set(_rpcs(service)) == {method.name for method in _descriptor(service).methods}


@pytest.mark.parametrize("service", SERVICES)
def test_what_only_reads_is_for_readers_unless_it_tells_what_a_client_paid(service: str) -> None:
    reading = {name for name in _rpcs(service) if name.startswith(READS)} - PRIVATE - WRITES_OF_THE_WAREHOUSE

    assert {name for name, rpc in _rpcs(service).items() if rpc.role is Role.READ} == reading


@pytest.mark.parametrize("service", SERVICES)
def test_fields_that_need_an_admin_are_fields_of_the_request(service: str) -> None:
    for method in _descriptor(service).methods:
        rpc = _rpcs(service)[method.name]
        assert set(rpc.admin_fields) <= {field.name for field in method.input_type.fields}


def test_who_speaks_for_a_leader_of_ingest_is_an_admin() -> None:
    """The warehouse refuses all earlier leaders for good, so an epoch out of the air would end ingest."""
    speaking = [
        method for method in _descriptor("warehouse").methods if "leader_epoch" in method.input_type.fields_by_name
    ]

    for method in speaking:
        request = GetMessageClass(method.input_type)(leader_epoch=1 << 60)
        assert _rpcs("warehouse")[method.name].needs(request) is Role.ADMIN, method.name
    assert len(speaking) > 5


def test_audit_tells_no_text_by_which_a_caller_names_a_client_or_gives_a_reason() -> None:
    assert not TEXTS & {"client_id", "external_client_id", "request_id", "reason", "override_reason"}
