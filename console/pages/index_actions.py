"""What is done to index versions; who may, the indexer decides by the role of the person's key."""

from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.responses import Response

from afin.indexer.v1 import indexer_pb2
from console.visit import Visit, go_to

# A validation loads the version in a child process and compares it with the one in service.
VALIDATING = timedelta(minutes=5)
OUTCOMES = {
    "promoted": indexer_pb2.EXPERIMENT_OUTCOME_PROMOTED,
    "discarded": indexer_pb2.EXPERIMENT_OUTCOME_DISCARDED,
}


async def validate(visit: Visit) -> Response:
    """Judges a version and publishes it when it passes, or in spite of that with a reason."""
    version = visit.part("version")
    request = indexer_pb2.ValidateIndexRequest(
        version=version, publish=visit.sent("publish") == "yes", override_reason=visit.sent("override_reason")
    )
    told = await visit.caller.ask(visit.caller.services.indexer.ValidateIndex, request, VALIDATING)
    return visit.page(
        "validated.html",
        version=version,
        validation=told.validation,
        publication=told.publication if told.HasField("publication") else None,
        wanted=request.publish,
    )


async def roll_back(visit: Visit) -> Response:
    """Publishes an older version again, under a new epoch."""
    request = indexer_pb2.RollbackIndexRequest(version=visit.sent("version"), reason=visit.sent("reason"))
    await visit.caller.ask(visit.caller.services.indexer.RollbackIndex, request)
    return go_to("index")


async def start_experiment(visit: Visit) -> Response:
    """Has a second version answer a share of the clients, if it is good enough."""
    request = indexer_pb2.StartExperimentRequest(
        version=visit.sent("version"),
        experiment=visit.sent("experiment"),
        share=_share(visit),
        reason=visit.sent("reason"),
        override_reason=visit.sent("override_reason"),
    )
    told = await visit.caller.ask(visit.caller.services.indexer.StartExperiment, request, VALIDATING)
    if told.HasField("publication"):
        return go_to("index")
    return visit.page(
        "validated.html", version=request.version, validation=told.validation, publication=None, wanted=True
    )


async def change_experiment(visit: Visit) -> Response:
    """Gives it another share."""
    request = indexer_pb2.ChangeExperimentRequest(
        experiment=visit.sent("experiment"), share=_share(visit), reason=visit.sent("reason")
    )
    await visit.caller.ask(visit.caller.services.indexer.ChangeExperiment, request)
    return go_to("index")


async def stop_experiment(visit: Visit) -> Response:
    """Ends it: the challenger becomes the main version, or goes."""
    outcome = OUTCOMES.get(visit.sent("outcome"), indexer_pb2.EXPERIMENT_OUTCOME_UNSPECIFIED)
    request = indexer_pb2.StopExperimentRequest(
        experiment=visit.sent("experiment"), outcome=outcome, reason=visit.sent("reason")
    )
    await visit.caller.ask(visit.caller.services.indexer.StopExperiment, request)
    return go_to("index")


def _share(visit: Visit) -> float:
    try:
        return float(visit.sent("percent")) / 100
    except ValueError:
        raise HTTPException(400, "the share of the clients must be a number of percent") from None
