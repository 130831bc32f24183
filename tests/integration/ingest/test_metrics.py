"""What Prometheus hears of runs."""

from prometheus_client import REGISTRY

from afin.ingest.v1 import ingest_pb2 as pb
from tests.integration.ingest.serving import Ingest, eventually
from tests.integration.ingest.source_server import SourceServer, status


async def test_a_failed_run_leaves_its_row_and_is_counted(ingest: Ingest, source: SourceServer) -> None:
    await ingest.load_companies()
    before = ended("failed")
    source.misdeeds.append(status(404))

    failed = await ingest.recommendations()

    rows = (await ingest.stub.ListRuns(pb.ListRunsRequest(pipeline=pb.PIPELINE_RECOMMENDATIONS), timeout=20)).runs
    assert [(run.run_id, run.state) for run in rows] == [(failed.run_id, pb.RUN_STATE_FAILED)]
    assert "404" in rows[0].error
    assert await counted("failed", before + 1)


async def test_a_successful_run_and_its_rows_are_counted(ingest: Ingest) -> None:
    await ingest.load_companies()
    runs, new = ended("succeeded"), rows_counted("new")

    run = await ingest.recommendations()

    assert await counted("succeeded", runs + 1)
    assert rows_counted("new") == new + run.account.new


async def test_the_leader_tells_by_when_a_run_must_have_succeeded(ingest: Ingest) -> None:
    await ingest.load_companies()
    schedules = (await ingest.stub.ListSchedules(pb.ListSchedulesRequest(), timeout=20)).schedules
    expected = {schedule.pipeline: schedule.next_time.ToSeconds() for schedule in schedules}

    async def told() -> float:
        return gauge("afin_ingest_success_due_timestamp_seconds", "recommendations") or 0

    assert await eventually(told, bool) == expected[pb.PIPELINE_RECOMMENDATIONS]
    assert REGISTRY.get_sample_value("afin_ingest_leading") == 1
    assert gauge("afin_ingest_quarantine_open_rows", "recommendations") == 0


def gauge(name: str, pipeline: str) -> float | None:
    """Its value for a pipeline."""
    return REGISTRY.get_sample_value(name, {"pipeline": pipeline})


async def counted(outcome: str, expected: float) -> bool:
    """A run is counted after it was written down, which is when a watcher sees its end."""

    async def ask() -> float:
        return ended(outcome)

    return await eventually(ask, lambda found: found >= expected) == expected


def ended(outcome: str) -> float:
    """Runs of recommendations that ended so."""
    labels = {"pipeline": "recommendations", "outcome": outcome}
    return REGISTRY.get_sample_value("afin_ingest_runs_total", labels) or 0


def rows_counted(outcome: str) -> float:
    """Rows of recommendations of which this became."""
    labels = {"pipeline": "recommendations", "outcome": outcome}
    return REGISTRY.get_sample_value("afin_ingest_rows_total", labels) or 0
