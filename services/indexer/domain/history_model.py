"""The rules of histories as a bundle keeps them, and back: floats stay what they are, to the last bit."""

import numpy as np

from services.contracts.history_model import HabitModel, HistoryModel
from services.indexer.domain.habits import Habits, Tendencies
from services.indexer.domain.history_rules import RULES, HistoryRules
from services.indexer.domain.logistic import Logistic
from services.indexer.domain.payments import LongInts, Period
from services.indexer.domain.weighting import Floats


def stored_rules(habits: Habits, decay: float | None, numbers: LongInts) -> tuple[HistoryModel, Floats]:
    """For the manifest, and for TENDENCIES_FILE, (companies, 2); numbers: the company of each dense id."""
    learnt = habits.learnt
    model = HistoryModel(
        rules=RULES,
        first=habits.period.first,
        newest=habits.period.newest,
        decay=decay,
        habits=HabitModel(
            mean=learnt.mean.tolist(), spread=learnt.spread.tolist(), coefficients=learnt.coefficients.tolist()
        )
        if learnt
        else None,
    )
    return model, np.column_stack([habits.tendencies.repeated[numbers], habits.tendencies.trend[numbers]])


def rules_of(model: HistoryModel, tendencies: Floats, indexed: int) -> HistoryRules:
    """For payments whose companies are numbered by their dense ids."""
    period = Period(model.first, model.newest)
    learnt = model.habits
    logistic = Logistic(*map(np.array, (learnt.mean, learnt.spread, learnt.coefficients))) if learnt else None
    habits = Habits(period, Tendencies(*tendencies.T.copy()), logistic)
    return HistoryRules(period, model.decay, np.arange(len(tendencies), dtype=np.int32), indexed, habits)
