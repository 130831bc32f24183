"""docs/reference/settings.md, of the settings classes."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from console.settings import ConsoleSettings
from demo.live.settings import LiveSettings
from demo.source.settings import SourceSettings
from services.indexer.settings import IndexerSettings
from services.ingest.settings import IngestSettings
from services.recommender.settings import RecommenderSettings
from services.runtime.settings import ServiceSettings
from services.warehouse.migrate import MigrationSettings
from services.warehouse.settings import WarehouseSettings

SERVICES: tuple[type[BaseSettings], ...] = (IngestSettings, WarehouseSettings, IndexerSettings, RecommenderSettings)
OTHERS: dict[str, type[BaseSettings]] = {
    "The console": ConsoleSettings,
    "The command that migrates": MigrationSettings,
    "The demo's source API": SourceSettings,
    "The demo's live payments": LiveSettings,
}
HEAD = """# Settings

Made of the settings classes by `make docs`; a test compares. Each process reads its settings once, from variables with
its own prefix; a missing, wrong or unknown one is told in one line before the port opens, and the process ends with 2.
A secret may stand in a file named like its variable, in lower case, below `/run/secrets/afin`. Durations are ISO 8601
(`P2D`, `PT30M`) or `hours:minutes:seconds` (`48:00:00`).

`afin up` and `afin demo` pass the services' variables on. `DATABASE_URL`, `OBJECT_STORE_URL` (with
`OBJECT_STORE_ENDPOINT_URL` for an S3 server other than AWS; credentials as boto3 finds them) and `SOURCE_URL` replace
the embedded parts by real ones.

## Every service

`…` stands for `INGEST`, `WAREHOUSE`, `INDEXER` or `RECOMMENDER`.

"""


def page() -> str:
    """What the file must hold."""
    parts = [HEAD + _table(_rows("…_", ServiceSettings.model_fields.items()))]
    for kind in SERVICES:
        title = kind.__name__.removesuffix("Settings").lower()
        own = ((name, field) for name, field in kind.model_fields.items() if not _is_common(name, field))
        parts.append(f"## {title}\n\n{_table(_rows(_prefix(kind), own))}")
    for title, other in OTHERS.items():
        parts.append(f"## {title}\n\n{_table(_rows(_prefix(other), other.model_fields.items()))}")
    return "\n".join(parts)


def _prefix(kind: type[BaseSettings]) -> str:
    return str(kind.model_config.get("env_prefix", ""))


def _is_common(name: str, field: FieldInfo) -> bool:
    """Told once for all services, as long as a service does not mean something else by it."""
    common = ServiceSettings.model_fields.get(name)
    return common is not None and (common.description, common.default) == (field.description, field.default)


def _table(rows: Iterable[str]) -> str:
    return "| setting | default | what it is |\n|---|---|---|\n" + "".join(rows)


def _rows(prefix: str, fields: Iterable[tuple[str, FieldInfo]]) -> Iterator[str]:
    for name, field in fields:
        yield f"| `{prefix}{name.upper()}` | {_default(field)} | {field.description} |\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    return f"`{_told(value)}`"


def _told(value: object) -> str:
    if isinstance(value, timedelta):
        hours, seconds = divmod(int(value.total_seconds()), 3600)
        return f"{hours:02}:{seconds // 60:02}:{seconds % 60:02}"
    if isinstance(value, tuple):
        return ",".join(str(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
