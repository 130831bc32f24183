"""The order in which a lake is replayed: that of the ledger, as its receipts tell it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.contracts.receipt import Receipt
from services.warehouse.domain.loads import Load, LoadCounts

# Of places in a message.
SHOWN = 5


class DoubtfulOrder(ValueError):
    """The receipts do not tell one order, whole."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that the ledger holds: a load, or the recorded update of a load of companies."""

    place: int
    receipt: Receipt
    is_update: bool = False

    def stands_as_told(self, known: Load) -> bool:
        """Whether a load of the ledger is the one of this entry."""
        place = known.update_sequence if self.is_update else known.sequence
        return place == self.place and known.manifest_sha256 == self.receipt.manifest_sha256


def in_order(receipts: Sequence[Receipt], *, skip_missing: bool = False) -> list[Entry]:
    """The entries by place. DoubtfulOrder when two take one place, or, unless `skip_missing`, when one is empty."""
    loads = [Entry(receipt.sequence, receipt) for receipt in receipts]
    updates = [Entry(receipt.update_sequence, receipt, True) for receipt in receipts if receipt.update_sequence]
    entries = sorted([*loads, *updates], key=lambda entry: entry.place)
    for first, second in pairwise(entries):
        if first.place == second.place:
            raise DoubtfulOrder(
                f"loads {first.receipt.load_id!r} and {second.receipt.load_id!r} both take place {first.place}: the "
                "warehouse was set back to an older state between them. Take the receipts of those it forgot away"
            )
    if (missing := missing_places(entries)) and not skip_missing:
        named = ", ".join(map(str, missing[:SHOWN])) + (", …" if len(missing) > SHOWN else "")
        raise DoubtfulOrder(
            f"no receipt tells what stands at place {named} of {entries[-1].place}; restore it, or use --skip-missing"
        )
    return entries


def missing_places(entries: Sequence[Entry]) -> list[int]:
    """Places up to the last one that no entry takes."""
    taken = {entry.place for entry in entries}
    return [place for place in range(1, max(taken, default=0)) if place not in taken]


def counts_of(receipt: Receipt) -> LoadCounts:
    """What became of the load's rows when it was applied first."""
    return LoadCounts(receipt.new, receipt.changed, receipt.unchanged, receipt.late, receipt.retired)
