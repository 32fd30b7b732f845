"""Load balancers with listeners and rules, target groups with targets. Pure.

Fields have what several readers need; `document` is everything that the API returned.
"""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

Document = dict[str, Any]

KINDS: Final = {"application": "ALB", "network": "NLB", "gateway": "GWLB"}
"""The usual names of ELBv2's load balancer types."""
TYPES: Final = {kind: name for name, kind in KINDS.items()}
CLASSIC: Final = "Classic ELB"
HEALTHY: Final = ("healthy", "InService")
"""The states of a target, and of a Classic ELB's instance, that gets requests."""
DRAINING: Final = "draining"


@dataclass(frozen=True)
class Target:
    """A target of a target group, or an instance of a Classic ELB."""

    id: str
    """A pod's address, an instance, or the ARN of a function or a load balancer."""
    port: int
    """0 if it has none: a Lambda function, or an instance that gets requests at several."""
    health: str
    reason: str = ""
    zone: str = ""
    """Empty if it is not registered with one."""

    @property
    def healthy(self) -> bool:
        """Whether it gets requests."""
        return self.health in HEALTHY

    def __str__(self) -> str:
        """With its port: `10.0.1.7:8080`."""
        return f"{self.id}:{self.port}" if self.port else self.id


@dataclass(frozen=True)
class TargetGroup:
    """A target group; for a Classic ELB's listener, one whose ARN is the port and that has no name."""

    arn: str
    name: str
    type: str
    """`ip`, `instance`, `lambda` or `alb`."""
    targets: tuple[Target, ...]
    document: Document = field(default_factory=Document)

    @property
    def attributes(self) -> Mapping[str, str]:
        """By key; empty if they were not read."""
        return self.document.get("Attributes") or {}


@dataclass(frozen=True)
class Condition:
    """A condition of a rule."""

    field: str
    """`host-header`, `path-pattern`, ..."""
    values: tuple[str, ...]
    """One of these or of `expressions` must match; a query string's are `KEY=VALUE`."""
    expressions: tuple[str, ...]
    """Regular expressions."""
    config: Document
    """The part of the document for this kind of condition; may be empty, because two kinds need none."""


@dataclass(frozen=True)
class Action:
    """An action of a rule."""

    type: str
    """`forward`, `redirect`, `fixed-response`, ..."""
    config: Document = field(default_factory=Document)
    """The part of the document for this type."""
    forwards: tuple[tuple[str, int], ...] = ()
    """The target groups that it forwards to, by ARN, with their weights."""
    order: int = 1


@dataclass(frozen=True)
class Rule:
    """A rule of a listener."""

    priority: str
    """A number, or `default`."""
    conditions: tuple[Condition, ...]
    actions: tuple[Action, ...]
    arn: str = ""
    document: Document = field(default_factory=Document)

    @property
    def groups(self) -> tuple[str, ...]:
        """The ARNs of the target groups that it forwards to."""
        return tuple(dict.fromkeys(arn for action in self.actions for arn, _ in action.forwards))

    @property
    def last(self) -> Action:
        """The action that ends it: what comes before authenticates."""
        return self.actions[-1] if self.actions else Action("")

    @property
    def words(self) -> str:
        """The conditions in readable form; empty without one."""
        return " and ".join(f"{c.field} {' or '.join(c.values)}" for c in self.conditions)

    def matches(self, host: str, path: str) -> bool:
        """Whether its host and path conditions hold; other conditions count as true."""
        given = {"host-header": host.lower(), "path-pattern": path}
        return all(
            any(fnmatch.fnmatchcase(given[c.field], v.lower() if c.field == "host-header" else v) for v in c.values)
            for c in self.conditions
            if c.field in given
        )

    def __str__(self) -> str:
        """In readable form."""
        return f"rule {self.priority}" + (f" ({self.words})" if self.conditions else "")


@dataclass(frozen=True)
class Listener:
    """A listener."""

    protocol: str
    port: int
    rules: tuple[Rule, ...]
    """In the order of their evaluation, the default one last."""
    arn: str = ""
    document: Document = field(default_factory=Document)

    def __str__(self) -> str:
        """Protocol and port: `HTTPS:443`."""
        return f"{self.protocol}:{self.port}"

    @property
    def groups(self) -> tuple[str, ...]:
        """The ARNs of the target groups that its rules forward to."""
        return tuple(dict.fromkeys(arn for rule in self.rules for arn in rule.groups))

    @property
    def attributes(self) -> Mapping[str, str]:
        """By key; empty if they were not read."""
        return self.document.get("Attributes") or {}

    @property
    def certificates(self) -> list[str]:
        """ARNs, the default one first."""
        return [certificate["CertificateArn"] for certificate in self.document.get("Certificates") or []]


@dataclass(frozen=True)
class LoadBalancer:
    """A load balancer."""

    kind: str
    """`ALB`, `NLB`, `GWLB` or `Classic ELB`."""
    name: str
    key: str
    """The name in its interfaces' descriptions: `app/NAME/ID`, `net/NAME/ID`, or a Classic ELB's name."""
    host: str
    listeners: tuple[Listener, ...]
    groups: tuple[TargetGroup, ...]
    """Those that its listeners forward to."""
    arn: str = ""
    """Empty for a Classic ELB."""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    document: Document = field(default_factory=Document)

    def listener(self, port: int) -> Listener | None:
        """The listener on a port."""
        return next((entry for entry in self.listeners if entry.port == port), None)

    def rule(self, port: int, host: str, path: str, target: str = "") -> Rule | None:
        """The first rule that matches a request; if a target answered, the first that leads to it."""
        listener = self.listener(port)
        holding = {g.arn for g in self.groups if any(t.id == target for t in g.targets)}
        for rule in listener.rules if listener else ():
            if rule.matches(host, path) and (not target or holding & set(rule.groups)):
                return rule
        return None

    @property
    def instances(self) -> tuple[Target, ...]:
        """A Classic ELB's, each of which is behind all of its listeners."""
        return tuple(replace(t, port=0) for t in self.groups[0].targets) if self.kind == CLASSIC and self.groups else ()

    def groups_of(self, of: Listener | Rule) -> list[TargetGroup]:
        """The target groups that a listener or a rule of it forwards to."""
        return [group for arn in of.groups for group in self.groups if group.arn == arn]


@dataclass(frozen=True)
class LoadBalancing:
    """All load balancers of a region."""

    balancers: tuple[LoadBalancer, ...] = ()
    """Those of ELBv2."""
    classic: tuple[LoadBalancer, ...] = ()
    groups: Mapping[str, TargetGroup] = field(default_factory=dict[str, TargetGroup])
    """By ARN, also those that no listener forwards to."""

    def within(self, vpc: str) -> "LoadBalancing":
        """What of it belongs to a VPC; a target group of Lambda functions belongs to none."""
        return replace(
            self,
            balancers=tuple(b for b in self.balancers if b.document.get("VpcId") == vpc),
            classic=tuple(b for b in self.classic if b.document.get("VPCId") == vpc),
            groups={arn: g for arn, g in self.groups.items() if g.document.get("VpcId") in {vpc, None}},
        )
