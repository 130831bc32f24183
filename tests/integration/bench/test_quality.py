"""The evaluation of recommendations, small: the served path, and the rivals that need no packages of their own."""

import json
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
import structlog
import typer
from rich.console import Console

from bench.quality.__main__ import main, run
from bench.quality.report import shown
from bench.quality.trial import Trial, trial_of
from demo.generator import generate
from demo.population.parameters import GeneratorParameters

METHODS = {"afin", "popularity", "prototype", "item_knn", "user_knn", "ease", "own_history"}


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    """The command sets up the logging of its whole process; other tests look at theirs."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def trial() -> Trial:
    made = generate(GeneratorParameters(date(2026, 1, 1), clients=150, companies=40, days=200, payments=4_000))
    return trial_of(made.payments, made.companies, "made up")


def test_all_methods_are_judged_by_the_same_clients(trial: Trial) -> None:
    told = StringIO()
    console = Console(file=told)

    figures = json.loads(json.dumps(run(trial, None, 5, console)))

    methods = figures["methods"]
    assert methods.keys() == METHODS
    assert {by_task["any"]["clients"] for by_task in methods.values()} == {len(trial.relevant["any"])}
    assert methods["afin"]["any"]["ndcg"] > methods["popularity"]["any"]["ndcg"]
    assert figures["search"]["recall_at_10"] >= 0.99
    assert figures["choice"]
    assert {"whole", "habits not learnt", "with category", "with frequency"} <= figures["ablation"].keys()
    assert figures["ablation"]["whole"]["new"]["gain"]["ndcg"] == 0
    console.print(shown(figures))
    assert all(f"{method}: any" in told.getvalue() or f"{method}: new" in told.getvalue() for method in METHODS)
    assert "recall_at_10" in told.getvalue()


def test_a_report_that_could_not_be_written_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        main(report=tmp_path / "missing" / "report.json")

    assert "no such folder" in capsys.readouterr().out
