"""Which of the missed times of a schedule is run: the latest one, once."""

from collections.abc import Callable
from datetime import datetime

# The first scheduled time strictly after a moment; None: there is none any more.
NextTime = Callable[[datetime], datetime | None]


def latest_due(next_time: NextTime, settled: datetime, now: datetime) -> datetime | None:
    """The latest scheduled time in (settled, now]; None without any.

    Halves the span instead of walking through it: years of a schedule of minutes take some fifty questions.
    """
    latest, end = next_time(settled), now
    if latest is None or latest > now:
        return None
    while (following := next_time(latest)) is not None and following <= end:
        middle = following + (end - following) / 2
        later = next_time(middle)
        if later is not None and later <= end:
            latest = later
        else:
            latest, end = following, middle
    return latest
