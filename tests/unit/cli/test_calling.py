"""Where a command calls: what its options and its profile mean together, and what of it is refused."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.afin_calls import Afin
from cli.calling import calling
from cli.profiles import SERVICES

app = typer.Typer()
PROFILE = '[default]\nhost = "afin.example"\nindexer = "other.example:443"\n'


@app.command()
@calling("ingest")
async def where(afin: Afin) -> None:
    """Tells the address of each service."""
    profile = afin.target.profile
    afin.screen.json({service: profile.address(service) for service in SERVICES}, one_line=True)


def told(folder: Path, *arguments: str) -> Result:
    (folder / "profiles.toml").write_text(PROFILE)
    return CliRunner().invoke(app, arguments, env={"AFIN_PROFILES": str(folder / "profiles.toml")})


@pytest.mark.parametrize(
    ("addresses", "ingest", "indexer"),
    [
        ([], "afin.example:50051", "other.example:443"),
        (["10.0.0.7:1"], "10.0.0.7:1", "other.example:443"),
        (["10.0.0.7"], "10.0.0.7:50051", "10.0.0.7:50053"),
        (["10.0.0.7", "indexer=10.0.0.8:1"], "10.0.0.7:50051", "10.0.0.8:1"),
    ],
)
def test_an_address_is_of_the_service_that_is_called_of_all_or_of_one_by_name(
    tmp_path: Path, addresses: list[str], ingest: str, indexer: str
) -> None:
    options = [part for address in addresses for part in ("--address", address)]

    shown = told(tmp_path, *options).stdout

    assert f'"ingest": "{ingest}"' in shown
    assert f'"indexer": "{indexer}"' in shown


@pytest.mark.parametrize("address", ["wares=10.0.0.7:1", "ingest="])
def test_an_address_of_no_service_is_refused_with_what_may_be_given(tmp_path: Path, address: str) -> None:
    refused = told(tmp_path, "--address", address)

    assert refused.exit_code == 2
    assert refused.stderr == (
        f"afin: --address {address}: give HOST, HOST:PORT, or one of ingest, warehouse, indexer, recommender "
        "as SERVICE=HOST:PORT\n"
    )
