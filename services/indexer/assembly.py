"""Puts the parts together for a process, and for whoever tests them together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from afin.indexer.v1.indexer_pb2_grpc import add_IndexerServiceServicer_to_server
from services.indexer.access import RPCS
from services.indexer.adapters.client_changes import WarehouseChanges
from services.indexer.adapters.comparison_process import ComparisonProcess
from services.indexer.adapters.fresh_objects import StoredFreshObjects
from services.indexer.adapters.inspection_process import InspectionProcess
from services.indexer.adapters.publications import PublicationObjects
from services.indexer.adapters.served_models import ServedModelObjects
from services.indexer.adapters.training_process import TrainingProcess
from services.indexer.adapters.training_rows import WarehouseRows
from services.indexer.adapters.versions import VersionObjects
from services.indexer.adapters.viewing_process import ViewingProcess
from services.indexer.adapters.warehouse_reading import check_views
from services.indexer.adapters.work_folder import own_work_folder
from services.indexer.domain.gate import GateRules
from services.indexer.domain.retention import Keep
from services.indexer.domain.training import Selection, Task
from services.indexer.servicer import FULL_NAME, IndexerServicer, Workflow
from services.indexer.settings import IndexerSettings
from services.indexer.workflow.build import Builder, BuildPlan
from services.indexer.workflow.catalogue import Catalogue
from services.indexer.workflow.compare import Comparer
from services.indexer.workflow.epochs import Epochs
from services.indexer.workflow.experiments import Experiments
from services.indexer.workflow.ports import TrainingRows
from services.indexer.workflow.prune import Pruner
from services.indexer.workflow.publish import Publisher
from services.indexer.workflow.refresh import Refresher, RefreshPlan
from services.indexer.workflow.validate import ValidationPlan, Validator, WaysOut
from services.indexer.workflow.view import Viewer
from services.runtime.clock import utc_now
from services.runtime.database import open_database
from services.runtime.objects.opening import open_object_store
from services.runtime.objects.store import ObjectStore
from services.runtime.server import GrpcService
from services.runtime.version import code_version


@asynccontextmanager
async def indexer(settings: IndexerSettings) -> AsyncIterator[GrpcService]:
    """The service, as the gRPC server takes it. Neither database nor object store need be there yet."""
    store = open_object_store(settings.object_store_url, settings.object_store_endpoint_url)
    url = settings.database_url.get_secret_value()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(own_work_folder(settings.work_folder))
        engine = await stack.enter_async_context(open_database(url, "indexer"))
        workflow = assembled(settings, WarehouseRows(engine, _selection(settings)), store, folder)
        register = partial(
            add_IndexerServiceServicer_to_server, IndexerServicer(workflow, _refresher(settings, engine, store, folder))
        )
        yield GrpcService(FULL_NAME, register, _Readiness(engine, store, workflow.epochs).check, RPCS)


def assembled(settings: IndexerSettings, rows: TrainingRows, store: ObjectStore, folder: Path) -> Workflow:
    """All that the service does, with rows from wherever; `folder` is for temporary files."""
    versions, publications = VersionObjects(store), PublicationObjects(store)
    epochs = Epochs(versions, publications, utc_now)
    ways_out = WaysOut(Publisher(epochs), Experiments(epochs))
    timeout = timedelta(seconds=settings.validation_timeout_seconds)
    comparer = Comparer(versions, ComparisonProcess(timeout), folder)
    builder = Builder(BuildPlan(_task(settings), folder), rows, TrainingProcess(), versions, utc_now)
    keep = Keep(settings.keep_versions, timedelta(days=settings.keep_days))
    pruner = Pruner(keep, versions, publications, builder.turn, utc_now)
    rules = GateRules(settings.min_gain, settings.quality_tolerance, settings.max_loss, settings.min_overlap)
    judging = ValidationPlan(rules, comparer, utc_now, folder, pruner.clean_up, settings.search == "measured")
    validator = Validator(judging, versions, InspectionProcess(timeout), ways_out)
    viewer = Viewer(versions, ViewingProcess(timeout), folder)
    catalogue = Catalogue(versions, publications)
    return Workflow(builder, validator, ways_out, catalogue, comparer, pruner, epochs, viewer)


def _refresher(settings: IndexerSettings, engine: AsyncEngine, store: ObjectStore, folder: Path) -> Refresher:
    versions = VersionObjects(store)
    return Refresher(
        RefreshPlan(settings.fresh_clients, folder),
        ServedModelObjects(store, versions, folder),
        WarehouseChanges(engine),
        StoredFreshObjects(store),
        PublicationObjects(store),
    )


def _selection(settings: IndexerSettings) -> Selection:
    return Selection(settings.statuses, settings.created_since, settings.max_training_payments)


def _task(settings: IndexerSettings) -> Task:
    return Task(
        code_version=code_version(),
        watermark=None,
        dimension=settings.dimension,
        min_clients=settings.min_clients,
        seed=settings.seed,
        trees=settings.trees,
        list_scores=settings.list_scores,
        scheduler=settings.dask_scheduler if settings.engine == "dask" else "",
        parameters=_selection(settings).parameters(),
    )


class _Readiness:
    """Ready is who reaches the views and the object store. The first time, metrics are told what is in service."""

    def __init__(self, engine: AsyncEngine, store: ObjectStore, epochs: Epochs) -> None:
        self._engine = engine
        self._store = store
        self._epochs = epochs
        self._told = False

    async def check(self) -> None:
        await check_views(self._engine)
        await asyncio.to_thread(self._store.check)
        if not self._told:
            await self._epochs.show_in_service()
            self._told = True
