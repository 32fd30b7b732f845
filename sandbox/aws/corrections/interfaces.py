"""Network interfaces: each has its own groups; an instance's groups are its primary interface's, deleted with it.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
"""

from typing import Any

from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces

from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal


def install() -> None:
    """Install the corrections."""
    replace(NetworkInterface, "group_set", property(groups))
    # moto keeps a second list on the instance and returns the union of both, in arbitrary order.
    Instance.security_groups = property(instance_groups, set_instance_groups)  # pyright: ignore[reportAttributeAccessIssue] - moto has a plain attribute there
    prepare = Instance.prep_nics

    def prep_nics(self: Instance, nic_spec: list[dict[str, Any]], *arguments: Any, **more: Any) -> None:
        for nic in nic_spec:
            nic.setdefault("DeleteOnTermination", "NetworkInterfaceId" not in nic)
        prepare(self, nic_spec, *arguments, **more)
        if not nic_spec:
            self.nics[0].delete_on_termination = True

    replace(Instance, "prep_nics", prep_nics)
    filter_value = NetworkInterface.get_filter_value

    def get_filter_value(self: NetworkInterface, filter_name: str, method_name: str | None = None) -> Any:
        own = filter_values(self, filter_name)
        return filter_value(self, filter_name, method_name) if own is None else own

    replace(NetworkInterface, "get_filter_value", get_filter_value)
    delete = ElasticNetworkInterfaces.delete_network_interface

    def delete_network_interface(self: ElasticNetworkInterfaces) -> Any:
        interface = self.ec2_backend.get_network_interface(self._get_param("NetworkInterfaceId"))
        if interface.status == "in-use":
            raise Refusal("InvalidParameterValue", f"Network interface '{interface.id}' is currently in use.")
        return delete(self)

    replace(ElasticNetworkInterfaces, "delete_network_interface", delete_network_interface)


def groups(interface: Any) -> list[Any]:
    """An interface's groups, in their given order."""
    return interface._group_set


def instance_groups(instance: Any) -> list[Any]:
    """An instance's groups are those of its primary interface."""
    primary = getattr(instance, "nics", {}).get(0)
    return groups(primary) if primary else getattr(instance, "given_groups", [])


def set_instance_groups(instance: Any, wanted: list[Any]) -> None:
    """ModifyInstanceAttribute's groups apply to the primary interface."""
    instance.given_groups = wanted
    primary = getattr(instance, "nics", {}).get(0)
    if primary:
        primary._group_set = list(wanted)


def filter_values(interface: Any, name: str) -> Any:
    """Values that moto's filters lack or get wrong; None for others."""
    match name:
        case "addresses.private-ip-address":
            return [address["PrivateIpAddress"] for address in interface.private_ip_addresses]
        case "addresses.primary":
            return ["true"]
        case "attachment.status":
            return "attached" if interface.attachment_id else "detached"
        case "attachment.device-index":
            return str(interface.device_index) if interface.attachment_id else "-"
        case "group-name":
            return [group.name for group in groups(interface)]
        case _:
            return None
