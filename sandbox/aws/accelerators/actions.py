"""Global Accelerator's actions: functions of the state and of a call's parameters, named as botocore names them.

Limits are every new account's: https://docs.aws.amazon.com/global-accelerator/latest/dg/limits-global-accelerator.html
"""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_api._internal import mock_random

from sandbox.aws.accelerators import endpoints
from sandbox.aws.accelerators.store import (
    Accelerator,
    AcceleratorNotDisabledError,
    Accelerators,
    AssociatedEndpointGroupFoundError,
    AssociatedListenerFoundError,
    Document,
    EndpointGroup,
    EndpointGroupAlreadyExistsError,
    InvalidArgumentError,
    InvalidPortRangeError,
    LimitExceededError,
    Listener,
)
from sandbox.aws.determinism import now

_ACCELERATORS, _LISTENERS, _GROUPS, _ENDPOINTS, _TAGS = 20, 10, 10, 10, 50
_GROUP_DEFAULTS = {
    "TrafficDialPercentage": 100.0,
    "HealthCheckProtocol": "TCP",
    "HealthCheckIntervalSeconds": 30,
    "ThresholdCount": 3,
}
Action = Callable[[Accelerators, Document], Document]


def _room(what: str, count: int, most: int) -> None:
    """Raise unless the account may have `count` of something."""
    if count > most:
        raise LimitExceededError(f"The maximum number of {what} has been reached: {most}")


def _hex(length: int) -> str:
    return f"{mock_random.getrandbits(length * 4):0{length}x}"


# Accelerators.


def create_accelerator(home: Accelerators, call: Document) -> Document:
    """CreateAccelerator. It is in progress in this answer, whatever the latency."""
    if earlier := home.repeated(call["IdempotencyToken"]):
        return {"Accelerator": home.described(home.accelerator(earlier))}
    _room("accelerators", len(home.by_arn) + 1, _ACCELERATORS)
    if call.get("IpAddresses"):
        raise InvalidArgumentError("IpAddresses are of ranges that the account brought, and it brought none")
    arn = f"arn:{home.partition}:globalaccelerator::{home.account}:accelerator/{mock_random.uuid4()}"
    host = f"a{_hex(16)}"
    document: Document = {
        "AcceleratorArn": arn,
        "Name": call["Name"],
        "Enabled": call.get("Enabled", True),
        "DnsName": f"{host}.awsglobalaccelerator.com",
        "CreatedTime": now(),
        "Events": [],
        "IpSets": [_ip_set("IPv4", _free_addresses(home))],
    }
    made = Accelerator(document, _tags(call.get("Tags", [])))
    _set_address_type(made, call.get("IpAddressType", "IPV4"))
    home.by_arn[arn] = made
    home.made[call["IdempotencyToken"]] = arn
    return {"Accelerator": _touched(made)}


def _free_addresses(home: Accelerators) -> list[str]:
    """Two addresses that no accelerator has, of a range for documentation: they lead nowhere else."""
    taken = {
        address
        for each in home.by_arn.values()
        for entry in each.document["IpSets"]
        for address in entry["IpAddresses"]
    }
    free = (f"203.0.113.{number}" for number in range(1, 255))
    return list(itertools.islice((address for address in free if address not in taken), 2))


def _ip_set(family: str, addresses: list[str]) -> Document:
    return {"IpFamily": family, "IpAddressFamily": family, "IpAddresses": addresses}


def _set_address_type(accelerator: Accelerator, kind: str) -> None:
    document = accelerator.document
    document["IpAddressType"] = kind
    [four] = [entry for entry in document["IpSets"] if entry["IpAddressFamily"] == "IPv4"]
    document["IpSets"] = [four]
    document.pop("DualStackDnsName", None)
    if kind == "DUAL_STACK":
        host, _, domain = document["DnsName"].partition(".")
        numbers = [address.rpartition(".")[2] for address in four["IpAddresses"]]
        document["IpSets"].append(_ip_set("IPv6", [f"2001:db8:accc::{number}" for number in numbers]))
        document["DualStackDnsName"] = f"{host}.dualstack.{domain}"


