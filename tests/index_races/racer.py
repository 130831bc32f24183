"""`python -m tests.index_races.racer <store url> [<endpoint>]`: publishes what stdin names, a line each.

`main <version>` publishes it for everybody, `challenger <version>` for a share of the clients. Answers on stdout: the
epoch it got, the epoch of what it was approved to follow, and how often it was judged.
"""

import asyncio
import sys

import structlog

from services.contracts.bundle import Publication, manifest_key
from services.contracts.variants import CHALLENGER
from services.indexer.adapters.publications import PublicationObjects
from services.indexer.adapters.versions import VersionObjects
from services.indexer.workflow.epochs import Epochs
from services.indexer.workflow.experiments import Experiments, Trial
from services.indexer.workflow.publish import Publisher
from services.runtime.checksums import sha256_of
from services.runtime.clock import utc_now
from services.runtime.objects.opening import open_object_store


async def publish(epochs: Epochs, role: str, version: str, manifest_sha256: str) -> tuple[int, int, int]:
    """Epoch, the epoch before it, and how often the version was judged."""
    judged = []

    async def approve(present: Publication | None) -> str:
        judged.append(present.epoch if present else 0)
        return "race"

    if role == CHALLENGER:
        wanted = Trial("race", 0.5, "race")
        published = await Experiments(epochs).start(version, manifest_sha256, approve, "annoy", wanted)
    else:
        published = await Publisher(epochs).publish(version, manifest_sha256, approve)
    assert published is not None
    return published.epoch, judged[-1], len(judged)


async def main(url: str, endpoint: str | None) -> None:
    """Until stdin ends."""
    store = open_object_store(url, endpoint)
    epochs = Epochs(VersionObjects(store), PublicationObjects(store), utc_now)
    print("ready", flush=True)
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        role, _, version = line.partition(" ")
        manifest_sha256 = sha256_of(store.get(manifest_key(version)))
        print(*await publish(epochs, role, version, manifest_sha256), flush=True)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None))
