"""What is filled in when objects are written: pods' readiness gates, Services' class, bindings' facts of AWS."""

import copy

from sandbox.controller.deploy.aws import Aws
from sandbox.controller.endpoints import gates
from sandbox.controller.gates import LEGACY_PREFIX, ReadinessGates
from sandbox.controller.model.objects import Objects
from sandbox.controller.model.stack import Json
from sandbox.controller.settings import Settings


class RefusedError(ValueError):
    """An object that cannot be filled in."""


class Described:
    """Target groups as AWS describes them."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def get(self, spec: Json) -> Json:
        """The target group that a binding names, by ARN or by name.

        Raises:
            ClientError: AWS knows none.
        """
        arn, name = spec.get("targetGroupARN"), spec.get("targetGroupName")
        which = {"TargetGroupArns": [arn]} if arn else {"Names": [name]}
        found = self._aws.elb.describe_target_groups(**which)["TargetGroups"]
        if len(found) != 1:
            raise RefusedError(f"expecting a single targetGroup with query [{arn or name}] but got {len(found)}")
        return found[0]


def pod(request: Json, objects: Objects, settings: Settings) -> Json:
    """A pod with a readiness gate for every ip target group its Services' bindings put it into."""
    obj = copy.deepcopy(request.get("object") or {})
    if request.get("operation") != "CREATE" or not settings.enable_pod_readiness_gate_inject:
        return obj
    namespace = request.get("namespace") or ""
    labels = (obj.get("metadata") or {}).get("labels") or {}
    wanted: list[str] = []
    for one in objects.list("TargetGroupBinding", namespace):
        if one["spec"].get("targetType") != "ip":
            continue
        found = objects.get("Service", namespace, one["spec"]["serviceRef"]["name"])
        selector = ((found or {}).get("spec") or {}).get("selector")
        if selector and selector.items() <= labels.items():
            wanted.append(ReadinessGates.condition_type(one))
    if wanted:
        spec = obj["spec"]
        kept = [g for g in spec.get("readinessGates") or [] if not g["conditionType"].startswith(LEGACY_PREFIX)]
        have = gates({"spec": {"readinessGates": kept}})
        spec["readinessGates"] = kept + [{"conditionType": kind} for kind in sorted(wanted) if kind not in have]
    return obj


def service(request: Json, settings: Settings) -> Json:
    """A load balancer Service with the controller's class, unless it has one; an old one keeps what it has."""
    obj = copy.deepcopy(request.get("object") or {})
    spec = obj.get("spec") or {}
    if spec.get("type") != "LoadBalancer" or spec.get("loadBalancerClass"):
        return obj
    if request.get("operation") == "CREATE":
        spec["loadBalancerClass"] = settings.load_balancer_class
    elif before := ((request.get("oldObject") or {}).get("spec") or {}).get("loadBalancerClass"):
        spec["loadBalancerClass"] = before
    return obj


def binding(request: Json, described: Described) -> Json:
    """A new binding with what AWS knows of its target group: ARN, target type, address family, VPC, protocol."""
    obj = copy.deepcopy(request.get("object") or {})
    if request.get("operation") != "CREATE":
        return obj
    spec = obj.setdefault("spec", {})
    if not spec.get("targetGroupARN") and not spec.get("targetGroupName"):
        raise RefusedError("must provide either TargetGroupARN or TargetGroupName")
    fields = ("targetGroupARN", "targetType", "ipAddressType", "vpcID", "targetGroupProtocol")
    if all(spec.get(field) for field in fields):
        return obj
    found = described.get(spec)
    known = {
        "targetGroupARN": found["TargetGroupArn"],
        "targetType": found.get("TargetType"),
        "ipAddressType": found.get("IpAddressType") or "ipv4",
        "vpcID": found.get("VpcId"),
        "targetGroupProtocol": found.get("Protocol"),
    }
    if not spec.get("targetType") and known["targetType"] not in ("instance", "ip"):
        raise RefusedError(f"couldn't determine TargetType: unsupported TargetType: {known['targetType']}")
    for field, value in known.items():
        if not spec.get(field) and value:
            spec[field] = value
    return obj
