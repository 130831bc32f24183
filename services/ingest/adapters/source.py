"""The source API over HTTP: bounded in time and size, asked again where that may help, never followed elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from services.ingest.adapters.source_json import NotAPage, parse_page
from services.ingest.domain.paging import PageRequest
from services.ingest.domain.rows import COMPANY_FIELDS, PAYMENT_FIELDS
from services.ingest.workflow.errors import SourceRefuses, SourceUnavailable
from services.ingest.workflow.values import Page
from services.runtime.clock import Clock

MAX_WAIT = timedelta(seconds=15)
MAX_RETRY_AFTER = timedelta(seconds=30)
CHUNK_BYTES = 64 * 1024
# A page may hold twice what was asked for, and this many rows in any case.
LEAST_ROW_CAP = 10_000
CONNECTIONS = 2
HINT = "check INGEST_SOURCE_URL and the source"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """`timeout`: of one page, all of it; `attempts`: times a page is asked for; `first_wait`: before the second."""

    timeout: timedelta
    attempts: int
    max_page_bytes: int
    first_wait: timedelta = timedelta(seconds=1)


class _Transient(Exception):
    """Asking again may help; says what the source did, and how long it wants to be left alone."""

    def __init__(self, problem: str, retry_after: timedelta = timedelta(0)) -> None:
        super().__init__(problem)
        self.retry_after = retry_after


@asynccontextmanager
async def open_source(base_url: str, limits: SourceLimits, clock: Clock) -> AsyncIterator["HttpSource"]:
    """A client with its own connections, closed at the end."""
    timeout = aiohttp.ClientTimeout(total=limits.timeout.total_seconds())
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield HttpSource(session, base_url, limits, clock)


class HttpSource:
    """See services.ingest.workflow.ports.Source."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, limits: SourceLimits, clock: Clock) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._limits = limits
        self._clock = clock

    async def payments(self, since: date, request: PageRequest) -> Page:
        """See Source."""
        return await self._page("/payments", PAYMENT_FIELDS, {"updated_at": since.isoformat()} | _range(request))

    async def companies(self, request: PageRequest) -> Page:
        """See Source."""
        return await self._page("/companies", COMPANY_FIELDS, _range(request))

    async def _page(self, path: str, names: Sequence[str], query: dict[str, str]) -> Page:
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._limits.attempts),
            wait=self._wait,
            retry=retry_if_exception_type(_Transient),
            before_sleep=_tell,
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    return await self._ask(path, names, query)
        except _Transient as problem:
            raise SourceUnavailable(
                f"the source {problem} to {path}, asked {self._limits.attempts} times; {HINT}"
            ) from problem
        raise RuntimeError("tenacity returns or raises")

    async def _ask(self, path: str, names: Sequence[str], query: dict[str, str]) -> Page:
        try:
            url = f"{self._base_url}{path}"
            async with self._session.get(url, params=query, allow_redirects=False) as response:
                _check_status(response, path, self._clock())
                body = await self._body(response, path)
                source_time = _date(response.headers.get("Date")) or self._clock()
            return Page(await asyncio.to_thread(parse_page, body, names, _most_rows(query)), source_time)
        except NotAPage as error:
            raise _Transient(f"answered 200 with a body that {error}") from error
        except TimeoutError as error:
            raise _Transient(f"gave no whole answer within {self._limits.timeout}") from error
        except aiohttp.ClientPayloadError as error:
            raise _Transient("broke off its answer") from error
        except aiohttp.ClientError as error:
            raise _Transient(f"did not answer ({type(error).__name__})") from error

    async def _body(self, response: aiohttp.ClientResponse, path: str) -> bytes:
        """The decompressed body. The cap holds while reading: no answer is taken in first and measured afterwards."""
        body = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            body += chunk
            if len(body) > self._limits.max_page_bytes:
                raise SourceRefuses(
                    f"a page of {path} has more than {self._limits.max_page_bytes} bytes; "
                    "lower INGEST_PAGE_LIMIT or raise INGEST_MAX_PAGE_BYTES"
                )
        return bytes(body)

    def _wait(self, state: RetryCallState) -> float:
        first = self._limits.first_wait.total_seconds()
        backoff = (wait_exponential(multiplier=first, max=MAX_WAIT.total_seconds()) + wait_random(0, first))(state)
        problem = state.outcome.exception() if state.outcome else None
        wanted = problem.retry_after if isinstance(problem, _Transient) else timedelta(0)
        return max(backoff, min(wanted, MAX_RETRY_AFTER).total_seconds())


def _range(request: PageRequest) -> dict[str, str]:
    return {"limit": str(request.limit), "offset": str(request.offset)}


def _check_status(response: aiohttp.ClientResponse, path: str, now: datetime) -> None:
    status = response.status
    if status == 200:
        return
    if status >= 500 or status in (408, 425, 429):
        raise _Transient(f"answered {status}", _retry_after(response.headers.get("Retry-After"), now))
    if 300 <= status < 400:
        raise SourceRefuses(f"the source answered {status}, a redirect, to {path}; none is followed: {HINT}")
    raise SourceRefuses(f"the source answered {status} to {path}; {HINT}")


def _retry_after(header: str | None, now: datetime) -> timedelta:
    """Seconds or a date, RFC 9110 section 10.2.3; zero where it is neither."""
    if header is not None and header.isascii() and header.strip().isdigit():
        return timedelta(seconds=min(int(header), MAX_RETRY_AFTER.total_seconds()))
    moment = _date(header)
    return timedelta(0) if moment is None else max(moment - now, timedelta(0))


def _date(header: str | None) -> datetime | None:
    try:
        moment = None if header is None else parsedate_to_datetime(header)
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _tell(state: RetryCallState) -> None:
    log.warning(
        "source asked again", attempt=state.attempt_number, problem=str(state.outcome and state.outcome.exception())
    )


def _most_rows(query: Mapping[str, str]) -> int:
    """A source may give more than it is asked for, within reason: small rows would fill the memory."""
    return max(LEAST_ROW_CAP, 2 * int(query["limit"]))
