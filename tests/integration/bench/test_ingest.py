"""The bench of reading, small: all readers bring every row of the source."""

from bench.ingest.measuring import figures, shortfalls

KEYS = {
    f"{name}_{latency}ms"
    for name in ("rows_s", "sequential_rows_s", "fetch_only_rows_s", "ratio", "unchecked_rows_s", "unchecked_ratio")
    for latency in (0, 20)
}


def test_all_readers_are_measured_at_both_latencies() -> None:
    found = figures(rows=2_500, turns=1)

    assert found.keys() == KEYS | {"peak_rss_mib"}
    assert all(value > 0 for value in found.values())


def test_a_ratio_under_what_is_asked_is_told() -> None:
    assert shortfalls({"ratio_20ms": 7.0, "ratio_0ms": 3.9}) == ["ratio_0ms is 3.9, under 4.0"]
