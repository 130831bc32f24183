"""PostgreSQL by CloudNativePG has the logins and the rights that accounts.sql makes elsewhere."""

import re
from typing import Any

import pytest

from tests.unit.deploy.kustomize import Manifest, build
from tests.unit.deploy.workloads import KUBERNETES, named

ACCOUNTS = (KUBERNETES / "components/small-cluster/accounts.sql").read_text()


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    """Those of the overlay that takes it in."""
    return build(KUBERNETES / "overlays/operators")


@pytest.fixture(scope="module")
def cluster(manifests: list[Manifest]) -> dict[str, Any]:
    """What the operator is asked for."""
    spec: dict[str, Any] = named(manifests, "Cluster")["postgres"]["spec"]
    return spec


def test_each_login_is_a_member_of_its_groups_alone(cluster: dict[str, Any]) -> None:
    granted = set(re.findall(r"GRANT (\w+) TO (\w+)", ACCOUNTS))
    roles = {role["name"]: role for role in cluster["managed"]["roles"]}

    assert {(group, name) for name, role in roles.items() for group in role.get("inRoles", [])} == granted
    assert {name for name, role in roles.items() if role.get("login")} == {"migrator", *(login for _, login in granted)}
    assert {group for group, _ in granted} <= roles.keys()


def test_the_migrator_owns_the_database_and_alone_makes_roles(cluster: dict[str, Any]) -> None:
    first = cluster["bootstrap"]["initdb"]
    makers = {role["name"] for role in cluster["managed"]["roles"] if role.get("createrole")}

    assert (first["owner"], first["database"], makers) == ("migrator", "afin", {"migrator"})
    assert first["postInitApplicationSQL"] == ["REVOKE ALL ON DATABASE afin FROM PUBLIC"]
    assert "REVOKE ALL ON DATABASE afin" in ACCOUNTS


def test_each_login_has_its_password_as_the_operator_reads_it(
    manifests: list[Manifest], cluster: dict[str, Any]
) -> None:
    secrets = named(manifests, "Secret")
    logins = {role["name"]: secrets[role["passwordSecret"]["name"]] for role in cluster["managed"]["roles"]
              if role.get("login")}  # fmt: skip

    assert {name: secret["data"]["username"] for name, secret in logins.items()} == {name: name for name in logins}
    assert {secret["type"] for secret in logins.values()} == {"kubernetes.io/basic-auth"}
    assert all("password" in secret["data"] for secret in logins.values())


def test_its_own_log_quotes_no_rows(cluster: dict[str, Any]) -> None:
    assert cluster["postgresql"]["parameters"]["log_error_verbosity"] == "terse"
