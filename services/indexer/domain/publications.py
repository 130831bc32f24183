"""Which version is in service, and which a rollback goes back to. Publications are in order of their epochs."""

import re
from collections.abc import Sequence

from services.contracts.bundle import Publication

VERSION_PATTERN = re.compile(r"(unknown|[0-9]{8}T[0-9]{6}Z)-[0-9a-f]{12}", re.ASCII)


def is_version(text: str) -> bool:
    """True for what may name an index version: the text becomes part of object keys."""
    return VERSION_PATTERN.fullmatch(text) is not None


def newest_of(publications: Sequence[Publication], version: str) -> Publication | None:
    """The newest publication of a version; None when it never was published."""
    return next((publication for publication in reversed(publications) if publication.version == version), None)


def before_present(publications: Sequence[Publication]) -> Publication | None:
    """What was in service before the present version first came; None when nothing was.

    Looked for before its *first* publication: so a rollback that is repeated goes further back, and never forward
    again to the version that was rolled back.
    """
    if not publications:
        return None
    present = publications[-1].version
    first = next(place for place, publication in enumerate(publications) if publication.version == present)
    return publications[first - 1] if first else None
