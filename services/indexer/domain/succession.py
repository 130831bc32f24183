"""What the next publication says: which version is the main one then, and whether a running experiment goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.contracts.bundle import Challenger, Publication, Search
from services.indexer.domain.publications import newest_of
from services.indexer.domain.retention import Erasures


@dataclass(frozen=True, slots=True)
class Next:
    """What is to be published. `version`: the main one; `challenger`: what answers the experiment's clients."""

    version: str
    manifest_sha256: str
    reason: str
    search: Search
    challenger: Challenger | None = None


def after_approval(publications: Sequence[Publication], candidate: Next, erasures: Erasures) -> Next | None:
    """What is to follow when `candidate`, of a version that may be published, has come; None: all stays as it is.

    A version that was published before is not published again: so a step that is repeated after a rollback does not
    undo it. Only where it is without a client who was erased, whom the one in service knows, it comes back. A running
    experiment goes on, unless its version is the main one now, or knows an erased client whom the main one does not.
    """
    if not publications:
        return candidate
    present = publications[-1]
    cleaner = erasures.known_to(candidate.version) > erasures.known_to(present.version)
    comes = cleaner or newest_of(publications, candidate.version) is None
    main = candidate if comes and candidate.version != present.version else _same(present, reason="")
    end = _why_it_ends(present.challenger, main.version, erasures)
    if main is not candidate and not end:
        return None
    reasons = [each for each in (main.reason, end) if each]
    challenger = None if end else present.challenger
    return Next(main.version, main.manifest_sha256, "; ".join(reasons), main.search, challenger)


def with_challenger(present: Publication, challenger: Challenger | None, reason: str) -> Next:
    """The main version stays; beside it is this challenger, or none."""
    return _same(present, reason, challenger)


def _same(present: Publication, reason: str, challenger: Challenger | None = None) -> Next:
    return Next(present.version, present.manifest_sha256, reason, present.search, challenger)


def _why_it_ends(challenger: Challenger | None, main: str, erasures: Erasures) -> str:
    """Empty: it does not, or there is none."""
    if challenger is None:
        return ""
    if challenger.version == main:
        return f"the experiment {challenger.experiment} ends: its version is the main one now"
    if not erasures.known_to(challenger.version) >= erasures.known_to(main):
        return f"the experiment {challenger.experiment} ends: its version was built before a client was erased"
    return ""
