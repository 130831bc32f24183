"""`python -m demo.first_run`: runs both pipelines and prints what one client of the source is recommended.

It can be run again: pipelines then find nothing new. It prints the client's id, for a person who calls Recommend next.
"""

import asyncio
import sys

import aiohttp
import grpc

from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2, recommender_pb2_grpc
from demo.first_run.settings import FirstRunSettings
from demo.main_job.payers import clients_that_pay
from demo.main_job.pipelines import CALL_TIMEOUT, RunFailedError, run_pipeline
from services.runtime.access.keys import AccessFileError
from services.runtime.channels import open_channel
from services.runtime.settings import load_settings

PIPELINES = (ingest_pb2.PIPELINE_COMPANIES, ingest_pb2.PIPELINE_RECOMMENDATIONS)
SHOWN = 5


async def first_run(settings: FirstRunSettings) -> bool:
    """Prints as it goes; whether anything was recommended. RunFailedError and errors of gRPC, HTTP and files."""
    for pipeline in PIPELINES:
        run = await run_pipeline(settings.ingest_address, pipeline, lambda _: None, settings.proof)
        name = ingest_pb2.Pipeline.Name(pipeline).removeprefix("PIPELINE_").lower()
        print(f"{name}: read {run.account.read}, new {run.account.new}, changed {run.account.changed}", flush=True)
    clients = await clients_that_pay(settings.source_url, 1)
    if not clients:
        return False
    answer = await _recommend(settings, clients[0])
    print(f"client {clients[0]} may pay next:")
    for each in answer.recommendations:
        print(f"  {each.company_name} (code {each.company_code}, score {each.score:.3f})")
    return bool(answer.recommendations)


async def _recommend(settings: FirstRunSettings, client: str) -> recommender_pb2.RecommendResponse:
    wait = CALL_TIMEOUT.total_seconds()
    async with open_channel(settings.recommender_address, settings.proof) as channel:
        recommender = recommender_pb2_grpc.RecommenderServiceStub(channel)
        # It looks for a new index again and again; we want to see it now.
        await recommender.ReloadIndex(recommender_pb2.ReloadIndexRequest(), timeout=wait)
        request = recommender_pb2.RecommendRequest(client_id=client, max_results=SHOWN)
        return await recommender.Recommend(request, timeout=wait)


def main() -> None:
    """Exits with 1, in one line, unless all of it went well."""
    settings = load_settings(FirstRunSettings)
    try:
        recommended = asyncio.run(first_run(settings))
    except (RunFailedError, AccessFileError) as error:
        sys.exit(f"first run: {error}")
    except grpc.aio.AioRpcError as error:
        sys.exit(f"first run: {error.code().name}: {error.details()}")
    except (aiohttp.ClientError, TimeoutError) as error:
        sys.exit(f"first run: the source at {settings.source_url} did not answer: {type(error).__name__}")
    if not recommended:
        sys.exit("first run: nothing was recommended")


if __name__ == "__main__":
    main()
