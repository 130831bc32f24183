"""Runs as ingest tells them, made by hand."""

from datetime import UTC, datetime, timedelta

from afin.ingest.v1 import ingest_pb2 as pb
from services.runtime.timestamps import timestamp_of

MONDAY = datetime(2026, 11, 30, 4, tzinfo=UTC)


def run(
    state: "pb.RunState.ValueType" = pb.RUN_STATE_SUCCEEDED,
    begun: datetime = MONDAY,
    took: timedelta = timedelta(minutes=1),
    account: pb.Account | None = None,
) -> pb.Run:
    """Of two steps, the second of which ended as the run did."""
    failed = state == pb.RUN_STATE_FAILED
    second = pb.STEP_STATE_FAILED if failed else pb.STEP_STATE_SUCCEEDED
    return pb.Run(
        run_id=f"run-{begun:%d%H%M}",
        pipeline=pb.PIPELINE_RECOMMENDATIONS,
        state=state,
        created_at=timestamp_of(begun),
        started_at=timestamp_of(begun),
        ended_at=timestamp_of(begun + took),
        account=account,
        steps=[
            pb.Step(name="save_payments_to_bucket", state=pb.STEP_STATE_SUCCEEDED),
            pb.Step(
                name="save_payments_to_db",
                state=second,
                started_at=timestamp_of(begun),
                ended_at=timestamp_of(begun + took),
                counts={"read": 600},
            ),
        ],
    )
