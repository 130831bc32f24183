"""What is needed to make the history of one client anew, as the build of an index version made it."""

from services.contracts.stored import Stored


class HabitModel(Stored):
    """A logistic regression: how likely a client pays a company again. Of k features, and k + 1 coefficients."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]
    coefficients: tuple[float, ...]


class HistoryModel(Stored):
    """With TENDENCIES_FILE all that it takes to make the history of one more client as the build made the others'.

    first, newest: the period by which payments age, in microseconds since 1970; habits: None where too few payments
    told of them. `rules`: which rules make histories of it; code that follows others makes none.
    """

    rules: int
    first: int
    newest: int
    decay: float | None
    habits: HabitModel | None
