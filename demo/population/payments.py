"""The single payments of every habit: which, and when."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.population.categories import Rhythm
from demo.population.companies import Catalogue
from demo.population.habits import Habits, has_rhythm
from demo.population.parameters import GeneratorParameters
from demo.population.seasons import season_weights

DAYS_PER_MONTH = 30.4375
SECONDS_PER_DAY = 86_400
# How many more payments a habit brings than an occasion, or a bill beside its monthly ones.
_HABIT_WEIGHT, _OCCASION_WEIGHT, _BILL_WEIGHT = 1.0, 0.15, 0.002
_SOON_DAYS = 14
_BILL_HOUR, _BILL_HOURS = 4.0, 0.7
_OTHER_HOUR, _OTHER_HOURS = 14.5, 3.5


@dataclass(frozen=True)
class Payments:
    """One entry per payment: its habit, as a position in Habits, and its second since the first midnight."""

    habit: NDArray[np.int64]
    second: NDArray[np.int64]


def draw_payments(
    random: np.random.Generator, parameters: GeneratorParameters, catalogue: Catalogue, habits: Habits
) -> Payments:
    """Exactly `parameters.payments` payments in the order of time; each habit has one soon after its first day."""
    is_bill = has_rhythm(catalogue, Rhythm.BILL)[habits.company]
    bill, bill_day = _due_bills(random, habits, np.flatnonzero(is_bill))
    begun = np.flatnonzero(~is_bill)
    # Where there are more than were asked for, chance decides which of them stay.
    again = _repeat(random, catalogue, habits, max(0, parameters.payments - len(bill) - len(begun)))
    free = np.concatenate([begun, again])
    soon = np.concatenate([habits.first_day[begun] + _SOON_DAYS, habits.last_day[again]])
    last = np.minimum(soon, habits.last_day[free])
    category = catalogue.category[habits.company[free]]
    free_day = _seasonal_days(random, season_weights(parameters), category, (habits.first_day[free], last))
    habit = np.concatenate([bill, free])
    second = np.concatenate([bill_day, free_day]) * SECONDS_PER_DAY + _second_of_day(random, is_bill[habit])
    kept = random.permutation(len(habit))[: parameters.payments]
    order = kept[np.lexsort((habit[kept], second[kept]))]
    return Payments(habit[order], second[order])


def _due_bills(
    random: np.random.Generator, habits: Habits, bills: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(habits, days): each bill monthly from its first day on, now and then a few days late."""
    first, last = habits.first_day[bills], habits.last_day[bills]
    months = np.floor((last - first) / DAYS_PER_MONTH).astype(np.int64) + 1
    habit = np.repeat(bills, months)
    month = np.arange(len(habit)) - np.repeat(np.cumsum(months) - months, months)
    delay = random.choice([0, 1, 2, 3], size=len(habit), p=[0.82, 0.1, 0.05, 0.03])
    due = habits.first_day[habit] + month * DAYS_PER_MONTH
    return habit, np.minimum(due + delay, np.ceil(habits.last_day[habit]) - 1).astype(np.int64)


def _repeat(random: np.random.Generator, catalogue: Catalogue, habits: Habits, count: int) -> NDArray[np.int64]:
    """`count` further payments: the longer a habit lasts, the livelier it and its client are, the more it gets."""
    pace = np.full(len(catalogue.codes), _OCCASION_WEIGHT)
    pace[has_rhythm(catalogue, Rhythm.HABIT)] = _HABIT_WEIGHT
    pace[has_rhythm(catalogue, Rhythm.BILL)] = _BILL_WEIGHT
    weight = pace[habits.company] * habits.activity * (habits.last_day - habits.first_day + 1)
    weight *= random.lognormal(0, 0.9, len(weight))
    return np.repeat(np.arange(len(weight)), random.multinomial(count, weight / weight.sum()))


def _seasonal_days(
    random: np.random.Generator,
    seasons: NDArray[np.float64],
    category: NDArray[np.int64],
    span: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.int64]:
    """A day within each span (first days, last days), drawn by the seasons of its category.

    All categories at once: their distributions stand one after another, from 0 to 1, from 1 to 2, and so on.
    """
    kinds, days = seasons.shape
    passed = np.concatenate([np.zeros((kinds, 1)), seasons.cumsum(axis=1)], axis=1)
    flat = (passed / passed[:, -1:] + np.arange(kinds)[:, None]).ravel()
    row = category * (days + 1)
    first, last = span[0].astype(np.int64), np.ceil(span[1]).astype(np.int64)
    begin, end = flat[row + first], flat[row + last]
    place = begin + random.random(len(row)) * (end - begin)
    found = np.searchsorted(flat, place, side="right") - 1 - row
    return np.asarray(np.clip(found, first, last - 1))


def _second_of_day(random: np.random.Generator, is_bill: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Bills are collected at night, people pay by day."""
    centre = np.where(is_bill, _BILL_HOUR, _OTHER_HOUR)
    hour = random.normal(centre, np.where(is_bill, _BILL_HOURS, _OTHER_HOURS))
    return np.clip(hour * 3600, 0, SECONDS_PER_DAY - 1).astype(np.int64)
