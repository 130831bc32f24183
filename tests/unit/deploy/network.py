"""NetworkPolicies as a cluster applies them: which pod may open which connection."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from tests.unit.deploy.kustomize import Manifest

Rule = dict[str, Any]


@dataclass(frozen=True)
class Pod:
    """A pod as policies see it; `ports`: its named ones. `address` only for what is outside the cluster."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()
    namespace: str = "afin"
    ports: tuple[tuple[str, int], ...] = ()
    address: str | None = None


def allowed(policies: Iterable[Manifest], caller: Pod, called: Pod, port: int, protocol: str = "TCP") -> bool:
    """Whether policies of both sides let `caller` reach that port of `called`."""
    known = list(policies)
    out = _lets(known, "egress", caller, called, (called, port, protocol))
    return out and _lets(known, "ingress", called, caller, (called, port, protocol))


def _lets(policies: list[Manifest], way: str, own: Pod, other: Pod, door: tuple[Pod, int, str]) -> bool:
    """A pod that no policy of that way selects is open; else one rule of one of them must match."""
    about = [
        each["spec"]
        for each in policies
        if each["metadata"]["namespace"] == own.namespace
        and way.capitalize() in each["spec"]["policyTypes"]
        and _selects(each["spec"]["podSelector"], dict(own.labels))
    ]
    sides = "to" if way == "egress" else "from"
    rules = [rule for spec in about for rule in spec.get(way, [])]
    return not about or any(_matches(rule, rule.get(sides), own, other, door) for rule in rules)


def _matches(rule: Rule, peers: list[Rule] | None, own: Pod, other: Pod, door: tuple[Pod, int, str]) -> bool:
    return (not peers or any(_is_peer(peer, own, other) for peer in peers)) and (
        "ports" not in rule or any(_is_port(entry, door) for entry in rule["ports"])
    )


def _is_peer(peer: Rule, own: Pod, other: Pod) -> bool:
    if "ipBlock" in peer:
        return other.address is not None and _in_block(peer["ipBlock"], other.address)
    namespace = {"kubernetes.io/metadata.name": other.namespace}
    near = _selects(peer["namespaceSelector"], namespace) if "namespaceSelector" in peer else _shares(own, other)
    return other.address is None and near and _selects(peer.get("podSelector", {}), dict(other.labels))


def _shares(own: Pod, other: Pod) -> bool:
    return own.namespace == other.namespace


def _in_block(block: Rule, address: str) -> bool:
    inside = [ip_address(address) in ip_network(each) for each in (block["cidr"], *block.get("except", []))]
    return inside[0] and not any(inside[1:])


def _is_port(entry: Rule, door: tuple[Pod, int, str]) -> bool:
    called, port, protocol = door
    number = dict(called.ports).get(entry["port"], None) if isinstance(entry["port"], str) else entry["port"]
    return number == port and entry["protocol"] == protocol


def _selects(selector: Rule, labels: dict[str, str]) -> bool:
    if unknown := selector.keys() - {"matchLabels", "matchExpressions"}:
        raise NotImplementedError(f"these policies use {sorted(unknown)}")
    listed = all(labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", []))
    return listed and selector.get("matchLabels", {}).items() <= labels.items()
