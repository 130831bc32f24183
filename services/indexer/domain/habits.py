"""How likely a client is to pay a company again: what orders the companies that it pays already.

Learned from the payments themselves: what could be known at an earlier moment, against who was paid again after it.
"""

from dataclasses import dataclass

import numpy as np

from services.indexer.domain.logistic import Logistic, fit_logistic
from services.indexer.domain.payments import MICROSECONDS_A_DAY, LongInts, Pairs, Payments, Period, pairs_of
from services.indexer.domain.weighting import Floats, ages, strengths

# Who was paid again is told by the last fifth of the period; it is learned from what was known before.
LEARNING_SHARE = 0.8
# Payments are counted under three decays, in shares of the period: what was just now, lately, and all in all.
DECAYS = (0.02, 0.1, 0.4)
RECENT, LASTING = 0.1, 0.5
SOON = 0.005
# A company of few clients is taken for one of whom one in four comes again.
AS_IF_REPEATED, AS_IF_CLIENTS = 1.0, 4.0
MOST_PAYMENTS = 500_000
LEAST_OF_EACH = 50


@dataclass(frozen=True, slots=True)
class Tendencies:
    """Of companies, by number. repeated: the share of clients who paid on several days; trend: of recent clients."""

    repeated: Floats
    trend: Floats


@dataclass(frozen=True, slots=True)
class Habits:
    """`learnt` is None where there was too little to learn from: then the strength of a habit stands for its chance."""

    period: Period
    tendencies: Tendencies
    learnt: Logistic | None

    def of(self, payments: Payments, pairs: Pairs) -> Floats:
        """(pairs,), 0 .. 1. The payments of some clients, all of each, in order."""
        if self.learnt is None:
            return strengths(self.period, payments, pairs)
        return self.learnt.probabilities(_features(payments, pairs, self.period, self.tendencies))


def learn_habits(payments: Payments) -> Habits:
    """From payments in order: of all of them the tendencies, of a bounded number of clients the rest."""
    period = payments.period
    return Habits(period, _tendencies(payments, period), _learn(payments.of_first_clients(MOST_PAYMENTS), period))


def _learn(payments: Payments, period: Period) -> Logistic | None:
    """None where too few pairs were paid again, or too few were not."""
    cut = period.first + int(period.span * LEARNING_SHARE)
    before, after = payments.where(payments.at <= cut), payments.where(payments.at > cut)
    pairs = pairs_of(before)
    judged = np.isin(pairs.client, after.client)
    happened = np.isin(_codes(before, pairs), _codes(after, pairs_of(after)))[judged]
    if min(np.count_nonzero(happened), np.count_nonzero(~happened)) < LEAST_OF_EACH:
        return None
    then = Period(cut - period.span, cut)  # as long as the whole, so that ages have one unit
    features = _features(before, pairs, then, _tendencies(before, then))
    return fit_logistic(features[judged], happened.astype(np.float64))


def _features(payments: Payments, pairs: Pairs, period: Period, tendencies: Tendencies) -> Floats:
    """(pairs, 10): what is known of a client's payments to a company, and of the company."""
    age, last, first = (ages(period, at) for at in (payments.at, pairs.last_at, payments.at[pairs.first_rows]))
    counts = [np.log1p(np.bincount(pairs.pair_of_row, np.exp(-age / decay), len(pairs))) for decay in DECAYS]
    times = [np.log(_days(payments, pairs)), last, first, np.log(last + SOON), np.log(first + SOON)]
    return np.column_stack([*counts, *times, tendencies.repeated[pairs.company], tendencies.trend[pairs.company]])


def _days(payments: Payments, pairs: Pairs) -> Floats:
    """On how many days each pair has a payment; the rows of a pair are in order of time."""
    another_day = np.diff(payments.at // MICROSECONDS_A_DAY, prepend=-1) != 0
    another_pair = np.diff(pairs.pair_of_row, prepend=-1) != 0
    return np.bincount(pairs.pair_of_row, another_day | another_pair, len(pairs)).astype(np.float64)


def _tendencies(payments: Payments, period: Period) -> Tendencies:
    sums = np.zeros((4, payments.companies))
    for part in payments.by_clients():
        pairs = pairs_of(part)
        age = ages(period, pairs.last_at)
        told = (np.ones(len(pairs)), _days(part, pairs) > 1, np.exp(-age / RECENT), np.exp(-age / LASTING))
        sums += np.array([np.bincount(pairs.company, values, payments.companies) for values in told], dtype=np.float64)
    paying, repeated, recent, lasting = sums
    trend = recent / np.maximum(lasting, np.finfo(np.float64).tiny)
    return Tendencies((repeated + AS_IF_REPEATED) / (paying + AS_IF_CLIENTS), trend)


def _codes(payments: Payments, pairs: Pairs) -> LongInts:
    codes: LongInts = pairs.client * np.int64(payments.companies) + pairs.company
    return codes
