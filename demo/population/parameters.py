"""What can be asked of the generator."""

from dataclasses import dataclass
from datetime import date

from demo.population.names import MOST_NAMES


@dataclass(frozen=True)
class GeneratorParameters:
    """The size of the made-up world; equal parameters give equal tables.

    All times lie in the `days` days before `end`, which itself is left out: with today as `end` nothing lies ahead.
    ValueError when a number is out of reach.
    """

    end: date
    seed: int = 1
    clients: int = 2_000
    companies: int = 600
    days: int = 548
    payments: int = 60_000

    def __post_init__(self) -> None:
        _require("seed", self.seed, 0, 2**63 - 1)
        _require("clients", self.clients, 1, 1_000_000)
        _require("companies", self.companies, 30, MOST_NAMES)
        _require("days", self.days, 30, 10_000)
        _require("payments", self.payments, self.clients, 10_000_000)


def _require(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} must be from {least} to {most}, and is {value}")
