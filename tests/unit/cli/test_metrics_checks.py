"""What a page of metrics says of clock, limits and version."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from cli.findings import Level
from cli.metrics_checks import judge, parse
from services.runtime.version import code_version

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
PAGE = """# TYPE process_open_fds gauge
process_open_fds {used}
# TYPE process_max_fds gauge
process_max_fds 100
# TYPE afin_build_info gauge
afin_build_info{{version="{version}"}} 1
"""


def levels(used: int = 10, off: float = 0, version: str = "") -> dict[str, Level]:
    text = PAGE.format(used=used, version=version or code_version())
    page = parse(text, format_datetime(NOW + timedelta(seconds=off), usegmt=True), NOW)
    return {finding.subject: finding.level for finding in judge("ingest", page)}


def test_a_page_of_a_well_service_is_good() -> None:
    assert set(levels().values()) == {Level.GOOD}


def test_a_clock_that_is_off_is_told() -> None:
    assert levels(off=-60)["ingest clock"] is Level.WARNING


def test_nearly_all_files_open_is_told() -> None:
    assert levels(used=90)["ingest limit"] is Level.WARNING


def test_other_code_than_the_command_is_told() -> None:
    assert levels(version="0.0.1")["ingest code"] is Level.WARNING
