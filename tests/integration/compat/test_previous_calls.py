"""Callers with the protos of the previous release are served by the recommender and the indexer of now."""

import shutil
from pathlib import Path

import grpc

from services.runtime.objects.local import LocalObjectStore
from tests.compat.previous import OBJECTS, PreviousClient, record
from tests.integration.recommender.serving import serving_published

RECOMMENDER = "afin.recommender.v1.RecommenderService"


async def test_a_caller_of_the_previous_release_is_recommended_the_same(tmp_path: Path) -> None:
    objects = LocalObjectStore(Path(shutil.copytree(OBJECTS, tmp_path / "objects")))
    previous = record()
    async with (
        serving_published(objects, tmp_path / "cache") as recommender,
        grpc.aio.insecure_channel(recommender.address) as channel,
    ):
        caller = PreviousClient(channel)
        answer = await caller.call(f"{RECOMMENDER}/Recommend", client_id="client-0", max_results=5)
        batch = await caller.call(f"{RECOMMENDER}/BatchRecommend", requests=[{"client_id": "nobody", "max_results": 5}])
        code = previous.answers["client-0"][0]
        similar = await caller.call(f"{RECOMMENDER}/SimilarCompanies", company_code=code, max_results=3)
        info = await caller.call(f"{RECOMMENDER}/GetIndexInfo")

    assert [each["company_code"] for each in answer["recommendations"]] == previous.answers["client-0"]
    assert answer["client_known"] is True
    assert len(batch["responses"][0]["recommendations"]) == 5
    assert len(similar["companies"]) == 3
    assert info["index"]["version"] == previous.index_version
