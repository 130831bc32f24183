"""What may be asked of one bundle by who looks at it, and what comes of it."""

from pydantic import BaseModel, ConfigDict


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Question(_Told):
    """`most`: places of a map or of a list. Of a list: either `client_key` (see client_keys) or codes of companies."""

    about: str
    most: int
    client_key: tuple[int, int] | None = None
    company_codes: tuple[str, ...] = ()
    include_paid: bool = False


class Company(_Told):
    """As its catalogue has it."""

    company_id: int
    code: str
    name: str
    category_id: int | None
    category_name: str | None


class Point(_Told):
    """A company's place on the plane, and how many clients it has."""

    company: Company
    x: float
    y: float
    clients: int


class CompanyMap(_Told):
    """Most clients first; `popularity`: pairs of a rank and its company's clients."""

    points: tuple[Point, ...]
    explained: float
    popularity: tuple[tuple[int, int], ...]


class Why(_Told):
    """A company of the history, and its share (0..1) of the positive part of a score."""

    code: str
    name: str
    share: float


class Place(_Told):
    """Of a list: `modelled`, `from_history`: see ranking.Ranked."""

    company: Company
    score: float
    modelled: bool
    from_history: bool
    already_paid: bool
    reasons: tuple[Why, ...]


class Answer(_Told):
    """A list, best first."""

    known: bool
    places: tuple[Place, ...]
