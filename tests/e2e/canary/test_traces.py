"""One trace tells of a whole run, through all services, and a call from outside keeps its caller's."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from afin.ingest.v1 import ingest_pb2
from afin.recommender.v1 import recommender_pb2
from tests.collector import Received
from tests.e2e.canary.world import CALL_SECONDS, canary_world

CALLER_TRACE, CALLER_SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
LOAD = "afin.warehouse.v1.WarehouseService/LoadPayments"
BUILD, VALIDATE = "afin.indexer.v1.IndexerService/BuildIndex", "afin.indexer.v1.IndexerService/ValidateIndex"
RUN = "ingest:run recommendations"
WORK = (
    ((RUN, "ingest:step save_payments_to_db"), (f"ingest:{LOAD}", f"warehouse:{LOAD}", "warehouse:merge")),
    (
        (RUN, "ingest:step create_payments_index"),
        (f"ingest:{BUILD}", f"indexer:{BUILD}", "indexer:training process", "indexer:fit"),
    ),
)
RECOMMEND = "afin.recommender.v1.RecommenderService/Recommend"


@pytest.mark.timeout(600)
async def test_a_run_is_one_trace_and_its_log_lines_name_it(tmp_path: Path) -> None:
    async with canary_world(tmp_path / "state") as world:
        await world.run(ingest_pb2.PIPELINE_COMPANIES)
        run = await world.recommendations()
        asked = recommender_pb2.RecommendRequest(client_id="client-0", max_results=5)
        told = (("traceparent", f"00-{CALLER_TRACE}-{CALLER_SPAN}-01"),)
        await world.recommender.Recommend(asked, timeout=CALL_SECONDS, metadata=told, wait_for_ready=True)
        trace_id = run.run_id.replace("-", "")

        found = world.collector.trace(trace_id, "run recommendations", LOAD, "merge", BUILD, "fit", VALIDATE)
        # One for each try, until the index is there.
        *_, answered = world.collector.trace(CALLER_TRACE, RECOMMEND)
        logs = {name: (tmp_path / "state" / "logs" / f"{name}.log").read_text() for name in ("warehouse", "indexer")}

    paths = {_path(each, found) for each in found}
    assert {(*step, *inside) for step, inside in WORK} <= paths
    assert {path[0] for path in paths} == {RUN}
    assert {each.error for each in found} == {None}
    (root,) = [each for each in found if each.name == "run recommendations"]
    assert (root.attributes["afin.run_id"], root.attributes["afin.outcome"]) == (run.run_id, "succeeded")
    (step,) = [each for each in found if each.name == "step save_payments_to_db"]
    assert step.attributes["afin.read"] == run.account.read == 610
    assert (answered.service, answered.parent_id) == ("recommender", CALLER_SPAN)
    for event, log in (("load done", logs["warehouse"]), ("build stage ended", logs["indexer"])):
        lines = [line for line in _lines(log) if line["event"] == event and line["run_id"] == run.run_id]
        assert {line["trace_id"] for line in lines} == {trace_id}


def _path(span: Received, spans: list[Received]) -> tuple[str, ...]:
    """service:name of the spans that a span stands below, the root first."""
    above = [each for each in spans if each.span_id == span.parent_id]
    return (*(_path(above[0], spans) if above else ()), f"{span.service}:{span.name}")


def _lines(log: str) -> Iterator[dict[str, str]]:
    return (json.loads(line) for line in log.splitlines() if line.startswith("{"))
