"""Metrics are documented as they are, and named by one rule."""

from tests.unit.deploy.monitoring.metrics import PAGE, metrics, page


def test_the_page_of_metrics_says_what_the_code_says() -> None:
    assert PAGE.read_text() == page(), "run `make metrics-doc`"


def test_metrics_are_named_by_who_tells_them() -> None:
    starts = {"runtime": ("afin_", "grpc_server_")}
    wrong = {
        metric.name
        for metric in metrics()
        if not metric.name.startswith(starts.get(metric.service, (f"afin_{metric.service}_",)))
    }

    assert wrong == set()


def test_names_end_in_their_unit() -> None:
    times = {metric.name for metric in metrics() if metric.kind == "histogram"}

    assert {name for name in times if not name.endswith("_seconds")} == set()
    assert {metric.name for metric in metrics() if "milli" in metric.name or metric.name.endswith("_ms")} == set()


def test_counters_count_from_zero() -> None:
    """But those of calls, which the server makes when it knows its services, and those of unknown stages and pages."""
    counters = [metric for metric in metrics() if metric.kind != "gauge" and metric.values]

    unknown = {metric.name for metric in counters if not all(metric.values.values())}
    assert unknown == {
        "grpc_server_started",
        "grpc_server_handled",
        "grpc_server_handling_seconds",
        "afin_indexer_build_stage_seconds",
        "afin_console_requests",
        "afin_console_request_seconds",
    }
