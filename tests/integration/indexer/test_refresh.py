"""What clients pay between two builds is told beside the version in service, as its own build would have told it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from afin.indexer.v1 import indexer_pb2 as pb
from services.contracts import bundle
from services.contracts.bundle_arrays import table_in
from services.contracts.client_keys import client_key
from services.contracts.factors import History
from services.indexer.adapters.bundle_reading import read_arrays
from services.indexer.adapters.versions import VersionObjects
from tests.integration.indexer.fresh import Published, history_of, keys_of, newest, published
from tests.integration.indexer.serving import CALL_SECONDS, serving, settings_for
from tests.integration.indexer.warehouse_rows import (
    FIRST_DAY,
    WATERMARK,
    Payment,
    change,
    code_of,
    load,
    planted_payments,
)

CLIENT, OTHER = "client-0-0", "client-1-1"
LATER = WATERMARK + timedelta(hours=3)
AT = FIRST_DAY + timedelta(days=99)
ERASE = "DELETE FROM warehouse.payments WHERE external_client_id = $1"
RECORD_ERASURE = "INSERT INTO warehouse.erasures VALUES ('erasure-1', 1, 1, now())"
RETIRE = "UPDATE warehouse.companies SET is_retired = true WHERE company_code = $1"
# C01 takes the company_id of C00, which C00 has had for longer.
MERGE = """
UPDATE warehouse.companies SET company_id = (SELECT company_id FROM warehouse.companies WHERE company_code = 'C00'),
    start_date = start_date + interval '1 day' WHERE company_code = 'C01'
