"""Feedback in the object store. See services.contracts.feedback."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pyarrow as pa
import structlog

from services.contracts.feedback import FEEDBACK_SCHEMA, FeedbackPart, day_prefix, feedback_key, feedback_part
from services.ingest.adapters.feedback_counting import COLUMNS, Counting
from services.ingest.adapters.parquet import from_parquet, to_parquet
from services.ingest.domain.feedback import FeedbackEvent
from services.ingest.domain.feedback_report import Group, Tally
from services.runtime.checksums import require_sha256, sha256_of
from services.runtime.errors import DataLoss
from services.runtime.failpoints import Failpoint, passing
from services.runtime.objects.store import ObjectNotFound, ObjectStore

EVENT = ("recommendation_id", "company_code", "kind", "at")

log = structlog.get_logger(__name__)


class ObjectFeedbackLake:
    """See services.ingest.workflow.feedback.FeedbackLake. Whatever blocks runs in threads."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def store(self, events: Sequence[FeedbackEvent]) -> None:
        """See FeedbackLake."""
        await asyncio.to_thread(self._write, events)

    async def parts(self, first: date, last: date) -> list[FeedbackPart]:
        """See services.ingest.workflow.feedback_report.ReadableFeedback."""
        return await asyncio.to_thread(self._parts, first, last)

    async def count(
        self, parts: Sequence[FeedbackPart], made: tuple[datetime, datetime], bucket: tuple[int, int]
    ) -> tuple[int, dict[Group, Tally]]:
        """See services.ingest.workflow.feedback_report.ReadableFeedback. A caller that goes away ends it soon."""
        counting, known, waiting = Counting(*made, *bucket), {part.key for part in parts}, deque(parts)
        while waiting:
            part = waiting.popleft()
            try:
                counting.add(await asyncio.to_thread(read_part, self._store, part, COLUMNS))
            except ObjectNotFound:
                # Merged with others since it was listed: what is read twice on the way counts once.
                merged = [new for new in await self.parts(part.day, part.day) if new.key not in known]
                known.update(new.key for new in merged)
                waiting.extend(merged)
        return counting.rows, await asyncio.to_thread(counting.tallies)

    async def merge(self, parts: Sequence[FeedbackPart]) -> Sequence[FeedbackPart]:
        """See services.ingest.workflow.feedback_merging.MergeableFeedback."""
        return await asyncio.to_thread(self._merge, parts)

    def _write(self, events: Sequence[FeedbackEvent]) -> None:
        by_day: dict[date, list[FeedbackEvent]] = {}
        for event in events:
            by_day.setdefault(event.origin.made_at.date(), []).append(event)
        for day, of_day in by_day.items():
            write_part(self._store, day, _batch(of_day))
        passing(Failpoint.FEEDBACK_STORED)

    def _merge(self, parts: Sequence[FeedbackPart]) -> Sequence[FeedbackPart]:
        sound, damaged = self._read_sound(parts)
        if len(sound) > 1:
            self._replace(list(sound), pa.concat_tables(sound.values()))
        return damaged

    def _read_sound(self, parts: Sequence[FeedbackPart]) -> tuple[dict[FeedbackPart, pa.Table], list[FeedbackPart]]:
        sound, damaged = {}, []
        for part in parts:
            try:
                sound[part] = read_part(self._store, part, FEEDBACK_SCHEMA.names)
            except DataLoss as error:
                log.warning("part of feedback damaged, left as it is", problem=error.message)
                damaged.append(part)
        return sound, damaged

    def _replace(self, parts: Sequence[FeedbackPart], table: pa.Table) -> None:
        once = table.group_by(FEEDBACK_SCHEMA.names).aggregate([]).sort_by([(name, "ascending") for name in EVENT])
        (batch,) = once.combine_chunks().cast(FEEDBACK_SCHEMA).to_batches()
        merged = write_part(self._store, parts[0].day, batch)
        passing(Failpoint.FEEDBACK_MERGED)
        for part in parts:
            if part.key != merged:
                self._store.delete(part.key)

    def _parts(self, first: date, last: date) -> list[FeedbackPart]:
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        found = (feedback_part(info.key) for day in days for info in self._store.list(day_prefix(day)))
        return [part for part in found if part is not None]


def write_part(store: ObjectStore, day: date, batch: pa.RecordBatch) -> str:
    """Stores rows as one object, and gives its key. Its name is its content's: that it is there already is as well."""
    content = to_parquet([batch])
    key = feedback_key(day, len(batch), sha256_of(content))
    store.put_if_absent(key, content)
    return key


def read_part(store: ObjectStore, part: FeedbackPart, columns: Sequence[str]) -> pa.Table:
    """Columns of a part. DataLoss when its bytes are not those that its name tells."""
    content = store.get(part.key)
    require_sha256(content, part.sha256, part.key)
    return from_parquet(content, columns)


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
