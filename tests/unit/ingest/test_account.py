"""The account of a run holds every row, or does not exist."""

import pytest

from services.ingest.domain.account import Account
from services.ingest.workflow.accounting import load_result
from services.ingest.workflow.outputs import SavedOutput
from services.ingest.workflow.steps import Progress, StepContext
from services.ingest.workflow.values import LoadedRows
from tests.receipts import a_receipt
from tests.unit.ingest.fakes import FakeWarehouse, new_run, tools


def test_an_account_that_adds_up_tells_its_outcomes() -> None:
    account = Account(read=10, new=4, changed=1, unchanged=2, late=1, quarantined=2)

    assert account.outcomes() == {"new": 4, "changed": 1, "unchanged": 2, "late": 1, "quarantined": 2}


@pytest.mark.parametrize("read", [9, 11])
def test_an_account_in_which_a_row_is_lost_or_counted_twice_cannot_be(read: int) -> None:
    with pytest.raises(ValueError, match="10 are accounted for"):
        Account(read=read, new=4, changed=1, unchanged=2, late=1, quarantined=2)


def test_a_load_whose_figures_do_not_explain_every_row_is_a_bug_not_an_account() -> None:
    saved = SavedOutput(manifest_key="key", manifest_sha256="0", rows=3, quarantined=1, reached=None)
    loaded = _loaded(new=1, unchanged=1, replayed=False)

    with pytest.raises(ValueError, match="4 rows were read, 3 are accounted for"):
        load_result(_context(), saved, loaded)


def test_a_load_that_an_earlier_attempt_committed_is_told_as_such() -> None:
    saved = SavedOutput(manifest_key="key", manifest_sha256="0", rows=3, quarantined=1, reached=None)
    loaded = _loaded(new=1, unchanged=2, replayed=True)
    context = _context()

    result = load_result(context, saved, loaded)

    assert result.account == Account(read=4, new=1, changed=0, unchanged=2, late=0, quarantined=1)
    assert context.progress.detail == "3 rows loaded, 1 new and 0 changed, already committed by an earlier attempt"


def _context() -> StepContext:

    async def keep(checkpoint: dict[str, object]) -> None:
        """Nothing is kept."""

    return StepContext(new_run(), 1, tools(FakeWarehouse()), Progress(), {}, {}, keep)


def _loaded(*, new: int, unchanged: int, replayed: bool) -> LoadedRows:
    receipt = a_receipt(new=new, unchanged=unchanged)
    return LoadedRows(new + unchanged, new, 0, unchanged, 0, 0, replayed, None, receipt)
