"""What callers are told when versions cannot be compared, or are not there any more."""

from services.runtime.errors import FailedPrecondition, NotFound


class NotComparable(FailedPrecondition):
    """One of the two bundles is damaged, or of a format that this code does not know."""

    reason = "NOT_COMPARABLE"

    def __init__(self, problem: str) -> None:
        super().__init__(f"the versions cannot be compared: {problem}")


class ComparisonDied(NotComparable):
    """The comparing process was killed, or took too long: that tells nothing of the two bundles."""

    reason = "COMPARISON_DIED"


class NotViewable(FailedPrecondition):
    """The bundle is damaged, of a format that this code does not know, or too large to look into in time."""

    reason = "NOT_VIEWABLE"

    def __init__(self, problem: str) -> None:
        super().__init__(f"the version cannot be looked into: {problem}")


class VersionNotFound(NotFound):
    """No version has this name, or it was removed."""

    reason = "VERSION_NOT_FOUND"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"there is no index version {version}; ListIndexVersions names those there are",
            metadata={"version": version},
        )
