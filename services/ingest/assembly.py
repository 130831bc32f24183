"""What the process is put together from: connections first, then who works over them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import grpc
from sqlalchemy.ext.asyncio import AsyncEngine

from afin.indexer.v1 import indexer_pb2
from afin.ingest.v1.ingest_pb2_grpc import add_IngestServiceServicer_to_server
from afin.warehouse.v1 import warehouse_pb2
from services.ingest.access import RPCS
from services.ingest.adapters.cron import next_time
from services.ingest.adapters.erasure_records import ObjectErasureRecords
from services.ingest.adapters.erasures import PostgresErasureTable
from services.ingest.adapters.feedback_lake import ObjectFeedbackLake
from services.ingest.adapters.indexer import IndexerClient
from services.ingest.adapters.lake import ObjectLake
from services.ingest.adapters.lake_eraser import ObjectLakeEraser
from services.ingest.adapters.leadership import Leadership
from services.ingest.adapters.runs import PostgresRunTable
from services.ingest.adapters.schedules import PostgresScheduleTable
from services.ingest.adapters.source import HttpSource, open_source
from services.ingest.adapters.sweeps import PostgresSweepTable
from services.ingest.adapters.tables import check_tables
from services.ingest.adapters.timer import apscheduler_timer
from services.ingest.adapters.warehouse import WarehouseClient
from services.ingest.adapters.work import PostgresWorkTable
from services.ingest.servicer import FULL_NAME, IngestServicer, UseCases
from services.ingest.settings import IngestSettings
from services.ingest.workflow.erasures import Erasures
from services.ingest.workflow.executor import Executor
from services.ingest.workflow.feedback import Feedback
from services.ingest.workflow.feedback_merging import FeedbackMerging
from services.ingest.workflow.feedback_report import FeedbackReports
from services.ingest.workflow.freshness import Freshness
from services.ingest.workflow.housekeeping import HOURLY, keep_house
from services.ingest.workflow.inspection import Quarantine, Runs, Watermark
from services.ingest.workflow.leader import Leader
from services.ingest.workflow.lost_receipts import LostReceipts
from services.ingest.workflow.reporting import Reporting
from services.ingest.workflow.scheduling import Schedules, Scheduling
from services.ingest.workflow.steps import Tools
from services.ingest.workflow.sweep import Sweep
from services.ingest.workflow.triggers import Triggers
from services.ingest.workflow.watching import RunWatch
from services.runtime.clock import utc_now
from services.runtime.database import open_database
from services.runtime.objects.opening import open_object_store
from services.runtime.peers import open_peer
from services.runtime.server import GrpcService

# The leader's lock, its look-out, its housekeeping, its report, and five runs, each of which writes one at a time.
WORK_CONNECTIONS = 10
WAREHOUSE = warehouse_pb2.DESCRIPTOR.services_by_name["WarehouseService"].full_name
INDEXER = indexer_pb2.DESCRIPTOR.services_by_name["IndexerService"].full_name


@dataclass(frozen=True, slots=True)
class World:
    """Connections. The leader has its own to the database: no number of callers can hold up the work."""

    work_database: AsyncEngine
    database: AsyncEngine
    lake: ObjectLake
    eraser: ObjectLakeEraser
    erasure_records: ObjectErasureRecords
    feedback_lake: ObjectFeedbackLake
    feedback: Feedback
    feedback_reports: FeedbackReports
    source: HttpSource
    warehouse: grpc.aio.Channel
    indexer: grpc.aio.Channel


async def open_world(stack: AsyncExitStack, settings: IngestSettings) -> World:
    """Opens everything, to be closed by the stack. None of it need be there yet."""
    url = settings.database_url.get_secret_value()
    store = open_object_store(settings.object_store_url, settings.object_store_endpoint_url)
    feedback_lake = ObjectFeedbackLake(store)
    source = open_source(settings.source_url, settings.source_limits, utc_now)
    return World(
        work_database=await stack.enter_async_context(open_database(url, "ingest-work", WORK_CONNECTIONS)),
        database=await stack.enter_async_context(open_database(url, "ingest")),
        lake=ObjectLake(store),
        eraser=ObjectLakeEraser(store),
        erasure_records=ObjectErasureRecords(store),
        feedback_lake=feedback_lake,
        feedback=Feedback(feedback_lake, utc_now),
        feedback_reports=FeedbackReports(feedback_lake, utc_now),
        source=await stack.enter_async_context(source),
        warehouse=await stack.enter_async_context(open_peer(settings.warehouse_address, settings, WAREHOUSE)),
        indexer=await stack.enter_async_context(open_peer(settings.indexer_address, settings, INDEXER)),
    )


def make_leader(
    world: World, settings: IngestSettings, wake: asyncio.Event, freshness: Freshness, epoch: int
) -> Leader:
    """Who works on runs while this process leads under an epoch; `wake` makes it look for them."""
    tools = Tools(
        source=world.source,
        lake=world.lake,
        warehouse=WarehouseClient(world.warehouse, settings.patient, epoch),
        indexer=IndexerClient(world.indexer, settings.patient),
        erasures=PostgresErasureTable(world.work_database, epoch),
        records=world.erasure_records,
        eraser=world.eraser,
        windows=settings.windows,
        reading=settings.reading,
    )
    runs = PostgresWorkTable(world.work_database, utc_now, epoch)
    schedules = PostgresScheduleTable(world.work_database, utc_now, epoch)
    scheduling = Scheduling(schedules, settings.crons, next_time, utc_now)
    return Leader(runs, Executor(runs, tools, freshness.ask), scheduling, apscheduler_timer, wake)


def make_reporting(world: World, epoch: int) -> Reporting:
    """Who tells Prometheus of runs and schedules under an epoch."""
    runs = PostgresWorkTable(world.work_database, utc_now, epoch)
    return Reporting(runs, PostgresScheduleTable(world.work_database, utc_now, epoch), next_time)


async def _keep_house(world: World, settings: IngestSettings, epoch: int) -> None:
    table = PostgresSweepTable(world.work_database, epoch)
    receipts = LostReceipts(table, world.lake, WarehouseClient(world.warehouse, settings.patient, epoch))
    sweep = Sweep(table, world.lake, world.erasure_records, settings.sweep_after, utc_now)
    merging = FeedbackMerging(world.feedback_lake, utc_now)
    try:
        async with asyncio.TaskGroup() as chores:
            chores.create_task(keep_house([receipts.run, sweep.run], apscheduler_timer))
            chores.create_task(
                keep_house([merging.run, world.feedback_reports.note_hit_share], apscheduler_timer, HOURLY)
            )
    finally:
        world.feedback_reports.forget_hit_share()


def make_use_cases(world: World, settings: IngestSettings, wake: asyncio.Event, stop: asyncio.Event) -> UseCases:
    """What callers may do, in every replica; `wake` is set when there is work for the leader."""
    table = PostgresRunTable(world.database, utc_now)
    warehouse = WarehouseClient(world.warehouse, settings.impatient)
    quarantine = Quarantine(table, world.lake, world.erasure_records)
    triggers, runs = Triggers(table, quarantine, warehouse, utc_now, wake.set), Runs(table)
    return UseCases(
        triggers=triggers,
        runs=runs,
        watch=RunWatch(table, stop),
        watermark=Watermark(warehouse, settings.windows, utc_now),
        quarantine=quarantine,
        erasures=Erasures(triggers, runs, world.erasure_records, PostgresErasureTable(world.database)),
        schedules=Schedules(PostgresScheduleTable(world.database, utc_now), next_time, utc_now),
        feedback=world.feedback,
        feedback_reports=world.feedback_reports,
    )


@asynccontextmanager
async def ingest(settings: IngestSettings, stop: asyncio.Event) -> AsyncIterator[GrpcService]:
    """The service, to be served, with the leader at work behind it.

    Left, it interrupts the runs under way: they stay `running`, and whoever leads next takes them up again.
    """
    async with AsyncExitStack() as stack:
        world = await open_world(stack, settings)
        wake = asyncio.Event()

        async def lead(epoch: int) -> None:
            indexer = IndexerClient(world.indexer, settings.persistent)
            freshness = Freshness(indexer, settings.refresh_interval)
            telling = make_reporting(world, epoch).keep_telling()
            async with _at_work(telling), _at_work(_keep_house(world, settings, epoch)), _at_work(freshness.keep()):
                await make_leader(world, settings, wake, freshness, epoch).lead()

        await stack.enter_async_context(_at_work(Leadership(world.work_database, lead).keep_trying()))
        await stack.enter_async_context(_at_work(world.feedback.keep_writing()))
        servicer = IngestServicer(make_use_cases(world, settings, wake, stop))
        register = partial(add_IngestServiceServicer_to_server, servicer)
        yield GrpcService(FULL_NAME, register, partial(check_tables, world.database), RPCS)


@asynccontextmanager
async def _at_work(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
