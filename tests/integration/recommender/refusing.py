"""How a bad bundle must be met, and one way to make any file bad."""

from pathlib import Path

import grpc
import numpy as np
from prometheus_client import REGISTRY

from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import StoredVersion, client_of, planted, publish, upload, write
from tests.integration.recommender.serving import refusal, serving

REFUSED = {"outcome": "refused"}


def bytes_changed(content: bytes) -> bytes:
    """200 bytes, or all of a smaller file, replaced at random by others."""
    changed = np.frombuffer(content, dtype=np.uint8).copy()
    generator = np.random.default_rng(3)
    places = generator.choice(len(changed), min(200, len(changed)), replace=False)
    changed[places] ^= generator.integers(1, 256, len(places), dtype=np.uint8)
    return changed.tobytes()


async def assert_refused_and_served_on(
    store: LocalObjectStore, folder: Path, bad: StoredVersion | None, *named: str
) -> None:
    """A good index is in service as epoch 1 when `bad` (or what stands there already) comes as epoch 2."""
    good = upload(store, folder / "good", write(folder / "good", planted()))
    async with serving(store, folder / "cache") as recommender:
        await refusal(recommender.reload())
        publish(store, 1, good)
        assert (await recommender.reload()).changed
        if bad:
            publish(store, 2, bad)
        before = REGISTRY.get_sample_value("afin_recommender_reloads_total", REFUSED) or 0
        refused = await refusal(recommender.reload())
        answer = await recommender.recommend(client_id=client_of(0))

    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "INDEX_REFUSED")
    assert all(name in refused.message for name in named), refused.message
    assert answer.index.epoch == 1
    assert answer.recommendations[0].company_name.startswith("A ")
    assert REGISTRY.get_sample_value("afin_recommender_reloads_total", REFUSED) == before + 1
