"""Where the history of revisions stands: in this folder, and in the database's table `warehouse.schema_version`."""

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

VERSION_SCHEMA = "warehouse"
VERSION_TABLE = "schema_version"


def alembic_config() -> Config:
    """Alembic without an alembic.ini, so that it works from an installed wheel."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def head_revision() -> str:
    """The revision that this code needs the database to be at. Reads the folder of revisions: ask once."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise RuntimeError(f"no revision below {Path(__file__).parent}; the installation is damaged")
    return head


def is_enough(revision: str | None, needed: str) -> bool:
    """Whether code that needs a revision works on a database that is at another one: at it or beyond.

    Migrations only expand while code before them may run (docs/upgrades.md); their names are numbers of four digits.
    """
    return revision is not None and revision >= needed
