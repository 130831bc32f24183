"""Feedback as tests tell it and find it in the lake."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
from google.protobuf.timestamp_pb2 import Timestamp

from afin.ingest.v1 import ingest_pb2 as pb
from services.contracts.feedback import FEEDBACK_PREFIX, feedback_part
from services.contracts.recommendation_ids import Origin, encoded
from services.runtime.checksums import sha256_of
from services.runtime.objects.store import ObjectStore
from services.runtime.timestamps import timestamp_of

SHOWN, CLICKED, PAID = pb.FEEDBACK_KIND_SHOWN, pb.FEEDBACK_KIND_CLICKED, pb.FEEDBACK_KIND_PAID


def answer_id(number: int, made_at: datetime | None = None, origin: Origin | None = None, strategy: int = 1) -> str:
    """The id of an answer; made now unless told."""
    moment = made_at or datetime.now(UTC)
    return encoded(origin or Origin(4), strategy, int(moment.timestamp()), number).decode()


def event(
    answer: str, code: str = "C1", kind: "pb.FeedbackKind.ValueType" = SHOWN, at: datetime | None = None
) -> pb.FeedbackEvent:
    """An event; it happened now unless told."""
    moment = timestamp_of(at or datetime.now(UTC)) or Timestamp()
    return pb.FeedbackEvent(recommendation_id=answer, company_code=code, kind=kind, at=moment)


def in_the_lake(store: ObjectStore) -> list[tuple[str, str, str]]:
    """Answer, company and kind of each row, of objects that hold what their names say."""
    rows: list[tuple[str, str, str]] = []
    for info in store.list(FEEDBACK_PREFIX):
        part, content = feedback_part(info.key), store.get(info.key)
        assert part is not None
        table = pq.read_table(pa.BufferReader(content), page_checksum_verification=True)
        assert (part.sha256, part.rows) == (sha256_of(content), table.num_rows)
        columns = [table[name].to_pylist() for name in ("recommendation_id", "company_code", "kind")]
        rows.extend(zip(*columns, strict=True))
    return rows
