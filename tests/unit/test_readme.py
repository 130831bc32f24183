"""The README says what the code says: every service, its ports, and the page of its RPCs."""

from importlib import import_module
from pathlib import Path

import pytest

from demo.stack.options import FIXED_PORTS

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.mark.parametrize("service", ["ingest", "warehouse", "indexer", "recommender"])
def test_the_row_of_a_service_tells_its_ports_and_where_its_rpcs_are(service: str) -> None:
    rpc = next(iter(import_module(f"afin.{service}.v1.{service}_pb2").DESCRIPTOR.services_by_name.values()))
    row = next(line for line in README.splitlines() if line.startswith(f"| `{rpc.full_name}`"))

    assert f"| {FIXED_PORTS[service]} | {FIXED_PORTS[f'{service}-metrics']} |" in row
    assert f"(docs/reference/api/{service}.md)" in row
