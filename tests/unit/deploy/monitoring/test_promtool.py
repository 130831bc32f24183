"""What Prometheus' own tool says of the rules, the expressions of dashboards, and the configuration."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.unit.deploy.monitoring.promql import FOLDER, RULES, expressions
from tests.unit.deploy.workloads import ROOT

SEARCHED = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin"
PROMTOOL = shutil.which("promtool", path=SEARCHED)
pytestmark = pytest.mark.skipif(
    PROMTOOL is None,
    reason="no promtool, which tries rules and dashboards; Debian and Ubuntu have it in prometheus",
)


def promtool(*arguments: str | Path) -> None:
    """Fails with what the tool says."""
    done = subprocess.run([str(PROMTOOL), *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_are_well_formed() -> None:
    promtool("check", "rules", *RULES)


def test_alerts_fire_when_they_should_and_only_then() -> None:
    promtool("test", "rules", *sorted((FOLDER / "tests").glob("*.yaml")))


def test_every_expression_of_a_dashboard_is_one(tmp_path: Path) -> None:
    asked = [{"record": f"asked:{number}", "expr": each.plain()} for number, each in enumerate(expressions())]
    file = tmp_path / "asked.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": asked}]}))

    promtool("check", "rules", file)


def test_the_configuration_of_compose_is_one() -> None:
    promtool("check", "config", "--syntax-only", ROOT / "deploy/compose/prometheus.yaml")
