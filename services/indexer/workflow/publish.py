"""Puts a version into service: everybody's, but for the clients of a running experiment."""

from collections.abc import Awaitable, Callable

from services.contracts.bundle import Publication, Search
from services.indexer.domain.publications import before_present, newest_of
from services.indexer.domain.succession import Next, after_approval
from services.indexer.workflow.epochs import Epochs
from services.runtime.errors import FailedPrecondition

# Why a version may follow what is in service, or None: it may not.
Approve = Callable[[Publication | None], Awaitable[str | None]]


class Publisher:
    """Publishes validated versions, and older ones again."""

    def __init__(self, epochs: Epochs) -> None:
        self._epochs = epochs

    async def in_service(self) -> Publication | None:
        """The newest publication; None before the first."""
        publications = await self._epochs.all()
        return publications[-1] if publications else None

    async def publish(
        self, version: str, manifest_sha256: str, approve: Approve, search: Search = "annoy"
    ) -> Publication | None:
        """A new epoch, unless the version was published before: then its newest publication. None: not approved.

        FailedPrecondition when it would bring an erased client back: a run that is retried may have built it before.
        Of those who race for an epoch one wins; the others are judged anew, against the winner, and take the next.
        """
        while True:
            publications = await self._epochs.all()
            present = publications[-1] if publications else None
            reason = await approve(present)
            if reason is None:
                return None
            candidate = Next(version, manifest_sha256, reason, search)
            wanted = after_approval(publications, candidate, await self._epochs.erasures())
            known = newest_of(publications, version)
            if wanted is None:
                # Built anew from the same payments, it is as good as new.
                await self._epochs.show_in_service()
                return known
            if present:
                await self._epochs.require_erased_stay_out(wanted.version, present.version)
            published = await self._epochs.follow(present, wanted)
            if published:
                return published if published.version == version else known

    async def roll_back(self, version: str, reason: str) -> Publication:
        """Publishes `version`, or what was in service before the present one when it is empty.

        A running experiment ends: after a rollback everybody has one version, which is known. FailedPrecondition when
        there is none, when it never was published, is gone, or would bring an erased client back; DataLoss when it is
        damaged.
        """
        while True:
            publications = await self._epochs.all()
            earlier = newest_of(publications, version) if version else before_present(publications)
            if earlier is None:
                raise FailedPrecondition(_no_way_back(version), reason="NOTHING_TO_ROLL_BACK_TO")
            await self._epochs.require_whole(earlier.version, earlier.manifest_sha256)
            present = publications[-1]
            if present.versions == (earlier.version,) and present.reason == reason:  # a call that is repeated
                return present
            await self._epochs.require_erased_stay_out(earlier.version, present.version)
            again = Next(earlier.version, earlier.manifest_sha256, reason, earlier.search)
            published = await self._epochs.follow(present, again)
            if published:
                return published


def _no_way_back(version: str) -> str:
    if version:
        return f"{version} was never published; validate it with `publish` to put it into service"
    return "no version was in service before the present one first was; name another of ListPublications"
