"""Templates: strict about names, careful about what they show."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from console.views import runs, words
from services.runtime.clock import Clock
from services.runtime.version import code_version

STATIC = Path(__file__).parent / "static"
# path, name, what of it is active
NAVIGATION = (
    ("/", "Overview"),
    ("/runs", "Runs"),
    ("/quarantine", "Quarantine"),
    ("/companies", "Companies"),
    ("/client", "Clients"),
    ("/index", "Index"),
    ("/map", "Map"),
    ("/system", "System"),
)
# What templates make words of values with, wherever no clock is needed.
FILTERS: dict[str, Callable[..., str]] = {
    "moment": words.moment,
    "day": words.day,
    "minute": words.minute,
    "span": words.span,
    "number": words.number,
    "figure": words.figure,
    "percent": words.percent,
    "bytes": words.size,
    "plain": words.plain,
    "pipeline": words.pipeline_word,
    "run_state": words.run_word,
    "step_state": words.step_word,
    "trigger": words.trigger_word,
}


class Renderer:
    """Makes pages of templates."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("console"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        now_filters = {"ago": self._ago, "took": self._took, "rate": self._rate, "time": self._time}
        self._environment.filters.update(FILTERS | now_filters)
        self._environment.globals.update(navigation=NAVIGATION, assets=_digest_of_assets(), code_version=code_version())

    def render(self, template: str, values: dict[str, Any]) -> str:
        """The page; `values` are the template's names."""
        return self._environment.get_template(template).render(now=self._clock(), **values)

    def _ago(self, timestamp: Any) -> str:
        return words.relative(timestamp, self._clock())

    def _took(self, timed: Any) -> str:
        """How long a run or a step took, or has taken until now."""
        return words.span(runs.took(timed, self._clock()))

    def _rate(self, step: Any) -> float | None:
        return runs.rate(step, self._clock())

    def _time(self, timestamp: Any, relative: bool = True) -> Markup:
        """A moment with how long ago that is."""
        if words.moment_of(timestamp) is None:
            return Markup('<span class="none">–</span>')
        told = Markup('<time datetime="{}">{}</time>').format(words.iso(timestamp), words.moment(timestamp))
        return told + Markup(' <span class="ago">{}</span>').format(self._ago(timestamp)) if relative else told


def _digest_of_assets() -> str:
    """A changed file has another address, so that browsers may keep them."""
    content = b"".join(path.read_bytes() for path in sorted(STATIC.iterdir()))
    return hashlib.sha256(content).hexdigest()[:12]
