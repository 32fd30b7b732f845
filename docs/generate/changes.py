"""The effect of each setting's change: `docs/changes.md` (`make docs` writes it).

It runs the program twice under Pulumi's mocks and compares the declared resources. What a changed input does to an AWS
resource comes from its provider (`replaces` in `sandbox/providers/aws/types`). `tests/e2e/test_changes.py` previews the
same changes on a running stack, with the real engine.
"""

import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pulumi

from fixtures.declared import DEPLOYER, Declared, Resource
from fixtures.program import program
from sandbox.providers.aws.types import kinds

PAGE: Final = Path(__file__).parents[1] / "changes.md"
OTHER: Final = "arn:aws:iam::123456789012:role/other"
_KEY: Final = "arn:aws:kms:us-west-2:123456789012:key/other"
_EFFECTS: Final = ("refused", "replaced", "deleted", "rolling", "created", "in place", "nothing")
"""The possible effects of a change, worst first."""
_ROLLING_NODES: Final = {"version", "releaseVersion", "launchTemplate"}
_NO_NEW_PODS: Final = {
    "replicaCount",
    "podDisruptionBudget",
    "webhookTLS",
    "objectSelector",
    "serviceMutatorWebhookConfig",
}
"""Values of the chart that are not in the pods' template."""


_NAMED: Final = 4
"""A cell of the page names up to this many resources; if there are more, it gives their number."""
_ON: Final = True
_PROTECTED: Final = "switch it off and run `pulumi up` before you delete the stack"


class Change(NamedTuple):
    """One setting, and its new value on the stack `dev`."""

    key: str
    value: Any
    note: str = ""
    before: Any = None
    """The value before the change, if it differs from the stack's file."""


class Row(NamedTuple):
    """One line of the page."""

    key: str
    effect: str
    resources: str
    note: str


