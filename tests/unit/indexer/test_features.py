"""Features of companies."""

from dataclasses import replace

import numpy as np
import pytest

from services.indexer.domain.features import company_features
from tests.unit.indexer.planted import payments


def test_amounts_are_averaged_by_company() -> None:
    known = payments([(0, 0, 1), (0, 0, 2), (1, 1, 1)])
    known = replace(known, cents=np.array([1000, 2001, 500]))

    assert company_features(known)["average_amount"].tolist() == pytest.approx([15.005, 5.0])


def test_days_are_between_one_clients_successive_payments_to_one_company() -> None:
    known = payments([(0, 0, 0), (0, 0, 10), (0, 0, 14), (0, 1, 20), (1, 0, 30), (1, 0, 31)])

    days = company_features(known)["average_days_between"]

    assert days[0] == pytest.approx((10 + 4 + 1) / 3)
    assert np.isnan(days[1])


def test_a_company_that_nobody_paid_has_no_features() -> None:
    features = company_features(payments([(0, 1, 0)], companies=3))

    assert len(features) == 3
    assert features.loc[[0, 2]].isna().all(axis=None)
