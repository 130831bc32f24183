"""The main job of `afin demo`: from the source to recommendations, with its figures."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.compute as pc

from afin.ingest.v1 import ingest_pb2
from cli.addresses import print_addresses
from cli.demo_screen import print_account, print_index, print_stories
from cli.screen import Screen
from cli.words import name_of
from demo.dataset import Dataset
from demo.main_job.clients import tell_stories
from demo.main_job.data import origin_of, remember
from demo.main_job.figures import Figures, Stage, collect, run_stages
from demo.main_job.memory import MemoryLog, memory_log
from demo.main_job.pipelines import run_pipeline
from demo.source.store import create_schema, load
from demo.stack.options import StackOptions
from demo.stack.postgres import connected
from demo.stack.stack import Stack, open_console, open_databases, open_services
from services.runtime.clock import utc_now
from services.runtime.resident_memory import peak_rss_mib


async def run_job(options: StackOptions, data: Path | None, once: bool, report: Path | None, screen: Screen) -> None:
    """Runs it on a stack of its own, which then serves on unless `once`."""
    screen.title("Starting")
    stages: dict[str, Stage] = {}
    dataset = None
    if not options.source_url:
        origin = origin_of(options.state, data, utc_now().date())
        dataset = await asyncio.to_thread(origin.dataset)
        options = replace(options, first_day=_first_day(dataset))
    async with open_databases(options, screen.say) as databases:
        if dataset is not None:
            stages["load_source"] = await _fill_source(databases.source, dataset, screen)
            remember(options.state, origin)
        async with open_services(options, databases, screen.say) as stack:
            figures = await _main_job(stack, stages, screen)
            print_index(figures, screen)
            if report is not None:
                await asyncio.to_thread(report.write_text, json.dumps(figures.to_report(), indent=1) + "\n")
            stories = await tell_stories(stack)
            print_stories(stories, screen)
            if not once:
                async with open_console(stack, screen.say):
                    print_addresses(stack, screen, *(story.client_id for story in stories[:1]))
                    await asyncio.Event().wait()


async def _fill_source(url: str, dataset: Dataset, screen: Screen) -> Stage:
    started = time.monotonic()
    async with connected(url) as connection:
        await create_schema(connection)
        loaded = await load(connection, dataset)
    verb = "loaded into the source" if loaded.loaded else "stand in the source already"
    screen.say(f"{loaded.payments:,} payments and {loaded.companies:,} companies {verb}")
    return Stage(round(time.monotonic() - started, 3), peak_rss_mib())


def _first_day(dataset: Dataset) -> date:
    oldest: datetime = pc.min(dataset.payments["updated_at"]).as_py()
    return oldest.astimezone(UTC).date() - timedelta(days=1)


async def _main_job(stack: Stack, stages: dict[str, Stage], screen: Screen) -> Figures:
    async with memory_log(lambda: {name: each.pid for name, each in stack.processes.items()}) as memory:
        await _run(stack, ingest_pb2.PIPELINE_COMPANIES, memory, stages, screen)
        run = await _run(stack, ingest_pb2.PIPELINE_RECOMMENDATIONS, memory, stages, screen)
    figures = await collect(stack, run, stages)
    print_account(figures, screen)
    return figures


async def _run(
    stack: Stack,
    pipeline: "ingest_pb2.Pipeline.ValueType",
    memory: MemoryLog,
    stages: dict[str, Stage],
    screen: Screen,
) -> ingest_pb2.Run:
    screen.title(f"Pipeline {name_of(ingest_pb2.Pipeline.Name, pipeline, 'PIPELINE_')}")
    with screen.following() as follower:
        run = await run_pipeline(stack.address("ingest"), pipeline, follower)
    stages.update(run_stages(run, memory))
    return run
