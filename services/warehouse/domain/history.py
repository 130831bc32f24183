"""What the warehouse tells of payments and companies: versions, each true from `start_date` until before `end_date`."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class PaymentVersion:
    """One version of a payment; `end_date` is None for the current one. Amount with two places, times aware, UTC."""

    payment_id: str
    company_code: str
    payment_at: datetime | None
    status: str
    amount: Decimal
    external_client_id: str
    created_at: datetime
    start_date: datetime
    end_date: datetime | None
    recorded_at: datetime
    load_id: str


@dataclass(frozen=True, slots=True)
class CompanyVersion:
    """One version of a company; a retired one is a version too: the source does not list it from then on."""

    company_code: str
    company_id: int
    company_name: str
    category_id: int | None
    category_name: str | None
    is_top_biller: bool | None
    is_retired: bool
    start_date: datetime
    end_date: datetime | None
    recorded_at: datetime
    load_id: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """How much the warehouse holds; `clients` are those of current payments."""

    current_payments: int
    payment_versions: int
    clients: int
    current_companies: int
    retired_companies: int
    company_versions: int


@dataclass(frozen=True, slots=True)
class TrainingSummary:
    """What a training of the index would read; the moments are None without any payment."""

    payments: int
    clients: int
    companies: int
    first_payment_at: datetime | None
    last_payment_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClientPaymentsPlace:
    """Where a listing of a client's payments stands: the moment it shows, and the last payment already given."""

    as_of: datetime
    payment_at: datetime | None
    payment_id: str
    company_code: str
