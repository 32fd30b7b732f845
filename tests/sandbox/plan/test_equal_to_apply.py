"""A plan equals what the controller does when kubectl applies the same manifests, field by field.

The manifests are 20 of `tests/conformance/cases`, all at once, each case in a namespace of its own.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.plan.inputs.manifests import Manifest
from sandbox.plan.inputs.selection import is_cluster_wide
from sandbox.plan.run import Made
from sandbox.plan.scratch.waiting import named
from tests.sandbox.plan.conftest import Running, manifests

pytestmark = pytest.mark.sandbox
_CASES = Path(__file__).parents[2] / "conformance" / "cases"
_ACM = "arn:aws:acm:us-west-2:123456789012:certificate/{0}{0}{0}{0}{0}{0}{0}{0}-0000-0000-0000-000000000000"
_GROUP = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/ext-{}/0123456789abcdef"
_CERTIFICATES = (_ACM.format("1"), _ACM.format("2"))
# The same props for all; a target group can be bound once only.
_PROPS: dict[str, Callable[[str], str]] = {
    "SECOND_CERTIFICATE": lambda _: _CERTIFICATES[1],
    "CERTIFICATE_ARN": lambda _: _CERTIFICATES[0],
    "SECURITY_GROUP_ID": lambda _: "sg-0123456789abcdef0",
    "SUBNET_PUBLIC_A": lambda _: "subnet-publica",
    "SUBNET_PUBLIC_B": lambda _: "subnet-publicb",
    "SUBNET_PRIVATE_A": lambda _: "subnet-privatea",
    "SUBNET_PRIVATE_B": lambda _: "subnet-privateb",
    "EXTERNAL_TARGET_GROUP": _GROUP.format,
    "EXTERNAL_INSTANCE_GROUP": lambda case: _GROUP.format(f"i-{case}"),
    "PREFIX_LIST": lambda _: "pl-0123456789abcdef0",
    "WEB_ACL": lambda _: "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/edge/aaaa-bbbb",
    "EIP_A": lambda _: "eipalloc-0aaa",
    "EIP_B": lambda _: "eipalloc-0bbb",
    "VPC_ID": lambda _: "vpc-0123",
    "GROUP": lambda case: f"group-{case}",
    "CLASS": lambda case: f"class-{case}",
}
_CASES_OF = (
    *("binding-external", "binding-networking", "gateway-configured", "gateway-http", "gateway-nlb"),
    *("ingress-actions", "ingress-attributes", "ingress-class-params", "ingress-conditions", "ingress-group-tls"),
    *("ingress-inbound", "ingress-instance", "ingress-oidc", "ingress-security-groups", "ingress-tls-discovery"),
    *("ingress-weighted", "service-nlb-eip", "service-nlb-instance", "service-nlb-multiport", "service-nlb-tls"),
)


def _filled(case: str) -> list[Manifest]:
    text = (_CASES / case / "1.yaml").read_text()
    for placeholder, value in _PROPS.items():
        text = text.replace(placeholder, value(case))
    found = manifests(text, case, f"{case}.yaml")
    for one in found:
        if is_cluster_wide(one.kind):
            del one.document["metadata"]["namespace"]
    return found


def _without_chance(value: Any) -> Any:
    """A state without what AWS makes up anew each time: ARNs and host names."""
    if isinstance(value, dict):
        return {k: _without_chance(v) for k, v in value.items() if k not in ("identity", "dnsName")}
    return [_without_chance(v) for v in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def planned(running: Running) -> Made:
    return running.make([m for case in _CASES_OF for m in _filled(case)])


@pytest.fixture(scope="module")
def applied(running: Running, planned: Made) -> dict[str, Any]:
    """What there is after `kubectl apply` of what was planned, on a cluster that has nothing of it."""
    running.make([])
    planner = running.plan.planner
    documents = [planner.names.into(m.document) for m in planned.selection.planned]
    spaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        for name in sorted({m.namespace for m in planned.selection.planned if not is_cluster_wide(m.kind)})
    ]
    config = planner.state.cluster(planner.account.cluster) / "kubeconfig"
    tool = planner.state.settings().tools["control-plane"]
    command = [tool, "kubectl", "--kubeconfig", str(config)]
    stdin = yaml.safe_dump_all([*spaces, *documents])
    done = subprocess.run(
        [*command, "apply", "-f", "-"], input=stdin, capture_output=True, text=True, timeout=120, check=False
    )
    assert not [line for line in done.stderr.splitlines() if line.startswith("Error")], done.stderr
    # What comes next finds a planner that knows what is in it.
    running.plan.applied |= {named(d): d for d in (*spaces, *documents)}
    asking = {"Ingress", "TargetGroupBinding", "Gateway"}
    expected = {f"{m.kind} {m.namespace}/{m.name}": 0 for m in planned.selection.planned if m.kind in asking}
    running.do(planner.settle(expected))
    return running.do(planner.read())


def test_every_recorded_case_is_planned(planned: Made) -> None:
    refused = {p.subject: p.message for p in planned.problems}
    assert refused.keys() == {"Ingress ingress-tls-discovery/web"}, refused
    assert "no certificate found for host" in refused["Ingress ingress-tls-discovery/web"]
    assert len(planned.state["loadBalancers"]) == len(_CASES_OF) - 3  # two bind a target group, one is refused
    assert not planned.selection.unknown
    assert not planned.selection.left_alone


@pytest.mark.parametrize("case", _CASES_OF)
def test_a_plan_equals_what_kubectl_apply_makes(planned: Made, applied: dict[str, Any], case: str) -> None:
    for kind in ("loadBalancers", "targetGroups"):
        mine = [_without_chance(e) for e in planned.state[kind] if _is_of(e, case)]
        theirs = [_without_chance(e) for e in applied[kind] if _is_of(e, case)]
        assert json.dumps(mine, indent=1, sort_keys=True) == json.dumps(theirs, indent=1, sort_keys=True)


def _is_of(entry: dict[str, Any], case: str) -> bool:
    return entry["key"].startswith(f"{case}/") or entry["key"] in (f"group-{case}", f"ext-{case}", f"ext-i-{case}")
