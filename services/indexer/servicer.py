"""The RPCs of IndexerService: requests are checked, the workflow works, answers are put into messages."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from afin.indexer.v1 import indexer_pb2, indexer_pb2_grpc
from services.indexer import requests, viewing_messages
from services.indexer.conversion import (
    comparison_message,
    pruned_message,
    publication_message,
    refreshed_message,
    setting_changes,
    validation_message,
    version_message,
)
from services.indexer.workflow.build import Builder
from services.indexer.workflow.catalogue import Catalogue
from services.indexer.workflow.compare import Comparer
from services.indexer.workflow.epochs import Epochs
from services.indexer.workflow.experiments import Trial
from services.indexer.workflow.prune import Pruner
from services.indexer.workflow.refresh import Refresher
from services.indexer.workflow.validate import Validator, WaysOut, Wish
from services.indexer.workflow.view import Viewer
from services.runtime.paging import page_token, wrong_token

FULL_NAME = indexer_pb2.DESCRIPTOR.services_by_name["IndexerService"].full_name


@dataclass(frozen=True, slots=True)
class Workflow:
    """All that the RPCs can ask for."""

    builder: Builder
    validator: Validator
    ways_out: WaysOut
    catalogue: Catalogue
    comparer: Comparer
    pruner: Pruner
    epochs: Epochs
    viewer: Viewer


class IndexerServicer(indexer_pb2_grpc.IndexerServiceServicer):
    """See protos/afin/indexer/v1/indexer.proto."""

    def __init__(self, workflow: Workflow, refresher: Refresher) -> None:
        self._workflow = workflow
        self._refresher = refresher

    async def BuildIndex(  # noqa: N802, D102
        self, request: indexer_pb2.BuildIndexRequest, context: Any
    ) -> AsyncIterator[indexer_pb2.BuildIndexResponse]:
        build_id = requests.checked_build_id(request.build_id)
        async with aclosing(self._workflow.builder.build(build_id)) as progress:
            async for step in progress:
                view = await self._workflow.catalogue.view(step.version) if step.version else None
                version = version_message(view) if view else None
                yield indexer_pb2.BuildIndexResponse(stage=step.stage, detail=step.detail, index_version=version)

    async def ValidateIndex(  # noqa: N802, D102
        self, request: indexer_pb2.ValidateIndexRequest, context: Any
    ) -> indexer_pb2.ValidateIndexResponse:
        version = requests.checked_version(request.version)
        override_reason = requests.checked_override(request.override_reason, publish=request.publish)
        wish = Wish(request.publish, override_reason)
        validation, publication = await self._workflow.validator.validate(version, wish)
        return indexer_pb2.ValidateIndexResponse(
            validation=validation_message(validation),
            publication=publication_message(publication) if publication else None,
        )

    async def RollbackIndex(  # noqa: N802, D102
        self, request: indexer_pb2.RollbackIndexRequest, context: Any
    ) -> indexer_pb2.RollbackIndexResponse:
        version = requests.checked_version(request.version) if request.version else ""
        reason = requests.checked_reason(request.reason)
        publication = await self._workflow.ways_out.publisher.roll_back(version, reason)
        return indexer_pb2.RollbackIndexResponse(publication=publication_message(publication))

    async def StartExperiment(  # noqa: N802, D102
        self, request: indexer_pb2.StartExperimentRequest, context: Any
    ) -> indexer_pb2.StartExperimentResponse:
        version = requests.checked_version(request.version)
        override_reason = requests.checked_override(request.override_reason, publish=True)
        wish = Wish(publish=True, override_reason=override_reason, trial=_trial(request))
        validation, publication = await self._workflow.validator.validate(version, wish)
        return indexer_pb2.StartExperimentResponse(
            validation=validation_message(validation),
            publication=publication_message(publication) if publication else None,
        )

    async def ChangeExperiment(  # noqa: N802, D102
        self, request: indexer_pb2.ChangeExperimentRequest, context: Any
    ) -> indexer_pb2.ChangeExperimentResponse:
        publication = await self._workflow.ways_out.experiments.change_share(_trial(request))
        return indexer_pb2.ChangeExperimentResponse(publication=publication_message(publication))

    async def StopExperiment(  # noqa: N802, D102
        self, request: indexer_pb2.StopExperimentRequest, context: Any
    ) -> indexer_pb2.StopExperimentResponse:
        experiments = self._workflow.ways_out.experiments
        is_promoted = requests.checked_outcome(request.outcome)
        stop = experiments.promote if is_promoted else experiments.discard
        publication = await stop(
            requests.checked_experiment(request.experiment), requests.checked_reason(request.reason)
        )
        return indexer_pb2.StopExperimentResponse(publication=publication_message(publication))

    async def GetIndexVersion(  # noqa: N802, D102
        self, request: indexer_pb2.GetIndexVersionRequest, context: Any
    ) -> indexer_pb2.GetIndexVersionResponse:
        view = await self._workflow.catalogue.view(requests.checked_version(request.version))
        return indexer_pb2.GetIndexVersionResponse(index_version=version_message(view))

    async def ListIndexVersions(  # noqa: N802, D102
        self, request: indexer_pb2.ListIndexVersionsRequest, context: Any
    ) -> indexer_pb2.ListIndexVersionsResponse:
        size, after = requests.checked_page_size(request.page_size), requests.version_of_token(request.page_token)
        try:
            views, more = await self._workflow.catalogue.page(after, size)
        except LookupError as error:
            raise wrong_token() from error
        token = page_token(views[-1].version) if more and views else ""
        return indexer_pb2.ListIndexVersionsResponse(index_versions=map(version_message, views), next_page_token=token)

    async def ListPublications(  # noqa: N802, D102
        self, request: indexer_pb2.ListPublicationsRequest, context: Any
    ) -> indexer_pb2.ListPublicationsResponse:
        size, below = requests.checked_page_size(request.page_size), requests.epoch_of_token(request.page_token)
        found, more = await self._workflow.catalogue.publications(below, size)
        token = page_token(str(found[-1].epoch)) if more else ""
        return indexer_pb2.ListPublicationsResponse(publications=map(publication_message, found), next_page_token=token)

    async def CompareIndexVersions(  # noqa: N802, D102
        self, request: indexer_pb2.CompareIndexVersionsRequest, context: Any
    ) -> indexer_pb2.CompareIndexVersionsResponse:
        version = requests.checked_version(request.version)
        present = "" if request.base else await self._workflow.catalogue.in_service()
        base = present or requests.checked_version(request.base, "base")
        comparison = await self._workflow.comparer.compare(base, version)
        before, after = [await self._workflow.catalogue.view(name) for name in (base, version)]
        return indexer_pb2.CompareIndexVersionsResponse(
            base=version_message(before),
            version=version_message(after),
            comparison=comparison_message(comparison),
            settings=setting_changes(before, after),
        )

    async def PruneIndexVersions(  # noqa: N802, D102
        self, request: indexer_pb2.PruneIndexVersionsRequest, context: Any
    ) -> indexer_pb2.PruneIndexVersionsResponse:
        pruner = self._workflow.pruner
        pruned = await pruner.prune(requests.checked_keep(request, pruner.keep), dry_run=request.dry_run)
        return indexer_pb2.PruneIndexVersionsResponse(pruned=map(pruned_message, pruned.items()))

    async def RefreshHistories(  # noqa: N802, D102
        self, request: indexer_pb2.RefreshHistoriesRequest, context: Any
    ) -> indexer_pb2.RefreshHistoriesResponse:
        done = await self._refresher.refresh()
        return indexer_pb2.RefreshHistoriesResponse(versions=map(refreshed_message, done))

    async def GetCompanyMap(  # noqa: N802, D102
        self, request: indexer_pb2.GetCompanyMapRequest, context: Any
    ) -> indexer_pb2.GetCompanyMapResponse:
        most = viewing_messages.checked_points(request.max_companies)
        present = "" if request.version else await self._workflow.catalogue.in_service()
        version = present or requests.checked_version(request.version)
        return viewing_messages.map_message(version, await self._workflow.viewer.company_map(version), most)

    async def RecommendFromVersion(  # noqa: N802, D102
        self, request: indexer_pb2.RecommendFromVersionRequest, context: Any
    ) -> indexer_pb2.RecommendFromVersionResponse:
        version = requests.checked_version(request.version)
        question = viewing_messages.question_of(request)
        return viewing_messages.answer_message(version, await self._workflow.viewer.answer(version, question))


def _trial(request: indexer_pb2.StartExperimentRequest | indexer_pb2.ChangeExperimentRequest) -> Trial:
    return Trial(
        requests.checked_experiment(request.experiment),
        requests.checked_share(request.share),
        requests.checked_reason(request.reason),
    )
