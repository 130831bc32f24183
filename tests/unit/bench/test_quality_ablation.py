"""What pieces and features bring, on worlds where it is known."""

from typing import cast

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from bench.quality.ablation import ablation
from bench.quality.features import Weights, features_of
from bench.quality.trial import Trial, trial_of
from demo.dataset import COMPANY_SCHEMA
from services.indexer.domain.model import Shape, prepare
from tests.unit.bench.test_quality_trial import NOBODY_LISTED, Row, table
from tests.unit.indexer.planted import USUAL, known

KINDS = 4


def silent(_words: str) -> None:
    pass


def world() -> Trial:
    """Clients pay companies of their kind, which is their category; the first company of each is a top biller."""
    rng = np.random.default_rng(1)
    rows: list[Row] = [
        (f"client {client}", f"C{client % KINDS}{int(rng.integers(8))}", float(rng.random() * 100))
        for client in range(160)
        for _ in range(8)
    ]
    codes = sorted({code for _, code, _ in rows})
    listed = {
        "company_id": list(range(len(codes))),
        "company_code": codes,
        "company_name": codes,
        "category_id": [int(code[1]) for code in codes],
        "category_name": [code[1] for code in codes],
        "is_top_biller": [code[2] == "0" for code in codes],
    }
    return trial_of(table(rows), pa.table(listed, schema=COMPANY_SCHEMA), "made up")


@pytest.fixture(scope="module")
def trial() -> Trial:
    return world()


def test_the_share_of_a_category_is_that_of_the_clients_weights(trial: Trial) -> None:
    model = prepare(known(trial.split.before), Shape(8, 2, 0), USUAL.decay).model(USUAL)
    weights = np.zeros((1, model.companies.indexed), dtype=np.float32)
    codes = trial.catalogue["company_code"].iloc[model.companies.numbers].tolist()
    weights[0, codes.index("C01")], weights[0, codes.index("C22")] = 3.0, 1.0

    shares = features_of(trial, model)["category"](cast("Weights", sparse.csr_matrix(weights)))

    assert [shares[0, codes.index(code)] for code in ("C07", "C20", "C33")] == pytest.approx([0.75, 0.25, 0.0])


def test_a_top_biller_fits_every_client_alike(trial: Trial) -> None:
    model = prepare(known(trial.split.before), Shape(8, 2, 0), USUAL.decay).model(USUAL)

    values = features_of(trial, model)["top biller"](cast("Weights", sparse.csr_matrix(np.ones((2, 32), np.float32))))

    codes = trial.catalogue["company_code"].iloc[model.companies.numbers]
    assert values.tolist() == [[float(code[2] == "0") for code in codes]] * 2


def test_every_piece_is_held_against_the_whole_for_the_same_clients(trial: Trial) -> None:
    found = ablation(trial, USUAL, silent)

    assert set(found["whole"]) == {"new", "any"}
    assert set(found) >= {"habits not learnt", "without decay", "with category", "with amount", "with frequency"}
    assert "without trend" not in found
    for by_task in found.values():
        for task, scores in by_task.items():
            assert len(scores.ndcg) == len(trial.relevant[task])


def test_where_nobody_can_judge_new_companies_only_habits_are_looked_at() -> None:
    rows: list[Row] = [(f"client {client}", "AB"[client % 2], day) for client in range(20) for day in (0.0, 9.5, 10.0)]

    found = ablation(trial_of(table(rows), NOBODY_LISTED, "made up"), USUAL, silent)

    assert {name: set(by_task) for name, by_task in found.items()} == {"whole": {"any"}, "habits not learnt": {"any"}}
