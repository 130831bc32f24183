"""Versions held side by side: what a validation keeps of the change, and what can be asked."""

from dataclasses import replace

import grpc
import pytest

from services.contracts import bundle
from services.contracts.bundle import manifest_key, version_file_key
from services.runtime.objects.local import LocalObjectStore
from tests.integration.indexer.conftest import World
from tests.integration.indexer.damage import flip
from tests.integration.indexer.serving import Indexer, refusal, serving
from tests.integration.indexer.warehouse_rows import (
    CLIENTS,
    GROUPS,
    LISTED,
    code_of,
    insert_rows,
    planted_companies,
    planted_payments,
)


@pytest.fixture
async def halved(world: World, empty_database: str) -> str:
    """In the world's store, a version that half of the clients, and the last ten companies, are missing from."""
    clients = {f"client-{number % GROUPS}-{number}" for number in range(CLIENTS // 2)}
    kept = [payment for payment in planted_payments() if payment.client in clients]
    companies = [company for company in planted_companies() if company.code < code_of(LISTED - 10)]
    await insert_rows(empty_database, kept, companies)
    async with serving(replace(world, database_url=empty_database).settings()) as indexer:
        return (await indexer.build("half"))[-1].index_version.version


async def test_a_version_of_half_the_clients_is_refused_and_told_apart(world: World, halved: str) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
        refused = await indexer.validate(halved, publish=True)
        in_service = (await indexer.publications()).publications[0].version

    failed = {check.name: check.detail for check in refused.validation.checks if not check.passed}
    assert f"{CLIENTS // 2} of {CLIENTS} clients" in failed["knows_what_is_in_service"]
    assert "asked is at most 20% of each (INDEXER_MAX_LOSS)" in failed["knows_what_is_in_service"]
    assert in_service == world.first


async def test_a_validation_keeps_what_changed_against_the_version_in_service(world: World, halved: str) -> None:
    async with serving(world.settings()) as indexer:
        first = (await indexer.validate(world.first, publish=True)).validation
        drift = (await indexer.validate(halved)).validation.drift
        kept = (await indexer.version(halved)).validation.drift

    assert not first.HasField("drift")
    assert kept == drift
    assert drift.base == world.first
    assert (drift.clients.before, drift.clients.went, drift.clients.came) == (CLIENTS, CLIENTS // 2, 0)
    assert not drift.clients.went_examples
    assert drift.companies.went_examples == [code_of(number) for number in range(LISTED - 10, LISTED)]
    assert drift.sample_clients == CLIENTS // 2
    assert 0 < drift.new_overlap < 1
    assert drift.new_companies.clients > 0


async def test_a_version_whose_companies_were_mixed_up_is_refused_by_its_answers_alone(
    world: World, empty_database: str
) -> None:
    """As good as the right one on its hold-out: each company's payments went to another one's code."""
    mixed = {code_of(number): code_of((number * 7 + 3) % LISTED) for number in range(LISTED)}
    payments = [replace(payment, company=mixed.get(payment.company, payment.company)) for payment in planted_payments()]
    await insert_rows(empty_database, payments, planted_companies())
    async with serving(world.settings(min_overlap=0.4)) as indexer:
        await indexer.validate(world.first, publish=True)
    async with serving(replace(world, database_url=empty_database).settings(min_overlap=0.4)) as indexer:
        version = (await indexer.build("mixed"))[-1].index_version.version
        refused = await indexer.validate(version, publish=True)

    assert [check.name for check in refused.validation.checks if not check.passed] == ["answers_like_in_service"]
    assert not refused.HasField("publication")


async def test_versions_of_the_same_rows_answer_alike(world: World) -> None:
    async with serving(world.settings()) as indexer:
        answer = await indexer.compare(world.second, world.first)

    assert (answer.base.version, answer.version.version) == (world.first, world.second)
    assert answer.comparison.base == world.first
    assert answer.comparison.new_companies.difference == pytest.approx(0, abs=0.02)
    assert answer.comparison.new_overlap > 0.9
    assert answer.comparison.companies.came == answer.comparison.companies.went == 0


async def test_settings_that_are_not_the_same_are_named(world: World) -> None:
    async with serving(world.settings(seed=7)) as indexer:
        other = (await indexer.build("seeded"))[-1].index_version.version
        answer = await indexer.compare(other, world.first)

    assert [(change.name, change.base, change.version) for change in answer.settings] == [("seed", "0", "7")]


async def test_without_a_base_a_version_is_compared_with_the_one_in_service(world: World) -> None:
    async with serving(world.settings()) as indexer:
        early = await refusal(indexer.compare(world.second))
        await indexer.validate(world.first, publish=True)
        answer = await indexer.compare(world.second)

    assert (early.code, early.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_IN_SERVICE")
    assert answer.base.version == world.first


async def test_a_damaged_version_cannot_be_compared_and_is_named(world: World) -> None:
    flip(world, bundle.SOURCE_FILE)

    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.compare(world.second, world.first))

    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NOT_COMPARABLE")
    assert f"{world.first}: {bundle.SOURCE_FILE} does not have the SHA-256" in refused.message


@pytest.mark.parametrize(("base", "version"), [("", "latest"), ("../x", "unknown-000000000000")])
async def test_what_cannot_name_a_version_is_refused(world: World, base: str, version: str) -> None:
    async with serving(world.settings()) as indexer:
        refused = await refusal(indexer.compare(version, base))

    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT


async def _publish_both(world: World, indexer: Indexer) -> list[str]:
    """Publishes the second version after the first, which the test has damaged; the details of its checks."""
    answer = await indexer.validate(world.second, publish=True)
    assert answer.publication.epoch == 2
    assert not answer.validation.HasField("drift")
    return [check.detail for check in answer.validation.checks if check.name == "knows_what_is_in_service"]


async def test_a_damaged_version_in_service_does_not_keep_a_good_one_out(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
        flip(world, bundle.SOURCE_FILE)
        (detail,) = await _publish_both(world, indexer)

    assert f"{bundle.SOURCE_FILE} does not have the SHA-256" in detail


@pytest.mark.parametrize("content", [b"", b'{"schema_version": 99}'])
async def test_a_version_in_service_of_another_format_does_not_keep_a_good_one_out(
    world: World, content: bytes
) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
    (world.objects / manifest_key(world.first)).write_bytes(content)

    async with serving(world.settings()) as indexer:
        (detail,) = await _publish_both(world, indexer)

    assert "is damaged or of another format" in detail


async def test_a_version_in_service_that_is_gone_does_not_keep_a_good_one_out(world: World) -> None:
    async with serving(world.settings()) as indexer:
        await indexer.validate(world.first, publish=True)
        store: LocalObjectStore = world.store
        store.delete(manifest_key(world.first))
        store.delete(version_file_key(world.first, bundle.ANNOY_FILE))
        (detail,) = await _publish_both(world, indexer)

    assert "gone from the object store" in detail