def _touched(accelerator: Accelerator) -> Document:
    """The document in the answer of a change, which AWS still carries to its edge locations."""
    accelerator.changed = accelerator.document["LastModifiedTime"] = now()
    return {**accelerator.document, "Status": "IN_PROGRESS"}


def describe_accelerator(home: Accelerators, call: Document) -> Document:
    """DescribeAccelerator."""
    return {"Accelerator": home.described(home.accelerator(call["AcceleratorArn"]))}


def list_accelerators(home: Accelerators, _: Document) -> Document:
    """ListAccelerators."""
    return {"Accelerators": [home.described(each) for each in home.by_arn.values()]}


def update_accelerator(home: Accelerators, call: Document) -> Document:
    """UpdateAccelerator."""
    accelerator = home.accelerator(call["AcceleratorArn"])
    if call.get("IpAddresses"):
        raise InvalidArgumentError("IpAddresses are of ranges that the account brought, and it brought none")
    accelerator.document |= {name: call[name] for name in ("Name", "Enabled") if name in call}
    if "IpAddressType" in call:
        _set_address_type(accelerator, call["IpAddressType"])
    return {"Accelerator": _touched(accelerator)}


def delete_accelerator(home: Accelerators, call: Document) -> Document:
    """DeleteAccelerator."""
    accelerator = home.accelerator(call["AcceleratorArn"])
    # The controller tries again while it is being disabled.
    if accelerator.document["Enabled"] or home.described(accelerator)["Status"] == "IN_PROGRESS":
        raise AcceleratorNotDisabledError("The accelerator must be disabled before it can be deleted")
    if accelerator.listeners:
        raise AssociatedListenerFoundError("The accelerator has listeners: delete them first")
    del home.by_arn[accelerator.document["AcceleratorArn"]]
    return {}


# Listeners.


def create_listener(home: Accelerators, call: Document) -> Document:
    """CreateListener."""
    if earlier := home.repeated(call["IdempotencyToken"]):
        return {"Listener": home.listener(earlier).document}
    accelerator = home.accelerator(call["AcceleratorArn"])
    _room("listeners of the accelerator", len(accelerator.listeners) + 1, _LISTENERS)
    _check_ports(call["PortRanges"], call["Protocol"], accelerator.listeners.values())
    arn = f"{call['AcceleratorArn']}/listener/{_hex(8)}"
    document: Document = {
        "ListenerArn": arn,
        "PortRanges": call["PortRanges"],
        "Protocol": call["Protocol"],
        "ClientAffinity": call.get("ClientAffinity", "NONE"),
    }
    accelerator.listeners[arn] = Listener(document)
    home.made[call["IdempotencyToken"]] = arn
    _touched(accelerator)
    return {"Listener": document}


def _check_ports(ranges: list[Document], protocol: str, others: Iterable[Listener]) -> None:
    spans = [(r.get("FromPort", 1), r.get("ToPort", 65535)) for r in ranges]
    taken = [
        (r["FromPort"], r["ToPort"])
        for other in others
        if other.document["Protocol"] == protocol
        for r in other.document["PortRanges"]
    ]
    for place, (first, last) in enumerate(spans):
        if first > last:
            raise InvalidPortRangeError(f"The port range {first}-{last} ends before it begins")
        for start, end in [*taken, *spans[:place]]:
            if first <= end and start <= last:
                raise InvalidPortRangeError(f"The port range {first}-{last} overlaps with {start}-{end}")


def describe_listener(home: Accelerators, call: Document) -> Document:
    """DescribeListener."""
    return {"Listener": home.listener(call["ListenerArn"]).document}


def list_listeners(home: Accelerators, call: Document) -> Document:
    """ListListeners."""
    return {"Listeners": [each.document for each in home.accelerator(call["AcceleratorArn"]).listeners.values()]}


