"""Security groups: their rules, the ones that a stack owns, and the cluster's shared backend group."""

import logging
import threading
import time
from collections.abc import Callable, Iterable

from botocore.exceptions import ClientError

from sandbox.controller.deploy.aws import Aws, code, tag_list
from sandbox.controller.deploy.compare import tags_to_change
from sandbox.controller.deploy.inventory import Found, Inventory
from sandbox.controller.model import names
from sandbox.controller.model.stack import Json, Permission, Ref, SecurityGroup
from sandbox.controller.settings import Settings

log = logging.getLogger(__name__)
_STALE = ("InvalidPermission.Duplicate", "InvalidPermission.NotFound", "RulesPerSecurityGroupLimitExceeded")
_GONE = ("InvalidGroup.NotFound", "InvalidGroupId.NotFound", "InvalidGroup.InUse.NotFound")
_DELETE_SECONDS, _DELETE_POLL = 10.0, 1.0
_KNOWN_SECONDS = 600.0
BACKEND_DESCRIPTION = "[k8s] Shared Backend SecurityGroup for LoadBalancer"


def permissions_of(group: Json) -> list[Permission]:
    """A security group's ingress rules, each source on its own."""
    result: list[Permission] = []
    for entry in group.get("IpPermissions") or []:
        sources = [
            *((r["CidrIp"], r) for r in entry.get("IpRanges") or []),
            *((r["CidrIpv6"], r) for r in entry.get("Ipv6Ranges") or []),
            *((r["PrefixListId"], r) for r in entry.get("PrefixListIds") or []),
            *((r.get("GroupId", ""), r) for r in entry.get("UserIdGroupPairs") or []),
        ]
        ports = entry.get("FromPort", -1), entry.get("ToPort", -1)
        result += [Permission(entry["IpProtocol"], *ports, s, r.get("Description") or "") for s, r in sources]
    return result


def _shape(permission: Permission) -> Json:
    source = str(permission.source)
    described = {"Description": permission.description} if permission.description else {}
    if source.startswith("sg-"):
        where: Json = {"UserIdGroupPairs": [{"GroupId": source} | described]}
    elif source.startswith("pl-"):
        where = {"PrefixListIds": [{"PrefixListId": source} | described]}
    elif ":" in source:
        where = {"Ipv6Ranges": [{"CidrIpv6": source} | described]}
    else:
        where = {"IpRanges": [{"CidrIp": source} | described]}
    return {"IpProtocol": permission.protocol, "FromPort": permission.from_port, "ToPort": permission.to_port} | where


def _identity(permission: Permission) -> tuple[str, int, int, str]:
    return permission.protocol, permission.from_port, permission.to_port, str(permission.source)


