"""GetFeedbackReport over a real socket, counted over real objects."""

import asyncio
from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path

import grpc
from prometheus_client import REGISTRY

from afin.ingest.v1 import ingest_pb2 as pb
from services.contracts.recommendation_ids import Origin
from services.ingest.adapters.feedback_lake import ObjectFeedbackLake
from services.ingest.domain.feedback_report import Counted
from services.ingest.workflow.feedback_report import MOST_ASKED, FeedbackReports
from services.runtime.clock import utc_now
from services.runtime.errors import ResourceExhausted
from services.runtime.objects.local import LocalObjectStore
from services.runtime.timestamps import timestamp_of
from tests.integration.ingest.conftest import Serve
from tests.integration.ingest.feedback import CLICKED, PAID, SHOWN, answer_id, event
from tests.integration.ingest.serving import Ingest, eventually, refusal
from tests.integration.ingest.test_feedback import tell

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
CHALLENGER, MAIN = Origin(9, 7, "challenger"), Origin(9, 7)


async def report(
    ingest: Ingest, since: datetime = NOW - 10 * DAY, until: datetime | None = None
) -> pb.GetFeedbackReportResponse:
    request = pb.GetFeedbackReportRequest(since=timestamp_of(since), until=timestamp_of(until))
    return await ingest.stub.GetFeedbackReport(request, timeout=20)


async def tell_of_an_experiment(ingest: Ingest, order: int = 1) -> None:
    """Ten answers of each variant, two companies shown in each; paid: 2 of main's, 5 of the challenger's; a click each.

    `order` -1: the same the other way round.
    """
    made = NOW - DAY
    for origin, hits in ((MAIN, 2), (CHALLENGER, 5)):
        answers = [answer_id(number, made, origin) for number in range(10)]
        shown = [event(answer, code, SHOWN, made) for answer in answers for code in ("C1", "C2")]
        paid = [event(answer, "C2", PAID, NOW) for answer in answers[:hits]]
        others = [event(answers[0], "C1", CLICKED, NOW), event(answers[9], "C3", PAID, NOW)]
        await tell(ingest, *[*shown, *paid, *others][::order])


async def test_the_report_tells_shares_by_variant_and_what_lies_between(ingest: Ingest) -> None:
    await tell_of_an_experiment(ingest)

    told = await report(ingest)

    assert [(each.variant, each.experiment) for each in told.variants] == [("main", 7), ("challenger", 7)]
    main, challenger = told.variants
    assert (main.tally.shown, main.tally.clicked, main.tally.paid, main.tally.stray) == (10, 1, 2, 1)
    assert (challenger.tally.shown, challenger.tally.paid) == (10, 5)
    assert (round(challenger.tally.hit_share.low, 4), round(challenger.tally.hit_share.high, 4)) == (0.2366, 0.7634)
    assert challenger.hit_difference.value == challenger.tally.hit_share.value - main.tally.hit_share.value
    assert challenger.hit_difference.low < 0 < challenger.hit_difference.high
    assert not main.HasField("hit_difference")
    assert [(each.strategy, each.tally.shown) for each in main.strategies] == [(1, 10)]
    assert (told.rows, told.sample) == (2 * (20 + 1 + 1) + 2 + 5, 1)


async def test_what_is_told_again_counts_once(ingest: Ingest) -> None:
    await tell_of_an_experiment(ingest)
    once = await report(ingest)
    await tell_of_an_experiment(ingest, order=-1)
    again = await report(ingest)

    assert again.variants == once.variants
    assert again.rows == 2 * once.rows


async def test_answers_count_by_when_they_were_made(ingest: Ingest) -> None:
    for number, days in enumerate((0, 1, 2, 3)):
        made = NOW - days * DAY
        await tell(
            ingest, event(answer_id(number, made), "C1", SHOWN, made), event(answer_id(number, made), "C1", PAID)
        )

    told = await report(ingest, since=NOW - 2.5 * DAY, until=NOW - 0.5 * DAY)
    assert [(each.tally.shown, each.tally.paid) for each in told.variants] == [(2, 2)]


async def test_an_empty_lake_gives_an_empty_report(ingest: Ingest) -> None:
    told = await report(ingest)
    assert (list(told.variants), told.rows, told.sample) == ([], 0, 1)


async def test_wrong_ranges_are_refused_by_field(ingest: Ingest) -> None:
    wrong = {
        "since": (
            ingest.stub.GetFeedbackReport(pb.GetFeedbackReportRequest(), timeout=20),
            report(ingest, since=NOW - 367 * DAY),
        ),
        "until": (report(ingest, until=NOW - 11 * DAY),),
    }
    for field, calls in wrong.items():
        for call in calls:
            refused = await refusal(call)
            assert (refused.code, refused.field) == (grpc.StatusCode.INVALID_ARGUMENT, field)


async def test_a_damaged_part_is_named_and_nothing_of_it_counted(
    ingest: Ingest, object_store: LocalObjectStore, tmp_path: Path
) -> None:
    await tell(ingest, event(answer_id(1)))
    (info,) = object_store.list("raw/feedback/")
    path = tmp_path / "objects" / info.key
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    refused = await refusal(report(ingest))
    assert (refused.code, refused.metadata["key"]) == (grpc.StatusCode.DATA_LOSS, info.key)


async def test_many_passes_count_what_one_counts(ingest: Ingest, object_store: LocalObjectStore) -> None:
    await tell_of_an_experiment(ingest)
    lake = ObjectFeedbackLake(object_store)

    one, many = [await FeedbackReports(lake, utc_now, rows).count(NOW - 9 * DAY, NOW) for rows in (1_000_000, 5)]
    assert one == many


async def test_reports_beyond_those_that_may_wait_are_refused_at_once(object_store: LocalObjectStore) -> None:
    reports = FeedbackReports(ObjectFeedbackLake(object_store), utc_now)
    asked = [asyncio.create_task(reports.count(NOW - DAY, NOW)) for _ in range(MOST_ASKED + 1)]

    outcomes = await asyncio.gather(*asked, return_exceptions=True)

    assert [type(each) for each in outcomes] == [Counted] * MOST_ASKED + [ResourceExhausted]
    assert await reports.count(NOW - DAY, NOW) == outcomes[0]


async def test_the_leader_tells_the_metric_the_hit_share(ingest: Ingest, object_store: LocalObjectStore) -> None:
    await tell_of_an_experiment(ingest)
    reports = FeedbackReports(ObjectFeedbackLake(object_store), utc_now)

    async def ask() -> list[float]:
        await reports.note_hit_share()
        return hit_shares()

    # The leader of this test may just tell what it counted before.
    assert await eventually(ask, lambda found: found == [0.2, 0.5])


async def test_who_leads_no_more_tells_no_hit_share(serve: Serve, object_store: LocalObjectStore) -> None:
    async with serve() as ingest:
        await tell_of_an_experiment(ingest)
        await FeedbackReports(ObjectFeedbackLake(object_store), utc_now).note_hit_share()
    assert all(isnan(share) for share in hit_shares())


def hit_shares() -> list[float]:
    """Of main and of the challenger, as Prometheus hears them."""
    told = [REGISTRY.get_sample_value("afin_ingest_feedback_hit_share", {"variant": v}) for v in ("main", "challenger")]
    return [share for share in told if share is not None]