def update_listener(home: Accelerators, call: Document) -> Document:
    """UpdateListener."""
    listener, accelerator = home.listener(call["ListenerArn"]), home.accelerator(call["ListenerArn"])
    changed = {name: call[name] for name in ("PortRanges", "Protocol", "ClientAffinity") if name in call}
    document = listener.document | changed
    others = [other for other in accelerator.listeners.values() if other is not listener]
    _check_ports(document["PortRanges"], document["Protocol"], others)
    listener.document = document
    _touched(accelerator)
    return {"Listener": document}


def delete_listener(home: Accelerators, call: Document) -> Document:
    """DeleteListener."""
    arn = call["ListenerArn"]
    if home.listener(arn).groups:
        raise AssociatedEndpointGroupFoundError("The listener has endpoint groups: delete them first")
    del home.accelerator(arn).listeners[arn]
    return {}


# Endpoint groups and endpoints.


def create_endpoint_group(home: Accelerators, call: Document) -> Document:
    """CreateEndpointGroup."""
    if earlier := home.repeated(call["IdempotencyToken"]):
        return {"EndpointGroup": _group(home, home.group(earlier))}
    listener, region = home.listener(call["ListenerArn"]), call["EndpointGroupRegion"]
    if any(each.document["EndpointGroupRegion"] == region for each in listener.groups.values()):
        raise EndpointGroupAlreadyExistsError(f"The listener has an endpoint group in {region}")
    _room("endpoint groups of the listener", len(listener.groups) + 1, _GROUPS)
    arn = f"{call['ListenerArn']}/endpoint-group/{_hex(12)}"
    first = listener.document["PortRanges"][0]["FromPort"]
    document: Document = {"EndpointGroupArn": arn, "EndpointGroupRegion": region, "HealthCheckPort": first}
    group = EndpointGroup(document | _GROUP_DEFAULTS | {"PortOverrides": []})
    _configure(home, group, listener, call)
    listener.groups[arn] = group
    home.made[call["IdempotencyToken"]] = arn
    _touched(home.accelerator(arn))
    return {"EndpointGroup": _group(home, group)}


_GROUP_MEMBERS = (
    *("TrafficDialPercentage", "HealthCheckPort", "HealthCheckProtocol", "HealthCheckPath"),
    *("HealthCheckIntervalSeconds", "ThresholdCount", "PortOverrides"),
)


def _configure(home: Accelerators, group: EndpointGroup, listener: Listener, call: Document) -> None:
    """Set what a call gives; all of it, or nothing if something is wrong."""
    document = group.document | {name: call[name] for name in _GROUP_MEMBERS if name in call}
    if document["HealthCheckIntervalSeconds"] not in {10, 30}:
        raise InvalidArgumentError("HealthCheckIntervalSeconds must be 10 or 30")
    if document["HealthCheckProtocol"] == "TCP":
        document.pop("HealthCheckPath", None)
    else:
        document.setdefault("HealthCheckPath", "/")
    ranges = [(r["FromPort"], r["ToPort"]) for r in listener.document["PortRanges"]]
    for override in document["PortOverrides"]:
        if not any(first <= override["ListenerPort"] <= last for first, last in ranges):
            raise InvalidArgumentError(f"The listener does not listen on port {override['ListenerPort']}")
    if "EndpointConfigurations" in call:
        group.endpoints = _configured(home, call["EndpointConfigurations"], group.endpoints)
    group.document = document


def _configured(home: Accelerators, given: list[Document], before: dict[str, Document]) -> dict[str, Document]:
    made = {each["EndpointId"]: endpoints.configured(home, each, before.get(each["EndpointId"])) for each in given}
    if len(made) < len(given):
        raise InvalidArgumentError("An endpoint is given twice")
    _room("endpoints of the endpoint group", len(made), _ENDPOINTS)
    return made


def _group(home: Accelerators, group: EndpointGroup) -> Document:
    described = [endpoints.described(home, each) for each in group.endpoints.values()]
    return {**group.document, "EndpointDescriptions": described}


