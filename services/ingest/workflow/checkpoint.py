"""Where a pass stands: kept with its running step, so that the next attempt goes on from there."""

from dataclasses import dataclass, replace

from pydantic import AwareDatetime

from services.contracts.lake import latest
from services.ingest.domain.paging import PagerMark
from services.ingest.domain.sifting import Sifted
from services.ingest.workflow.outputs import StepOutput
from services.ingest.workflow.values import StoredParts


@dataclass(frozen=True, slots=True)
class Tally:
    """What a pass has seen so far. `source_time`: the source's clock when the pass began, None before."""

    pages: int = 0
    read: int = 0
    quarantined: int = 0
    out_of_range: int = 0
    erased: int = 0
    newest: AwareDatetime | None = None
    source_time: AwareDatetime | None = None

    def plus(self, sifted: Sifted) -> "Tally":
        """With another page."""
        return replace(
            self,
            pages=self.pages + 1,
            read=self.read + sifted.read,
            quarantined=self.quarantined + len(sifted.refused),
            out_of_range=self.out_of_range + sifted.out_of_range,
            erased=self.erased + sifted.erased,
            newest=latest(self.newest, sifted.newest),
        )

    @property
    def place(self) -> int:
        """Of the next row: no two rows of a pass have the same."""
        return self.read + self.erased

    @property
    def seen(self) -> int:
        """Rows, whatever became of them."""
        return self.place + self.out_of_range

    def counts(self) -> dict[str, int]:
        """For the step's record."""
        counts = {"pages": self.pages, "read": self.read, "quarantined": self.quarantined}
        left_aside = {"out_of_range": self.out_of_range, "erased": self.erased}
        return counts | {name: rows for name, rows in left_aside.items() if rows}


class Checkpoint(StepOutput):
    """All rows up to `mark` are counted in `tally` and lie in `stored`.

    `basis`: by what rows were taken or left out; on another one, what is stored is of no use.
    """

    basis: str
    mark: PagerMark = PagerMark()
    stored: StoredParts = StoredParts()
    tally: Tally = Tally()
