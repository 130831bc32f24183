"""The commands of docs/access.md, run as they stand there, against servers that use what they made."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from services.runtime.access.bearer import read_key
from services.runtime.access.keys import parse_keys
from tests.integration.runtime.access.doors import open_doors
from tests.unit.deploy.contract import SETTINGS

ROOT = Path(__file__).parents[4]
DOCUMENT = (ROOT / "docs/access.md").read_text()
PORT = "50054"


def commands(heading: str) -> list[str]:
    """The shell blocks below a heading."""
    section = DOCUMENT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"```sh\n(.+?)```", section, re.DOTALL)
    assert found, heading
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the commands run: a folder that has what the project has below .venv."""
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


async def run(folder: Path, block: str, port: int = 0) -> str:
    """What a block prints; it must succeed."""
    done = await asyncio.create_subprocess_exec(
        "bash", "-euc", block.replace(PORT, str(port)), cwd=folder, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(done.communicate(), 60)
    assert done.returncode == 0, out.decode()
    return out.decode()


@pytest.fixture
async def keys(folder: Path) -> Path:
    """After the commands that make keys."""
    await run(folder, commands("Make keys")[0])
    return folder / "access/api_keys"


@pytest.mark.usefixtures("keys")
async def test_a_certificate_lets_its_caller_in(folder: Path) -> None:
    shop, billing = await _with_certificates(folder)
    settings = {**_tls(folder), "api_keys_file": folder / "access/api_keys"}
    async with open_doors("aio", **settings) as door:
        await run(folder, shop, door.port)
    async with open_doors("aio", **settings, tls_client_ca_file=folder / "access/ca.crt") as door:
        await run(folder, billing, door.port)


async def test_a_key_lets_its_caller_in(folder: Path, keys: Path) -> None:
    async with open_doors("aio", api_keys_file=keys) as door:
        await run(folder, commands("Call with a key")[0], door.port)


async def test_a_key_that_was_changed_is_valid_and_the_old_one_is_not(folder: Path, keys: Path) -> None:
    old = read_key(folder / "access/shop.key")
    await run(folder, commands("Change a key")[0])

    ring = await asyncio.to_thread(lambda: parse_keys(keys.read_text()))

    assert ring.of_key(old) is None
    assert ring.of_key(read_key(folder / "access/shop-new.key")) is not None
    assert len(ring) == 3


def test_every_setting_that_it_names_is_known() -> None:
    known = {
        f"{kind.model_config['env_prefix']}{field.upper()}"
        for kinds in SETTINGS.values()
        for kind in kinds
        for field in kind.model_fields
    }
    named = {
        name for name in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", DOCUMENT) if name.startswith(("INGEST_", "WAREHOUSE_"))
    }
    common = {f"WAREHOUSE{name}" for name in re.findall(r"…(_[A-Z_]+)", DOCUMENT)}

    assert len(common) > 4
    assert (named | common) - known == set()


async def _with_certificates(folder: Path) -> tuple[str, str]:
    """Makes them; gives the calls of the shop with its key, and of billing with its certificate."""
    make_ours, _, ask_with_key = commands("TLS")
    make_billing, ask_with_certificate = commands("Certificates of callers")
    for block in (make_ours, make_billing, commands("Call with a key")[0].splitlines()[0]):
        await run(folder, block)
    return ask_with_key, ask_with_certificate


def _tls(folder: Path) -> dict[str, Any]:
    return {"tls_cert_file": folder / "access/tls.crt", "tls_key_file": folder / "access/tls.key"}
