"""Rules at the targets: what load balancers may reach, in the security groups of the pods' and nodes' interfaces.

All bindings' wishes are joined: for each security group, protocol and source one rule spans the smallest to the largest
port. Rules are the controller's own by their description; others are never touched. Bindings that came or went together
are looked at together, so that a span is not widened and narrowed step by step. As long as it is not known what every
binding wants (at the start), nothing is revoked.
"""

import ipaddress
import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping

from botocore.exceptions import ClientError

from sandbox.controller.deploy.aws import code
from sandbox.controller.deploy.security_groups import Rules
from sandbox.controller.endpoints import BackendMissingError, of_nodes, of_pods
from sandbox.controller.interfaces import Interfaces
from sandbox.controller.model.objects import Key, Objects, deleting, key
from sandbox.controller.model.stack import Json, ModelError, Permission
from sandbox.controller.settings import Settings

log = logging.getLogger(__name__)
LABEL = "elbv2.k8s.aws/targetGroupBinding=shared"
_ALL = (0, 65535)
Wishes = Mapping[str, list[Permission]]


def wanted(networking: Json, pods: Iterable[Json]) -> list[Permission]:
    """The rules that a binding's `networking` asks for at one security group.

    Args:
        networking: the binding's field.
        pods: those behind the group, to resolve named ports.

    Raises:
        ModelError: a named port where there are no pods, or a peer that is none.
    """
    pods = list(pods)
    result: list[Permission] = []
    for rule in networking.get("ingress") or []:
        for peer in rule.get("from") or []:
            for port in rule.get("ports") or [{"protocol": "TCP"}]:
                protocol = port.get("protocol", "TCP").lower()
                spans = [_ALL] if port.get("port") is None else [(n, n) for n in _numbers(port["port"], pods)]
                result += [Permission(protocol, *span, _source(peer), LABEL) for span in spans]
    return result


def _numbers(port: int | str, pods: list[Json]) -> list[int]:
    if isinstance(port, int):
        return [port]
    if not pods:
        raise ModelError("named ports can only be used with pod endpoints")
    found: set[int] = set()
    for pod in pods:
        numbers = [p["containerPort"] for p in pod["spec"]["ports"] if p.get("name") == port]
        if not numbers:
            raise ModelError(f"unable to find port {port} on pod {'/'.join(key(pod))}")
        found.add(numbers[0])
    return sorted(found)


def _source(peer: Json) -> str:
    if peer.get("securityGroup"):
        return peer["securityGroup"]["groupID"]
    if peer.get("ipBlock"):
        return str(ipaddress.ip_network(peer["ipBlock"]["cidr"], strict=False))
    raise ModelError("either ipBlock or securityGroup should be specified")


def joined(wishes: Iterable[Permission], *, restricted: bool) -> list[Permission]:
    """All bindings' rules for one security group; with `restricted` one port span for each protocol and group."""
    if not restricted:
        return list(dict.fromkeys(wishes))
    spans: dict[tuple[str, str], list[Permission]] = defaultdict(list)
    result: list[Permission] = []
    for one in wishes:
        if str(one.source).startswith("sg-"):
            spans[one.protocol, str(one.source)].append(one)
        elif one not in result:
            result.append(one)
    for (protocol, source), several in spans.items():
        low, high = min(p.from_port for p in several), max(p.to_port for p in several)
        result.append(Permission(protocol, low, high, source, LABEL))
    return result


def _ours(permission: Permission) -> bool:
    return LABEL in permission.description.split(",")


