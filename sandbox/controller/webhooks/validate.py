"""What is refused when objects are written."""

import ipaddress
import re
from typing import Any

from sandbox.controller.annotations import ALB, INGRESS_CLASS, Reader
from sandbox.controller.model.actions import conditions
from sandbox.controller.model.groups import CONTROLLER, ours_by_annotation
from sandbox.controller.model.groups import class_params as load_class
from sandbox.controller.model.objects import Objects, annotations, key, name_of
from sandbox.controller.model.stack import Json, ModelError
from sandbox.controller.settings import Settings
from sandbox.controller.webhooks.mutate import Described

_VPC = re.compile(r"vpc-[0-9a-f]{8}(?:[0-9a-f]{9})?")
_QUIC = ("QUIC", "TCP_QUIC")


def binding(request: Json, objects: Objects, described: Described, settings: Settings) -> None:
    """Refuse bindings that cannot be served, and changes of what cannot change.

    Raises:
        ModelError: saying what is wrong.
    """
    obj, old = request["object"], request.get("oldObject")
    spec = obj.get("spec") or {}
    missing = [] if spec.get("targetGroupARN") else ["either TargetGroupARN or TargetGroupName"]
    missing += [] if spec.get("targetType") else ["spec.targetType"]
    if missing:
        raise ModelError(f"TargetGroupBinding must specify these fields: {','.join(missing)}")
    if request["operation"] == "UPDATE" and old:
        _unchanged(spec, old.get("spec") or {}, settings)
    if spec["targetType"] == "ip" and spec.get("nodeSelector") is not None:
        raise ModelError("TargetGroupBinding cannot set NodeSelector when TargetType is ip")
    if spec.get("iamRoleArnToAssume") and spec["targetType"] == "instance":
        raise ModelError("Unable to use instance target type while using assume role")
    _alone(obj, objects)
    if request["operation"] == "CREATE":
        _fits(spec, described)


def _unchanged(spec: Json, old: Json, settings: Settings) -> None:
    changed = [f"spec.{field}" for field in ("targetGroupARN", "targetType") if spec.get(field) != old.get(field)]
    family, old_family = spec.get("ipAddressType"), old.get("ipAddressType")
    if family != old_family and not (old_family is None and family == "ipv4"):
        changed.append("spec.ipAddressType")
    vpc, old_vpc = spec.get("vpcID") or "", old.get("vpcID") or ""
    if vpc != old_vpc and not (not old_vpc and vpc == settings.aws_vpc_id):
        changed.append("spec.vpcID")
    if changed:
        raise ModelError(f"TargetGroupBinding update may not change these immutable fields: {','.join(changed)}")


def _alone(obj: Json, objects: Objects) -> None:
    """Refuse a second binding of one target group, unless all of them share it with other clusters."""
    spec = obj["spec"]
    others = [
        other
        for other in objects.list("TargetGroupBinding")
        if other["spec"].get("targetGroupARN") == spec["targetGroupARN"] and key(other) != _where(obj)
    ]
    shared = all(one["spec"].get("multiClusterTargetGroup") for one in [obj, *others])
    if others and not shared:
        arn = spec["targetGroupARN"]
        raise ModelError(
            f"TargetGroup {arn} is already bound to following TargetGroupBindings "
            f"{[name_of(other) for other in others]}. Please enable MultiCluster mode on all TargetGroupBindings "
            f"referencing {arn} or choose a different Target Group ARN."
        )


def _where(obj: Json) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"].get("name", "")


def _fits(spec: Json, described: Described) -> None:
    vpc = spec.get("vpcID")
    if vpc and not _VPC.fullmatch(vpc):
        raise ModelError(
            f"ValidationError: vpcID {vpc} failed to satisfy constraint: VPC Id must begin with 'vpc-' "
            "followed by 8 or 17 lowercase letters (a-f) or numbers."
        )
    found = described.get(spec)
    arn, family = spec["targetGroupARN"], found.get("IpAddressType") or "ipv4"
    if (spec.get("ipAddressType") or "ipv4") != family:
        raise ModelError(f"invalid IP address type {family} for TargetGroup {arn}")
    if vpc and found.get("VpcId") != vpc:
        raise ModelError(f"invalid VpcID {vpc} doesn't match VpcID from TargetGroup {arn}")
    protocol, wanted = found.get("Protocol"), spec.get("targetGroupProtocol")
    if wanted and wanted != protocol:
        raise ModelError(f"TargetGroup {arn} protocol differs: binding says {wanted}, AWS says {protocol}")
    if protocol in _QUIC and spec["targetType"] == "instance":
        raise ModelError("QUIC and TCP_QUIC target groups take ip targets only")


