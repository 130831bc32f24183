"""A real Prometheus that watches a running `afin` by our rules, in seconds instead of minutes."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import asyncpg
import yaml
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from demo.stack.options import free_ports
from tests.e2e.conftest import ServingAfin
from tests.unit.deploy.monitoring.promql import RULES

SERVICES = ("ingest", "warehouse", "indexer", "recommender")
PROGRAM = shutil.which("prometheus", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
MISSING = "no prometheus on this machine; `make check` takes it out of Debian's package where it can"
PATIENCE_SECONDS = 90
# How long an alert must hold before it fires.
WAIT = re.compile(r"^( +for:) .*$", re.MULTILINE)


@dataclass(frozen=True)
class Prometheus:
    """Asked over HTTP."""

    address: str

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant answer, or of a scalar one; an expression that cannot be evaluated raises."""
        data = self._data("query", query=expression)
        return list(data["result"]) if data["resultType"] == "vector" else [{"value": data["result"]}]

    def ask_over(self, expression: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """The series between two moments, in seconds since 1970, a value each `step` seconds."""
        return list(self._data("query_range", query=expression, start=start, end=end, step=step)["result"])

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        return {each["metric"]["alertname"] for each in self.ask('ALERTS{alertstate="firing"}')}

    def until(self, expression: str) -> None:
        """Waits until the answer is not empty."""
        for attempt in patiently():
            with attempt:
                assert self.ask(expression), expression

    def _data(self, question: str, **parameters: str | float) -> dict[str, Any]:
        with urlopen(f"http://{self.address}/api/v1/{question}?{urlencode(parameters)}", timeout=20) as answer:
            return dict(json.load(answer)["data"])


@contextmanager
def watching(serving: ServingAfin, folder: Path) -> Iterator[Prometheus]:
    """While open, it asks the four services every three seconds, and tries the rules; alerts fire soon."""
    (port,) = free_ports(["prometheus"]).values()
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(_configuration(serving, folder)))
    found = Prometheus(f"127.0.0.1:{port}")
    command = [
        str(PROGRAM),
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={found.address}",
    ]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            found.until(f'count(up{{job="afin"}} == 1) == {len(SERVICES)}')
            yield found
        finally:
            process.terminate()


async def let_days_pass(state: Path) -> None:
    """For the stack on this state, runs ended and schedules were first seen three days earlier than they were."""
    lines = (state / "postgres/data/postmaster.pid").read_text().splitlines()
    connection = await asyncpg.connect(host=lines[4], port=int(lines[3]), user="postgres", database="afin")
    try:
        await connection.execute("""
            UPDATE ingest.runs SET ended_at = ended_at - interval '3 days';
            UPDATE ingest.schedules
            SET created_at = created_at - interval '3 days', last_time = last_time - interval '3 days'
        """)
    finally:
        await connection.close()


def _configuration(serving: ServingAfin, folder: Path) -> dict[str, Any]:
    for path in RULES:
        (folder / path.name).write_text(WAIT.sub(r"\1 5s", path.read_text()))
    targets = [{"targets": [serving.metrics(name)], "labels": {"service": name}} for name in SERVICES]
    return {
        "global": {"scrape_interval": "3s", "scrape_timeout": "3s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / path.name) for path in RULES],
        "scrape_configs": [{"job_name": "afin", "static_configs": targets}],
    }


def patiently() -> Retrying:
    """Attempts until one of them does not fail; a busy machine may leave out an answer."""
    return Retrying(
        retry=retry_if_exception_type((OSError, AssertionError)),
        stop=stop_after_delay(PATIENCE_SECONDS),
        wait=wait_fixed(0.5),
        reraise=True,
    )
