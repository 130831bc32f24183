"""Quality of index versions over time."""

from collections.abc import Callable, Sequence

from afin.indexer.v1 import indexer_pb2 as pb
from console.views import words
from console.views.charts import Plot, Series, Value, line_plot

Pick = Callable[[pb.IndexVersion], float | None]


def quality_over_time(versions: Sequence[pb.IndexVersion]) -> Plot:
    """NDCG@10 for companies never paid before, beside what popularity alone reaches; versions newest first."""
    shown = list(reversed(versions))
    return line_plot(
        "NDCG@10 for new companies, version by version",
        [
            Series("this index", "first", _values(shown, lambda each: _new(each, "ndcg"))),
            Series("popularity alone", "second", _values(shown, lambda each: _new(each, "popularity_ndcg"))),
        ],
        words.beside(each.built_at for each in shown),
        words.figure,
    )


def coverage_over_time(versions: Sequence[pb.IndexVersion]) -> Plot:
    """Which share of the companies is ever recommended; versions newest first."""
    shown = list(reversed(versions))
    values = _values(shown, lambda each: _new(each, "coverage"))
    return line_plot(
        "Share of companies recommended to somebody",
        [Series("new companies", "third", values)],
        words.beside(each.built_at for each in shown),
        words.percent,
    )


def _new(version: pb.IndexVersion, field: str) -> float | None:
    task = version.quality.new_companies
    return float(getattr(task, field)) if task.clients else None


def _values(versions: Sequence[pb.IndexVersion], pick: Pick) -> list[Value]:
    return [
        Value(pick(each), f"{each.version}: {words.figure(pick(each))}", f"/index/versions/{each.version}")
        for each in versions
    ]
