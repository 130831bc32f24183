"""From what the rules refuse to what a caller is told."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.runtime.errors import FENCED, AlreadyExists, FailedPrecondition, InvalidArgument
from services.warehouse.domain.fields import WrongField
from services.warehouse.domain.loads import CatalogueRefused, Fenced, LoadIdTaken
from services.warehouse.domain.reconciliation import NotAPass, ReportTaken


@contextmanager
def refusals() -> Iterator[None]:
    """Translates the domain's exceptions into the tree of services.runtime.errors."""
    try:
        yield
    except WrongField as error:
        raise InvalidArgument(error.field, error.problem) from error
    except LoadIdTaken as error:
        raise AlreadyExists(str(error), reason="LOAD_ID_TAKEN") from error
    except Fenced as error:
        raise FailedPrecondition(str(error), reason=FENCED) from error
    except ReportTaken as error:
        raise AlreadyExists(str(error), reason="REPORT_TAKEN") from error
    except NotAPass as error:
        raise FailedPrecondition(str(error), reason="NOT_A_PASS") from error
    except CatalogueRefused as error:
        raise FailedPrecondition(str(error), reason="CATALOGUE_REFUSED") from error
