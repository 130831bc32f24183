"""What is checked: each overlay as kustomize would put it together."""

import pytest

from tests.unit.deploy.kustomize import Manifest, build
from tests.unit.deploy.workloads import KUBERNETES, OVERLAYS


@pytest.fixture(scope="session", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    """Each overlay's name."""
    return str(request.param)


@pytest.fixture(scope="session")
def manifests(overlay: str) -> list[Manifest]:
    """All manifests of one overlay; tests only read them."""
    return build(KUBERNETES / "overlays" / overlay)
