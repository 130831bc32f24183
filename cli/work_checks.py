"""What `afin doctor` looks at in the work itself: newest runs, watermark, schedules, and the index in service."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, timedelta

import grpc

from afin.indexer.v1 import indexer_pb2
from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2
from cli.afin_calls import SHORT, Afin
from cli.findings import Finding, good, skipped, warning
from cli.run_screen import pipeline_of, state_of
from cli.words import moment, name_of, seconds
from services.runtime.clock import utc_now

LATE = timedelta(days=2)
SOURCED = (ingest_pb2.PIPELINE_COMPANIES, ingest_pb2.PIPELINE_RECOMMENDATIONS)
Check = Callable[[Afin], Awaitable[list[Finding]]]


async def check_work(afin: Afin, answering: Sequence[str]) -> list[Finding]:
    """Asks those that answered; what cannot be asked is skipped."""
    checks: list[tuple[Check, set[str]]] = [
        (_runs, {"ingest"}),
        (_watermark, {"ingest", "warehouse"}),
        (_schedules, {"ingest"}),
        (_index, {"indexer", "recommender"}),
    ]
    found: list[Finding] = []
    for check, needs in checks:
        if not needs <= set(answering):
            continue
        try:
            found += await check(afin)
        except grpc.aio.AioRpcError as error:
            found.append(skipped(afin.asked, f"not asked further: {error.code().name}"))
    return found


async def _runs(afin: Afin) -> list[Finding]:
    return [await _newest(afin, pipeline) for pipeline in SOURCED]


async def _newest(afin: Afin, pipeline: "ingest_pb2.Pipeline.ValueType") -> Finding:
    asked = ingest_pb2.ListRunsRequest(pipeline=pipeline, page_size=1)
    runs = (await (await afin.ingest()).ListRuns(asked, timeout=SHORT)).runs
    name = name_of(ingest_pb2.Pipeline.Name, pipeline, "PIPELINE_")
    if not runs:
        return warning(f"run of {name}", "none yet", f"afin run {name} --watch")
    run = runs[0]
    found = f"{state_of(run)} at {moment(run.ended_at)}: {run.error or f'{run.account.read:,} rows of the source'}"
    if run.state in (ingest_pb2.RUN_STATE_FAILED, ingest_pb2.RUN_STATE_CANCELLED):
        return warning(f"run of {name}", found, f"mend that, then: afin retry {run.run_id} --watch")
    return good(f"run of {name}", found)


async def _watermark(afin: Afin) -> list[Finding]:
    answer = await (await afin.ingest()).GetWatermark(ingest_pb2.GetWatermarkRequest(), timeout=SHORT)
    if not answer.HasField("payments"):
        return [warning("watermark", "not set", "afin run recommendations --watch")]
    lag = utc_now() - answer.payments.ToDatetime(tzinfo=UTC)
    found = f"{moment(answer.payments)}, {seconds(lag.total_seconds())} ago"
    if lag > LATE:
        return [warning("watermark", found, "does the source bring new payments, and do runs succeed? `afin runs`")]
    return [good("watermark", found)]


async def _schedules(afin: Afin) -> list[Finding]:
    schedules = (await (await afin.ingest()).ListSchedules(ingest_pb2.ListSchedulesRequest(), timeout=SHORT)).schedules
    paused = [pipeline_of(each) for each in schedules if each.paused]
    if paused:
        return [warning("schedules", f"paused: {', '.join(paused)}", f"afin schedule resume {paused[0]}")]
    return [good("schedules", f"{len(schedules)}, none paused")]


async def _index(afin: Afin) -> list[Finding]:
    asked = indexer_pb2.ListPublicationsRequest(page_size=1)
    newest = (await (await afin.indexer()).ListPublications(asked, timeout=SHORT)).publications
    info = await (await afin.recommender()).GetIndexInfo(recommender_pb2.GetIndexInfoRequest(), timeout=SHORT)
    if newest and newest[0].epoch != info.index.epoch:
        found = f"epoch {info.index.epoch} answers, {newest[0].epoch} is published"
        todo = "it is taken within RECOMMENDER_RELOAD_SECONDS; if not, do both name one object store? its log tells"
        return [warning("index", found, todo)]
    return [good("index", f"epoch {info.index.epoch} answers, the newest")]