class Rules:
    """Ingress rules of any security group: brought to what is wanted, and remembered for ten minutes."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._lock = threading.RLock()
        self._known: dict[str, tuple[float, list[Permission], dict[str, str]]] = {}

    def forget(self) -> None:
        """Ask AWS anew the next time."""
        with self._lock:
            self._known.clear()

    def enter(self, group: Json) -> None:
        """Remember a security group that AWS has just described."""
        tags = {tag["Key"]: tag["Value"] for tag in group.get("Tags") or []}
        with self._lock:
            self._known[group["GroupId"]] = (time.monotonic(), permissions_of(group), tags)

    def tags(self, identities: Iterable[str]) -> dict[str, dict[str, str]]:
        """Tags of security groups, by id."""
        wanted = list(identities)
        self._load(wanted)
        with self._lock:
            return {identity: self._known[identity][2] for identity in wanted if identity in self._known}

    def reconcile(
        self,
        group: str,
        wanted: Iterable[Permission],
        ours: Callable[[Permission], bool],
        *,
        add_only: bool = False,
        fresh: bool = False,
    ) -> None:
        """Add the rules that are missing, then revoke those that are `ours` and not wanted.

        Args:
            group: the security group's id.
            wanted: the rules it should have.
            ours: which of its rules may be revoked.
            add_only: revoke nothing.
            fresh: whether AWS was just asked (what is known may otherwise be ten minutes old).
        """
        desired = {_identity(p): p for p in wanted}
        try:
            self._apply(group, desired, ours, add_only=add_only)
        except ClientError as error:
            if fresh or code(error) not in _STALE:
                raise
            with self._lock:
                self._known.pop(group, None)
            self.reconcile(group, desired.values(), ours, add_only=add_only, fresh=True)

    def _apply(
        self,
        group: str,
        desired: dict[tuple[str, int, int, str], Permission],
        ours: Callable[[Permission], bool],
        *,
        add_only: bool,
    ) -> None:
        self._load([group])
        with self._lock:
            if group not in self._known:
                raise ClientError({"Error": {"Code": _GONE[0], "Message": group}}, "DescribeSecurityGroups")
            taken, current, tags = self._known[group]
        have = {_identity(p): p for p in current}
        add = [p for i, p in desired.items() if i not in have]
        revoke = [] if add_only else [p for i, p in have.items() if i not in desired and ours(p)]
        if add:
            self._aws.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[_shape(p) for p in add])
            log.info("security group %s: added %s", group, [_identity(p) for p in add])
        if revoke:
            self._revoke(group, revoke)
            log.info("security group %s: revoked %s", group, [_identity(p) for p in revoke])
        with self._lock:
            self._known[group] = (taken, [p for p in current if p not in revoke] + add, tags)

    def _revoke(self, group: str, permissions: list[Permission]) -> None:
        try:
            self._aws.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[_shape(p) for p in permissions])
        except ClientError as error:
            if code(error) not in _GONE:
                raise
            # A rule whose source group is gone lets nobody in; it must not stand in the way of all others.
            log.warning("security group %s: cannot revoke %s: %s", group, [_identity(p) for p in permissions], error)

    def _load(self, identities: list[str]) -> None:
        now = time.monotonic()
        with self._lock:
            stale = [i for i in identities if i not in self._known or now - self._known[i][0] > _KNOWN_SECONDS]
        if not stale:
            return
        filters = [{"Name": "group-id", "Values": stale}]
        for group in self._aws.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]:
            self.enter(group)


class SecurityGroups:
    """Security groups that a stack owns, and the shared one."""

    def __init__(self, aws: Aws, settings: Settings, inventory: Inventory, rules: Rules) -> None:
        self._aws, self._settings, self._inventory, self._rules = aws, settings, inventory, rules
        self._shared = threading.Lock()

    def ensure(self, wanted: SecurityGroup, tags: dict[str, str], found: Found | None) -> str:
        """Make the group, or bring the one that was found to what is wanted. Returns its id."""
        if found is None:
            identity = self._create(wanted.name, wanted.description, tags)
        else:
            identity = found.id
            self._rules.enter(found.data)
            self.retag(found, tags)
        self._rules.reconcile(identity, wanted.ingress, lambda _: True, fresh=found is None)
        if found is not None:
            found.data["IpPermissions"] = [_shape(p) for p in wanted.ingress]
        return identity

    def retag(self, found: Found, tags: dict[str, str]) -> None:
        """Bring tags to what is wanted."""
        put, drop = tags_to_change(tags, found.tags, self._settings.external_managed_tags)
        if put:
            self._aws.ec2.create_tags(Resources=[found.id], Tags=tag_list(put))
        if drop:
            self._aws.ec2.delete_tags(Resources=[found.id], Tags=[{"Key": k} for k in drop])
        if put or drop:
            found.tags.update(put)
            for gone in drop:
                found.tags.pop(gone, None)

    def delete(self, identity: str, ended: threading.Event, in_use: Callable[[], None] = lambda: None) -> None:
        """Delete a group; while a load balancer's interfaces still hold it, wait some seconds.

        Args:
            identity: its id; one that is gone is deleted.
            ended: set when the controller is told to end.
            in_use: called once if it is still in use (leftover rules elsewhere may name it).
        """
        deadline = time.monotonic() + _DELETE_SECONDS
        asked = False
        while True:
            try:
                self._aws.ec2.delete_security_group(GroupId=identity)
            except ClientError as error:
                if code(error) in _GONE:
                    break
                if code(error) != "DependencyViolation" or time.monotonic() > deadline or ended.is_set():
                    raise
                if not asked:
                    asked = True
                    in_use()
                ended.wait(_DELETE_POLL)
            else:
                log.info("deleted security group %s", identity)
                break
        self._inventory.strike(identity)

    def shared(self) -> str:
        """The id of the backend group that all load balancers share; made where there is none."""
        if self._settings.backend_security_group:
            return self._settings.backend_security_group
        tags = dict(self._settings.default_tags) | {
            "elbv2.k8s.aws/cluster": self._settings.cluster_name,
            "elbv2.k8s.aws/resource": "backend-sg",
        }
        with self._shared:
            found = self._inventory.backend_group()
            if found is not None:
                self.retag(found, tags)
                return found.id
            return self._create(names.backend_group(self._settings.cluster_name), BACKEND_DESCRIPTION, tags)

    def release_shared(self, needed: Callable[[], bool], ended: threading.Event) -> None:
        """Delete the shared group unless somebody needs it."""
        if self._settings.backend_security_group:
            return
        with self._shared:
            found = self._inventory.backend_group()
            if found is not None and not needed():
                self.delete(found.id, ended)

    def _create(self, name: str, description: str, tags: dict[str, str]) -> str:
        specification = [{"ResourceType": "security-group", "Tags": tag_list(tags)}]
        vpc = self._settings.aws_vpc_id
        request = {"VpcId": vpc, "GroupName": name, "Description": description, "TagSpecifications": specification}
        answer = self._aws.create("ec2", "create_security_group", **request)
        identity = answer["GroupId"]
        data: Json = {"GroupId": identity, "GroupName": name, "VpcId": vpc, "IpPermissions": [], "Tags": tag_list(tags)}
        self._inventory.enter("security-group", identity, data, tags)
        self._rules.enter(data)
        log.info("created security group %s (%s)", identity, name)
        return identity


def referenced(permission: Permission, group: str) -> Permission:
    """The permission with its Ref, if it has one, as a security group's id."""
    if not isinstance(permission.source, Ref):
        return permission
    return Permission(permission.protocol, permission.from_port, permission.to_port, group, permission.description)
