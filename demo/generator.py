"""Realistic payments for those who have none at hand: clients with habits, in seconds, the same for the same seed."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from demo.columns import AMOUNT, TIME
from demo.dataset import PAYMENT_SCHEMA, Dataset
from demo.population.amounts import draw_cents
from demo.population.codes import distinct_codes, random_ids
from demo.population.companies import Catalogue, companies_table, draw_catalogue
from demo.population.fates import STATUSES, Fates, draw_fates
from demo.population.habits import Habits, draw_habits
from demo.population.parameters import GeneratorParameters
from demo.population.payments import SECONDS_PER_DAY, Payments, draw_payments

_MICROSECONDS = 1_000_000


def generate(parameters: GeneratorParameters) -> Dataset:
    """The whole made-up world as its source would show it at midnight UTC at the start of `parameters.end`."""
    random = np.random.default_rng(parameters.seed)
    catalogue = draw_catalogue(random, parameters.companies, parameters.days)
    companies = companies_table(random, catalogue)
    habits = draw_habits(random, parameters, catalogue)
    payments = draw_payments(random, parameters, catalogue, habits)
    cents = draw_cents(random, parameters, catalogue, habits, payments)
    fates = draw_fates(random, payments.second, cents, parameters.days * SECONDS_PER_DAY)
    clients = distinct_codes(random, "client-", 12, parameters.clients)
    columns = {
        "payment_id": random_ids(random, parameters.payments),
        **_parties(catalogue, clients, habits, payments),
        **_course(random, parameters, payments, fates),
    }
    return Dataset(pa.table(columns, schema=PAYMENT_SCHEMA), companies)


def _parties(catalogue: Catalogue, clients: list[str], habits: Habits, payments: Payments) -> dict[str, pa.Array]:
    return {
        "company_code": pa.array(catalogue.codes).take(pa.array(habits.company[payments.habit])),
        "external_client_id": pa.array(clients).take(pa.array(habits.client[payments.habit])),
    }


def _course(
    random: np.random.Generator, parameters: GeneratorParameters, payments: Payments, fates: Fates
) -> dict[str, pa.Array]:
    first = np.datetime64(parameters.end - timedelta(days=parameters.days), "us").astype(np.int64)

    def times(seconds: NDArray[np.int64], fraction: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(first + seconds * _MICROSECONDS + fraction)

    # One fraction of a second for all times of a payment keeps their order, and their equality.
    fraction = random.integers(0, _MICROSECONDS, parameters.payments)
    return {
        "payment_at": pa.array(times(payments.second, 0 * fraction), mask=fates.is_waiting).cast(TIME),
        "created_at": pa.array(times(fates.created, fraction)).cast(TIME),
        "updated_at": pa.array(times(fates.updated, fraction)).cast(TIME),
        "status": pa.array(STATUSES).take(pa.array(fates.status)),
        "amount": pa.array(fates.cents / 100).cast(AMOUNT),
    }
