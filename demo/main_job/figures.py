"""The figures of the main job, from the services themselves, as a report for a person or a program."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from afin.indexer.v1 import indexer_pb2, indexer_pb2_grpc
from afin.ingest.v1 import ingest_pb2
from afin.warehouse.v1 import warehouse_pb2, warehouse_pb2_grpc
from demo.main_job.memory import MemoryLog
from demo.main_job.pipelines import CALL_TIMEOUT
from demo.stack.stack import Stack
from services.runtime.channels import open_channel

# What became of the rows that were read.
ACCOUNT = ("read", "new", "changed", "unchanged", "late", "quarantined")
# Who does the work of a step; ingest does all the others itself.
WORKERS = {
    "update_last_companies_update": "warehouse",
    "verify_companies": "warehouse",
    "get_last_payments_update": "warehouse",
    "save_payments_to_db": "warehouse",
    "update_last_payments_update": "warehouse",
    "create_payments_index": "indexer",
    "validate_payments_index": "indexer",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its time, and the most memory that the process doing it held, children included."""

    seconds: float
    peak_rss_mib: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All that a report says."""

    account: ingest_pb2.Account
    statistics: warehouse_pb2.GetStatisticsResponse
    watermark: datetime
    index: indexer_pb2.IndexVersion
    stages: dict[str, Stage]

    def to_report(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            **{name: getattr(self.account, name) for name in ACCOUNT},
            "current": self.statistics.current_payments,
            "versions": self.statistics.payment_versions,
            "watermark": self.watermark.isoformat(),
            "quality": {
                "new": _quality(self.index.quality.new_companies),
                "any": _quality(self.index.quality.any_company),
            },
            "stages": {name: asdict(stage) for name, stage in self.stages.items()},
        }


def run_stages(run: ingest_pb2.Run, memory: MemoryLog) -> dict[str, Stage]:
    """The steps of a run as stages."""
    stages = {}
    for step in run.steps:
        start, end = (moment.ToDatetime(tzinfo=UTC) for moment in (step.started_at, step.ended_at))
        peak = memory.peak_mib(WORKERS.get(step.name, "ingest"), start, end)
        stages[step.name] = Stage(round((end - start).total_seconds(), 3), peak)
    return stages


async def collect(stack: Stack, run: ingest_pb2.Run, stages: dict[str, Stage]) -> Figures:
    """Asks the warehouse and the indexer what stands there after `run`."""
    wait = CALL_TIMEOUT.total_seconds()
    async with open_channel(stack.address("warehouse")) as channel:
        warehouse = warehouse_pb2_grpc.WarehouseServiceStub(channel)
        statistics = await warehouse.GetStatistics(warehouse_pb2.GetStatisticsRequest(), timeout=wait)
        watermark = await warehouse.GetWatermark(warehouse_pb2.GetWatermarkRequest(), timeout=wait)
    async with open_channel(stack.address("indexer")) as channel:
        indexer = indexer_pb2_grpc.IndexerServiceStub(channel)
        newest = await indexer.ListPublications(indexer_pb2.ListPublicationsRequest(page_size=1), timeout=wait)
        version = newest.publications[0].version
        index = await indexer.GetIndexVersion(indexer_pb2.GetIndexVersionRequest(version=version), timeout=wait)
    moment = watermark.payments.ToDatetime(tzinfo=UTC)
    return Figures(run.account, statistics, moment, index.index_version, stages)


def _quality(task: indexer_pb2.TaskQuality) -> dict[str, float]:
    return {name: getattr(task, name) for name in ("ndcg", "recall", "coverage", "popularity_ndcg")}
