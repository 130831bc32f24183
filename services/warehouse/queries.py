"""Questions about history: what is asked is checked here, pages go on by key, and answers come from a `Reads`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from services.runtime.clock import Clock
from services.runtime.errors import FailedPrecondition, NotFound
from services.warehouse.domain.fields import (
    MAX_STATUS_CHARACTERS,
    WrongField,
    checked_load_id,
    checked_page_size,
    checked_text,
)
from services.warehouse.domain.history import (
    ClientPaymentsPlace,
    CompanyVersion,
    PaymentVersion,
    Statistics,
    TrainingSummary,
)
from services.warehouse.domain.loads import Dataset, Load
from services.warehouse.domain.paging import key_of_token, moment_of_token, page_token
from services.warehouse.metrics import SCHEMA_FITS, WATERMARK
from services.warehouse.refusals import refusals

MAX_STATUSES = 20
DEFAULT_STATUSES = ("paid",)
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a listing; `next_token` is empty on the last page."""

    rows: list[Row]
    next_token: str


@dataclass(frozen=True, slots=True)
class PageRequest:
    """As a caller gives it: `size` 0 means 100, an empty `token` the first page."""

    size: int
    token: str


class Reads(Protocol):
    """The warehouse's answers; all raise Unavailable without the database, FailedPrecondition without its schema."""

    async def require_schema(self) -> None:
        """FailedPrecondition unless the schema is at the revision that this code needs, or beyond."""

    async def load(self, load_id: str) -> Load | None:
        """An entry of the ledger."""

    async def watermarks(self) -> dict[Dataset, datetime]:
        """By dataset; those never set are missing."""

    async def payment_history(self, payment_id: str, company_code: str) -> list[PaymentVersion]:
        """All versions, oldest first."""

    async def client_payments(
        self, client_id: str, as_of: datetime, after: ClientPaymentsPlace | None, limit: int
    ) -> list[PaymentVersion]:
        """As they stood at `as_of`, newest payment first, those without a time last."""

    async def companies(self, after: str, limit: int, *, include_retired: bool, matching: str) -> list[CompanyVersion]:
        """Current versions whose code is beyond `after`, by code; `matching`: in code or name, empty for all."""

    async def company_history(self, company_code: str) -> list[CompanyVersion]:
        """All versions, oldest first."""

    async def statistics(self) -> Statistics:
        """Sizes, all of one moment."""

    async def training_summary(self, created_since: datetime | None, statuses: tuple[str, ...]) -> TrainingSummary:
        """Of the training view."""


class Queries:
    """Checks, then asks."""

    def __init__(self, reads: Reads, clock: Clock) -> None:
        self._reads = reads
        self._clock = clock

    async def check_ready(self) -> None:
        """Raises unless the database answers and its schema is ours; keeps the metrics of both true."""
        try:
            await self._reads.require_schema()
        except FailedPrecondition:
            SCHEMA_FITS.set(0)
            raise
        SCHEMA_FITS.set(1)
        await self.watermarks()

    async def load(self, load_id: str) -> Load:
        """An entry of the ledger; NotFound."""
        with refusals():
            checked_load_id(load_id)
        load = await self._reads.load(load_id)
        if load is None:
            raise NotFound(f"no load {load_id!r} in the ledger")
        return load

    async def watermarks(self) -> dict[Dataset, datetime]:
        """By dataset; those never set are missing."""
        watermarks = await self._reads.watermarks()
        for dataset, value in watermarks.items():
            WATERMARK.labels(dataset).set(value.timestamp())
        return watermarks

    async def payment_history(self, payment_id: str, company_code: str) -> list[PaymentVersion]:
        """All versions, oldest first; NotFound when there is none."""
        with refusals():
            checked_text("payment_id", payment_id)
            checked_text("company_code", company_code)
        versions = await self._reads.payment_history(payment_id, company_code)
        if not versions:
            raise NotFound("the warehouse has never seen a payment with this payment_id and company_code")
        return versions

    async def client_payments(self, client_id: str, as_of: datetime | None, page: PageRequest) -> Page[PaymentVersion]:
        """A client's payments as they stood at a moment (None: now). Later pages keep the moment of the first."""
        with refusals():
            checked_text("external_client_id", client_id)
            size = checked_page_size(page.size)
            place = _place_of(page.token) if page.token else None
        moment = place.as_of if place else as_of or self._clock()
        rows = await self._reads.client_payments(client_id, moment, place, size + 1)
        token = _token_after(rows[size - 1], moment) if len(rows) > size else ""
        return Page(rows[:size], token)

    async def companies(self, page: PageRequest, *, include_retired: bool, matching: str = "") -> Page[CompanyVersion]:
        """The catalogue by company code; `matching`: only those that hold it in code or name, whatever the case."""
        with refusals():
            if matching:
                checked_text("matching", matching)
            size = checked_page_size(page.size)
            after = key_of_token(page.token, 1)[0] if page.token else ""
        rows = await self._reads.companies(after, size + 1, include_retired=include_retired, matching=matching)
        token = page_token([rows[size - 1].company_code]) if len(rows) > size else ""
        return Page(rows[:size], token)

    async def company_history(self, company_code: str) -> list[CompanyVersion]:
        """All versions, oldest first; NotFound when there is none."""
        with refusals():
            checked_text("company_code", company_code)
        versions = await self._reads.company_history(company_code)
        if not versions:
            raise NotFound("the warehouse has never seen a company with this company_code")
        return versions

    async def statistics(self) -> Statistics:
        """How much the warehouse holds."""
        return await self._reads.statistics()

    async def training_summary(self, created_since: datetime | None, statuses: tuple[str, ...]) -> TrainingSummary:
        """Of payments created since then (None: of all), with one of the statuses (none: "paid")."""
        with refusals():
            for status in statuses[: MAX_STATUSES + 1]:
                checked_text("statuses", status, MAX_STATUS_CHARACTERS)
            if len(statuses) > MAX_STATUSES:
                raise WrongField("statuses", f"must be at most {MAX_STATUSES}")
        return await self._reads.training_summary(created_since, statuses or DEFAULT_STATUSES)


def _place_of(token: str) -> ClientPaymentsPlace:
    as_of, payment_at, payment_id, company_code = key_of_token(token, 4)
    moment = moment_of_token(payment_at) if payment_at else None
    return ClientPaymentsPlace(moment_of_token(as_of), moment, payment_id, company_code)


def _token_after(last: PaymentVersion, as_of: datetime) -> str:
    payment_at = last.payment_at.astimezone(UTC).isoformat() if last.payment_at else ""
    return page_token([as_of.isoformat(), payment_at, last.payment_id, last.company_code])
