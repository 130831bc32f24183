"""What came of answers: shares with 95 % intervals, by variant and strategy.

Share: Wilson's interval, which holds for few answers and for shares near 0, too. Difference of two shares: Newcombe's
interval from both (Statistics in Medicine 17, 1998, method 10). The unit is the answer: of a client that asks often,
several count, and then the intervals are narrower than they should be.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nsmallest
from math import sqrt
from typing import NamedTuple

from services.contracts.recommendation_ids import Role

Z = 1.959963984540054  # 95 %, two-sided
MOST_EXPERIMENTS = 50
# Anybody who may call can make up ids, and an experiment for each: so many groups are kept, those shown most.
MOST_GROUPS = 5_000


class Group(NamedTuple):
    """Answers that are counted together. `experiment`: the epoch that it began with; 0: while there was none."""

    experiment: int
    role: Role
    strategy: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Answers shown, and of these with a click, and with a payment; `stray`: clicks and payments that do not count."""

    shown: int = 0
    clicked: int = 0
    paid: int = 0
    stray: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.shown + other.shown,
            self.clicked + other.clicked,
            self.paid + other.paid,
            self.stray + other.stray,
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share, or a difference of shares, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class VariantReport:
    """One variant. Differences: to `main` of the same experiment; None for `main`, and where one was never shown."""

    experiment: int
    role: Role
    tally: Tally
    strategies: Mapping[int, Tally]
    click_difference: Estimate | None = None
    hit_difference: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """`rows`: of feedback, repeated ones included, from which the tallies come; `sample`: the share of answers read."""

    tallies: Mapping[Group, Tally]
    rows: int
    sample: float


def share(successes: int, trials: int) -> Estimate | None:
    """A share with Wilson's interval; None without trials."""
    if not trials:
        return None
    value = successes / trials
    middle = (value + Z * Z / (2 * trials)) / (1 + Z * Z / trials)
    half = Z * sqrt(value * (1 - value) / trials + Z * Z / (4 * trials * trials)) / (1 + Z * Z / trials)
    return Estimate(value, min(max(0.0, middle - half), value), max(min(1.0, middle + half), value))


def difference(one: Estimate | None, other: Estimate | None) -> Estimate | None:
    """`one` - `other` with Newcombe's interval; None unless both are known."""
    if one is None or other is None:
        return None
    value = one.value - other.value
    low = value - sqrt((one.value - one.low) ** 2 + (other.high - other.value) ** 2)
    high = value + sqrt((one.high - one.value) ** 2 + (other.value - other.low) ** 2)
    return Estimate(value, low, high)


def click_share(tally: Tally) -> Estimate | None:
    """Answers shown with a company clicked, of answers shown."""
    return share(tally.clicked, tally.shown)


def hit_share(tally: Tally) -> Estimate | None:
    """Answers shown with a company paid afterwards, of answers shown."""
    return share(tally.paid, tally.shown)


def variant_reports(tallies: Mapping[Group, Tally]) -> list[VariantReport]:
    """By experiment, the newest first: the MOST_EXPERIMENTS with the most answers; `main` before its challenger."""
    groups: dict[int, dict[Group, Tally]] = defaultdict(dict)
    for group, tally in tallies.items():
        groups[group.experiment][group] = tally
    shown = {experiment: sum(tally.shown for tally in found.values()) for experiment, found in groups.items()}
    told = nsmallest(MOST_EXPERIMENTS, groups, key=lambda experiment: (-shown[experiment], -experiment))
    return [report for experiment in sorted(told, reverse=True) for report in _of_experiment(experiment, groups)]


def most_shown(tallies: Mapping[Group, Tally], most: int = MOST_GROUPS) -> dict[Group, Tally]:
    """The groups with the most answers."""
    if len(tallies) <= most:
        return dict(tallies)
    return {
        group: tallies[group] for group in nsmallest(most, tallies, key=lambda group: (-tallies[group].shown, group))
    }


def by_role(tallies: Mapping[Group, Tally]) -> dict[Role, Tally]:
    """All experiments and strategies together."""
    return {role: sum((tallies[group] for group in tallies if group.role == role), Tally()) for role in _ROLES}


_ROLES: tuple[Role, ...] = ("main", "challenger")


def _of_experiment(experiment: int, groups: Mapping[int, Mapping[Group, Tally]]) -> list[VariantReport]:
    strategies: dict[Role, dict[int, Tally]] = {
        role: {group.strategy: tally for group, tally in sorted(groups[experiment].items()) if group.role == role}
        for role in _ROLES
    }
    whole = {role: sum(found.values(), Tally()) for role, found in strategies.items()}
    reports = []
    for role in _ROLES:
        if not strategies[role]:
            continue
        told = VariantReport(experiment, role, whole[role], strategies[role])
        reports.append(told if role == "main" else _compared(told, whole["main"]))
    return reports


def _compared(told: VariantReport, main: Tally) -> VariantReport:
    return VariantReport(
        told.experiment,
        told.role,
        told.tally,
        told.strategies,
        difference(click_share(told.tally), click_share(main)),
        difference(hit_share(told.tally), hit_share(main)),
    )
