"""Which of the missed times of a schedule is run: the latest one, once. And by when a run must have succeeded."""

from collections.abc import Callable
from datetime import datetime, timedelta

from services.ingest.domain.runs import Schedule

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


def success_due(next_time: NextTime, schedule: Schedule, last_success: datetime | None) -> datetime | None:
    """The first scheduled time since the last success: the run of then is overdue unless it succeeds soon after.

    Without a success, since the schedule was first seen; of a resumed one since then. None while it is paused.
    """
    if schedule.paused:
        return None
    since = last_success or schedule.first_seen
    settled = schedule.last_time
    # Times are settled by their runs, but those of a pause by the moment of its end, which is none of the schedule's.
    if settled and next_time(settled - timedelta(microseconds=1)) != settled:
        since = max(since, settled)
    return next_time(since)
