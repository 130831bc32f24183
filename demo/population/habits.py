"""Who pays whom, from when to when: clients adopt companies that people like them favour.

Each client is a mixture of a few hidden segments. A segment has a taste: the companies' popularity, bent at random. The
segments stand in no table; what a client pays is the only trace of them, as in real payments.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.population.categories import CATEGORIES, Rhythm
from demo.population.companies import Catalogue
from demo.population.parameters import GeneratorParameters

SEGMENTS = 8
# How far tastes are from plain popularity, and how few segments make up one client (the smaller, the fewer).
TASTE_SPREAD = 2.2
MIXTURE = 0.12
PAYMENTS_PER_COMPANY = 3.6
BILL_SHARE_OF_PAYMENTS = 0.3
LATE_JOINERS = 0.3
FROM_THE_START = 0.4
_DRAWS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Habits:
    """One entry per pair of client and company; days count from the first day of all, and may be fractions."""

    client: NDArray[np.int64]
    company: NDArray[np.int64]
    first_day: NDArray[np.float64]
    last_day: NDArray[np.float64]
    activity: NDArray[np.float64]


def draw_habits(random: np.random.Generator, parameters: GeneratorParameters, catalogue: Catalogue) -> Habits:
    """Every pair, each company at most once a client; ordered by client."""
    activity = random.lognormal(0, 0.9, parameters.clients)
    late = random.random(parameters.clients) < LATE_JOINERS
    joined = np.where(late, random.uniform(0, 0.85 * parameters.days, parameters.clients), 0.0)
    known = activity * np.sqrt(1 - joined / parameters.days)
    adopted = _companies_per_client(parameters, known)
    there = 1 - catalogue.first_day / parameters.days
    tastes = _draw_tastes(random, catalogue, there, _bill_share(parameters, adopted))
    client, company = _adopt(random, tastes, adopted)
    first, last = _draw_spans(random, joined[client], catalogue.first_day[company], parameters.days)
    return Habits(client, company, first, last, activity[client])


def _companies_per_client(parameters: GeneratorParameters, activity: NDArray[np.float64]) -> NDArray[np.int64]:
    mean = min(parameters.payments / parameters.clients / PAYMENTS_PER_COMPANY, 0.15 * parameters.companies)
    spread = activity**0.8
    wanted = np.rint(mean * spread / spread.mean()).astype(np.int64)
    return np.asarray(np.clip(wanted, 1, parameters.companies // 2))


def _bill_share(parameters: GeneratorParameters, adopted: NDArray[np.int64]) -> float:
    """The share of bills among the pairs that makes them BILL_SHARE_OF_PAYMENTS of the payments."""
    months = max(1.0, 0.55 * parameters.days / 30)
    return float(np.clip(BILL_SHARE_OF_PAYMENTS * parameters.payments / months / adopted.sum(), 0.02, 0.4))


def _draw_tastes(
    random: np.random.Generator, catalogue: Catalogue, there: NDArray[np.float64], bills: float
) -> NDArray[np.float64]:
    """For each segment (row) the chance of each company, by the share of the period that it was `there`.

    `bills` is the share that companies with monthly bills get together.
    """
    spread = random.normal(0, TASTE_SPREAD, (SEGMENTS, len(catalogue.popularity)))
    tastes = catalogue.popularity * there * np.exp(spread)
    shares = {Rhythm.BILL: bills, Rhythm.HABIT: 0.55 * (1 - bills), Rhythm.OCCASION: 0.45 * (1 - bills)}
    for rhythm, share in shares.items():
        here = has_rhythm(catalogue, rhythm)
        tastes[:, here] *= share / tastes[:, here].sum(axis=1, keepdims=True)
    return np.asarray(tastes / tastes.sum(axis=1, keepdims=True))


def has_rhythm(catalogue: Catalogue, rhythm: Rhythm) -> NDArray[np.bool_]:
    """Which companies are paid in this rhythm."""
    return np.array([category.rhythm is rhythm for category in CATEGORIES])[catalogue.category]


def _adopt(
    random: np.random.Generator, tastes: NDArray[np.float64], adopted: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(clients, companies): for each client a weighted draw without replacement, a block of clients at a time."""
    block = max(1, _DRAWS_AT_ONCE // tastes.shape[1])
    parts = [_adopt_block(random, tastes, adopted[i : i + block]) for i in range(0, len(adopted), block)]
    client = np.repeat(np.arange(len(adopted)), adopted)
    return client, np.concatenate(parts)


def _adopt_block(
    random: np.random.Generator, tastes: NDArray[np.float64], adopted: NDArray[np.int64]
) -> NDArray[np.int64]:
    mixture = random.dirichlet(np.full(SEGMENTS, MIXTURE), len(adopted))
    # The smallest of exponential times with these rates are such a draw (Efraimidis and Spirakis, 2006).
    times = random.standard_exponential((len(adopted), tastes.shape[1]), dtype=np.float32)
    times /= (mixture @ tastes).astype(np.float32)
    most = int(adopted.max())
    nearest = np.argpartition(times, most - 1, axis=1)[:, :most]
    order = np.take_along_axis(nearest, np.argsort(np.take_along_axis(times, nearest, axis=1), axis=1), axis=1)
    return np.asarray(order[np.arange(most) < adopted[:, None]])


def _draw_spans(
    random: np.random.Generator, joined: NDArray[np.float64], opened: NDArray[np.float64], days: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(first days, last days): some habits are there when the client comes, the others are taken up over time."""
    count = len(joined)
    old = random.random(count) < FROM_THE_START
    progress = np.where(old, random.beta(1, 12, count), random.random(count))
    first = np.maximum(joined + (days - joined) * progress, opened + random.exponential(15, count))
    first = np.minimum(first, days - 1 + random.random(count))
    last = first + random.exponential(1.2 * days, count)
    return first, np.minimum(last, days)
