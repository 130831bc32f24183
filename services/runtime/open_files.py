"""The limit of open files, which connections use up: once it is reached, no new one is answered, health's neither."""

import resource

import structlog

ENOUGH = 8192

log = structlog.get_logger(__name__)


def raise_open_files(enough: int = ENOUGH) -> int:
    """Raises the process's own limit as far as it may; the limit. Warns, with what to do, when that is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < enough:
        remedy = f"raise the hard limit of open files (ulimit -Hn, LimitNOFILE) to {enough}, or lower MAX_CONNECTIONS"
        log.warning("few open files allowed", limit=hard, enough=enough, remedy=remedy)
    return hard
