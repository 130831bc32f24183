"""What a request's fields may hold. Values never stand in a problem's text: they may be a client's."""

import re

from services.contracts.identifiers import MAX_ID_CHARACTERS

MAX_STATUS_CHARACTERS = 256
DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000
LOAD_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
SHA256 = re.compile(r"[0-9a-f]{64}")


class WrongField(ValueError):
    """A field of a request is wrong whatever the warehouse holds."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def checked_load_id(value: str, field: str = "load_id") -> str:
    """`value` itself; WrongField unless it is 1 to 128 characters of [A-Za-z0-9._-]."""
    if not LOAD_ID.fullmatch(value):
        raise WrongField(field, "must be 1 to 128 characters of A-Z a-z 0-9 . _ -")
    return value


def checked_sha256(value: str) -> str:
    """`value` itself; WrongField unless it is 64 lower-case hex digits."""
    if not SHA256.fullmatch(value):
        raise WrongField("manifest_sha256", "must be 64 lower-case hex digits")
    return value


def checked_epoch(value: int) -> int:
    """`value` itself; WrongField when it is negative. 0: written by hand, under no leader."""
    if value < 0:
        raise WrongField("leader_epoch", "must be 0 or more")
    return value


def checked_text(field: str, value: str, longest: int = MAX_ID_CHARACTERS) -> str:
    """`value` itself; WrongField when it is empty, longer than any there is, or holds NUL, which PostgreSQL cannot."""
    if not value or len(value) > longest or "\0" in value:
        raise WrongField(field, f"must be 1 to {longest} characters, none of them NUL")
    return value


def checked_page_size(value: int) -> int:
    """Rows a page; 0 means 100. WrongField when negative or beyond 1000."""
    if not 0 <= value <= MAX_PAGE_SIZE:
        raise WrongField("page_size", f"must be 1 to {MAX_PAGE_SIZE}, or 0 for {DEFAULT_PAGE_SIZE}")
    return value or DEFAULT_PAGE_SIZE
