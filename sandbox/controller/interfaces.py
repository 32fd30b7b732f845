"""Which security group guards a pod or a node: the one of its network interface.

Instances are described together and remembered. Where all interfaces of a node have the same groups, it does not matter
which of them carries a pod's address, so that new pods on known nodes cost no call.
"""

import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable

from botocore.exceptions import ClientError

from sandbox.controller.deploy.aws import Aws, pages
from sandbox.controller.deploy.security_groups import Rules
from sandbox.controller.endpoints import instance_id
from sandbox.controller.model.objects import Objects, name_of
from sandbox.controller.model.stack import Json, ModelError
from sandbox.controller.settings import Settings

log = logging.getLogger(__name__)
_SECONDS = 600.0
_ADDRESSES_A_CALL = 199
_FARGATE = "eks.amazonaws.com/compute-type"


class Interfaces:
    """Interfaces of nodes and pods, and the security group that rules go into."""

    def __init__(self, aws: Aws, objects: Objects, rules: Rules, settings: Settings) -> None:
        self._aws, self._objects, self._rules, self._settings = aws, objects, rules, settings
        self._lock = threading.Lock()
        self._instances: dict[str, tuple[float, list[Json]]] = {}

    def forget(self) -> None:
        """Ask AWS anew."""
        with self._lock:
            self._instances.clear()

    def groups_of_nodes(self, nodes: Iterable[Json]) -> set[str]:
        """Security groups of the nodes' first interfaces.

        Raises:
            ModelError: an instance or its interface is not there.
        """
        instances = {instance_id(node): node for node in nodes}
        self._load(instances)
        groups: set[str] = set()
        for identity, node in instances.items():
            first = [i for i in self._of(identity) if (i.get("Attachment") or {}).get("DeviceIndex", 0) == 0]
            if not first:
                raise ModelError(f"cannot resolve node ENI for nodes: [{name_of(node)}]")
            groups.add(self._group(first[0]))
        return groups

    def groups_of_known_nodes(self) -> set[str]:
        """Security groups of all nodes, as far as they can be told."""
        groups: set[str] = set()
        nodes = [node for node in self._objects.list("Node") if _on_instance(node)]
        try:
            self._load([instance_id(node) for node in nodes])
        except ClientError as error:  # one instance that is gone spoils the answer about all
            log.debug("nodes: %s", error)
        for node in nodes:
            try:
                groups |= self.groups_of_nodes([node])
            except (ModelError, ClientError) as error:
                log.debug("node %s: %s", name_of(node), error)
        return groups

    def groups_of_pods(self, pods: Iterable[Json]) -> dict[str, list[Json]]:
        """Pods by the security group that guards them.

        Raises:
            ModelError: a pod's interface is not there.
        """
        by_instance: dict[str, list[Json]] = defaultdict(list)
        by_address: list[Json] = []
        by_own: list[tuple[str, Json]] = []
        for pod in pods:
            own = _own_interface(pod)
            node = self._objects.get("Node", "", pod["spec"].get("nodeName", ""))
            if own:
                by_own.append((own, pod))
            elif node is None:
                raise ModelError(f"cannot resolve pod ENI for pods: [{name_of(pod)}]: its node is not there")
            elif (node["metadata"].get("labels") or {}).get(_FARGATE) == "fargate":
                by_address.append(pod)
            else:
                by_instance[instance_id(node)].append(pod)
        result: dict[str, list[Json]] = defaultdict(list)
        self._load(by_instance)
        for identity, behind in by_instance.items():
            for pod in behind:
                result[self._group(self._carrying(identity, pod))].append(pod)
        for pod, interface in self._described(by_own, by_address):
            result[self._group(interface)].append(pod)
        return result

    def cluster_groups(self) -> set[str]:
        """Security groups tagged for the cluster: where rules of an earlier life of the controller may be."""
        tag = f"tag:kubernetes.io/cluster/{self._settings.cluster_name}"
        filters = [
            {"Name": tag, "Values": ["owned", "shared"]},
            {"Name": "vpc-id", "Values": [self._settings.aws_vpc_id]},
        ]
        found = list(pages(self._aws.ec2.describe_security_groups, "SecurityGroups", "NextToken", Filters=filters))
        for group in found:
            self._rules.enter(group)
        return {group["GroupId"] for group in found}

    def _of(self, identity: str) -> list[Json]:
        with self._lock:
            return self._instances.get(identity, (0.0, []))[1]

    def _load(self, identities: Iterable[str], *, anew: bool = False) -> None:
        now = time.monotonic()
        with self._lock:
            missing = [
                i for i in identities if anew or i not in self._instances or now - self._instances[i][0] > _SECONDS
            ]
        if not missing:
            return
        found = pages(self._aws.ec2.describe_instances, "Reservations", "NextToken", InstanceIds=sorted(missing))
        loaded = {i["InstanceId"]: i.get("NetworkInterfaces") or [] for r in found for i in r["Instances"]}
        with self._lock:
            for identity, interfaces in loaded.items():
                self._instances[identity] = (now, interfaces)

    def _carrying(self, identity: str, pod: Json) -> Json:
        """The interface of an instance that carries a pod's address."""
        interfaces = self._of(identity)
        if len({tuple(sorted(g["GroupId"] for g in i["Groups"])) for i in interfaces}) == 1:
            return interfaces[0]
        address = (pod.get("status") or {}).get("podIP")
        for attempt in range(2):
            for interface in self._of(identity):
                if any(a.get("PrivateIpAddress") == address for a in interface.get("PrivateIpAddresses") or []):
                    return interface
            if attempt == 0:
                self._load([identity], anew=True)
        raise ModelError(f"cannot resolve pod ENI for pods: [{name_of(pod)}]")

    def _described(self, by_own: list[tuple[str, Json]], by_address: list[Json]) -> list[tuple[Json, Json]]:
        describe = self._aws.ec2.describe_network_interfaces
        result: list[tuple[Json, Json]] = []
        if by_own:
            ids = sorted({identity for identity, _ in by_own})
            found = {i["NetworkInterfaceId"]: i for i in describe(NetworkInterfaceIds=ids)["NetworkInterfaces"]}
            result += [(pod, found[identity]) for identity, pod in by_own if identity in found]
        addresses = {(pod.get("status") or {}).get("podIP", ""): pod for pod in by_address}
        wanted = sorted(addresses)
        for start in range(0, len(wanted), _ADDRESSES_A_CALL):
            filters = [
                {"Name": "vpc-id", "Values": [self._settings.aws_vpc_id]},
                {"Name": "addresses.private-ip-address", "Values": wanted[start : start + _ADDRESSES_A_CALL]},
            ]
            for interface in describe(Filters=filters)["NetworkInterfaces"]:
                for address in interface.get("PrivateIpAddresses") or []:
                    if address["PrivateIpAddress"] in addresses:
                        result.append((addresses[address["PrivateIpAddress"]], interface))
        if missing := [
            name_of(p) for p in [*(p for _, p in by_own), *by_address] if all(p is not q for q, _ in result)
        ]:
            raise ModelError(f"cannot resolve pod ENI for pods: {missing}")
        return result

    def _group(self, interface: Json) -> str:
        """The one security group of an interface, or the one of several that is tagged for the cluster."""
        groups = [group["GroupId"] for group in interface.get("Groups") or []]
        if len(groups) == 1:
            return groups[0]
        key = f"kubernetes.io/cluster/{self._settings.cluster_name}"
        extra = self._settings.service_target_eni_security_group_tags
        tagged = [
            group
            for group, tags in self._rules.tags(groups).items()
            if key in tags and all(tags.get(k) == v for k, v in extra.items())
        ]
        if len(tagged) != 1:
            what = f"{key} and {dict(extra)}" if extra else key
            raise ModelError(
                f"expected exactly one securityGroup tagged with {what} for eni {interface['NetworkInterfaceId']}, "
                f"got: {sorted(tagged)} (clusterName: {self._settings.cluster_name})"
            )
        return tagged[0]


def _on_instance(node: Json) -> bool:
    return (node.get("spec") or {}).get("providerID", "").rsplit("/", 1)[-1].startswith("i-")


def _own_interface(pod: Json) -> str | None:
    """The branch interface of a pod that has security groups of its own."""
    text = (pod["metadata"].get("annotations") or {}).get("vpc.amazonaws.com/pod-eni")
    if not text:
        return None
    try:
        interfaces = json.loads(text)
    except ValueError:
        return None
    address = (pod.get("status") or {}).get("podIP")
    return next((i["eniId"] for i in interfaces if address in (i.get("privateIp"), i.get("ipv6Addr"))), None)
