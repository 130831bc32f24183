"""Feedback in the object store. See services.contracts.feedback."""

import asyncio
from collections.abc import Sequence
from datetime import date

import pyarrow as pa

from services.contracts.feedback import FEEDBACK_SCHEMA, feedback_key
from services.ingest.adapters.parquet import to_parquet
from services.ingest.domain.feedback import FeedbackEvent
from services.runtime.checksums import sha256_of
from services.runtime.failpoints import Failpoint, passing
from services.runtime.objects.store import ObjectStore


class ObjectFeedbackLake:
    """See services.ingest.workflow.feedback.FeedbackLake. Whatever blocks runs in threads."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def store(self, events: Sequence[FeedbackEvent], day: date) -> None:
        """See FeedbackLake."""
        await asyncio.to_thread(self._write, events, day)

    def _write(self, events: Sequence[FeedbackEvent], day: date) -> None:
        write_part(self._store, day, _batch(events))
        passing(Failpoint.FEEDBACK_STORED)


def write_part(store: ObjectStore, day: date, batch: pa.RecordBatch) -> str:
    """Stores rows as one object, and gives its key. Its name is its content's: that it is there already is as well."""
    content = to_parquet([batch])
    key = feedback_key(day, len(batch), sha256_of(content))
    store.put_if_absent(key, content)
    return key


def _batch(events: Sequence[FeedbackEvent]) -> pa.RecordBatch:
    columns = [
        [event.recommendation_id for event in events],
        [event.company_code for event in events],
        [event.kind for event in events],
        [event.at for event in events],
        [event.origin.made_at for event in events],
        [event.origin.number for event in events],
        [event.origin.epoch for event in events],
        [event.origin.experiment for event in events],
        [event.origin.role for event in events],
        [event.origin.strategy for event in events],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, FEEDBACK_SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=FEEDBACK_SCHEMA)
