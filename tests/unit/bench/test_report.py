"""Figures of the bench from its measurements."""

from bench.load.measuring import Seconds, Sizes
from bench.load.report import figures, shortfalls

SIZES = Sizes(batch=1_000)


def measured(batch: float) -> Seconds:
    return Seconds(
        floor=[0.1, 0.2, 0.9],
        initial=[4.0],
        batch=[batch],
        window=[1.0],
        small=[0.02, 0.02, 0.9],
        small_of_many=[0.03],
        rivals={"dlt scd2": [5.0], "dlt scd2 through ADBC": [2.0], "row by row": [20.0]},
        peak_rss_mib=300,
    )


def test_ratios_are_of_medians_and_larger_is_better() -> None:
    assert figures(measured(batch=1.0), SIZES) == {
        "floor_rows_s": 5_000,
        "initial_ratio": 0.05,
        "batch_ratio": 0.2,
        "small_batch_ms_1m": 20.0,
        "small_batch_ms_5m": 30.0,
        "vs_dlt": 5.0,
        "vs_dlt_adbc": 2.0,
        "vs_row_by_row": 20.0,
        "peak_rss_mib": 300,
    }


def test_what_falls_short_is_told() -> None:
    assert shortfalls(figures(measured(batch=1.0), SIZES)) == []
    assert shortfalls(figures(measured(batch=2.0), SIZES) | {"peak_rss_mib": 600, "small_batch_ms_5m": 40.0}) == [
        "batch_ratio is 0.1, under 0.15",
        "vs_dlt is 2.5, under 4.0",
        "vs_row_by_row is 10.0, under 15.0",
        "peak_rss_mib is 600, over 512.0",
        "a small batch takes 2.00 times as long on the larger table",
    ]
