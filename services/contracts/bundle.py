"""An index version as the indexer stores it and the recommender loads it.

    index/versions/<version>/<file>             immutable; the manifest is written last
    index/versions/<version>/manifest.json
    index/builds/<build id>.json                which version a build made, so that a repeated build is a no-op
    index/validations/<version>/<number>.json   what a validation found
    index/published/<epoch>.json                the newest epoch is in service

Companies have dense ids: 0 .. indexed-1 stand in the Annoy file and have factors; indexed .. companies-1 are in the
catalogue but were paid by too few clients to be placed. Both parts are in order of company_code. A client is known by
a 128-bit hash of its id, never by the id.
"""

import hashlib
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from services.contracts.history_model import HistoryModel
from services.contracts.stored import Stored
from services.contracts.variants import NAME

PUBLISHED_PREFIX = "index/published/"
BUILDS_PREFIX = "index/builds/"
VERSIONS_PREFIX = "index/versions/"
MANIFEST_FILE = "manifest.json"
DIGEST_IN_NAME = 12  # hexadecimal digits of the manifest's SHA-256 at the end of a version's name

# name: what is in it. All arrays are .npy in C order without pickled objects.
COMPANIES_FILE = "companies.npy"  # companies.COMPANY_ROW (companies,), in order of dense ids
CATEGORIES_FILE = "categories.npy"  # companies.CATEGORY_ROW (categories,)
TEXTS_FILE = "texts.npy"  # uint8 (text bytes,): UTF-8 of codes and names of companies, then names of categories
TEXT_OFFSETS_FILE = "text_offsets.npy"  # int64 (2 companies + categories + 1,): a text's slice of it
CODE_KEYS_FILE = "code_keys.npy"  # uint64 (companies,): companies.code_key of each, ascending
CODE_COMPANIES_FILE = "code_companies.npy"  # int32 (companies,): their dense ids
ANNOY_FILE = "companies.annoy"  # angular, dimension + 1: target factors padded to one norm (factors.padded)
SOURCE_FILE = (
    "source_factors.npy"  # float32 (indexed, dimension): what a company in a history says of its client; last: 0
)
TARGET_FILE = (
    "target_factors.npy"  # float32 (indexed, dimension): what draws a client to a company; last: its popularity
)
POPULAR_FILE = "popular.npy"  # int32 (companies,): dense ids, most clients first
CLIENTS_FILE = "clients.npy"  # uint64 (clients, 2): client_key of each, ascending
OFFSETS_FILE = "history_offsets.npy"  # int64 (clients + 1,): a client's slice of the three below
HISTORY_FILE = "history_companies.npy"  # int32 (pairs,): dense ids
WEIGHTS_FILE = "history_weights.npy"  # float32 (pairs,): weight of the company in the client's vector
HABITS_FILE = "history_habits.npy"  # float32 (pairs,): 0..1, the chance that the client pays the company again
TENDENCIES_FILE = "company_tendencies.npy"  # float64 (companies, 2): what HistoryModel needs of each
LIST_ROWS_FILE = "list_rows.npy"  # int32 (clients,): the client's row of the three below; -1: it has none
LIST_COMPANIES_FILE = "list_companies.npy"  # int32 (lists, list length): dense ids, best first; -1: no more companies
LIST_SCORES_FILE = "list_scores.npy"  # float32 (lists, list length)
LIST_KINDS_FILE = "list_kinds.npy"  # uint8 (lists, list length): see candidate_lists
JUDGED_FILE = "judged_clients.npy"  # int32 (judged,): rows of clients.npy, ascending: who stood for the hold-out
JUDGED_NDCG_FILE = "judged_ndcg.npy"  # float32 (judged, 2): NDCG for new and for any company; NaN: not judged by it
FILES = (
    COMPANIES_FILE,
    CATEGORIES_FILE,
    TEXTS_FILE,
    TEXT_OFFSETS_FILE,
    CODE_KEYS_FILE,
    CODE_COMPANIES_FILE,
    ANNOY_FILE,
    SOURCE_FILE,
    TARGET_FILE,
    POPULAR_FILE,
    CLIENTS_FILE,
    OFFSETS_FILE,
    HISTORY_FILE,
    WEIGHTS_FILE,
    HABITS_FILE,
    TENDENCIES_FILE,
    LIST_ROWS_FILE,
    LIST_COMPANIES_FILE,
    LIST_SCORES_FILE,
    LIST_KINDS_FILE,
    JUDGED_FILE,
    JUDGED_NDCG_FILE,
)


class BundleFile(Stored):
    """What must agree before the file is opened."""

    name: str
    size: int = Field(ge=0, description="bytes")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class TaskQuality(Stored):
    """Means over clients on the held-back last part of time; lists of k, ranked as Recommend ranks."""

    ndcg: float
    ndcg_low: float
    ndcg_high: float
    recall: float
    hit: float
    coverage: float
    clients: int
    popularity_ndcg: float
    # Mean of ndcg - popularity's, client by client, with its 95 % interval.
    gain: float
    gain_low: float
    gain_high: float


class Quality(Stored):
    """`new`: companies the client had never paid; `any`: all. None when the hold-out has no client to judge by."""

    k: int
    cut: AwareDatetime
    new: TaskQuality | None
    any: TaskQuality | None


