"""Features of companies, for those whom too few clients paid to place them by who pays whom."""

import numpy as np
import pandas as pd

from services.contracts.bundle import CompanyTable
from services.indexer.domain.payments import MICROSECONDS_A_DAY, LongInts, Payments, pairs_of


def company_features(payments: Payments) -> pd.DataFrame:
    """One row a company, by its number; NaN where there is nothing to average. Payments must be in order.

    average_amount; average_days_between: of one client's successive payments to the company.
    """
    rows = pd.DataFrame({"company": payments.company, "amount": payments.cents / 100.0, "at": payments.at})
    same_pair = np.diff(pairs_of(payments).pair_of_row, prepend=-1) == 0
    rows["days"] = (rows["at"].diff() / MICROSECONDS_A_DAY).where(same_pair)
    means = rows.groupby("company")[["amount", "days"]].mean()
    means = means.rename(columns={"amount": "average_amount", "days": "average_days_between"})
    return means.reindex(np.arange(payments.companies))


def company_table(catalogue: pd.DataFrame, features: pd.DataFrame, numbers: LongInts) -> CompanyTable:
    """The catalogue with features, in order of dense ids. `numbers`: the row of each dense id, in both frames."""
    rows = pd.concat([catalogue, features], axis=1).iloc[numbers]
    columns = {name: rows[name].astype(object) for name in CompanyTable.model_fields}
    return CompanyTable(**{name: tuple(column.where(column.notna(), None)) for name, column in columns.items()})