"""


@pytest.fixture
async def objects(tmp_path: Path) -> Path:
    folder = tmp_path / "objects"
    folder.mkdir()
    return folder


@pytest.fixture
async def world(own_database: str, objects: Path) -> AsyncIterator[Published]:
    async with published(own_database, objects) as started:
        yield started


def built(world: Published, version: str, client: str) -> tuple[History, list[str]]:
    """A client's history in a version's bundle, and the codes of its companies."""
    folder = world.objects / bundle.version_file_key(version, "")
    arrays = read_arrays(folder)
    row = arrays[bundle.CLIENTS_FILE].tolist().index(list(client_key(client)))
    part = slice(*arrays[bundle.OFFSETS_FILE][row : row + 2].tolist())
    history = History(*(arrays[name][part] for name in (bundle.HISTORY_FILE, bundle.WEIGHTS_FILE, bundle.HABITS_FILE)))
    return history, codes(world, version, history)


def codes(world: Published, version: str, history: History) -> list[str]:
    arrays = read_arrays(world.objects / bundle.version_file_key(version, ""))
    table = table_in(arrays)
    return [table.code(company) for company in history.companies.tolist()]


def same(one: History | None, other: History) -> bool:
    columns = ("companies", "weights", "habits")
    return one is not None and all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in columns)


async def test_nothing_is_told_while_nothing_changed(world: Published) -> None:
    done = await world.refresh()

    assert done.outcome == pb.REFRESH_OUTCOME_UNCHANGED
    assert keys_of(world.store) == []


async def test_a_client_whose_payments_only_came_again_has_the_history_of_the_build(world: Published) -> None:
    """To the last bit: a payment of no training status makes all its clients changed, and changes nothing."""
    clients = sorted({payment.client for payment in planted_payments() if payment.status == "paid"})
    await load(world.url, 2, [Payment(client, code_of(0), AT, status="failed") for client in clients], LATER)

    done = await world.refresh()

    assert done.changed_clients == len(clients)
    fresh = newest(world.store)
    assert all(same(history_of(fresh, client), built(world, world.version, client)[0]) for client in clients[::7])


async def test_a_payment_reaches_the_history_of_its_client_alone(world: Published) -> None:
    await load(world.url, 2, [Payment(CLIENT, code_of(39), AT)], LATER)

    done = await world.refresh()

    assert (done.outcome, done.changed_clients, done.clients) == (pb.REFRESH_OUTCOME_REFRESHED, 1, 1)
    assert done.changed_at.ToDatetime(tzinfo=LATER.tzinfo) == LATER
    fresh = newest(world.store)
    history = history_of(fresh, CLIENT)
    assert history is not None
    assert set(codes(world, world.version, history)) == {*built(world, world.version, CLIENT)[1], code_of(39)}
    assert history_of(fresh, OTHER) is None


async def test_each_load_adds_to_what_is_told_and_a_repetition_adds_nothing(world: Published) -> None:
    await load(world.url, 2, [Payment(CLIENT, code_of(39), AT)], LATER)
    await world.refresh()
    await load(world.url, 3, [Payment(OTHER, code_of(39), AT), Payment("newcomer", code_of(1), AT)], LATER)

    done, again = await world.refresh(), await world.refresh()

    assert (done.changed_clients, done.clients) == (2, 3)
    assert (again.outcome, again.changed_clients, again.clients) == (pb.REFRESH_OUTCOME_UNCHANGED, 0, 3)
    assert len(keys_of(world.store)) == 1
    newcomer = history_of(newest(world.store), "newcomer")
    assert newcomer is not None
    assert codes(world, world.version, newcomer) == [code_of(1)]


async def test_payments_to_companies_that_the_version_does_not_know_are_left_out(world: Published) -> None:
    await load(world.url, 2, [Payment("newcomer", "C-retired", AT), Payment("newcomer", "C-new", AT)], LATER)

    done = await world.refresh()

    assert (done.changed_clients, done.clients) == (1, 0)


async def test_after_a_build_of_the_newest_rows_nothing_is_fresh(world: Published) -> None:
    await load(world.url, 2, [Payment(CLIENT, code_of(39), AT)], LATER)
    await world.refresh()

    version = (await world.indexer.build("build-2"))[-1].index_version.version
    await world.indexer.validate(version, publish=True, override_reason="it is a test")
    done = await world.refresh()

    assert (done.version, done.outcome, done.clients) == (version, pb.REFRESH_OUTCOME_UNCHANGED, 0)
    assert keys_of(world.store) == []


async def test_an_erased_client_has_an_empty_history_at_once(world: Published) -> None:
    await load(world.url, 2, [Payment(CLIENT, code_of(39), AT), Payment("newcomer", code_of(1), AT)], LATER)
    await world.refresh()
    for client in (CLIENT, "newcomer"):
        await change(world.url, ERASE, client)
    await change(world.url, RECORD_ERASURE)

    await world.refresh()

    fresh = newest(world.store)
    history = history_of(fresh, CLIENT)
    assert history is not None
    assert len(history.companies) == 0
    assert history_of(fresh, "newcomer") is None
    assert fresh.header.erasures == ("erasure-1",)


async def test_a_client_whose_payments_an_erasure_changed_is_told_anew(world: Published) -> None:
    await change(
        world.url, "DELETE FROM warehouse.payments WHERE external_client_id = $1 AND payment_at < $2", CLIENT, AT
    )
    await change(world.url, RECORD_ERASURE)
    await change(world.url, "INSERT INTO warehouse.erasure_changes VALUES ('erasure-1', $1)", CLIENT)

    done = await world.refresh()

    assert done.changed_clients == 1


async def test_companies_that_were_retired_or_merged_are_barred(world: Published) -> None:
    await change(world.url, RETIRE, code_of(5))
    await change(world.url, MERGE)

    done = await world.refresh()

    assert done.barred_companies == 2
    table = table_in(read_arrays(world.objects / bundle.version_file_key(world.version, "")))
    columns = newest(world.store).columns
    told = {
        table.code(company): None if successor < 0 else table.code(successor)
        for company, successor in zip(columns.barred.tolist(), columns.successors.tolist(), strict=True)
    }
    assert told == {code_of(5): None, "C01": "C00"}


async def test_what_is_paid_to_a_merged_company_counts_for_its_successor(world: Published) -> None:
    await change(world.url, MERGE)
    await load(world.url, 2, [Payment("newcomer", "C01", AT)], LATER)

    await world.refresh()

    newcomer = history_of(newest(world.store), "newcomer")
    assert newcomer is not None
    assert codes(world, world.version, newcomer) == ["C00"]


async def test_too_many_changes_wait_for_the_next_build_but_companies_and_erasures_do_not(
    own_database: str, objects: Path
) -> None:
    async with published(own_database, objects, fresh_clients=1) as world:
        await load(own_database, 2, [Payment(client, code_of(39), AT) for client in (CLIENT, OTHER)], LATER)
        await change(own_database, RETIRE, code_of(5))
        await change(own_database, ERASE, "client-2-2")
        await change(own_database, RECORD_ERASURE)

        done, again = await world.refresh(), await world.refresh()

    assert {done.outcome, again.outcome} == {pb.REFRESH_OUTCOME_TOO_MANY_CHANGED}
    assert (done.clients, done.barred_companies) == (1, 1)
    assert len(keys_of(world.store)) == 1


async def test_a_damaged_object_is_passed_over_and_replaced(world: Published) -> None:
    await load(world.url, 2, [Payment(CLIENT, code_of(39), AT)], LATER)
    await world.refresh()
    (key,) = keys_of(world.store)
    path = world.objects / key
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.unlink()
    world.store.put_if_absent(key, bytes(content))

    done = await world.refresh()

    assert (done.outcome, done.clients) == (pb.REFRESH_OUTCOME_REFRESHED, 1)
    assert history_of(newest(world.store), CLIENT) is not None


async def test_another_ledger_is_told_and_changes_nothing(world: Published) -> None:
    await change(world.url, "UPDATE warehouse.loads SET sequence = 7")

    done = await world.refresh()

    assert done.outcome == pb.REFRESH_OUTCOME_NOT_POSSIBLE
    assert "restored" in done.detail


async def test_before_the_first_publication_there_is_nothing_to_refresh(own_database: str, objects: Path) -> None:
    async with serving(settings_for(own_database, objects)) as indexer:
        answer = await indexer.stub.RefreshHistories(pb.RefreshHistoriesRequest(), timeout=CALL_SECONDS)

    assert list(answer.versions) == []


async def test_fresh_histories_go_with_their_version(world: Published) -> None:
    await load(world.url, 2, [Payment(CLIENT, code_of(39), AT)], LATER)
    await world.refresh()
    version = (await world.indexer.build("build-2"))[-1].index_version.version
    await world.indexer.validate(version, publish=True, override_reason="it is a test")
    assert keys_of(world.store)

    await VersionObjects(world.store).remove(world.version)

    assert keys_of(world.store) == []


async def test_the_challenger_of_an_experiment_is_refreshed_as_well(world: Published) -> None:
    await load(world.url, 2, [Payment(CLIENT, code_of(39), AT)], LATER)
    version = (await world.indexer.build("build-2"))[-1].index_version.version
    await world.indexer.validate(version)
    trial = pb.StartExperimentRequest(
        version=version, experiment="newer", share=0.5, reason="a test", override_reason="a test"
    )
    await world.indexer.stub.StartExperiment(trial, timeout=CALL_SECONDS)
    await load(world.url, 3, [Payment(OTHER, code_of(39), AT)], LATER)

    answer = await world.indexer.stub.RefreshHistories(pb.RefreshHistoriesRequest(), timeout=CALL_SECONDS)

    assert [(each.version, each.clients) for each in answer.versions] == [(world.version, 2), (version, 1)]
    assert len(keys_of(world.store)) == 2