class Tuning(Stored):
    """The numbers of the model that trials choose."""

    decay: float | None = Field(description="Age, in shares of the period, at which a payment weighs 1/e; null: never.")
    shrinkage: float = Field(description="How much is taken off what only few payments speak for.")
    trend: float = Field(description="Power of the share of a company's clients who came lately.")
    popularity: float = Field(description="Weight of popularity beside what the client's history says.")


class Trial(Stored):
    """A tuning on the last parts of time: means over clients with their 95 % intervals."""

    tuning: Tuning
    ndcg: float
    ndcg_low: float
    ndcg_high: float
    # Mean of ndcg - that of the usual tuning, client by client, with its 95 % interval.
    gain: float
    gain_low: float
    gain_high: float


class Choice(Stored):
    """The tuning that was taken, and why: the usual one unless another was better by more than two standard errors.

    `payments`: of the sample of clients; `clients`: who judged, at all cuts together. Too few of them: no trials.
    """

    chosen: Tuning
    usual: Tuning
    payments: int
    clients: int
    trials: tuple[Trial, ...]
    without_holdout: Tuning | None = Field(
        default=None, description="What the same trials chose without the hold-out: the quality is that model's."
    )


class IndexManifest(Stored):
    """All there is to know of an index version. Same rows and settings give the same manifest, byte for byte."""

    schema_version: Literal[3] = 3
    code_version: str
    companies: int
    categories: int
    text_bytes: int
    indexed: int
    clients: int
    pairs: int
    judged: int
    dimension: int
    metric: Literal["angular"] = "angular"
    trees: int
    search_nodes: int = Field(ge=1, description="How many nodes of the trees a search looks at.")
    lists: int = Field(ge=0, description="Clients with a list made ahead; the others are ranked when they ask.")
    list_length: int = Field(ge=1)
    habit_weight: float = Field(
        description="Weight of a habit beside the model's score, for lists with paid companies."
    )
    training_payments: int
    first_payment_at: AwareDatetime
    last_payment_at: AwareDatetime
    watermark: AwareDatetime | None
    choice: Choice
    histories: HistoryModel | None = Field(None, description="null: no history can be made beside those of the build.")
    parameters: dict[str, float | int | str]
    quality: Quality | None
    files: tuple[BundleFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class LedgerPlace(Stored):
    """The newest load that rows were read behind: its place in the warehouse's ledger, its id, and its commit."""

    sequence: int
    load_id: str
    committed_at: AwareDatetime


class Build(Stored):
    """Which version a build made. `erasures`: ids of those that its rows were without the clients of."""

    build_id: str
    version: str
    manifest_sha256: str
    built_at: AwareDatetime
    erasures: tuple[str, ...] = ()
    read_behind: LedgerPlace | None = None


# How a recommender looks for companies near a client.
Search = Literal["annoy", "exact"]


class Challenger(Stored):
    """A version that answers a share of the clients, so that it can be held against the main one in service.

    Who they are tells `variants.Split`. `since`: the epoch that the experiment began with.
    """

    experiment: str = Field(pattern=f"^{NAME}$")
    version: str
    manifest_sha256: str
    search: Search = "annoy"
    share: float = Field(gt=0, lt=1)
    since: int = Field(ge=1)


class Publication(Stored):
    """Puts a version into service from the moment it is written until a higher epoch is.

    `version` is everybody's, but for the clients of the challenger while an experiment is running.
    """

    epoch: int = Field(ge=1)
    version: str
    manifest_sha256: str
    published_at: AwareDatetime
    reason: str
    search: Search = "annoy"
    challenger: Challenger | None = None

    @property
    def versions(self) -> tuple[str, ...]:
        """All that it puts into service, the main one first."""
        return (self.version, self.challenger.version) if self.challenger else (self.version,)


def version_of(watermark: datetime | None, manifest_sha256: str) -> str:
    """A version's name: readable, in order of the data it knows, and of its content alone."""
    day = watermark.strftime("%Y%m%dT%H%M%SZ") if watermark else "unknown"
    return f"{day}-{manifest_sha256[:DIGEST_IN_NAME]}"


def manifest_of(version: str, content: bytes) -> IndexManifest:
    """The manifest of a version, from bytes that its name vouches for; ValueError says what is wrong with them."""
    sha256 = hashlib.sha256(content).hexdigest()
    if not version.endswith(f"-{sha256[:DIGEST_IN_NAME]}"):
        raise ValueError("its SHA-256 is not the one that the version's name holds")
    manifest = IndexManifest.from_bytes(content, MANIFEST_FILE)
    if version_of(manifest.watermark, sha256) != version:
        raise ValueError("its watermark is not the one that the version's name holds")
    if sorted(file.name for file in manifest.files) != sorted(FILES):
        raise ValueError(f"it must name these files once each: {', '.join(FILES)}")
    return manifest


def version_file_key(version: str, name: str) -> str:
    """Object key of a file of a version, the manifest included."""
    return f"{VERSIONS_PREFIX}{version}/{name}"


def manifest_key(version: str) -> str:
    """Object key of a version's manifest."""
    return version_file_key(version, MANIFEST_FILE)


def publication_key(epoch: int) -> str:
    """Object key of a publication; keys sort as epochs do."""
    return f"{PUBLISHED_PREFIX}{epoch:010d}.json"


def build_key(build_id: str) -> str:
    """Object key of a build's record."""
    return f"{BUILDS_PREFIX}{build_id}.json"


def validation_prefix(version: str) -> str:
    """Object keys of a version's validations begin so."""
    return f"index/validations/{version}/"
