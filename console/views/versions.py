"""Versions of payments and companies, as timelines show them."""

from collections.abc import Iterable
from datetime import datetime

from afin.warehouse.v1 import warehouse_pb2 as pb
from console.views import words
from console.views.timeline import Version


def payment_versions(versions: Iterable[pb.PaymentVersion]) -> list[Version]:
    """A payment's, by their status."""
    return [
        Version(_begin(each), words.moment_of(each.end_date), each.status, f"{each.status}, {each.amount}")
        for each in versions
    ]


def company_versions(versions: Iterable[pb.CompanyVersion]) -> list[Version]:
    """A company's, by name or by its end."""
    return [
        Version(_begin(each), words.moment_of(each.end_date), _company_word(each), _company_label(each))
        for each in versions
    ]


def _begin(version: pb.PaymentVersion | pb.CompanyVersion) -> datetime:
    begin = words.moment_of(version.start_date)
    if begin is None:
        raise ValueError("a version begins at some time")
    return begin


def _company_word(version: pb.CompanyVersion) -> str:
    return "retired" if version.is_retired else version.company_name or version.company_code


def _company_label(version: pb.CompanyVersion) -> str:
    category = version.category_name or "no category"
    return f"{_company_word(version)}, {category}"
