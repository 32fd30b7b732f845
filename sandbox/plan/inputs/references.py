"""What manifests refer to and do not contain: certificates, security groups, subnets, ... of an account. Pure.

Found by form (an ARN, an id such as `sg-0123`) wherever it stands; by name where names are taken.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sandbox.plan.inputs.manifests import Manifest
from sandbox.plan.inputs.selection import texts


@dataclass(frozen=True)
class Reference:
    """One thing outside."""

    kind: str
    """`certificate`, `security group`, ... as people call it."""
    identity: str
    """The ARN, id or name that the manifests use."""
    hosts: tuple[str, ...] = ()
    """Of a certificate: the hosts of the Ingress that names it first."""
    position: int = 0
    """Of a subnet: its place in the list that names it, which tells the zones of one load balancer apart."""
    detail: str = ""
    """Of a target group: the type of its targets."""


_ARN: Final = r"arn:(?:aws[\w-]*):{service}:(?P<region>[\w-]*):(?P<account>\d*):{resource}"
_FORMS: Final = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("certificate", _ARN.format(service="acm", resource=r"certificate/[\w-]+")),
        ("server certificate", _ARN.format(service="iam", resource=r"server-certificate/[\w+=,.@/-]+")),
        ("web ACL", _ARN.format(service="wafv2", resource=r"regional/webacl/[\w-]+/[\w-]+")),
        ("target group", _ARN.format(service="elasticloadbalancing", resource=r"targetgroup/[\w-]+/\w+")),
        ("trust store", _ARN.format(service="elasticloadbalancing", resource=r"truststore/[\w-]+/\w+")),
        ("user pool", _ARN.format(service="cognito-idp", resource=r"userpool/[\w-]+")),
        ("security group", r"(?<![\w/-])sg-[0-9a-zA-Z]+\b"),
        ("subnet", r"(?<![\w/-])subnet-[0-9a-zA-Z]+\b"),
        ("elastic IP", r"(?<![\w/-])eipalloc-[0-9a-zA-Z]+\b"),
        ("prefix list", r"(?<![\w/-])pl-[0-9a-zA-Z]+\b"),
        ("VPC", r"(?<![\w/-])vpc-[0-9a-zA-Z]+\b"),
        ("IPAM pool", r"(?<![\w/-])ipam-pool-[0-9a-zA-Z]+\b"),
        ("bucket", r"(?:access|connection|health_check)_logs\.s3\.bucket=(?P<id>[a-z0-9.-]+)"),
    )
)
_ALB, _NLB = "alb.ingress.kubernetes.io", "service.beta.kubernetes.io/aws-load-balancer"
_NAMES: Final = {
    f"{_ALB}/security-groups": ("security group name", "sg-"),
    f"{_NLB}-security-groups": ("security group name", "sg-"),
    f"{_ALB}/subnets": ("subnet name", "subnet-"),
    f"{_NLB}-subnets": ("subnet name", "subnet-"),
}
_LOG_BUCKETS: Final = (f"{_NLB}-access-log-s3-bucket-name",)
_MUTUAL: Final = f"{_ALB}/mutual-authentication"
_ACTIONS: Final = f"{_ALB}/actions."
_PODS: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "Secret", "ConfigMap", "Namespace")


def find(planned: Iterable[Manifest]) -> list[Reference]:
    """What the planned objects refer to, each thing once, in the order of the manifests."""
    found: dict[tuple[str, str], Reference] = {}
    for manifest in planned:
        if manifest.kind not in _PODS:
            for reference in (*_by_form(manifest), *_by_name(manifest)):
                found.setdefault((reference.kind, reference.identity), reference)
    return list(found.values())


def hosts(manifest: Manifest) -> tuple[str, ...]:
    """The host names that an Ingress or a route serves."""
    spec = manifest.spec
    given = [rule.get("host") for rule in spec.get("rules") or [] if isinstance(rule, dict)]
    given += [host for tls in spec.get("tls") or [] for host in tls.get("hosts") or []]
    return tuple(dict.fromkeys(str(host) for host in [*given, *(spec.get("hostnames") or [])] if host))


def _by_form(manifest: Manifest) -> Iterator[Reference]:
    served, kind_of_target = hosts(manifest), str(manifest.spec.get("targetType") or "")
    for text in texts({"annotations": manifest.annotations, "spec": manifest.spec}):
        for kind, pattern in _FORMS:
            for position, match in enumerate(pattern.finditer(text)):
                identity = match.groupdict().get("id") or match[0]
                given = served if "certificate" in kind else ()
                detail = kind_of_target if kind == "target group" else ""
                yield Reference(kind, identity, given, position, detail)
    for field, kind in (("subnets", "subnet"), ("loadBalancerSubnets", "subnet")):
        listed = manifest.spec.get(field)
        yield from _in_list(kind, listed.get("ids") if isinstance(listed, dict) else listed)


def _in_list(kind: str, listed: Any) -> Iterator[Reference]:
    """Entries of a list in a spec, whose positions the texts alone do not tell."""
    for position, entry in enumerate(listed if isinstance(listed, list) else []):
        identity = entry.get("identifier") if isinstance(entry, dict) else entry
        if isinstance(identity, str) and identity.startswith(f"{kind}-"):
            yield Reference(kind, identity, position=position)


def _by_name(manifest: Manifest) -> Iterator[Reference]:
    for key, value in manifest.annotations.items():
        yield from _in_annotation(key, str(value))
    if (name := manifest.spec.get("targetGroupName")) and manifest.kind == "TargetGroupBinding":
        yield Reference("target group name", str(name), detail=str(manifest.spec.get("targetType") or ""))
    tags = manifest.spec.get("subnets", {}).get("tags") if isinstance(manifest.spec.get("subnets"), dict) else None
    for key, values in (tags or {}).items():
        yield Reference("subnet tag", f"{key}={(values or [''])[0]}")


def _in_annotation(key: str, value: str) -> Iterator[Reference]:
    if key in _NAMES:
        kind, prefix = _NAMES[key]
        for position, name in enumerate(part.strip() for part in value.split(",")):
            if name and not name.startswith(prefix):
                yield Reference(kind, name, position=position)
    elif key in _LOG_BUCKETS:
        yield Reference("bucket", value)
    elif key == _MUTUAL:
        stores = [str(one.get("trustStore", "")) for one in _json(value) if isinstance(one, dict)]
        yield from (Reference("trust store name", name) for name in stores if name and not name.startswith("arn:"))
    elif key.startswith(_ACTIONS):
        yield from (Reference("target group name", name) for name in _group_names(_json(value)))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return []


def _group_names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key.lower() == "targetgroupname" and isinstance(item, str):
                yield item
            yield from _group_names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _group_names(item)


def usual(references: Iterable[Reference], part: str) -> str:
    """The region or account (`part`) that most ARNs name; empty if none does."""
    named = Counter[str]()
    for reference in references:
        for _, pattern in _FORMS:
            if (match := pattern.fullmatch(reference.identity)) and match.groupdict().get(part):
                named[match[part]] += 1
    return named.most_common(1)[0][0] if named else ""
