"""`python -m services.indexer.training <folder>`: trains in a process that can be stopped at any moment.

Reads what adapters.training_files wrote there, leaves the bundle in <folder>/bundle with its manifest written last, and
prints one Stage a line as JSON on stdout.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
from annoy import AnnoyIndex
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from services.contracts.bundle import (
    CLIENTS_FILE,
    JUDGED_FILE,
    JUDGED_NDCG_FILE,
    LIST_COMPANIES_FILE,
    LIST_KINDS_FILE,
    LIST_ROWS_FILE,
    LIST_SCORES_FILE,
    MANIFEST_FILE,
    TENDENCIES_FILE,
    Choice,
    IndexManifest,
    TaskQuality,
    Tuning,
)
from services.contracts.bundle_arrays import Arrays
from services.contracts.candidate_lists import CandidateLists
from services.contracts.companies import CompanyTable
from services.contracts.factors import FloatArray, Nearest, padded
from services.indexer.adapters.annoy_index import ANNOYS_OWN, build_annoy, nearest_in
from services.indexer.adapters.bundle_writing import described, write_bundle
from services.indexer.adapters.child_life import die_with_parent
from services.indexer.adapters.training_files import BUNDLE_FOLDER, FAILURE_FILE, read_task, read_training_set
from services.indexer.domain import weighting
from services.indexer.domain.choice import choose
from services.indexer.domain.engine import LOCAL, ClusterLost, Engine
from services.indexer.domain.evaluation import CUT_SHARE
from services.indexer.domain.features import company_features, company_table
from services.indexer.domain.habits import Habits, learn_habits
from services.indexer.domain.history_model import stored_rules
from services.indexer.domain.judging import EPOCH, Judgement, judge
from services.indexer.domain.lists import lists_ahead
from services.indexer.domain.model import HABIT_WEIGHT, Known, Model, prepare, weigh
from services.indexer.domain.payments import split_by_time
from services.indexer.domain.search_effort import search_effort
from services.indexer.domain.soundness import SEARCHED_CLIENTS, sample_histories
from services.indexer.domain.training import Stage, Task, TrainingSet
from services.runtime.resident_memory import forget_peak, peak_rss_mib

MAX_JUDGED_CLIENTS = 2000


@dataclass(frozen=True, slots=True)
class Trained:
    """The final model, and what was found on the way to it."""

    model: Model
    habits: Habits
    choice: Choice
    judgement: Judgement
    lists: CandidateLists


class Reporter:
    """Prints a stage when it ends, with its seconds, and the processor's, and the most memory that it held."""

    def __init__(self) -> None:
        self._begun = self._now()

    def ended(self, name: str, detail: str) -> None:
        """Tells of the stage that ended now; the next begins."""
        now = self._now()
        seconds, cpu = (round(ended - begun, 3) for ended, begun in zip(now, self._begun, strict=True))
        stage = Stage(name=name, detail=detail, seconds=seconds, cpu_seconds=cpu, peak_rss_mib=peak_rss_mib())
        self._begun = now
        print(stage.model_dump_json(), flush=True)
        forget_peak()

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()


def main(folder: Path) -> None:
    """The whole training. One thread for linear algebra: more would not give the same bytes every time."""
    reporter = Reporter()
    task = read_task(folder)
    data = read_training_set(folder, task)
    reporter.ended("arrange_payments", f"{len(data.payments):,} payments of {len(data.client_keys):,} clients in order")
    target = folder / BUNDLE_FOLDER
    target.mkdir()
    with threadpool_limits(limits=1):
        with _engine(task.scheduler) as engine:
            trained = _train(data, task, engine, reporter)
        _write(target, data, task, trained)
    files = sum(path.stat().st_size for path in target.iterdir())
    reporter.ended("build_annoy", f"{task.trees} trees over {trained.model.companies.indexed} companies; {files} bytes")


@contextmanager
def _engine(scheduler: str) -> Iterator[Engine]:
    if not scheduler:
        yield LOCAL
        return
    from services.indexer.adapters.dask_engine import dask_engine  # noqa: PLC0415 - an extra, not always installed

    with dask_engine(scheduler) as engine:
        yield engine


def _train(data: TrainingSet, task: Task, engine: Engine, reporter: Reporter) -> Trained:
    judged_by, judgement = _judged(data, task, engine, reporter)
    choice = choose(data.payments, task.shape, MAX_JUDGED_CLIENTS).model_copy(update={"without_holdout": judged_by})
    reporter.ended("choose_model", _told_choice(choice))
    everything = np.arange(data.payments.companies)
    habits = learn_habits(data.payments)
    known = Known(data.payments, everything, habits)
    weighed = weigh(known, task.min_clients, choice.chosen.decay)
    reporter.ended("weigh_pairs", f"{len(weighed.histories.companies):,} pairs of clients and companies")
    together = weighed.counted_together(engine)
    reporter.ended("cooccurrence", f"of {weighed.companies.indexed:,} companies, over clients")
    model = together.prepared(task.shape).model(choice.chosen)
    reporter.ended(
        "fit", f"{model.companies.indexed} of {len(everything)} companies in {model.target.shape[1]} factors"
    )
    lists = lists_ahead(model, data.payments, task.list_scores)
    reporter.ended("make_lists", f"for {len(lists.companies):,} of {len(lists.rows):,} clients")
    return Trained(model, habits, choice, judgement, lists)


