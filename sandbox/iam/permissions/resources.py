"""The resources of a call: the rules' lines, applied to the call's parameters. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.iam.language.conditions import CannotJudgeError
from sandbox.iam.permissions import reference
from sandbox.iam.permissions.paths import at
from sandbox.iam.permissions.reference import Place

# The prefix of an EC2 id gives its type: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html
_EC2_IDS = {
    "acl": "network-acl",
    "ami": "image",
    "eipalloc": "elastic-ip",
    "eipassoc": "elastic-ip",
    "eni": "network-interface",
    "i": "instance",
    "igw": "internet-gateway",
    "lt": "launch-template",
    "nat": "natgateway",
    "rtb": "route-table",
    "rtbassoc": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
_BALANCERS = {"application": "app", "network": "net", "gateway": "gwy"}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
_LINKED_ROLES = {
    "eks.amazonaws.com": "AWSServiceRoleForAmazonEKS",
    "eks-nodegroup.amazonaws.com": "AWSServiceRoleForAmazonEKSNodegroup",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "globalaccelerator.amazonaws.com": "AWSServiceRoleForGlobalAccelerator",
}
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """A resource that a call uses."""

    kind: str
    """Its type in the reference; "" for no particular resource."""
    arn: str
    made: bool = False
    """Whether this call creates it."""
    only_tagged: bool = False
    """Whether it counts only if the call tags it."""


@dataclass(frozen=True)
class Use:
    """A call's parameters, and where it goes."""

    service: str
    parameters: Parameters
    place: Place

    def values(self, path: str) -> list[str]:
        """The value at a path; `*` if only the service knows it."""
        return ["*"] if path == "*" else [str(value) for value in at(self.parameters, path)]

    def arn(self, kind: str, *parts: str) -> str:
        """The ARN of a resource of the service; ARNs stay as they are."""
        return parts[0] if parts[0].startswith("arn:") else reference.arn(self.service, kind, self.place, list(parts))


def targets(use: Use, action: str, rule: str) -> Iterator[Target]:
    """The resources that a rule names.

    Raises:
        CannotJudgeError: the call names a resource in a way that the rule does not support.
    """
    for entry in rule.split():
        if entry[0] == "!":
            if use.values(entry[1:]):
                raise CannotJudgeError(f"the sandbox has no rule for {action} with {entry[1:]}")
            continue
        mark = entry[0] if entry[0] in "?+~" else ""
        kind, _, path = entry.removeprefix(mark).partition(":")
        found = list(_named(use, kind, path.split(",")))
        if not found and mark != "?":
            raise CannotJudgeError(f"the sandbox has no rule for {action} without {path}")
        for of_kind, arn in found:
            yield Target(of_kind, arn, made=mark in {"+", "~"}, only_tagged=mark == "~")


def linked_role(service: str, place: Place) -> str:
    """The ARN of a service-linked role."""
    return reference.arn("iam", "role", place, [f"aws-service-role/{service}/{_LINKED_ROLES.get(service, '*')}"])


Named = Iterable[tuple[str, str]]
"""Types and ARNs."""


def _named(use: Use, kind: str, path: list[str]) -> Named:
    if kind in _BY_WORD:
        return _BY_WORD[kind](use, path)
    if (use.service, kind) in _SPECIAL:
        return _SPECIAL[use.service, kind](use, path)
    first, *others = [use.values(part) for part in path]
    if not all(others):
        return []
    if use.service == "ec2":
        _check_ids(kind, first)
    # Only the first part may be a list; each of the others is one name.
    return [(kind, use.arn(kind, each, *(values[0] for values in others))) for each in first]


def _check_ids(kind: str, ids: Iterable[str]) -> None:
    """Refuse values that are not ids: moto may take one for the name of another resource than the judged one."""
    for each in ids:
        if each != "*" and kind in _EC2_IDS.values() and _EC2_IDS.get(each.partition("-")[0]) != kind:
            raise CannotJudgeError(f"{each!r} is no id of a {kind}")


def _ids(use: Use, path: list[str]) -> Named:
    """EC2's ids, of any type."""
    for each in use.values(path[0]):
        kind = _EC2_IDS.get(each.partition("-")[0])
        if kind is None:
            raise CannotJudgeError(f"the sandbox does not know what {each} is")
        yield kind, use.arn(kind, each)


def _arns(use: Use, path: list[str]) -> Named:
    for each in use.values(path[0]):
        kind = reference.type_of(use.service, each)
        if kind is None:
            raise CannotJudgeError(f"the sandbox does not know what {each} is")
        yield kind, each


def _balancer(use: Use, _: list[str]) -> Named:
    """A parameter gives its type."""
    kind = f"loadbalancer/{_BALANCERS.get(use.parameters.get('Type', 'application'), 'app')}/"
    return [(kind, use.arn(kind, use.parameters["Name"], "*"))]


def _listener(use: Use, path: list[str]) -> Named:
    """A listener's ARN is its load balancer's with one more part; a rule's is its listener's with one more part."""
    for parent in use.values(path[0]):
        arn = parent.replace(":listener/", ":listener-rule/").replace(":loadbalancer/", ":listener/") + "/*"
        yield reference.type_of(use.service, arn) or "", arn


def _with_path(kind: str) -> Callable[[Use, list[str]], Named]:
    """In ARNs, IAM's names follow a path: the creating call gives it; for existing resources the state knows it."""

    def named(use: Use, path: list[str]) -> Named:
        folder = use.parameters.get("Path", "/").removeprefix("/")
        names = use.values(path[0])
        return [(kind, name if name.startswith("arn:") else use.arn(kind, folder + name)) for name in names]

    return named


def _linked(use: Use, path: list[str]) -> Named:
    return [("role", linked_role(service, use.place)) for service in use.values(path[0])]


def _oidc(use: Use, path: list[str]) -> Named:
    return [("oidc-provider", use.arn("oidc-provider", name.removeprefix("https://"))) for name in use.values(path[0])]


def _access_entry(use: Use, path: list[str]) -> Named:
    """`.../CLUSTER/role/ACCOUNT/NAME/ID`, from a principal's ARN."""
    cluster, principal = (use.values(part) for part in path)
    for each in principal:
        _, _, _, _, account, resource = each.split(":", 5)
        kind, _, name = resource.partition("/")
        yield "access-entry", use.arn("access-entry", cluster[0], kind, account, name.rpartition("/")[2] or "root", "*")


def _parameter(use: Use, path: list[str]) -> Named:
    """Parameters that AWS publishes belong to no account."""
    for name in use.values(path[0]):
        place = replace(use.place, account="") if name.startswith("/aws/") else use.place
        yield "parameter", replace(use, place=place).arn("parameter", name.removeprefix("/"))


def _alias(use: Use, path: list[str]) -> Named:
    return [("alias", use.arn("alias", name.removeprefix("alias/"))) for name in use.values(path[0])]


_BY_WORD: dict[str, Callable[[Use, list[str]], Named]] = {"ids": _ids, "arns": _arns}
_SPECIAL: dict[tuple[str, str], Callable[[Use, list[str]], Named]] = {
    ("elasticloadbalancing", "loadbalancer/TYPE/"): _balancer,
    ("elasticloadbalancing", "listener"): _listener,
    ("elasticloadbalancing", "listener-rule"): _listener,
    **{("iam", kind): _with_path(kind) for kind in ("role", "policy", "user", "instance-profile")},
    ("iam", "service-linked-role"): _linked,
    ("iam", "oidc-provider"): _oidc,
    ("eks", "access-entry"): _access_entry,
    ("ssm", "parameter"): _parameter,
    ("kms", "alias"): _alias,
}