def describe_endpoint_group(home: Accelerators, call: Document) -> Document:
    """DescribeEndpointGroup."""
    return {"EndpointGroup": _group(home, home.group(call["EndpointGroupArn"]))}


def list_endpoint_groups(home: Accelerators, call: Document) -> Document:
    """ListEndpointGroups."""
    return {"EndpointGroups": [_group(home, each) for each in home.listener(call["ListenerArn"]).groups.values()]}


def update_endpoint_group(home: Accelerators, call: Document) -> Document:
    """UpdateEndpointGroup: `EndpointConfigurations` replace all endpoints."""
    arn = call["EndpointGroupArn"]
    group = home.group(arn)
    _configure(home, group, home.listener(arn), call)
    _touched(home.accelerator(arn))
    return {"EndpointGroup": _group(home, group)}


def delete_endpoint_group(home: Accelerators, call: Document) -> Document:
    """DeleteEndpointGroup."""
    arn = call["EndpointGroupArn"]
    home.group(arn)
    del home.listener(arn).groups[arn]
    return {}


def add_endpoints(home: Accelerators, call: Document) -> Document:
    """AddEndpoints: an endpoint that is in the group gets the configuration of this call."""
    arn, given = call["EndpointGroupArn"], call["EndpointConfigurations"]
    group = home.group(arn)
    added = _configured(home, given, group.endpoints)
    _room("endpoints of the endpoint group", len(group.endpoints | added), _ENDPOINTS)
    group.endpoints |= added
    _touched(home.accelerator(arn))
    described = [endpoints.described(home, each) for each in added.values()]
    return {"EndpointGroupArn": arn, "EndpointDescriptions": described}


def remove_endpoints(home: Accelerators, call: Document) -> Document:
    """RemoveEndpoints."""
    arn = call["EndpointGroupArn"]
    group, names = home.group(arn), [each["EndpointId"] for each in call["EndpointIdentifiers"]]
    for name in names:
        if name not in group.endpoints:
            raise InvalidArgumentError(f"The endpoint group has no endpoint {name}")
    for name in names:
        group.endpoints.pop(name, None)
    _touched(home.accelerator(arn))
    return {}


# Tags, which only accelerators have here.


def tag_resource(home: Accelerators, call: Document) -> Document:
    """TagResource."""
    accelerator = home.accelerator(call["ResourceArn"])
    accelerator.tags = _tags([*_tag_list(accelerator.tags), *call["Tags"]])
    return {}


def untag_resource(home: Accelerators, call: Document) -> Document:
    """UntagResource."""
    accelerator = home.accelerator(call["ResourceArn"])
    accelerator.tags = {k: v for k, v in accelerator.tags.items() if k not in call["TagKeys"]}
    return {}


def list_tags_for_resource(home: Accelerators, call: Document) -> Document:
    """ListTagsForResource."""
    return {"Tags": _tag_list(home.accelerator(call["ResourceArn"]).tags)}


def _tag_list(tags: dict[str, str]) -> list[Document]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _tags(given: list[Document]) -> dict[str, str]:
    tags: dict[str, Any] = {tag["Key"]: tag["Value"] for tag in given}
    for key in tags:
        if key.lower().startswith("aws:"):
            raise InvalidArgumentError(f"The tag key {key} is reserved: keys must not begin with aws:")
    _room("tags of the accelerator", len(tags), _TAGS)
    return tags


ACTIONS: dict[str, Action] = {
    "".join(part.capitalize() for part in function.__name__.split("_")): function
    for function in (
        create_accelerator, describe_accelerator, list_accelerators, update_accelerator, delete_accelerator,
        create_listener, describe_listener, list_listeners, update_listener, delete_listener,
        create_endpoint_group, describe_endpoint_group, list_endpoint_groups, update_endpoint_group,
        delete_endpoint_group, add_endpoints, remove_endpoints,
        tag_resource, untag_resource, list_tags_for_resource,
    )
}  # fmt: skip