CHANGES: Final = (
    Change("network.cidr", "10.11.0.0/16", "everything in the VPC is replaced with it"),
    Change("network.zones", ["us-west-2a", "us-west-2b", "us-west-2c"], "nodes: EKS cannot add subnets to a group"),
    Change("network.nat", "per-zone", "connections through the old gateway end"),
    Change("network.vpcId", "vpc-1", "only for a new stack, with `subnetIds` and without `cidr`, `zones` and `nat`"),
    Change("network.subnetIds", ["subnet-1"], "only for a new stack, with `vpcId`"),
    Change("cluster.name", "other", "another cluster: everything on it is created again"),
    Change("cluster.version", "1.36", "one minor version per step, never back; add-ons follow", before="1.35"),
    Change("cluster.upgradePolicy", "extended"),
    Change("cluster.allowUnlistedVersion", _ON),
    Change("cluster.publicAccessCidrs", ["198.51.100.0/24"]),
    Change("cluster.adminArns", [DEPLOYER, OTHER], "refused if you are not in the list"),
    Change("cluster.logRetentionDays", 365),
    Change("cluster.deletionProtection", _ON, _PROTECTED),
    Change("cluster.podIdentityAgent", _ON),
    Change("cluster.secretsKeyArn", _KEY, "EKS never changes a cluster's key"),
    Change("cluster.addonVersions", {"coredns": "latest"}),
    Change("cluster.addons", {"metrics-server": {"version": "latest"}}),
    Change("cluster.kubeconfigProfile", "ops"),
    Change(
        "cluster.kubeconfigRoleArn", DEPLOYER, "also changes the Kubernetes provider, through pulumi-eks's kubeconfig"
    ),
    Change("nodes.instanceTypes", ["m7i.xlarge"], "the new group exists before the old one is deleted"),
    Change("nodes.min", 1, "to raise it above the number of nodes, set `nodes.manageDesired`"),
    Change("nodes.desired", 3, "the autoscaler sets the number: see `nodes.manageDesired`"),
    Change("nodes.max", 6),
    Change("nodes.amiType", "AL2023_ARM_64_STANDARD", "replaced if you also set instance types of that architecture"),
    Change("nodes.diskSize", 60),
    Change("nodes.capacityType", "SPOT", "the new group exists before the old one is deleted"),
    Change("nodes.labels", {"pool": "one"}),
    Change("nodes.taints", [{"key": "only", "value": "this", "effect": "NO_SCHEDULE"}], "pods that run already stay"),
    Change("nodeGroups", {"spot": {"min": 1, "desired": 1, "max": 2, "instanceTypes": ["m7i.large"]}}),
    Change("nodes.manageDesired", _ON, "from then on every `up` sets the number"),
    Change("nodes.version", "1.35", "only forward: EKS refuses older nodes", before="1.34"),
    Change("nodes.releaseVersion", "latest"),
    Change("controller.version", "3.5.0", "the preview lists the steps", before="3.4.3"),
    Change("controller.versionLike", "3.5.0", "only for a version that is not in the table"),
    Change("controller.replicas", 3),
    Change("controller.disabledFeatures", ["waf", "shield", "cognito"]),
    Change("controller.legacyAnnotations", _ON),
    Change("controller.imageRegistry", "regional"),
    Change("controller.imageRepository", "registry.example/controller"),
    Change("controller.chart", "oci://registry.example/chart", "no effect if the chart is the same"),
    Change("controller.memoryRequest", "512Mi"),
    Change("controller.memoryLimit", "2Gi"),
    Change("controller.featureGates", {"EnableRGTAPI": True}),
    Change("controller.assumableRoleArns", [OTHER]),
    Change("controller.sharedTargetGroupArns", ["arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/t/1"]),
    Change("controller.globalAccelerator", _ON),
    Change("controller.values", {"logLevel": "debug"}),
    Change("controller.policyArns", ["arn:aws:iam::123456789012:policy/more"]),
    Change("controller.roleName", "load-balancers", "the new role exists before the old one is deleted"),
    Change("samples.namespace", "shop", "the load balancers are created again, with other host names"),
    *(
        Change(f"samples.{sample}.{key}", value, note)
        for sample in ("nlb", "alb")
        for key, value, note in (
            ("image", "registry.example/web:2", "no request is lost"),
            ("replicas", 3, ""),
            ("scheme", "internet-facing", "the controller creates a new load balancer, with another host name"),
            ("inboundCidrs", ["10.0.0.0/8"], ""),
            ("certificateArn", "arn:aws:acm:us-west-2:123456789012:certificate/1", ""),
            ("accessLogsBucket", "logs", ""),
            ("deregistrationDelay", 60, ""),
            ("deletionProtection", _ON, _PROTECTED),
        )
    ),
    Change("samples.alb.host", "web.example.com"),
    Change("samples.alb.webAclArn", "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/a/1"),
    Change("tags", {"environment": "dev", "team": "web"}, "the controller's pods restart, and nodes get new tags"),
    Change("permissionsBoundaryArn", "arn:aws:iam::123456789012:policy/boundary"),
    Change("protect", _ON, "only changes Pulumi's state"),
)


def declared(key: str, value: Any, stack: str = "dev") -> Declared:
    """What a stack declares with one setting; its deployer runs it."""
    section, _, rest = key.partition(".")
    made = {"cluster-eks-eksCluster": {"encryptionConfig": {"provider": {"keyArn": _USED}, "resources": ["secrets"]}}}
    return program(stack, None, made, **{section: _nested(rest, value) if rest else value})


_USED: Final = "arn:aws:kms:us-west-2:123456789012:key/cluster-secrets-key"
"""The key that the program made for the stack."""


def _nested(path: str, value: Any) -> dict[str, Any]:
    key, _, rest = path.partition(".")
    return {key: _nested(rest, value) if rest else value}


@functools.cache
def rows() -> tuple[Row, ...]:
    """The effect of every change. It runs the program for each, which takes half a minute."""
    dev = program("dev")
    return tuple(_row(change, dev) for change in CHANGES)


def _row(change: Change, dev: Declared) -> Row:
    before = dev if change.before is None else declared(change.key, change.before)
    try:
        after = declared(change.key, change.value)
    except (ValueError, pulumi.RunError):
        return Row(change.key, "refused", "", change.note)
    found = worst_of(effects(before, after))
    worst = min(found.values(), key=_EFFECTS.index, default="nothing")
    return Row(change.key, worst, _listed(found), change.note)


