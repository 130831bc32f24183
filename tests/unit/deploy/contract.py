"""What compose and Kubernetes must both agree with: the settings, ports and names that the code defines."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_settings import BaseSettings

from console.services import FULL_NAMES
from console.settings import ConsoleSettings
from demo.first_run.settings import FirstRunSettings
from demo.live.settings import LiveSettings
from demo.source.settings import SourceSettings
from services.indexer.settings import IndexerSettings
from services.ingest.settings import IngestSettings
from services.recommender.settings import RecommenderSettings
from services.warehouse.migrate import MigrationSettings
from services.warehouse.settings import WarehouseSettings
from tests.unit.deploy.workloads import SERVICES

# Of the AWS tools; everything else must be a setting of ours.
FOREIGN = {"AWS_SHARED_CREDENTIALS_FILE", "AWS_DEFAULT_REGION"}
GRPC_SERVICES: Mapping[str, str] = FULL_NAMES
# What each image runs, unless it is told otherwise: its CMD.
IMAGE_MODULES = {
    **{name: f"services.{name}" for name in SERVICES},
    "console": "console",
    "dask": "services.indexer",
    "source": "demo.source",
}
# By the module that runs.
SETTINGS: Mapping[str, tuple[type[BaseSettings], ...]] = {
    "services.ingest": (IngestSettings,),
    "services.warehouse": (WarehouseSettings,),
    "services.warehouse.migrate": (MigrationSettings,),
    "services.indexer": (IndexerSettings,),
    "services.recommender": (RecommenderSettings,),
    "console": (ConsoleSettings,),
    "distributed.cli.dask_scheduler": (),
    "distributed.cli.dask_worker": (),
    "demo.source": (SourceSettings,),
    "demo.seed": (SourceSettings,),
    "demo.live": (SourceSettings, LiveSettings),
    "demo.first_run": (FirstRunSettings,),
}
DATABASE_URL = "postgresql://user:password@postgres:5432/afin"


def module_of(image: str, told: Sequence[str]) -> str:
    """What a container of one of our images runs, told these arguments, or none."""
    name = image.rpartition("/")[2].partition("@")[0].partition(":")[0]
    return told[0] if told else IMAGE_MODULES[name]


def read_settings(module: str, told: Mapping[str, str], secret_files: set[str]) -> list[BaseSettings]:
    """The settings as `module` would read them; ValueError for a variable that it would refuse or never read."""
    values = {**told, **{name.upper(): DATABASE_URL for name in secret_files}}
    kinds = SETTINGS[module]
    known = {_prefix(kind) + field.upper() for kind in kinds for field in kind.model_fields}
    if unknown := values.keys() - known - FOREIGN:
        raise ValueError(f"{module} does not know {sorted(unknown)}")
    return [kind(**_fields(kind, values)) for kind in kinds]


def _fields(kind: type[BaseSettings], values: Mapping[str, str]) -> dict[str, Any]:
    return {
        name.removeprefix(_prefix(kind)).lower(): value
        for name, value in values.items()
        if name.startswith(_prefix(kind))
    }


def _prefix(kind: type[BaseSettings]) -> str:
    return kind.model_config["env_prefix"]
