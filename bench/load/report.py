"""The figures of a run: a line for programs and a table for people."""

from statistics import median

from rich.table import Table

from bench.load.measuring import Seconds, Sizes

# What the load is held to, by key: at least, or at most.
AT_LEAST = {"batch_ratio": 0.15, "vs_dlt": 4.0, "vs_row_by_row": 15.0}
AT_MOST = {"peak_rss_mib": 512.0}
MOST_SMALL_RATIO = 1.5


def figures(seconds: Seconds, sizes: Sizes) -> dict[str, float]:
    """Of medians. Ratios are ours to the floor's, or to a rival's, in rows a second."""
    floor, batch = median(seconds.floor), median(seconds.batch)
    found = {
        "floor_rows_s": round(sizes.batch / floor),
        "initial_ratio": round(floor / median(seconds.initial), 3),
        "batch_ratio": round(floor / batch, 3),
        "small_batch_ms_1m": round(median(seconds.small) * 1000, 1),
        "small_batch_ms_5m": round(median(seconds.small_of_many) * 1000, 1),
        "peak_rss_mib": round(seconds.peak_rss_mib, 1),
    }
    rivals = {"vs_dlt": "dlt scd2", "vs_dlt_adbc": "dlt scd2 through ADBC", "vs_row_by_row": "row by row"}
    return found | {
        key: round(median(seconds.rivals[name]) / batch, 1) for key, name in rivals.items() if name in seconds.rivals
    }


def table(seconds: Seconds, sizes: Sizes) -> Table:
    """Seconds, rows a second and the ratio to the floor of each measurement."""
    rows: dict[str, tuple[list[float], int]] = {
        "floor: binary COPY, no index": (seconds.floor, sizes.batch),
        "into an empty warehouse": (seconds.initial, sizes.batch),
        f"batch against {sizes.known:,}": (seconds.batch, sizes.batch),
        "the same, of a window of the source": (seconds.window, sizes.batch),
        f"small batch against {sizes.known:,}": (seconds.small, sizes.small),
        f"small batch against {sizes.many:,}": (seconds.small_of_many, sizes.small),
        **{name: (measured, sizes.batch) for name, measured in seconds.rivals.items()},
    }
    shown = Table("", "rows", "seconds", "rows/s", "to the floor", title="Loads of payments (medians)")
    floor = sizes.batch / median(seconds.floor)
    for name, (measured, count) in rows.items():
        rate = count / median(measured)
        shown.add_row(name, f"{count:,}", f"{median(measured):.3f}", f"{rate:,.0f}", f"{rate / floor:.3f}")
    return shown


def shortfalls(found: dict[str, float]) -> list[str]:
    """What the load is held to and does not reach, a line each."""
    low = [f"{key} is {found[key]}, under {least}" for key, least in AT_LEAST.items() if found.get(key, least) < least]
    high = [f"{key} is {found[key]}, over {most}" for key, most in AT_MOST.items() if found[key] > most]
    growth = found["small_batch_ms_5m"] / found["small_batch_ms_1m"]
    slow = [f"a small batch takes {growth:.2f} times as long on the larger table"] if growth > MOST_SMALL_RATIO else []
    return [*low, *high, *slow]
