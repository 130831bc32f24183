"""What `afin doctor` found: one line a check, and what to do where it is not well."""

from dataclasses import dataclass
from enum import Enum

from rich.text import Text


class Level(Enum):
    """How bad it is. WARNING: it works, and will not for long or not for everybody; SKIPPED: it could not be seen."""

    GOOD = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    BAD = "bad"


MARKS = {
    Level.GOOD: Text("✓", "green"),
    Level.SKIPPED: Text("·", "dim"),
    Level.WARNING: Text("!", "yellow"),
    Level.BAD: Text("✗", "red"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`todo` is empty where all is well."""

    level: Level
    subject: str
    found: str
    todo: str = ""


def good(subject: str, found: str) -> Finding:
    """All is well."""
    return Finding(Level.GOOD, subject, found)


def bad(subject: str, found: str, todo: str) -> Finding:
    """It does not work."""
    return Finding(Level.BAD, subject, found, todo)


def warning(subject: str, found: str, todo: str) -> Finding:
    """It works as yet."""
    return Finding(Level.WARNING, subject, found, todo)


def skipped(subject: str, found: str) -> Finding:
    """It could not be looked at from here."""
    return Finding(Level.SKIPPED, subject, found)