def worst_of(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The effect on each resource; the worst one if there are several."""
    fates: dict[str, str] = {}
    for name, fate in found:
        fates[name] = min(fate, fates.get(name, fate), key=_EFFECTS.index)
    return fates


def effects(before: Declared, after: Declared) -> Iterator[tuple[str, str]]:
    """Yield the name of each resource that differs, and the effect on it."""
    had, has = ({(made.type, made.name): made for made in run.resources if _is_real(made)} for run in (before, after))
    for kind, name in sorted(had.keys() | has.keys(), key=lambda one: one[1]):
        old, new = had.get((kind, name)), has.get((kind, name))
        if old is None:
            yield name, "created"
        elif new is None:
            yield name, "deleted"
        elif fate := _fate(old, new):
            yield name, fate
            if kind == "aws:ec2/launchTemplate:LaunchTemplate":  # the node group rolls out its new version
                yield name.removesuffix("-template"), "rolling"


def _is_real(made: Resource) -> bool:
    """Whether it exists outside Pulumi's state: not a component, not a guard."""
    return not made.type.startswith(("eks-load-balancing:", "pulumi:index:"))


def _fate(old: Resource, new: Resource) -> str | None:
    ignored = {path.partition(".")[0] for path in new.options.ignoreChanges}
    changed = {
        key
        for key in old.inputs.keys() | new.inputs.keys()
        if old.inputs.get(key) != new.inputs.get(key) and not _same_but_ignored(old, new, key, ignored)
    }
    if not changed:
        return None
    if old.type == "eks:index:Cluster":
        return "replaced" if "name" in changed else "in place"
    if old.type == "kubernetes:helm.sh/v4:Chart":
        return _fate_of_the_chart(old, new, changed)
    if old.type.startswith("kubernetes:"):
        return _fate_of_an_object(old, new)
    if old.type == "aws:eks/nodeGroup:NodeGroup" and changed <= _ROLLING_NODES:
        return "rolling"
    kind = kinds().get(old.type)
    replaces = {name for name, field in kind.inputs.items() if field.replaces} if kind else set[str]()
    return "replaced" if changed & replaces else "in place"


def _same_but_ignored(old: Resource, new: Resource, key: str, ignored: set[str]) -> bool:
    if key not in ignored:
        return False
    paths = [path.partition(".")[2] for path in new.options.ignoreChanges if path.partition(".")[0] == key]
    one, other = dict(old.inputs.get(key) or {}), dict(new.inputs.get(key) or {})
    for path in paths:
        one.pop(path, None)
        other.pop(path, None)
    return one == other


def _fate_of_the_chart(old: Resource, new: Resource, changed: set[str]) -> str:
    if changed == {"values"}:
        one, other = (made.inputs["values"].get("value", made.inputs["values"]) for made in (old, new))
        different = {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
        return "in place" if different <= _NO_NEW_PODS else "rolling"
    return "rolling" if "version" in changed else "in place"


def _fate_of_an_object(old: Resource, new: Resource) -> str:
    one, other = old.inputs.get("metadata", {}), new.inputs.get("metadata", {})
    if (one.get("name"), one.get("namespace")) != (other.get("name"), other.get("namespace")):
        return "replaced"
    templates = [(made.inputs.get("spec") or {}).get("template") for made in (old, new)]
    return "rolling" if templates[0] != templates[1] else "in place"


def _listed(found: dict[str, str]) -> str:
    by_fate: dict[str, list[str]] = {}
    for name, fate in found.items():
        by_fate.setdefault(fate, []).append(name)
    return "; ".join(f"{fate}: {_some(by_fate[fate])}" for fate in _EFFECTS if fate in by_fate)


def _some(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) if len(names) <= _NAMED else f"{len(names)} resources"


_HEAD = """\
<!-- made by `make docs`: change docs/generate/changes.py, not this file -->

# Changes

What happens when you change a setting of a running stack. The table starts from the settings of the stack `dev`.

- **in place**: resources are updated, nothing stops.
- **rolling**: pods or nodes are replaced one after the other.
- **replaced**: a resource is deleted and a new one takes its place, with a new identity.
- **created**: new resources are added.
- **refused**: the program reports an error before it changes anything.

A preview shows what is in the table, and no other deletion or replacement. Two changes at once have both effects.

| setting | effect | resources | |
|---|---|---|---|
"""


def page() -> str:
    """The page's expected content."""
    lines = [f"| `{r.key}` | {r.effect} | {r.resources} | {r.note} |" for r in rows()]
    return _HEAD + re.sub(r" {2,}\|", " |", "\n".join(lines)) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
