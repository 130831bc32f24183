"""A whole stack that speaks TLS and asks for keys: ingest is let in by its own, people by theirs, nobody else."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from afin.ingest.v1 import ingest_pb2, ingest_pb2_grpc
from afin.recommender.v1 import recommender_pb2, recommender_pb2_grpc
from demo.stack.options import StackOptions, free_ports
from demo.stack.stack import Stack, open_console, open_databases, open_services
from services.runtime.access.proof import Proof
from services.runtime.channels import open_channel
from tests.e2e.canary.world import SETTINGS, ordinary
from tests.e2e.console.world import a_browser
from tests.integration.ingest.source_server import NOW, company, source_server

CREATE = Path(__file__).parents[2] / "deploy/create-access.sh"
CALL_SECONDS = 120


@pytest.fixture
def access(tmp_path: Path) -> Path:
    """Keys and certificates, as the deployments have them."""
    subprocess.run([CREATE, tmp_path / "access"], check=True, timeout=60)
    return tmp_path / "access"


@pytest.fixture
async def stack(tmp_path: Path, access: Path) -> AsyncIterator[Stack]:
    """All services behind TLS and keys, with a source to read."""
    async with source_server() as source:
        source.companies = [company(number) for number in range(20)]
        source.payments = [ordinary(number) for number in range(600)]
        options = StackOptions(
            state=tmp_path / "state",
            ports=free_ports(),
            source_url=source.url,
            first_day=(NOW - timedelta(days=60)).date(),
            settings={**SETTINGS, **_settings(access)},
        )
        async with open_databases(options, print) as databases, open_services(options, databases, print) as stack:
            yield stack


def _settings(access: Path) -> dict[str, str]:
    told = {
        "INGEST_PEERS_TLS_CA_FILE": access / "ca.crt",
        "INGEST_PEERS_TLS_CERT_FILE": access / "ingest.crt",
        "INGEST_PEERS_TLS_KEY_FILE": access / "ingest.key",
        "INGEST_PEERS_API_KEY_FILE": access / "ingest_api_key",
        "CONSOLE_PEERS_TLS_CA_FILE": access / "ca.crt",
        "CONSOLE_PEERS_TLS_CERT_FILE": access / "ingest.crt",
        "CONSOLE_PEERS_TLS_KEY_FILE": access / "ingest.key",
    }
    for service in ("ingest", "warehouse", "indexer", "recommender"):
        prefix = service.upper()
        told |= {
            f"{prefix}_API_KEYS_FILE": access / "api_keys",
            f"{prefix}_TLS_CERT_FILE": access / f"{service}.crt",
            f"{prefix}_TLS_KEY_FILE": access / f"{service}.key",
            f"{prefix}_TLS_CLIENT_CA_FILE": access / "ca.crt",
        }
    return {name: str(value) for name, value in told.items()}


@pytest.mark.timeout(600)
async def test_the_main_job_runs_behind_tls_and_keys(stack: Stack, access: Path) -> None:
    admin = Proof(access / "ca.crt", access / "ingest.crt", access / "ingest.key", access / "admin_api_key")
    async with (
        open_channel(stack.address("ingest"), admin) as ingest,
        open_channel(stack.address("recommender"), admin) as recommender,
    ):
        for pipeline in (ingest_pb2.PIPELINE_COMPANIES, ingest_pb2.PIPELINE_RECOMMENDATIONS):
            run = await _run(ingest_pb2_grpc.IngestServiceStub(ingest), pipeline)
            assert run.state == ingest_pb2.RUN_STATE_SUCCEEDED, run
        answer = await _recommended(recommender)

    assert len(answer.recommendations) == 5
    await _people_by_profile(stack, access)
    assert (
        await _code_of(stack, Proof(access / "ca.crt", access / "ingest.crt", access / "ingest.key"))
        == "UNAUTHENTICATED"
    )
    assert await _code_of(stack, Proof(access / "ca.crt", None, None, access / "admin_api_key")) == "UNAVAILABLE"
    await _the_console_asks_for_a_key_and_acts_in_its_name(stack, (access / "admin_api_key").read_text().strip())
    said = {path.name: path.read_text() for path in (stack.options.state / "logs").glob("*.log")}
    assert ("ingest", "OK") in _audited(said["warehouse.log"], "LoadPayments")
    assert _audited(said["ingest.log"], "RunPipeline") == [("admin", "OK")] * 2
    secrets = await asyncio.to_thread(lambda: [path.read_text().strip() for path in access.glob("*_api_key")])
    assert [name for name, text in said.items() for secret in secrets if secret in text] == []


async def _the_console_asks_for_a_key_and_acts_in_its_name(stack: Stack, key: str) -> None:
    async with open_console(stack, print) as address, a_browser(address) as browser:
        asked = await browser.open("/runs")
        refused = await browser.send(asked, "/enter", key="afin_nobodys", back="/runs")
        entered = await browser.send(asked, "/enter", key=key, back="/runs")
        pipeline = await browser.open("/pipelines/companies")
        paused = await browser.send(pipeline, "/pipelines/companies/pause")
        left = await browser.send(paused, "/leave")
        afterwards = await browser.open("/runs")

    assert asked.path == "/enter"
    assert (refused.status, "unknown API key" in refused.text) == (403, True)
    assert (entered.path, "recommendations" in entered.text) == ("/runs", True)
    assert "Resume the schedule" in paused.text
    assert (left.path, afterwards.path) == ("/enter", "/enter")
    assert key not in entered.html


async def _people_by_profile(stack: Stack, access: Path) -> None:
    """The command, by a profile: let in with a key that is closed to others, and told what to do without."""
    profiles, key = access / "profiles.toml", access / "admin_api_key"
    addresses = "".join(
        f'{name} = "{stack.address(name)}"\n' for name in ("ingest", "warehouse", "indexer", "recommender")
    )
    tls = 'ca_file = "ca.crt"\ncertificate_file = "ingest.crt"\nkey_file = "me.key"\n'
    me = access / "me.key"
    me.write_bytes((access / "ingest.key").read_bytes())
    me.chmod(0o600)
    profiles.write_text(f"[default]\n{addresses}{tls}")
    code, output, errors = await _typed(profiles, "watermark", "--key-file", str(key))
    assert (code, errors) == (0, ""), errors
    assert "updates after" in output
    code, _, errors = await _typed(profiles, "watermark")
    assert (code, errors.count("\n")) == (4, 1)
    assert "--key-file" in errors
    me.chmod(0o644)
    code, _, errors = await _typed(profiles, "watermark", "--key-file", str(key))
    assert (code, "chmod 600" in errors) == (1, True)


async def _typed(profiles: Path, *arguments: str) -> tuple[int | None, str, str]:
    environment = {**os.environ, "AFIN_PROFILES": str(profiles)}
    command = (str(Path(sys.executable).parent / "afin"), *arguments)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, env=environment)
    output, errors = await asyncio.wait_for(process.communicate(), CALL_SECONDS)
    return process.returncode, output.decode(), errors.decode()


async def _run(
    stub: "ingest_pb2_grpc.IngestServiceAsyncStub", pipeline: "ingest_pb2.Pipeline.ValueType"
) -> ingest_pb2.Run:
    started = await stub.RunPipeline(ingest_pb2.RunPipelineRequest(pipeline=pipeline), timeout=CALL_SECONDS)
    run = started.run
    async for told in stub.WatchRun(ingest_pb2.WatchRunRequest(run_id=run.run_id), timeout=CALL_SECONDS):
        run = told.run
    return run


async def _recommended(channel: grpc.aio.Channel) -> recommender_pb2.RecommendResponse:
    stub: recommender_pb2_grpc.RecommenderServiceAsyncStub = recommender_pb2_grpc.RecommenderServiceStub(channel)
    await stub.ReloadIndex(recommender_pb2.ReloadIndexRequest(), timeout=CALL_SECONDS)
    request = recommender_pb2.RecommendRequest(client_id="client-1", max_results=5)
    return await stub.Recommend(request, timeout=CALL_SECONDS)


async def _code_of(stack: Stack, proof: Proof) -> str:
    """How a call of the recommender ends for somebody."""
    async with open_channel(stack.address("recommender"), proof) as channel:
        try:
            await _recommended(channel)
        except grpc.aio.AioRpcError as error:
            return error.code().name
    return "OK"


def _audited(log: str, method: str) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in log.splitlines() if '"audit"' in line]
    return [(line["who"], line["code"]) for line in lines if line["rpc"].endswith(f"/{method}")]
