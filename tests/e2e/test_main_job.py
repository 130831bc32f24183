"""The main job as a user runs it: `afin demo` twice on one state, called with buf curl, stopped with Ctrl-C."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.conftest import SMALL, START_SECONDS, STOP_SECONDS, ServingAfin, afin, serving_afin
from tests.e2e.dashboards import draw_dashboards
from tests.e2e.prometheus import MISSING, PROGRAM, Prometheus, let_days_pass, patiently, watching
from tests.unit.deploy.monitoring.promql import alerts, expressions

ACCOUNT = ("new", "changed", "unchanged", "late", "quarantined")
RECOMMEND = "afin.recommender.v1.RecommenderService/Recommend"
# What asks for what has not happened here: refusals, TLS, several processes, experiments.
EMPTY = re.compile(r"> 0|afin_process")
INGEST = "afin.ingest.v1.IngestService"


@dataclass(frozen=True)
class FirstRun:
    """What the first run left."""

    output: str
    report: dict[str, Any]
    state: Path


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory, small_data: Path) -> FirstRun:
    """`afin demo --once` on an empty state; it must exit with 0."""
    state, report = tmp_path_factory.mktemp("state"), tmp_path_factory.mktemp("report") / "report.json"
    command = afin("demo", "--once", "--data", str(small_data), "--state", str(state), "--report", str(report))
    done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return FirstRun(done.stdout, json.loads(report.read_text()), state)


@pytest.fixture(scope="module")
def second_run(first_run: FirstRun, small_data: Path) -> Iterator[ServingAfin]:
    """`afin demo` on the same state, serving on."""
    with serving_afin("demo", "--data", str(small_data), "--state", str(first_run.state)) as serving:
        yield serving


@pytest.fixture(scope="module")
def prometheus(second_run: ServingAfin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One that watches it."""
    with watching(second_run, tmp_path_factory.mktemp("prometheus")) as found:
        yield found


def test_every_payment_read_is_accounted_for(first_run: FirstRun) -> None:
    report = first_run.report
    assert report["read"] == SMALL.payments
    assert report["read"] == sum(report[part] for part in ACCOUNT)
    assert report["current"] == SMALL.payments - report["quarantined"]


def test_the_published_index_ranks_above_popularity(first_run: FirstRun) -> None:
    new = first_run.report["quality"]["new"]
    assert new["ndcg"] > new["popularity_ndcg"] > 0


def test_each_stage_has_its_time_and_its_memory(first_run: FirstRun) -> None:
    stages = first_run.report["stages"]
    assert {"load_source", "save_companies", "save_payments_to_db", "create_payments_index"} <= stages.keys()
    assert all(stage["seconds"] >= 0 and stage["peak_rss_mib"] > 0 for stage in stages.values())


def test_three_clients_are_shown_with_what_is_recommended_and_why(first_run: FirstRun) -> None:
    assert first_run.output.count("is recommended") == 3
    assert "because this client pays" in first_run.output


def test_a_second_run_finds_nothing_new_and_says_so(second_run: ServingAfin) -> None:
    assert "nothing new since the last run: 0 new versions" in "".join(second_run.output)


def test_buf_curl_lists_the_services_by_reflection(second_run: ServingAfin) -> None:
    listed = _buf(second_run.address("ingest"), "", "--list-services").splitlines()
    assert {INGEST, "grpc.health.v1.Health"} <= set(listed)


def test_buf_curl_triggers_a_pipeline_and_watches_it_to_its_end(second_run: ServingAfin) -> None:
    address = second_run.address("ingest")
    request = {"pipeline": "PIPELINE_RECOMMENDATIONS", "request_id": "by-hand"}

    run = json.loads(_buf(address, f"{INGEST}/RunPipeline", "-d", json.dumps(request)))["run"]
    again = json.loads(_buf(address, f"{INGEST}/RunPipeline", "-d", json.dumps(request)))["run"]
    watched = _buf(address, f"{INGEST}/WatchRun", "-d", json.dumps({"runId": run["runId"]}))

    assert again["runId"] == run["runId"]
    last = _json_values(watched)[-1]["run"]
    assert last["state"] == "RUN_STATE_SUCCEEDED", last