def class_params(request: Json) -> None:
    """Refuse IngressClassParams with CIDRs that are none or a subnet selector that selects nothing.

    Raises:
        ModelError: all that is wrong.
    """
    spec = request["object"].get("spec") or {}
    wrong = [w for i, c in enumerate(spec.get("inboundCIDRs") or []) if (w := _cidr(f"spec.inboundCIDRs[{i}]", c))]
    if spec.get("subnets") is not None:
        wrong += _selector(spec["subnets"])
    if wrong:
        raise ModelError(wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]")


def _cidr(field: str, text: str) -> str | None:
    try:
        if "/" in text:
            network = ipaddress.ip_network(text, strict=False)
            if str(network.network_address) == str(ipaddress.ip_address(text.partition("/")[0])):
                return None
            return f'{field}: Invalid value: "{text}": Network contains bits outside prefix (did you mean "{network}")'
        meant = ipaddress.ip_address(text)
    except ValueError:
        return f'{field}: Invalid value: "{text}": Could not be parsed as a CIDR'
    hint = f"{text}/{32 if meant.version == 4 else 64}"  # noqa: PLR2004 - IP version 4
    return f'{field}: Invalid value: "{text}": Could not be parsed as a CIDR (did you mean "{hint}")'


def _selector(subnets: Json) -> list[str]:
    ids, tags = subnets.get("ids"), subnets.get("tags")
    if ids is None and tags is None:
        return ["spec.subnets: Required value: must have either `ids` or `tags`"]
    if ids is not None and tags is not None:
        return ["spec.subnets.tags: Forbidden: may not have both `ids` and `tags` set"]
    if ids is not None:
        return _doubles("spec.subnets.ids", ids)
    if not tags:
        return ["spec.subnets.tags: Required value: must have at least one tag key"]
    return [wrong for name, values in tags.items() for wrong in _doubles(f"spec.subnets.tags[{name}]", values)]


def _doubles(field: str, values: list[Any]) -> list[str]:
    return [f'{field}[{i}]: Duplicate value: "{v}"' for i, v in enumerate(values) if v in values[:i]]


def ingress(request: Json, objects: Objects, settings: Settings) -> None:
    """Refuse Ingresses of ours whose class, group or conditions cannot be used.

    Raises:
        ModelError: saying what is wrong.
    """
    obj, old = request["object"], request.get("oldObject")
    obj["metadata"].setdefault("namespace", request.get("namespace", ""))
    legacy = annotations(obj).get(INGRESS_CLASS)
    if legacy is not None:
        if not ours_by_annotation(legacy, settings):
            return
        before = annotations(old).get(INGRESS_CLASS) if old else None
        used = before is not None and ours_by_annotation(before, settings)
        if settings.disable_ingress_class_annotation and not used:
            raise ModelError(f"new usage of `{INGRESS_CLASS}` annotation is forbidden")
    else:
        found, _ = load_class(obj, objects, load_params=False)
        ours = found["spec"].get("controller") == CONTROLLER if found else not settings.ingress_class
        if not ours:
            return
    group = f"{ALB}/group.name"
    if settings.disable_ingress_group_name_annotation and group in annotations(obj):
        before = annotations(old).get(group) if old else None
        if before != annotations(obj)[group]:
            raise ModelError(f"new usage of `{group}` annotation is forbidden")
    _conditions(obj)


def _conditions(obj: Json) -> None:
    reader = Reader(ALB, annotations(obj))
    for rule in obj["spec"].get("rules") or []:
        for path in (rule.get("http") or {}).get("paths") or []:
            name = (path["backend"].get("service") or {}).get("name")
            if not name:
                continue
            try:
                conditions(reader, name)
            except ModelError as error:
                raise ModelError(
                    f"ignoring Ingress {name_of(obj)} since invalid {ALB}/conditions.{name} annotation: {error}"
                ) from error
