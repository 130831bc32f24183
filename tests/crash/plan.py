"""What a season of the crash test is made of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from services.runtime.clock import utc_now

# The source's clock between two runs. A season is over before it reaches ours.
STEP = timedelta(minutes=20)
FIRST_WINDOW = timedelta(days=3)


@dataclass(frozen=True)
class Plan:
    """`server_url`: a PostgreSQL server on a Unix socket, its database `postgres`; `folder`: for logs and objects.

    `begin`: the source's clock before the first run; `first_moment`: on whose day the first pass begins.
    """

    seed: int
    server_url: str
    folder: Path
    on_s3: bool
    begin: datetime
    first_moment: datetime
    runs: int


def season_plan(seed: int, server_url: str, folder: Path, runs: int) -> Plan:
    """Every other season is on S3, the others on files. The source's clock never overtakes ours."""
    begin = (utc_now() - STEP * (runs + 3)).replace(microsecond=0)
    return Plan(seed, server_url, folder / str(seed), seed % 2 == 0, begin, begin - FIRST_WINDOW, runs)
