"""What each payment costs."""

import numpy as np
from numpy.typing import NDArray

from demo.population.companies import Catalogue
from demo.population.habits import Habits
from demo.population.parameters import GeneratorParameters
from demo.population.payments import SECONDS_PER_DAY, Payments
from demo.population.seasons import year_weights

SMALLEST_CENTS = 50
_CLIENT_SPREAD = 0.3
_PLANS = (0.7, 1.0, 1.0, 1.5)


def draw_cents(
    random: np.random.Generator,
    parameters: GeneratorParameters,
    catalogue: Catalogue,
    habits: Habits,
    payments: Payments,
) -> NDArray[np.int64]:
    """An amount in cents for each payment: the company's price, the client's plan or taste, and chance.

    Where a category has no spread, a client pays a company the same .99 price each time.
    """
    company = habits.company[payments.habit]
    spread = catalogue.traits("spread")
    is_flat = spread[habits.company] == 0
    taste = random.lognormal(0, _CLIENT_SPREAD, len(is_flat))
    usual = catalogue.price[habits.company] * np.where(is_flat, random.choice(_PLANS, len(is_flat)), taste)
    amount = usual[payments.habit] * np.exp(spread[company] * random.normal(0, 1, len(company)))
    amount *= _season_of_price(parameters, catalogue, company, payments)
    cents = np.where(is_flat[payments.habit], np.floor(amount) * 100 + 99, np.rint(amount * 100))
    return np.maximum(cents.astype(np.int64), SMALLEST_CENTS)


def _season_of_price(
    parameters: GeneratorParameters, catalogue: Catalogue, company: NDArray[np.int64], payments: Payments
) -> NDArray[np.float64]:
    """In the season of a category more is paid, not only more often: a cold month makes a dear bill."""
    return year_weights(parameters)[catalogue.category[company], payments.second // SECONDS_PER_DAY]
