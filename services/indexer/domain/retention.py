"""Which index versions may go, and which of them know of which erasures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from services.contracts.bundle import Build, Publication
from services.indexer.domain.publications import before_present


class Why(Enum):
    """Why a version may go."""

    OLD = auto()
    BEFORE_ERASURE = auto()
    UNFINISHED = auto()


@dataclass(frozen=True, slots=True)
class Keep:
    """The `newest` versions stay, and those that were in service within the last `within`."""

    newest: int
    within: timedelta


class Erasures:
    """What versions know of erasures. Builds that came to one version, so to the same bytes, share what they knew."""

    def __init__(self, builds: Iterable[Build]) -> None:
        self._known: dict[str, frozenset[str]] = {}
        for build in builds:
            self._known[build.version] = self.known_to(build.version) | frozenset(build.erasures)
        self._all = frozenset[str]().union(*self._known.values())

    def known_to(self, version: str) -> frozenset[str]:
        """Ids of the erasures whose clients the version was made without."""
        return self._known.get(version, frozenset())

    def are_behind(self, version: str) -> bool:
        """Whether the version knows of all erasures that any build knew of."""
        return self.known_to(version) >= self._all


def to_prune(
    newest_first: Sequence[str], publications: Sequence[Publication], erasures: Erasures, keep: Keep, now: datetime
) -> dict[str, Why]:
    """The versions that may go. Those from before an erasure go as soon as one without its client is in service."""
    if not publications:
        return dict.fromkeys(newest_first[keep.newest :], Why.OLD)
    present, previous = publications[-1], before_present(publications)
    kept = {*newest_first[: keep.newest], *_lately_in_service(publications, now - keep.within)}
    kept |= {previous.version} if previous else set()
    outdated = {version for version in newest_first if not erasures.are_behind(version)}
    if present.version in outdated:
        outdated = set()
    return {
        version: Why.BEFORE_ERASURE if version in outdated else Why.OLD
        for version in newest_first
        if version not in present.versions and (version in outdated or version not in kept)
    }


def _lately_in_service(publications: Sequence[Publication], since: datetime) -> set[str]:
    """Versions are in service until the next publication."""
    ends = [publication.published_at for publication in publications[1:]]
    lately = (publication for publication, end in zip(publications, ends, strict=False) if end >= since)
    return {version for publication in lately for version in publication.versions}
