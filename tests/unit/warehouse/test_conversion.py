"""Between messages and values: what is not set stays unset, and a moment that is none is told by field."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from afin.warehouse.v1 import warehouse_pb2 as pb
from services.runtime.errors import InvalidArgument
from services.runtime.timestamps import timestamp_of
from services.warehouse import conversion
from services.warehouse.domain.history import CompanyVersion, PaymentVersion

NOW = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
PAYMENT = PaymentVersion("p1", "A", None, "paid", Decimal("12.5"), "client", NOW, NOW, None, NOW, "run-1")
COMPANY = CompanyVersion("A", 0, "Name", None, None, None, False, NOW, None, NOW, "run-1")


def test_a_timestamp_comes_back_to_the_microsecond() -> None:
    request = pb.ListClientPaymentsRequest(as_of=timestamp_of(NOW))
    assert conversion.moment(request, "as_of") == NOW


def test_a_timestamp_that_is_not_set_is_none() -> None:
    assert conversion.moment(pb.ListClientPaymentsRequest(), "as_of") is None


@pytest.mark.parametrize("seconds", [10**14, -(10**14)])
def test_a_timestamp_beyond_the_years_is_refused_by_field(seconds: int) -> None:
    request = pb.LoadPaymentsRequest(advance_watermark_to=Timestamp(seconds=seconds))
    with pytest.raises(InvalidArgument) as refused:
        conversion.payments_request(request)
    assert refused.value.field == "advance_watermark_to"


def test_an_amount_has_two_places() -> None:
    assert conversion.payment_message(PAYMENT).amount == "12.50"


def test_a_current_version_has_no_end_and_a_payment_without_time_no_time() -> None:
    message = conversion.payment_message(PAYMENT)
    assert not message.HasField("end_date")
    assert not message.HasField("payment_at")


def test_what_the_source_left_out_of_a_company_stays_unset() -> None:
    message = conversion.company_message(COMPANY)
    assert not message.HasField("category_id")
    assert not message.HasField("category_name")
    assert not message.HasField("is_top_biller")
