"""The account of a run: what became of each row that was read, to the last one."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """Rows of a run. read = new + changed + unchanged + late + quarantined, exactly."""

    read: int
    new: int
    changed: int
    unchanged: int
    late: int
    quarantined: int

    def __post_init__(self) -> None:
        """Raises ValueError where a row is lost or counted twice: no such account may exist."""
        accounted = self.new + self.changed + self.unchanged + self.late + self.quarantined
        if self.read != accounted:
            raise ValueError(f"{self.read} rows were read, {accounted} are accounted for: {self.as_counts()}")

    def as_counts(self) -> dict[str, int]:
        """The figures by name."""
        return asdict(self)

    def outcomes(self) -> dict[str, int]:
        """The figures that add up to `read`, by name."""
        return {name: value for name, value in asdict(self).items() if name != "read"}
