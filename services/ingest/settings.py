"""What ingest can be told, as INGEST_…; durations are ISO 8601 (P2D, PT30M) or hours:minutes:seconds (48:00:00)."""

from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlparse

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from services.ingest.adapters.calls import CallPolicy
from services.ingest.adapters.cron import checked_cron
from services.ingest.adapters.source import SourceLimits
from services.ingest.adapters.source_patience import Patience
from services.ingest.domain.runs import Pipeline
from services.ingest.domain.window import WindowRules
from services.ingest.workflow.steps import ReadRules
from services.runtime.database import DatabaseUrl
from services.runtime.objects.opening import StoreUrl
from services.runtime.peers import CallingSettings

MEBIBYTE = 1024 * 1024
# How long a question asked on behalf of a waiting caller may take; it is asked once.
ASKED_ONCE = timedelta(seconds=3)


def _checked_http_url(url: str) -> str:
    parsed = urlparse(url)
    if parsed.scheme not in ("http", "https") or not parsed.hostname or parsed.query or parsed.fragment:
        raise ValueError("must be http://host[:port][/path] or the same with https")
    return url


HttpUrl = Annotated[str, AfterValidator(_checked_http_url)]
Address = Annotated[str, Field(pattern=r"^[A-Za-z0-9.\-_\[\]:]+:[0-9]{1,5}$")]
Cron = Annotated[str, AfterValidator(checked_cron)]
Duration = Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=1))]


class IngestSettings(CallingSettings):
    """Wrong ones are told in one line, before a port opens."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", frozen=True, extra="forbid", env_ignore_empty=True)

    database_url: DatabaseUrl = Field(description="postgresql://user:password@host:port/database")
    object_store_url: StoreUrl = Field(
        description="s3://bucket[/prefix] or file:///absolute/folder: where the lake lies."
    )
    object_store_endpoint_url: HttpUrl | None = Field(None, description="Address of an S3 server other than AWS.")
    source_url: HttpUrl = Field(description="The source API; /payments and /companies are asked below it.")
    warehouse_address: Address = Field(description="host:port of the warehouse.")
    indexer_address: Address = Field(description="host:port of the indexer.")

    first_day: date | None = Field(
        None, description="The date the first pass asks the source for; without it 30 days before that pass."
    )
    overlap: timedelta = Field(
        timedelta(hours=48),
        ge=timedelta(0),
        le=timedelta(days=366),
        description="How far behind the watermark each later pass begins again.",
    )
    companies_schedule: Cron = Field("0 3 * * 0", description="Five fields of cron, UTC: when companies runs.")
    recommendations_schedule: Cron = Field("0 4 * * *", description="The same for recommendations.")
    reconcile_schedule: Cron | None = Field(
        None, description="The same for reconcile, e.g. `0 5 * * 6`; without it reconcile runs when it is asked for."
    )

    page_limit: int = Field(5000, ge=10, le=100_000, description="Rows asked for in one request.")
    pages_in_flight: int = Field(
        12, ge=1, le=64, description="Pages of a pass asked for at once; fewer while the source answers 429 or 503."
    )
    max_page_bytes: int = Field(
        16 * MEBIBYTE,
        ge=1024,
        le=1024 * MEBIBYTE,
        description="Of one page, as sent and as unpacked; parsed, the worst takes twelve times that in memory.",
    )
    max_requests: int = Field(100_000, ge=10, description="Requests after which a pass is given up.")
    checkpoint_rows: int = Field(
        100_000, ge=1, description="Rows after which a pass keeps its place, to go on from there after a crash."
    )
    max_quarantine_share: float = Field(
        0.05, ge=0, le=1, description="Refused rows of all read above which nothing is loaded (from 20 refused on)."
    )
    request_timeout: Duration = Field(timedelta(minutes=1), description="For one page of the source, all of it.")
    request_attempts: int = Field(5, ge=1, le=100, description="Times a page is asked for before the run fails.")
    pass_retries: int = Field(500, ge=0, description="Times that pages are asked for again in one pass, in all.")
    pass_timeout: Duration = Field(timedelta(hours=6), description="For reading a dataset of the source.")

    sweep_after: timedelta = Field(
        timedelta(days=7),
        ge=timedelta(days=1),
        le=timedelta(days=3660),
        description="How long after a run's end objects of it that no manifest in force names are kept.",
    )

    refresh_interval: Duration = Field(
        timedelta(minutes=1),
        description="How long what changed between two indexes may stay untold where a call for it failed.",
    )
    patience: Duration = Field(timedelta(minutes=2), description="How long warehouse or indexer may be away.")
    call_timeout: Duration = Field(timedelta(seconds=30), description="Deadline of a short call to them.")
    work_timeout: Duration = Field(timedelta(minutes=30), description="Deadline of a load, a build, a validation.")

    @property
    def crons(self) -> dict[Pipeline, str]:
        """When each pipeline runs by itself."""
        crons = {
            Pipeline.COMPANIES: self.companies_schedule,
            Pipeline.RECOMMENDATIONS: self.recommendations_schedule,
            Pipeline.RECONCILE: self.reconcile_schedule,
        }
        return {pipeline: cron for pipeline, cron in crons.items() if cron is not None}

    @property
    def windows(self) -> WindowRules:
        """From which day a pass reads."""
        return WindowRules(self.first_day, self.overlap)

    @property
    def reading(self) -> ReadRules:
        """How a pass reads."""
        return ReadRules(
            page_limit=self.page_limit,
            pages_in_flight=self.pages_in_flight,
            checkpoint_rows=self.checkpoint_rows,
            max_requests=self.max_requests,
            timeout=self.pass_timeout,
            max_quarantine_share=self.max_quarantine_share,
        )

    @property
    def source_limits(self) -> SourceLimits:
        """What pages may cost. Of each pipeline one pass may run, beside the others."""
        return SourceLimits(
            timeout=self.request_timeout,
            max_page_bytes=self.max_page_bytes,
            connections=self.pages_in_flight * len(Pipeline),
            patience=Patience(self.request_attempts, self.pass_retries),
        )

    @property
    def patient(self) -> CallPolicy:
        """For the steps of a run."""
        return CallPolicy(self.patience, self.call_timeout, self.work_timeout)

    @property
    def persistent(self) -> CallPolicy:
        """For what is asked again and again: a peer that is away is not waited for, but its work may take long."""
        return CallPolicy(timedelta(0), self.call_timeout, self.work_timeout)

    @property
    def impatient(self) -> CallPolicy:
        """For a caller who waits."""
        return CallPolicy(timedelta(0), ASKED_ONCE, ASKED_ONCE)
