"""Afín itself: trained, stored, validated and published as the indexer does it, loaded and asked as the recommender."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.quality.paid import LongInts, Ranker
from bench.quality.trial import Trial
from services.contracts.bundle import Publication
from services.contracts.factors import History
from services.indexer.adapters.partition_files import ROW, PartitionFiles
from services.indexer.adapters.training_files import CATALOGUE_FILE, CATALOGUE_SCHEMA
from services.indexer.assembly import assembled
from services.indexer.domain.evaluation import Task
from services.indexer.domain.payments import Payments
from services.indexer.domain.training import RowsRead
from services.indexer.settings import IndexerSettings
from services.indexer.workflow.ports import TrainingRows
from services.indexer.workflow.validate import Wish
from services.recommender.adapters.bundle_cache import BundleCache
from services.recommender.adapters.bundles import PublishedBundles
from services.recommender.domain.recommending import recommend
from services.recommender.domain.requests import RecommendationRequest
from services.recommender.domain.snapshot import Snapshot
from services.runtime.clock import utc_now
from services.runtime.objects.local import LocalObjectStore

REASON = "an evaluation shows what there is"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NumberedRows:
    """Payments with numbers for clients and companies, as the indexer reads those of a warehouse; see TrainingRows."""

    def __init__(self, rows: Payments, client_keys: NDArray[np.uint64], catalogue: pd.DataFrame) -> None:
        self._rows = rows
        self._client_keys = client_keys
        self._catalogue = catalogue

    async def read(self, folder: Path) -> RowsRead:
        """See TrainingRows."""
        paid, catalogue = self._rows, self._catalogue
        pq.write_table(pa.Table.from_pandas(catalogue, CATALOGUE_SCHEMA, preserve_index=False), folder / CATALOGUE_FILE)
        rows = np.empty(len(paid), dtype=ROW)
        rows["high"], rows["low"] = self._client_keys[paid.client].T
        rows["company"], rows["at"], rows["cents"] = paid.company, paid.at, paid.cents
        with PartitionFiles(folder) as files:
            files.add(rows)
        newest = EPOCH + timedelta(microseconds=paid.newest)
        return RowsRead(len(paid), 0, len(catalogue), newest, (), None)


async def publish(rows: TrainingRows, folder: Path, say: Callable[[str], None]) -> Publication:
    """An index trained on these, in `folder`/objects. RuntimeError when it is not fit to be served.

    That it ranks below popularity is no reason: it is what we want to see.
    """
    (folder / "objects").mkdir()
    store = LocalObjectStore(folder / "objects")
    told = {"database_url": "postgresql://nowhere/none", "object_store_url": (folder / "objects").as_uri()}
    workflow = assembled(IndexerSettings.model_validate(told), rows, store, folder)
    version = ""
    async for progress in workflow.builder.build("evaluation"):
        version = progress.version
        say(f"{progress.stage}: {progress.detail}")
    validation, publication = await workflow.validator.validate(version, Wish(publish=True, override_reason=REASON))
    for check in validation.checks:
        say(f"{check.name}: {'passed' if check.passed else 'FAILED'}: {check.detail}")
    if publication is None:
        raise RuntimeError("the index is not fit to be served; see the failed checks")
    return publication


async def published(trial: Trial, folder: Path, say: Callable[[str], None]) -> Snapshot:
    """A snapshot of an index trained on what was before the cut, in an empty `folder`."""
    rows = NumberedRows(trial.split.before, trial.client_keys, trial.catalogue)
    publication = await publish(rows, folder, say)
    store = LocalObjectStore(folder / "objects")
    return PublishedBundles(store, BundleCache(folder / "cache"), utc_now).load(publication.epoch)


def histories(snapshot: Snapshot, trial: Trial, most: int) -> list[History]:
    """What the index knows of those who judge, at most so many of them."""
    judges = list(trial.relevant["any"])[:most]
    found = (snapshot.clients.find(trial.client_ids[client]) for client in judges)
    return [history for history in found if history]


def served(snapshot: Snapshot, trial: Trial) -> Ranker:
    """As `Recommend` answers."""
    number_of = {code: number for number, code in enumerate(trial.catalogue["company_code"])}
    numbers = [number_of[code] for code in snapshot.catalogue.table.codes.tolist()]

    def one(client: int, task: Task, k: int) -> list[int]:
        asked = RecommendationRequest(k, client_id=trial.client_ids[client], include_paid=task == "any")
        return [numbers[place.company] for place in recommend(snapshot, asked).places]

    def lists(clients: LongInts, task: Task, k: int) -> list[list[int]]:
        return [one(client, task, k) for client in clients.tolist()]

    return lists