def test_buf_curl_gets_recommendations_with_names_and_reasons(second_run: ServingAfin) -> None:
    client = next(line for line in second_run.output if line.startswith("Client ")).split()[1]
    request = json.dumps({"client_id": client, "max_results": 5, "with_reasons": True})

    answer = json.loads(_buf(second_run.address("recommender"), RECOMMEND, "-d", request))

    assert answer["clientKnown"] is True
    assert len(answer["recommendations"]) == 5
    assert all(each["companyName"] for each in answer["recommendations"])
    assert any(each.get("reasons") for each in answer["recommendations"])
    assert answer["index"]["version"]


def test_a_second_stack_on_the_same_state_is_refused(second_run: ServingAfin, first_run: FirstRun) -> None:
    command = afin("up", "--state", str(first_run.state))
    done = subprocess.run(command, capture_output=True, text=True, timeout=STOP_SECONDS, check=False)
    assert done.returncode == 1
    assert "another afin runs on this state" in done.stderr


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
def test_prometheus_answers_what_rules_and_dashboards_ask(prometheus: Prometheus) -> None:
    quiet = {alert["alert"] for alert in alerts()}
    for attempt in patiently():
        with attempt:
            answers = {(each.place, each.text): prometheus.ask(each.plain()) for each in expressions()}
            unanswered = {place for (place, text), found in answers.items() if not found and not EMPTY.search(text)}
            assert unanswered <= quiet


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
async def test_prometheus_sees_that_the_watermark_stands_and_that_runs_are_overdue(
    prometheus: Prometheus, first_run: FirstRun
) -> None:
    """The payments of this small world are of long ago; its runs are made so."""
    prometheus.until('ALERTS{alertname="AfinWatermarkStalled", alertstate="firing"}')
    assert prometheus.firing() == {"AfinWatermarkStalled"}

    await let_days_pass(first_run.state)

    prometheus.until('ALERTS{alertname="AfinRunOverdue", pipeline="recommendations", alertstate="firing"}')
    assert prometheus.firing() == {"AfinWatermarkStalled", "AfinRunOverdue"}


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
def test_dashboards_are_drawn_from_what_prometheus_answers(prometheus: Prometheus, tmp_path: Path) -> None:
    folder = Path(os.environ.get("PICTURES") or tmp_path)

    for attempt in patiently():
        with attempt:
            drawn = draw_dashboards(prometheus, folder)
            assert {path.stem for path in folder.glob("*.html")} >= drawn.keys()
            assert {name for name, plots in drawn.items() if not any(plot.lines for plot in plots)} == set()
            (memory,) = (plot for plot in drawn["calls"] if plot.title == "Memory")
            assert len(memory.lines) == len(memory.legend) == 4
            assert all(line.dots for line in memory.lines)


def test_ctrl_c_stops_every_process_and_exits_with_0(tmp_path: Path) -> None:
    with serving_afin("up", "--state", str(tmp_path / "state")) as serving:
        pass
    assert serving.process.returncode == 0, "".join(serving.output)
    assert _left_behind(tmp_path) == []


def _buf(address: str, method: str, *arguments: str) -> str:
    command = [str(Path(sys.executable).parent / "buf"), "curl", "--protocol", "grpc", "--http2-prior-knowledge"]
    done = subprocess.run(
        [*command, *arguments, f"http://{address}/{method}".rstrip("/")],
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _json_values(text: str) -> list[dict[str, Any]]:
    decoder, values, rest = json.JSONDecoder(), [], text.lstrip()
    while rest:
        value, end = decoder.raw_decode(rest)
        values.append(value)
        rest = rest[end:].lstrip()
    return values


def _left_behind(folder: Path) -> list[str]:
    names = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(folder) in " ".join([*process.cmdline(), *process.environ().values()]):
                names.append(process.name())
    return names
