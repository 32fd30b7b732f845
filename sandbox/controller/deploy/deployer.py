"""One stack brought into AWS: what is missing is made first, from the inside out; what is left over goes last.

Order: security groups, target groups, load balancer, listeners, rules, bindings; then leftover bindings (their targets
leave first), target groups, security groups. Every step looks at what is there first, so a run that was cut off
anywhere is simply run again: nothing is made twice.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sandbox.controller.deploy.addons import WebAcls
from sandbox.controller.deploy.aws import Aws
from sandbox.controller.deploy.bindings import Bindings
from sandbox.controller.deploy.inventory import Existing as InAws
from sandbox.controller.deploy.inventory import Found, Inventory
from sandbox.controller.deploy.listeners import Listeners
from sandbox.controller.deploy.load_balancers import LoadBalancers
from sandbox.controller.deploy.load_balancers import needs_replacement as other_balancer
from sandbox.controller.deploy.security_groups import SecurityGroups
from sandbox.controller.deploy.target_groups import TargetGroups
from sandbox.controller.deploy.target_groups import needs_replacement as other_target_group
from sandbox.controller.model.lookup import Existing
from sandbox.controller.model.stack import BACKEND, Json, Ref, SecurityGroup, Stack, StackId, TargetGroup, merged
from sandbox.controller.networking import Networking
from sandbox.controller.registry import Registry
from sandbox.controller.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parts:
    """What a deployment works with."""

    aws: Aws
    inventory: Inventory
    security_groups: SecurityGroups
    target_groups: TargetGroups
    load_balancers: LoadBalancers
    bindings: Bindings
    web_acls: WebAcls
    networking: Networking
    registry: Registry


class Deployer:
    """Brings stacks into AWS."""

    def __init__(self, parts: Parts, settings: Settings, ended: threading.Event) -> None:
        self._parts, self._settings, self._ended = parts, settings, ended

    def existing(self, stack: StackId) -> Existing | None:
        """A stack's load balancer as it is now."""
        data = self.balancer(stack)
        if data is None:
            return None
        zones = tuple(zone["SubnetId"] for zone in data.get("AvailabilityZones") or [])
        return Existing(data["Scheme"], zones, bool(data.get("SecurityGroups")))

    def balancer(self, stack: StackId) -> Json | None:
        """A stack's load balancer in AWS's shape."""
        found = self._parts.inventory.of_stack(stack).load_balancers
        return found[0].data if found else None

    def deploy(self, stack: Stack) -> str | None:
        """Bring a stack into AWS; the load balancer's host name, None where the stack is empty."""
        return _Deployment(stack, self._parts, self._settings, self._ended).run()


class _Deployment:
    def __init__(self, stack: Stack, parts: Parts, settings: Settings, ended: threading.Event) -> None:
        self._stack, self._parts, self._settings, self._ended = stack, parts, settings, ended
        self._ids: dict[Ref, str] = {}

    def run(self) -> str | None:
        stack, parts = self._stack, self._parts
        found = parts.inventory.of_stack(stack.id)
        old_groups = self._security_groups(found)
        old_targets = self._target_groups(found)
        host = self._load_balancer(found)
        kept = parts.bindings.ensure(stack.id, stack.bindings, self._of)
        parts.registry.doom(leftover.id for leftover in old_targets)
        parts.bindings.delete(stack.id, kept)
        for leftover in old_targets:
            parts.target_groups.delete(leftover.id, self._ended)
        for leftover in old_groups:
            parts.security_groups.delete(leftover.id, self._ended, parts.networking.collect)
        return host

    def _of(self, ref: Ref) -> str:
        return self._ids[ref]

    def _tags(self, resource: str, own: Mapping[str, str]) -> dict[str, str]:
        """All tags of a resource: the controller's own cannot be overwritten."""
        identity = self._stack.id.tags(self._settings.cluster_name) | {self._stack.id.resource_key: resource}
        return merged(identity, own)

    def _by_id(self, found: list[Found]) -> dict[str, list[Found]]:
        result: dict[str, list[Found]] = {}
        for one in found:
            result.setdefault(one.tags[self._stack.id.resource_key], []).append(one)
        return result

    def _security_groups(self, found: InAws) -> list[Found]:
        """Make and change security groups; returns those that are left over."""
        have = self._by_id(found.security_groups)
        if self._stack.backend_group:
            self._ids[Ref("security-group", BACKEND)] = self._parts.security_groups.shared()
        for wanted in self._stack.security_groups:
            current, *_ = [*have.pop(wanted.id, []), None]
            tags = self._tags(wanted.id, wanted.tags)
            identity = self._parts.security_groups.ensure(self._rules(wanted), tags, current)
            self._ids[Ref("security-group", wanted.id)] = identity
        return [one for several in have.values() for one in several]

    def _rules(self, group: SecurityGroup) -> SecurityGroup:
        ingress = tuple(
            replace(p, source=self._of(p.source)) if isinstance(p.source, Ref) else p for p in group.ingress
        )
        return replace(group, ingress=ingress)

    def _target_groups(self, found: InAws) -> list[Found]:
        """Make and change target groups; returns those that are left over or had to be replaced."""
        have = self._by_id(found.target_groups)
        leftover: list[Found] = []
        for wanted in self._stack.target_groups:
            several = have.pop(wanted.id, [])
            fitting = [one for one in several if not other_target_group(wanted, one.data)]
            leftover += [one for one in several if one not in fitting[:1]]
            self._ids[Ref("target-group", wanted.id)] = self._target_group(wanted, fitting[0] if fitting else None)
        return leftover + [one for several in have.values() for one in several]

    def _target_group(self, wanted: TargetGroup, current: Found | None) -> str:
        return self._parts.target_groups.ensure(wanted, self._tags(wanted.id, wanted.tags), current)

    def _load_balancer(self, found: InAws) -> str | None:
        """Make or change the load balancer with listeners and rules; delete others. Returns its host name."""
        parts, wanted = self._parts, self._stack.load_balancer
        fitting = [one for one in found.load_balancers if wanted and not other_balancer(wanted, one.data)]
        for leftover in found.load_balancers:
            if leftover not in fitting[:1]:
                parts.load_balancers.delete(leftover)
        if wanted is None:
            return None
        current = fitting[0] if fitting else None
        balancer = parts.load_balancers.ensure(wanted, self._tags(wanted.id, wanted.tags), current, self._of)
        listeners = Listeners(parts.aws, self._settings, self._of, self._tags)
        listeners.ensure(balancer, self._stack.listeners, new=current is None)
        if self._stack.web_acl is not None and self._settings.enable_wafv2:
            parts.web_acls.associate(balancer.id, self._stack.web_acl)
        return balancer.data["DNSName"].lower()