def _judged(data: TrainingSet, task: Task, engine: Engine, reporter: Reporter) -> tuple[Tuning, Judgement]:
    """How good a model is that is chosen and made without the hold-out, and what was chosen for it.

    What this takes of memory is free again before the final model is made.
    """

    def indexing(vectors: FloatArray) -> Nearest:
        return nearest_in(build_annoy(vectors, task.trees, task.seed), ANNOYS_OWN)

    split = split_by_time(data.payments, CUT_SHARE)
    tuning = choose(split.before, task.shape, MAX_JUDGED_CLIENTS).chosen
    known = Known(split.before, np.unique(split.before.company), learn_habits(split.before))
    judged = prepare(known, task.shape, tuning.decay, engine).model(tuning)
    judgement = judge(judged, split, indexing, MAX_JUDGED_CLIENTS)
    quality = judgement.quality
    reporter.ended("evaluate", f"new companies: {_told(quality.new)}; any company: {_told(quality.any)}")
    return tuning, judgement


def _write(target: Path, data: TrainingSet, task: Task, trained: Trained) -> None:
    features = company_features(data.payments)
    table = company_table(data.catalogue, features, trained.model.companies.numbers)
    index = build_annoy(padded(trained.model.target), task.trees, task.seed)
    judged = trained.judgement
    histories, tendencies = stored_rules(trained.habits, trained.choice.chosen.decay, trained.model.companies.numbers)
    beside: Arrays = {
        CLIENTS_FILE: data.client_keys,
        TENDENCIES_FILE: tendencies,
        LIST_ROWS_FILE: trained.lists.rows,
        LIST_COMPANIES_FILE: trained.lists.companies,
        LIST_SCORES_FILE: trained.lists.scores,
        LIST_KINDS_FILE: trained.lists.kinds,
        JUDGED_FILE: judged.clients,
        JUDGED_NDCG_FILE: judged.ndcg,
    }
    write_bundle(target, trained.model, beside, table, index)
    nodes = _search_nodes(trained.model, index)
    made = {"histories": histories, "search_nodes": nodes, "files": described(target)}
    manifest = _manifest(data, task, trained, table).model_copy(update=made)
    (target / MANIFEST_FILE).write_bytes(manifest.to_bytes())


def _search_nodes(model: Model, index: AnnoyIndex) -> int:
    factors = model.served_through(None)
    clients = sample_histories(model.histories, len(model.histories.offsets) - 1, SEARCHED_CLIENTS)
    return search_effort(factors, clients, partial(nearest_in, index))


def _manifest(data: TrainingSet, task: Task, trained: Trained, table: CompanyTable) -> IndexManifest:
    model = trained.model
    return IndexManifest(
        code_version=task.code_version,
        companies=len(table),
        categories=len(table.categories),
        text_bytes=len(table.texts.blob),
        indexed=model.companies.indexed,
        clients=len(data.client_keys),
        pairs=len(model.histories.companies),
        judged=len(trained.judgement.clients),
        dimension=model.target.shape[1],
        trees=task.trees,
        search_nodes=1,
        lists=len(trained.lists.companies),
        list_length=trained.lists.companies.shape[1],
        habit_weight=HABIT_WEIGHT,
        training_payments=len(data.payments),
        first_payment_at=EPOCH + timedelta(microseconds=data.payments.first),
        last_payment_at=EPOCH + timedelta(microseconds=data.payments.newest),
        watermark=task.watermark,
        choice=trained.choice,
        parameters=_parameters(task),
        quality=trained.judgement.quality,
        files=(),
    )


def _parameters(task: Task) -> dict[str, float | int | str]:
    return {
        **task.parameters,
        "max_dimension": task.dimension,
        "min_clients": task.min_clients,
        "seed": task.seed,
        "recency_floor": weighting.RECENCY_FLOOR,
        "client_power": weighting.CLIENT_POWER,
        "company_power": weighting.COMPANY_POWER,
        "cut_share_of_span": CUT_SHARE,
        "max_judged_clients": MAX_JUDGED_CLIENTS,
    }


def _told_choice(choice: Choice) -> str:
    chosen = ", ".join(f"{name} {value}" for name, value in choice.chosen)
    return f"{chosen}; {len(choice.trials)} tried by {choice.clients} judgements of {choice.payments:,} payments"


def _told(quality: TaskQuality | None) -> str:
    if quality is None:
        return "no client to judge by"
    return f"NDCG@10 {quality.ndcg:.4f}, popularity {quality.popularity_ndcg:.4f}, {quality.clients} clients"


def run(folder: Path) -> int:
    """The exit code: EX_TEMPFAIL when the cluster was lost, which the failure file then tells of."""
    try:
        main(folder)
    except ClusterLost as error:
        (folder / FAILURE_FILE).write_text(str(error))
        return os.EX_TEMPFAIL
    return os.EX_OK


if __name__ == "__main__":
    die_with_parent()
    sys.exit(run(Path(sys.argv[1])))
