"""The README says what the code says: every setting of every service, every RPC, every port."""

from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf.descriptor import FileDescriptor

from demo.stack.options import FIXED_PORTS
from services.runtime.settings import ServiceSettings

README = (Path(__file__).parents[2] / "README.md").read_text()
SERVICES = ("ingest", "warehouse", "indexer", "recommender")


def _settings(service: str) -> type[ServiceSettings]:
    module = import_module(f"services.{service}.settings")
    found: type[ServiceSettings] = getattr(module, f"{service.capitalize()}Settings")
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_of_a_service_is_in_the_readme(service: str) -> None:
    own = set(_settings(service).model_fields) - set(ServiceSettings.model_fields)
    assert {name for name in own if f"`{service.upper()}_{name.upper()}`" not in README} == set()


def test_every_common_setting_is_in_the_readme() -> None:
    assert {name for name in ServiceSettings.model_fields if f"`…_{name.upper()}`" not in README} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_rpc_and_port_of_a_service_is_in_its_row_of_the_readme(service: str) -> None:
    descriptor: FileDescriptor = import_module(f"afin.{service}.v1.{service}_pb2").DESCRIPTOR
    rpc = next(iter(descriptor.services_by_name.values()))
    row = next(line for line in README.splitlines() if line.startswith(f"| `{rpc.full_name}`"))
    told = {cell.strip() for cell in row.split("|")[4].split(",")}
    assert told == {method.name for method in rpc.methods}
    assert f"| {FIXED_PORTS[service]} | {FIXED_PORTS[f'{service}-metrics']} |" in row
