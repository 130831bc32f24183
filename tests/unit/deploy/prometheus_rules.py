"""The rules of deploy/monitoring as Prometheus' operator takes them: `python -m tests.unit.deploy.prometheus_rules`
writes the manifest anew.

kustomize can put files into ConfigMaps, not into a manifest; and Prometheus itself, in compose, reads plain files.
"""

from textwrap import indent

from tests.unit.deploy.monitoring.promql import RULES
from tests.unit.deploy.workloads import KUBERNETES

MANIFEST = KUBERNETES / "components/monitoring/prometheus-rules.yaml"
HEAD = """# Made of deploy/monitoring/rules by `make format`: change it there.
# yamllint disable rule:line-length
"""
RULE = """apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: afin-{name}
  labels:
    app.kubernetes.io/part-of: afin
spec:
{groups}"""


def manifest() -> str:
    """One PrometheusRule for each file of rules."""
    rules = [RULE.format(name=each.stem, groups=indent(each.read_text(), "  ")) for each in RULES]
    return HEAD + "---\n".join(rules)


if __name__ == "__main__":
    MANIFEST.write_text(manifest())
