"""`afin doctor`: looks at all that calls, runs and answers need, and says what to do."""

from collections.abc import Iterable

from rich.text import Text

from cli.afin_calls import Afin
from cli.calling import calling
from cli.ending import Failed
from cli.findings import MARKS, Finding, Level
from cli.machine_checks import check_machine
from cli.metrics_checks import check_metrics
from cli.profiles import SERVICES
from cli.screen import Screen
from cli.service_checks import check_service
from cli.work_checks import check_work


@calling("ingest")
async def doctor(afin: Afin) -> None:
    """Checks this machine, ports, TLS and keys, services and what they depend on, clocks, limits, and the last runs."""
    findings = check_machine(afin.target)
    answering = []
    for service in SERVICES:
        found = await check_service(afin, service)
        findings += found
        if all(each.level is not Level.BAD for each in found):
            answering.append(service)
    findings += await check_metrics(afin.target.profile)
    findings += await check_work(afin, answering)
    if afin.as_json:
        afin.screen.json([_told(each) for each in findings])
    else:
        _print(findings, afin.screen)
    wrong = [each for each in findings if each.level is Level.BAD]
    if wrong:
        raise Failed(f"{len(wrong)} of {len(findings)} checks failed; first: {wrong[0].subject}: {wrong[0].todo}")


def _print(findings: Iterable[Finding], screen: Screen) -> None:
    rows: list[tuple[str | Text, ...]] = []
    for each in findings:
        rows.append((MARKS[each.level], each.subject, each.found))
        if each.todo:
            rows.append(("", "", Text(f"→ {each.todo}", "bold")))
    screen.table(("", "CHECK", "FOUND"), rows)


def _told(finding: Finding) -> dict[str, str]:
    return {"level": finding.level.value, "subject": finding.subject, "found": finding.found, "todo": finding.todo}