class Networking:
    """Keeps the rules at the targets."""

    def __init__(self, objects: Objects, interfaces: Interfaces, rules: Rules, settings: Settings) -> None:
        self._objects, self._interfaces, self._rules, self._settings = objects, interfaces, rules, settings
        self._lock = threading.Lock()
        self._wishes: dict[Key, Wishes] = {}
        self._touched: set[str] = set()
        self._looked = False

    def forget(self) -> None:
        """Look at everything anew."""
        self._looked = False
        self._rules.forget()
        self._interfaces.forget()

    def reconcile(self, binding: Json, pods: Iterable[Json] = (), nodes: Iterable[Json] = ()) -> None:
        """Bring the rules to what all bindings want, now that this one wants to reach `pods` or `nodes`."""
        self._reconcile(key(binding), self._wishes_of(binding, pods, nodes))

    def remove(self, binding: Json) -> None:
        """The binding wants nothing any more."""
        self._reconcile(key(binding), {})

    def collect(self) -> None:
        """Revoke what no binding wants, as far as all have said what they want."""
        with self._lock:
            if self._complete():
                self._apply(complete=True)

    def _wishes_of(self, binding: Json, pods: Iterable[Json], nodes: Iterable[Json]) -> Wishes:
        networking = binding["spec"].get("networking")
        if networking is None:
            return {}
        wishes = {g: wanted(networking, behind) for g, behind in self._interfaces.groups_of_pods(pods).items()}
        return wishes | {group: wanted(networking, []) for group in self._interfaces.groups_of_nodes(nodes)}

    def _reconcile(self, where: Key, wishes: Wishes) -> None:
        with self._lock:
            if where in self._wishes and self._wishes[where] == wishes:
                return
            self._wishes[where] = wishes
            self._look_around()
            self._touched |= {group for one in self._wishes.values() for group in one}
            complete = self._complete()
            try:
                self._apply(complete=complete)
            except BaseException:
                # What was not applied is no wish that was fulfilled: the next attempt must not pass it over.
                self._wishes.pop(where, None)
                raise

    def _look_around(self) -> None:
        """See what other bindings want that have just come, or are going."""
        for binding in self._objects.list("TargetGroupBinding"):
            where = key(binding)
            if deleting(binding):
                self._wishes[where] = {}
            elif where not in self._wishes and binding["spec"].get("networking") is not None:
                try:
                    self._wishes[where] = self._endpoints_of(binding)
                except (ModelError, BackendMissingError, ClientError) as error:
                    log.debug("binding %s says later what it wants: %s", where, error)

    def _endpoints_of(self, binding: Json) -> Wishes:
        fail_open = self._settings.gate("EndpointsFailOpen")
        if binding["spec"].get("targetType") == "ip":
            pods = of_pods(binding, self._objects, fail_open=fail_open).targets.values()
            return self._wishes_of(binding, pods, [])
        return self._wishes_of(binding, [], of_nodes(binding, self._objects, fail_open=fail_open).targets.values())

    def _complete(self) -> bool:
        present = {key(b) for b in self._objects.list("TargetGroupBinding") if b["spec"].get("networking") is not None}
        for where in self._wishes.keys() - present:
            del self._wishes[where]
        return self._wishes.keys() >= present

    def _apply(self, *, complete: bool) -> None:
        restricted = not self._settings.disable_restricted_sg_rules
        by_group: dict[str, list[Permission]] = defaultdict(list)
        for wishes in self._wishes.values():
            for group, permissions in wishes.items():
                by_group[group] += permissions
        for group, permissions in by_group.items():
            self._rules.reconcile(group, joined(permissions, restricted=restricted), _ours, add_only=not complete)
        if complete:
            self._revoke(self._leftover() - by_group.keys())

    def _leftover(self) -> set[str]:
        """Security groups that rules may have been left in, by an earlier life of the controller too."""
        if not self._looked:
            found = self._interfaces.cluster_groups() | self._interfaces.groups_of_known_nodes()
            self._rules.tags(found)  # all of them described by one call
            self._touched |= found
            self._looked = True
        return set(self._touched)

    def _revoke(self, groups: set[str]) -> None:
        for group in sorted(groups):
            try:
                self._rules.reconcile(group, [], _ours)
            except ClientError as error:
                if not code(error).startswith("InvalidGroup"):
                    raise
                self._touched.discard(group)
