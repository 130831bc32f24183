"""Features of companies, for those whom too few clients paid to place them by who pays whom."""

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from services.contracts.companies import CompanyTable
from services.contracts.company_columns import CompanyColumns, table_of
from services.indexer.domain.payments import MICROSECONDS_A_DAY, LongInts, Payments
from services.indexer.domain.weighting import Floats


def company_features(payments: Payments) -> pd.DataFrame:
    """One row a company, by its number; NaN where there is nothing to average. Payments must be in order.

    average_amount; average_days_between: of one client's successive payments to the company. Sums are added up range
    of clients by range, so that memory does not grow with the payments.
    """
    sums = np.zeros((4, payments.companies))
    for part in payments.by_clients():
        sums += _sums(part)
    count, cents, gaps, days = sums
    with np.errstate(invalid="ignore"):  # 0 / 0 is meant
        return pd.DataFrame({"average_amount": cents / count / 100.0, "average_days_between": days / gaps})


def _sums(payments: Payments) -> Floats:
    """(4, companies): payments, their cents, successive payments of one client, the days between them."""
    client, company = payments.client, payments.company
    again = np.flatnonzero((client[1:] == client[:-1]) & (company[1:] == company[:-1])) + 1
    days = (payments.at[again] - payments.at[again - 1]) / MICROSECONDS_A_DAY
    counted = ((company, None), (company, payments.cents), (company[again], None), (company[again], days))
    return np.array([np.bincount(each, weights, payments.companies) for each, weights in counted])


def company_table(catalogue: pd.DataFrame, features: pd.DataFrame, numbers: LongInts) -> CompanyTable:
    """The catalogue with features, in order of dense ids. `numbers`: the row of each dense id, in both frames."""
    rows = pd.concat([catalogue, features], axis=1).iloc[numbers]
    columns: dict[str, Any] = {each.name: rows[each.name].astype(object) for each in fields(CompanyColumns)}
    plain = {name: column.where(column.notna(), None).tolist() for name, column in columns.items()}
    return table_of(CompanyColumns(**plain))
