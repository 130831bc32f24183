"""What services tell is shown as text, whatever it is."""

from typing import Any

import pytest

from afin.ingest.v1 import ingest_pb2 as pb
from afin.warehouse.v1 import warehouse_pb2
from console.rendering import Renderer
from console.views.calendar import calendar
from tests.unit.console.runs import MONDAY, run

HOSTILE = """</pre><script>alert(1)</script>"'><img src=x onerror=alert(1)>"""
FRAME = {"path": HOSTILE, "has_key": True, "status": 200, "token": HOSTILE}
RUN = pb.Run(run_id=HOSTILE, pipeline=pb.PIPELINE_RECOMMENDATIONS, error=HOSTILE)


@pytest.mark.parametrize(
    ("template", "values"),
    [
        ("refusal.html", {"title": HOSTILE, "problem": HOSTILE, "hint": HOSTILE}),
        ("enter.html", {"problem": HOSTILE, "back": HOSTILE}),
        (
            "companies.html",
            {
                "sought": HOSTILE,
                "retired": False,
                "companies": [warehouse_pb2.CompanyVersion(company_code=HOSTILE, company_name=HOSTILE)],
                "next": HOSTILE,
            },
        ),
        (
            "quarantined.html",
            {
                "run": RUN,
                "reasons": [pb.QuarantineReason(reason=HOSTILE, rows=1)],
                "total": 1,
                "rows": [(HOSTILE, HOSTILE)],
                "rows_problem": HOSTILE,
                "next": HOSTILE,
                "can_be_replayed": True,
                "request_id": HOSTILE,
            },
        ),
    ],
)
def test_what_looks_like_html_stays_text(template: str, values: dict[str, Any]) -> None:
    page = Renderer(lambda: MONDAY).render(template, FRAME | values)

    assert "<script>" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_state_of_newer_services_is_shown_as_unknown() -> None:
    newer = run()
    newer.state, newer.pipeline, newer.steps[0].state = 99, 99, 99  # type: ignore[assignment]
    renderer = Renderer(lambda: MONDAY)

    assert "unknown" in renderer.render("_runs.html", {"runs": [newer], "token": ""})
    assert calendar([newer], MONDAY.date()).squares[-1].kind == "unknown"
