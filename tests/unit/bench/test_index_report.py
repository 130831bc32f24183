"""Figures of builds of indices from their measurements."""

from dataclasses import replace

from bench.index.measuring import Building, Measured
from bench.index.report import figures, growth, shortfalls


def built(cooccurrence: float, rest: float, peak: float = 500) -> Building:
    stages = {
        "arrange_payments": Measured(rest, rest, 200),
        "cooccurrence": Measured(cooccurrence, cooccurrence, peak),
        "validate_and_publish": Measured(1000, 1000, 100),
    }
    return Building(
        stages,
        {"scipy": Measured(2.0, 2.0, 900), "prototype": Measured(50.0, 50.0, 1500)},
    )


def test_ratios_are_of_seconds_and_a_build_is_what_the_training_process_does() -> None:
    found = figures({"1m_1k": built(cooccurrence=2.0, rest=8.0)})["1m_1k"]

    assert (found["cooccurrence_ratio"], found["prototype_ratio"], found["build_ratio"]) == (1.0, 25.0, 5.0)
    assert (found["build_seconds"], found["peak_rss_mib"], found["cooccurrence_peak_rss_mib"]) == (10.0, 500, 500)
    assert found["stages"]["arrange_payments"] == {"seconds": 8.0, "cpu_seconds": 8.0, "peak_rss_mib": 200}


def test_what_falls_short_is_told() -> None:
    good = {name: built(2.0, 8.0) for name in ("1m_1k", "10m_10k", "100k_companies")}
    bad = good | {"1m_1k": built(4.0, 8.0), "10m_10k": built(4.0, 200.0, peak=4000)}

    assert shortfalls(figures(good)) == []
    assert shortfalls(figures(bad)) == [
        "10m_10k: cooccurrence_ratio is 2.0, over 1.1",
        "10m_10k: build_ratio is 51.0, over 30.0",
        "10m_10k: peak_rss_mib is 4000, over 3072",
        "10m_10k: cooccurrence_peak_rss_mib is 4000, over 1024",
        "1m_1k: prototype_ratio is 12.5, under 20.0",
    ]


def test_what_was_not_measured_falls_short() -> None:
    without = Building({"fit": Measured(1.0, 1.0, 100)}, {})

    told = shortfalls(figures(dict.fromkeys(("1m_1k", "10m_10k", "100k_companies"), without)))

    assert "10m_10k: cooccurrence_ratio is None, over 1.1" in told
    assert "1m_1k: prototype_ratio is None, under 20.0" in told


def test_an_index_that_the_gate_refused_falls_short() -> None:
    refused = replace(built(2.0, 8.0), refused="less than popularity")

    found = figures(dict.fromkeys(("1m_1k", "10m_10k", "100k_companies"), built(2.0, 8.0)) | {"10m_10k": refused})

    assert not found["10m_10k"]["published"]
    assert shortfalls(found) == ["10m_10k: not published"]


def test_growth_is_explained_a_line_a_stage() -> None:
    lines = list(growth({"1m_1k": built(1.0, 2.0), "10m_10k": built(9.0, 25.0)}))

    assert len(lines) == 3
    assert lines[0].startswith("arrange_payments")
    assert "12.5 x  one sort by client" in lines[0]
