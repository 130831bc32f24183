"""The source API over HTTP: bounded in time and size, asked again where that may help, never followed elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial

import aiohttp

from services.ingest.adapters.source_body import ACCEPTED, NotUnpackable, TooLarge, read_body, unpacked
from services.ingest.adapters.source_json import NotAPage, parse_companies, parse_payments
from services.ingest.adapters.source_patience import HINT, Patience, PatientFetch, Transient
from services.ingest.domain.page_rows import PageRows
from services.ingest.domain.paging import PageRequest
from services.ingest.domain.values import FIRST_YEAR, LAST_YEAR
from services.ingest.workflow.errors import SourceRefuses
from services.ingest.workflow.ports import Fetch
from services.ingest.workflow.values import Page
from services.runtime.clock import Clock

# A page may hold twice what was asked for, and this many rows in any case.
LEAST_ROW_CAP = 10_000
# What a source answers that has too much to do, and to all of its callers.
BUSY = (429, 503)
LONGEST_REST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """`timeout`: of one answer, all of it; `max_page_bytes`: as sent and as unpacked; `connections`: of all passes."""

    timeout: timedelta
    max_page_bytes: int
    connections: int
    patience: Patience


@dataclass(frozen=True, slots=True)
class _Dataset:
    """Where a dataset is asked for; `parse(body, most_rows)` makes rows of an answer."""

    path: str
    parse: Callable[[bytes, int], PageRows]
    query: Mapping[str, str]


@asynccontextmanager
async def open_source(base_url: str, limits: SourceLimits, clock: Clock) -> AsyncIterator["HttpSource"]:
    """A client with its own connections, closed at the end."""
    # Two at once: most of a page's parsing needs no interpreter, and the rest of one goes on beside it.
    parser = ThreadPoolExecutor(max_workers=2, thread_name_prefix="source-parser")
    try:
        async with open_session(limits) as session:
            yield HttpSource(session, parser, base_url, limits, clock)
    finally:
        parser.shutdown(wait=False, cancel_futures=True)


def open_session(limits: SourceLimits) -> aiohttp.ClientSession:
    """Connections to the source, to be closed by the caller."""
    timeout = aiohttp.ClientTimeout(total=limits.timeout.total_seconds())
    connector = aiohttp.TCPConnector(limit=limits.connections)
    # Bodies are unpacked here, within bounds; aiohttp would unpack a whole chunk, whatever it holds.
    return aiohttp.ClientSession(connector=connector, timeout=timeout, headers=ACCEPTED, auto_decompress=False)


class HttpSource:
    """See services.ingest.workflow.ports.Source."""

    def __init__(
        self, session: aiohttp.ClientSession, parser: Executor, base_url: str, limits: SourceLimits, clock: Clock
    ) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._limits = limits
        self._clock = clock
        self._parser = parser

    def payments(self, since: date) -> Fetch:
        """See Source."""
        return self._pass(_Dataset("/payments", parse_payments, {"updated_at": since.isoformat()}))

    def companies(self) -> Fetch:
        """See Source."""
        return self._pass(_Dataset("/companies", parse_companies, {}))

    def _pass(self, dataset: _Dataset) -> Fetch:
        return PatientFetch(partial(self._ask, dataset), dataset.path, self._limits.patience).page

    async def _ask(self, dataset: _Dataset, request: PageRequest) -> Page:
        try:
            return await self._answer(dataset, request)
        except (NotAPage, NotUnpackable) as error:
            raise Transient(f"answered 200 with a body that {error}") from error
        except TooLarge as error:
            raise SourceRefuses(
                f"a page of {dataset.path} has more than {self._limits.max_page_bytes} bytes; "
                "lower INGEST_PAGE_LIMIT or raise INGEST_MAX_PAGE_BYTES"
            ) from error
        except TimeoutError as error:
            raise Transient(f"gave no whole answer within {self._limits.timeout}") from error
        except aiohttp.ClientPayloadError as error:
            raise Transient("broke off its answer") from error
        except aiohttp.ClientError as error:
            raise Transient(f"did not answer ({type(error).__name__})") from error

    async def _answer(self, dataset: _Dataset, request: PageRequest) -> Page:
        url, most = f"{self._base_url}{dataset.path}", self._limits.max_page_bytes
        query = {**dataset.query, "limit": str(request.limit), "offset": str(request.offset)}
        async with self._session.get(url, params=query, allow_redirects=False) as response:
            _check_status(response, dataset.path, self._clock())
            body = await read_body(response, most)
            source_time = _date(response.headers.get("Date")) or self._clock()
            encoding = response.headers.get("Content-Encoding", "").strip().lower()

        # A source may give more than it is asked for, within reason: small rows would fill the memory.
        most_rows = max(LEAST_ROW_CAP, 2 * request.limit)

        def rows() -> PageRows:
            return dataset.parse(unpacked(body, encoding, most), most_rows)

        return Page(await asyncio.get_running_loop().run_in_executor(self._parser, rows), source_time)


def _check_status(response: aiohttp.ClientResponse, path: str, now: datetime) -> None:
    status = response.status
    if status == 200:
        return
    if status >= 500 or status in (408, 425, 429):
        wanted = _retry_after(response.headers.get("Retry-After"), now)
        if wanted is None and status not in BUSY:
            raise Transient(f"answered {status}")
        asking = f" and wants {wanted} of rest" if wanted else ""
        raise Transient(f"answered {status}{asking}", wanted or timedelta(0))
    if 300 <= status < 400:
        raise SourceRefuses(f"the source answered {status}, a redirect, to {path}; none is followed: {HINT}")
    raise SourceRefuses(f"the source answered {status} to {path}; {HINT}")


def _retry_after(header: str | None, now: datetime) -> timedelta | None:
    """Seconds or a date, RFC 9110 section 10.2.3, at most a day; None where it is neither."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_REST)
    moment = _date(header)
    return None if moment is None else min(max(moment - now, timedelta(0)), LONGEST_REST)


@lru_cache(maxsize=16)  # the answers of a second have the same one, and it takes a while to read
def _date(header: str | None) -> datetime | None:
    """None, too, for a moment of no year that a payment could be of: nothing can be reckoned with it."""
    try:
        moment = None if header is None else parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
