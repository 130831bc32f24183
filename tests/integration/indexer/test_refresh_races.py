"""Two replicas that refresh at once: what one knows is not undone by the other, which read earlier."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from services.contracts.bundle import LedgerPlace, Publication
from services.contracts.fresh import Fresh, FreshColumns, FreshHeader, fresh_key
from services.indexer.adapters.fresh_objects import StoredFreshObjects
from services.indexer.domain.freshening import Barred, ClientHistories, nobody
from services.indexer.domain.history_rules import HistoryRules
from services.indexer.domain.payments import Period
from services.indexer.domain.training import Selection
from services.indexer.workflow.refresh import Refresher, RefreshPlan
from services.indexer.workflow.refresh_ports import Changes, Known, ServedModel
from services.runtime.objects.local import LocalObjectStore
from tests.integration.indexer.fresh import newest

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLACE = LedgerPlace(sequence=1, load_id="run", committed_at=NOON)
VERSION = "20260302T120000Z-0123456789ab"
NO_KEYS, NO_IDS, NO_FLOATS = nobody().keys, np.zeros(0, np.int32), np.zeros(0, np.float32)


class InService:
    """One version, of which nothing but its name matters here."""

    async def all(self) -> list[Publication]:
        return [Publication(epoch=1, version=VERSION, manifest_sha256="", published_at=NOON, reason="")]

    async def add(self, publication: Publication) -> bool:
        raise AssertionError(publication)

    async def load(self, version: str) -> ServedModel:
        rules = HistoryRules(Period(0, 1), None, NO_IDS, 0, None)
        return ServedModel(version, (), NO_KEYS, rules, Selection(("paid",), None), None, PLACE, frozenset())


class Warehouse:
    """Sees one company gone, and erasures as they are; `meanwhile` happens once, after the first reading."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self.erasures: tuple[str, ...] = ()
        self._meanwhile = [meanwhile]

    async def read(self, model: ServedModel, known: Known, most: int, folder: Path) -> Changes:
        gone = Barred(np.array([3], np.int32), np.array([-1], np.int32))
        seen = Changes(PLACE, self.erasures, NO_KEYS, 0, None, gone, are_too_many=False)
        while self._meanwhile:
            self._meanwhile.pop()()
        return seen

    async def histories(self, model: ServedModel, changes: Changes, folder: Path) -> ClientHistories:
        return nobody()


def told(number: int, erasures: tuple[str, ...] = ()) -> Fresh:
    header = FreshHeader(
        version=VERSION, number=number, behind=PLACE, erasures=erasures, changed_at=None, clients=0, pairs=0, barred=0
    )
    columns = FreshColumns(NO_KEYS, np.zeros(1, np.int64), NO_IDS, NO_FLOATS, NO_FLOATS, NO_IDS, NO_IDS)
    return Fresh(header, columns)


async def test_who_read_before_an_erasure_does_not_replace_what_another_told_after_it(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    objects = StoredFreshObjects(store)
    first = told(7)
    store.put_if_absent(fresh_key(VERSION, 7), first.to_bytes())

    def erased_and_told_elsewhere() -> None:
        warehouse.erasures = ("erasure-1",)
        after = replace(first, header=first.header.model_copy(update={"number": 8, "erasures": ("erasure-1",)}))
        store.put_if_absent(fresh_key(VERSION, 8), after.to_bytes())

    warehouse, in_service = Warehouse(erased_and_told_elsewhere), InService()
    plan = RefreshPlan(most_clients=10, work_folder=tmp_path)

    await Refresher(plan, in_service, warehouse, objects, in_service).refresh()

    header = newest(store).header
    assert (header.number, header.erasures, header.barred) == (9, ("erasure-1",), 1)


async def test_of_two_who_make_the_first_object_the_one_that_read_earlier_replaces_nothing(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    objects = StoredFreshObjects(store)

    def erased_and_told_elsewhere() -> None:
        elsewhere.erasures = warehouse.erasures = ("erasure-1",)
        other = Refresher(plan, in_service, elsewhere, objects, in_service)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: asyncio.run(other.refresh())).result()

    warehouse, elsewhere, in_service = Warehouse(erased_and_told_elsewhere), Warehouse(lambda: None), InService()
    plan = RefreshPlan(most_clients=10, work_folder=tmp_path)

    await Refresher(plan, in_service, warehouse, objects, in_service).refresh()

    assert newest(store).header.erasures == ("erasure-1",)


async def test_numbers_go_on_by_one_from_the_moment_of_publication(tmp_path: Path) -> None:
    objects = StoredFreshObjects(LocalObjectStore(tmp_path))
    first = await objects.number(VERSION, NOON)
    await objects.add(told(first))

    second = await objects.number(VERSION, NOON.replace(year=2040))

    assert (first, second) == (int(NOON.timestamp() * 1000), first + 1)
    assert await objects.add(told(second))
    assert not await objects.add(told(second))
