"""What a validation found, as the indexer keeps it: its checks, and how the version differs from the one in service."""

from pydantic import AwareDatetime, Field

from services.contracts.stored import Stored


class Check(Stored):
    """One question a validation asked, with what was found; `figures`: the numbers behind the detail, by name."""

    name: str
    passed: bool
    detail: str
    figures: dict[str, float] = Field(default_factory=dict)


class Turnover(Stored):
    """How one set became another. `came` and `went` are counts; the examples are company codes, in order."""

    before: int
    after: int
    came: int
    went: int
    came_examples: tuple[str, ...] = ()
    went_examples: tuple[str, ...] = ()


class PairedQuality(Stored):
    """NDCG@10 of both on the clients that both were judged by; mean difference, client by client, 95 % interval."""

    clients: int
    base_ndcg: float
    ndcg: float
    difference: float
    difference_low: float
    difference_high: float


class Comparison(Stored):
    """How a version differs from another, `base`. Clients are counted, never named.

    new, any: None without a client that both were judged by. overlap_new, overlap_any: the mean share of ten answers
    that `overlap_clients` clients get from both; None without a common client.
    """

    base: str
    base_training_payments: int
    training_payments: int
    clients: Turnover
    companies: Turnover
    indexed: Turnover
    popular: Turnover
    new: PairedQuality | None
    any: PairedQuality | None
    overlap_clients: int
    overlap_new: float | None
    overlap_any: float | None


class Validation(Stored):
    """`drift`: against the version in service then; None when there was none that could be compared.

    `override_reason`: why it was published although it failed; empty when it was not.
    """

    version: str
    validated_at: AwareDatetime
    checks: tuple[Check, ...]
    drift: Comparison | None = None
    override_reason: str = ""

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def passed(self) -> bool:
        """True when every check is, and there was one."""
        return bool(self.checks) and not self.failed
