"""Whether a folder of payments and companies can be used, and what of it will not be: for whoever brings own data."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from demo.dataset import find_tables
from demo.tables import FoundTable, Problem

# What trains the index, unless INDEXER_STATUSES says otherwise.
PAID = "paid"
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Findings:
    """`problems` must be mended; `remarks` tell what will be left aside, or makes for a poor index."""

    files: tuple[FoundTable, ...]
    problems: list[Problem]
    remarks: list[str]


def check_folder(folder: Path, now: datetime) -> Findings:
    """Reads it whole, as the demo does."""
    files = find_tables(folder)
    problems = [problem for each in files for problem in each.problems]
    payments, companies = (each.table for each in files)
    remarks = _remarks(payments, companies, now) if payments is not None and companies is not None else []
    return Findings(files, problems, remarks)


def _remarks(payments: pa.Table, companies: pa.Table, now: datetime) -> list[str]:
    told = [
        _empty(payments, "status"),
        _empty(payments, "amount"),
        _empty(payments, "external_client_id"),
        _early(payments, now),
        _strangers(payments, companies),
        _unpaid(payments),
        _alone(payments),
    ]
    return [remark for remark in told if remark]


def _empty(payments: pa.Table, name: str) -> str:
    rows = payments[name].null_count
    return f"{rows:,} payments have no {name}: they are refused, each with its reason" if rows else ""


def _early(payments: pa.Table, now: datetime) -> str:
    rows = pc.sum(pc.greater(payments["updated_at"], pa.scalar(now, payments["updated_at"].type))).as_py()
    return f"{rows:,} payments were updated in the future: they are refused until then" if rows else ""


def _strangers(payments: pa.Table, companies: pa.Table) -> str:
    codes = pc.unique(payments["company_code"])
    unknown = codes.filter(pc.invert(pc.is_in(codes, value_set=companies["company_code"].combine_chunks())))
    if not len(unknown):
        return ""
    examples = ", ".join(unknown.slice(0, SHOWN).to_pylist())
    return f"{len(unknown):,} companies are paid and stand not in companies: {examples}; they are not recommended"


def _unpaid(payments: pa.Table) -> str:
    statuses = pc.unique(payments["status"]).to_pylist()
    if PAID in statuses:
        return ""
    found = ", ".join(str(status) for status in statuses[:SHOWN])
    return f"no payment has the status {PAID!r}, which trains the index; found: {found}"


def _alone(payments: pa.Table) -> str:
    pairs = payments.select(["external_client_id", "company_code"]).group_by(["external_client_id", "company_code"])
    counts = pairs.aggregate([]).group_by("external_client_id").aggregate([("company_code", "count")])
    several = pc.sum(pc.greater(counts["company_code_count"], 1)).as_py() or 0
    if several:
        return ""
    return "no client pays more than one company: nothing tells which companies go together, popularity decides"
