"""What `afin doctor` reads from pages of metrics, where they can be reached: clocks, limits, and which code runs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from cli.findings import Finding, good, skipped, warning
from cli.profiles import SERVICES, Profile
from services.runtime.clock import utc_now
from services.runtime.version import code_version

SECONDS = 5
# A header's clock has no fractions, and the answer takes a while.
OFF_SECONDS = 5
FULL = 0.8


@dataclass(frozen=True, slots=True)
class Page:
    """The samples that matter, by name, which code they are of, and how far the clock is from ours."""

    samples: Mapping[str, float]
    version: str
    seconds_off: float


async def check_metrics(profile: Profile) -> list[Finding]:
    """Asks each service's page over HTTP."""
    found: list[Finding] = []
    for service in SERVICES:
        address = profile.metrics_address(service)
        page = await asyncio.to_thread(_read, address) if address else None
        if page is None:
            reason = f"{address} gives no metrics from here" if address else "no metrics address in the profile"
            found.append(skipped(f"{service} clock", f"not seen: {reason}"))
        else:
            found += judge(service, page)
    return found


def judge(service: str, page: Page) -> list[Finding]:
    """What a page says of clock, limits and version."""
    return [_clock(service, page.seconds_off), *_files(service, page.samples), _version(service, page.version)]


def _clock(service: str, off: float) -> Finding:
    if abs(off) > OFF_SECONDS:
        todo = "watermarks and schedules go by clocks: turn NTP on, there and here (timedatectl set-ntp true)"
        return warning(f"{service} clock", f"{off:+.0f} s from this machine's", todo)
    return good(f"{service} clock", "agrees with this machine's")


def _files(service: str, samples: Mapping[str, float]) -> list[Finding]:
    used, most = samples.get("process_open_fds", 0), samples.get("process_max_fds", 0)
    if not most:
        return []
    found = f"{used:,.0f} of {most:,.0f} open files"
    if used > FULL * most:
        return [warning(f"{service} limit", found, "raise its limit (LimitNOFILE, ulimit -n), or find who connects")]
    return [good(f"{service} limit", found)]


def _version(service: str, version: str) -> Finding:
    if version != code_version():
        todo = "bring both to one release: calls that one of them does not know are UNIMPLEMENTED"
        return warning(f"{service} code", f"{version}; this command is {code_version()}", todo)
    return good(f"{service} code", version)


def _read(address: str) -> Page | None:
    try:
        with urlopen(f"http://{address}/metrics", timeout=SECONDS) as answer:
            return parse(answer.read().decode(), answer.headers["Date"], utc_now())
    except (OSError, HTTPException, ValueError):
        # Nobody, no HTTP, or no metrics.
        return None


def parse(text: str, date: str | None, now: datetime) -> Page:
    """A page as it was answered, with its header Date. ValueError where it is no page of metrics."""
    samples, version = {}, ""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples[sample.name] = sample.value
            version = sample.labels.get("version", "") if sample.name == "afin_build_info" else version
    off = (parsedate_to_datetime(date).astimezone(UTC) - now).total_seconds() if date else 0.0
    return Page(samples, version, off)
