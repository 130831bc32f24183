"""Rights in the bucket: each service has its own, and the keys of the contracts lie within them."""

import pytest

from services.contracts import bundle, erasures, feedback, fresh
from tests.unit.deploy.object_rights import may, rights_of
from tests.unit.deploy.workloads import SERVICES

GET, PUT, DELETE, LIST = "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"
LAKE = ("raw/payments/", "raw/companies/", "quarantine/payments/", feedback.FEEDBACK_PREFIX)
INDEX = (
    bundle.PUBLISHED_PREFIX,
    bundle.BUILDS_PREFIX,
    bundle.VERSIONS_PREFIX,
    "index/validations/",
    fresh.FRESH_PREFIX,
)


@pytest.mark.parametrize("service", SERVICES)
def test_each_lists_names_for_an_object_that_is_not_there_must_be_told_from_one_that_is_refused(service: str) -> None:
    assert may(rights_of(service), LIST)


def test_ingest_keeps_the_lake_and_what_is_remembered_of_erasures_for_good() -> None:
    rights = rights_of("ingest")

    assert all(may(rights, action, f"{prefix}x") for prefix in LAKE for action in (GET, PUT, DELETE))
    assert [action for action in (GET, PUT, DELETE) if may(rights, action, erasures.SALT_KEY)] == [GET, PUT]
    assert not any(may(rights, action, f"{prefix}x") for prefix in INDEX for action in (GET, PUT, DELETE))


def test_the_warehouse_reads_what_it_loads_and_changes_nothing() -> None:
    rights = rights_of("warehouse")

    assert {right.action for right in rights} == {GET, LIST}
    assert may(rights, GET, "raw/payments/x")
    assert may(rights, GET, erasures.SALT_KEY)
    assert not may(rights, GET, "quarantine/payments/x")
    assert not may(rights, GET, "index/published/x")


def test_the_indexer_keeps_the_index_and_sees_nothing_of_the_lake() -> None:
    rights = rights_of("indexer")

    assert all(may(rights, action, f"{prefix}x") for prefix in INDEX for action in (GET, PUT, DELETE))
    assert not any(may(rights, action, f"{prefix}x") for prefix in (*LAKE, erasures.PREFIX) for action in (GET, PUT))


def test_the_recommender_reads_the_index_and_nothing_else() -> None:
    rights = rights_of("recommender")

    assert {(right.action, right.resource) for right in rights} == {(LIST, "afin"), (GET, "afin/index/*")}
