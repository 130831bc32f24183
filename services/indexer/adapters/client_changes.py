"""Whose payments changed since a load, and these clients' payments: read as the training reads, and as little."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.contracts.bundle import LedgerPlace
from services.contracts.fresh import NONE
from services.indexer.adapters.arranging import arranged
from services.indexer.adapters.copied_rows import NO_COMPANY
from services.indexer.adapters.warehouse_reading import (
    KEY,
    ROW,
    copy_payments,
    driver_errors,
    known_erasures,
    newest_load,
    reading,
)
from services.indexer.domain.freshening import Barred, ClientHistories, Keys, merged_keys, nobody
from services.indexer.workflow.refresh_ports import CannotRefresh, Changes, Known, ServedModel

KEYS_AT_ONCE = 50_000
LOAD_AT = "SELECT load_id FROM warehouse.published_loads WHERE sequence = :sequence"
FIRST_AFTER = "SELECT min(committed_at) FROM warehouse.published_loads WHERE sequence > :sequence"
BARRED = """
SELECT company_code, successor_code FROM warehouse.training_companies WHERE is_retired OR successor_code IS NOT NULL
"""
# $1: a place in the ledger, beyond its end where loads do not count; $2: the commit of the first load after it;
# $3: erasures that were not known.
CHANGED = """
SELECT external_client_id FROM warehouse.changed_by_loads WHERE sequence > $1::bigint AND recorded_at >= $2::timestamptz
UNION
SELECT external_client_id FROM warehouse.changed_by_erasures WHERE erasure_id = ANY($3::text[])
"""
CHANGED_KEYS = f"SELECT {KEY} FROM ({CHANGED}) AS changed LIMIT $4::bigint"
TRAINS = """
    status = ANY({statuses}) AND ({created_since}::timestamptz IS NULL OR created_at >= {created_since})
    AND ({since}::timestamptz IS NULL OR payment_at >= {since})
"""
PAYING_KEYS = f"""
SELECT {KEY} FROM (
    SELECT DISTINCT external_client_id FROM warehouse.training_payments
    WHERE {TRAINS.format(statuses="$1", created_since="$2", since="$3")}
) AS paying
"""
# A company's number is its dense id: that of the code which it goes on under, else its own. $7: codes by dense id.
PAYMENTS = f"""
WITH dense AS MATERIALIZED (
    SELECT code COLLATE "C" AS company_code, place - 1 AS number
    FROM unnest($7::text[]) WITH ORDINALITY AS given(code, place)
)
SELECT {ROW.format(no_company=NO_COMPANY)}
FROM (
    SELECT external_client_id, company_code, payment_at, amount
    FROM ({CHANGED}) AS changed JOIN warehouse.training_payments USING (external_client_id)
    WHERE {TRAINS.format(statuses="$4", created_since="$5", since="$6")}
) AS payments
LEFT JOIN (
    SELECT known.company_code, coalesce(successor.number, own.number) AS number
    FROM warehouse.training_companies AS known
    LEFT JOIN dense AS own ON own.company_code = known.company_code
    LEFT JOIN dense AS successor ON successor.company_code = known.successor_code
) AS companies USING (company_code)
"""
BEYOND = 2**62


class WarehouseChanges:
    """See ClientChanges. All that one call reads is of one snapshot of the database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read(self, model: ServedModel, known: Known, most: int, folder: Path) -> Changes:
        """See ClientChanges."""
        async with reading(self._engine) as connection:
            behind, erasures = await _same_ledger(connection, known), await known_erasures(connection)
            barred = await _barred(connection, model)
            new = sorted(set(erasures) - known.erasures)
            question = [known.behind.sequence, await _first_after(connection, known), new]
            keys = await _keys(connection, CHANGED_KEYS, [*question, most + 1])
            too_many = len(keys) > most
            if too_many:
                question[0], behind = BEYOND, known.behind
                keys = await _keys(connection, CHANGED_KEYS, [*question, BEYOND])
            rows = await _copy(connection, model, question, folder) if len(keys) else 0
            paying = await _keys(connection, PAYING_KEYS, _training(model)) if new else None
        return Changes(behind, erasures, merged_keys(keys), rows, paying, barred, too_many)

    async def histories(self, model: ServedModel, changes: Changes, folder: Path) -> ClientHistories:
        """See ClientChanges."""
        return await asyncio.to_thread(_histories, model, folder) if changes.rows else nobody()


def _histories(model: ServedModel, folder: Path) -> ClientHistories:
    payments, keys = arranged(folder, len(model.codes))
    return ClientHistories(keys, model.rules.histories(payments))


async def _same_ledger(connection: AsyncConnection, known: Known) -> LedgerPlace:
    """The newest load; CannotRefresh in a warehouse where what was known to be loaded never was."""
    load_id = await connection.scalar(text(LOAD_AT), {"sequence": known.behind.sequence})
    newest = await newest_load(connection)
    if newest is None or load_id != known.behind.load_id:
        raise CannotRefresh(
            f"the warehouse's load number {known.behind.sequence} is not the one behind which the index was read: it "
            "was restored, or is another one; run the pipeline recommendations for an index of what it holds"
        )
    return newest


async def _first_after(connection: AsyncConnection, known: Known) -> Any:
    """Loads that follow may have been given earlier times by another machine's clock: the earliest counts."""
    return await connection.scalar(text(FIRST_AFTER), {"sequence": known.behind.sequence})


async def _barred(connection: AsyncConnection, model: ServedModel) -> Barred:
    dense = {code: place for place, code in enumerate(model.codes)}
    rows = (await connection.execute(text(BARRED))).all()
    found = sorted((dense[code], dense.get(successor, NONE)) for code, successor in rows if code in dense)
    pairs = np.array(found, dtype=np.int32).reshape(-1, 2)
    return Barred(pairs[:, 0], pairs[:, 1])


async def _copy(connection: AsyncConnection, model: ServedModel, question: list[Any], folder: Path) -> int:
    arguments = [*question, *_training(model), list(model.codes)]
    rows, _ = await copy_payments(connection, PAYMENTS, arguments, folder)
    return rows


def _training(model: ServedModel) -> list[Any]:
    return [list(model.selection.statuses), model.selection.created_since, model.since]


async def _keys(connection: AsyncConnection, query: str, arguments: list[Any]) -> Keys:
    """(n, 2), in any order."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    parts: list[NDArray[np.uint64]] = [np.zeros((0, 2), dtype=np.uint64)]
    async with driver_errors(driver):
        cursor = await driver.cursor(query, *arguments)
        while records := await cursor.fetch(KEYS_AT_ONCE):
            halves = np.frombuffer(b"".join(record[0] for record in records), dtype=">u8")
            parts.append(halves.reshape(-1, 2).astype(np.uint64))
    return np.concatenate(parts)
