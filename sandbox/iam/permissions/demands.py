"""The permissions that a call needs: actions, resources, and the keys that conditions may use. Pure.

The rules are in `sandbox.iam.permissions.rules`. This module covers what AWS does for many actions: tags at creation,
roles passed to a service, service-linked roles, and what a service does elsewhere on the caller's behalf.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.iam.language.conditions import CannotJudgeError, Context
from sandbox.iam.permissions import reference
from sandbox.iam.permissions.keys import Keys, request_keys
from sandbox.iam.permissions.paths import at, tags_given
from sandbox.iam.permissions.reference import Place
from sandbox.iam.permissions.resources import Target, Use, linked_role, targets
from sandbox.iam.permissions.rules import CLASSIC, RULES
from sandbox.iam.wire.credentials import Key

# The action that tags a resource in the call that creates it; `*` is the text after `Create`. For other services it is
# TagResource.
_TAGGING = {
    "acm": "AddTagsToCertificate",
    "ec2": "CreateTags",
    "elasticloadbalancing": "AddTags",
    "iam": "Tag*",
    "sts": "TagSession",
}
# The reference lists no resource for these, but AWS checks more than the action's name, or moto passes something that
# is not a key. https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html
UNJUDGED = {"sts:GetSessionToken", "tag:TagResources", "tag:UntagResources"}
# Roles that a call passes to a service: the parameter, and the service.
# https://docs.aws.amazon.com/eks/latest/userguide/security-iam-id-based-policies.html
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html
_EKS, _PODS = "eks.amazonaws.com", "pods.eks.amazonaws.com"
_OF_ADDON = (("serviceAccountRoleArn", _EKS), ("podIdentityAssociations.roleArn", _PODS))
_PASSED = {
    ("eks", "CreateCluster"): (("roleArn", _EKS), ("computeConfig.nodeRoleArn", _EKS)),
    ("eks", "UpdateClusterConfig"): (("computeConfig.nodeRoleArn", _EKS),),
    ("eks", "CreateNodegroup"): (("nodeRole", _EKS),),
    ("eks", "CreateAddon"): _OF_ADDON,
    ("eks", "UpdateAddon"): _OF_ADDON,
    ("eks", "CreatePodIdentityAssociation"): (("roleArn", _PODS),),
    ("eks", "UpdatePodIdentityAssociation"): (("roleArn", _PODS),),
    ("iam", "AddRoleToInstanceProfile"): (("RoleName", "ec2.amazonaws.com"),),
}
# Service-linked roles that a service creates at the first such call, on the caller's behalf.
_LINKED = {
    ("elasticloadbalancing", "CreateLoadBalancer"): "elasticloadbalancing.amazonaws.com",
    ("eks", "CreateCluster"): "eks.amazonaws.com",
    ("eks", "CreateNodegroup"): "eks-nodegroup.amazonaws.com",
    ("globalaccelerator", "CreateAccelerator"): "globalaccelerator.amazonaws.com",
}


@dataclass(frozen=True)
class Operation:
    """A call, parsed with its service's model."""

    service: str
    """The prefix of its actions, `elasticloadbalancing`."""
    name: str
    parameters: Mapping[str, Any]
    classic: bool = False
    """Whether it uses Elastic Load Balancing's first API."""

    @property
    def action(self) -> str:
        """`service:Name`."""
        return f"{self.service}:{self.name}"


@dataclass(frozen=True)
class Facts:
    """Facts about a resource: its full ARN, its tags, and service-specific condition keys."""

    arn: str
    tags: Mapping[str, str] | None = field(default_factory=dict[str, str])
    """None if the sandbox does not store them."""
    keys: Mapping[str, Sequence[str] | None] = field(default_factory=dict[str, Sequence[str] | None])


Look = Callable[[str], Facts | None]
"""The facts about the resource with this ARN (perhaps with an alias, or `*` for its random part); None if not found."""


@dataclass(frozen=True)
class Demand:
    """One thing that must be allowed."""

    action: str
    resource: str
    context: Context


@dataclass(frozen=True)
class Scene:
    """Where a call goes, and the resources there."""

    place: Place
    look: Look


def demands(operation: Operation, place: Place, look: Look) -> list[Demand]:
    """Everything that must be allowed for the call, the action itself first.

    Raises:
        CannotJudgeError: there is no rule for the action, or not for this use of it.
    """
    if reference.action_types(operation.service, operation.name) is None or operation.action in UNJUDGED:
        raise CannotJudgeError(f"the sandbox has no rule for {operation.action}")
    scene = Scene(place, look)
    use = Use(operation.service, operation.parameters, place)
    table = CLASSIC if operation.classic else RULES[operation.service]
    about = list(targets(use, operation.action, table.get(operation.name, "")))
    tags = _tags_by_type(operation)
    keys = request_keys(operation.service, operation.name, operation.parameters, place)
    asked = [each for each in about if not each.only_tagged] or [Target("", "*")]
    return [
        *(demand_on(scene, operation.action, each, keys, tags.get(each.kind, tags.get(""))) for each in asked),
        *_tagging(scene, operation, about, tags),
        *_passing(scene, operation),
        *_linking(scene, operation),
        *_implied(scene, operation),
    ]


def demand_on(scene: Scene, action: str, target: Target, keys: Keys, tags: Mapping[str, str] | None = None) -> Demand:
    """The keys that the reference lists for the action on that type, with values from request and state."""
    facts = None if target.made or target.arn == "*" else scene.look(target.arn)
    known: Keys = {**keys, **(facts.keys if facts else {})}
    service, _, name = action.partition(":")
    types = reference.action_types(service, name) or {}
    values: dict[str, Sequence[str]] = {}
    unknown: set[str] = set()
    for key in types.get(target.kind, types.get("", frozenset())):
        if key == "aws:requesttag/":
            values |= {key + name.lower(): (value,) for name, value in (tags or {}).items()}
        elif key.endswith(":resourcetag/"):
            on_it = facts.tags if facts else {}
            unknown |= {key} if on_it is None else set()
            values |= {key + name.lower(): (value,) for name, value in (on_it or {}).items()}
        elif key not in known:
            # Before its creation a resource has only the properties in the request.
            unknown |= set() if target.made and key.endswith("id") else {key}
        elif (given := known[key]) is not None:
            values[key] = given
    return Demand(action, facts.arn if facts else target.arn, Context(values, frozenset(unknown)))


def handed_on(operation: Operation, key: Key) -> Operation:
    """Tags and source identity that a session passes on to the role that it assumes, as if they were in the call.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
    """
    if operation.action != "sts:AssumeRole":
        return operation
    given = dict(operation.parameters)
    own = {name.lower() for name in tags_given(given)}  # STS itself refuses tags that cannot be set
    inherited = [{"Key": k, "Value": v} for k, v in key.tags.items() if k.lower() in key.transitive - own]
    if inherited:
        given["Tags"] = [*(given.get("Tags") or []), *inherited]
    if key.source_identity:
        given.setdefault("SourceIdentity", key.source_identity)
    return replace(operation, parameters=given)


def _tags_by_type(operation: Operation) -> dict[str, dict[str, str]]:
    """The tags in a call, by the type of the resource that gets them; "" for the call's own resource."""
    if operation.service == "ec2" and operation.name not in {"CreateTags", "DeleteTags"}:
        given = list(at(operation.parameters, "TagSpecifications"))
        types = [each.get("ResourceType", "") for each in given]
        if len(set(types)) < len(types):
            raise CannotJudgeError("tags are given twice for one type of resource")
        return {each["ResourceType"]: tags for each in given if "ResourceType" in each and (tags := tags_given(each))}
    tags = tags_given(operation.parameters)
    return {"": tags} if tags else {}


def _tagging(
    scene: Scene, operation: Operation, about: list[Target], tags: Mapping[str, Mapping[str, str]]
) -> Iterator[Demand]:
    """Creating something with tags also needs the permission to tag it.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
    """
    name = _TAGGING.get(operation.service, "TagResource").replace("*", operation.name.removeprefix("Create"))
    unmade = set(tags) - {"", *(target.kind for target in about if target.made)}
    if unmade:
        raise CannotJudgeError(f"the sandbox has no rule for {operation.action} with tags of a {min(unmade)}")
    for target in about:
        given = tags.get(target.kind, tags.get("", {}))
        if given and (target.made or operation.service == "sts"):
            keys: Keys = {
                **request_keys(operation.service, name, operation.parameters, scene.place),
                "aws:tagkeys": list(given),
                f"{operation.service}:createaction": (operation.name,),
            }
            yield demand_on(scene, f"{operation.service}:{name}", replace(target, made=True), keys, given)
    if operation.action == "sts:AssumeRole" and operation.parameters.get("SourceIdentity"):
        keys = request_keys(operation.service, "SetSourceIdentity", operation.parameters, scene.place)
        yield from (demand_on(scene, "sts:SetSourceIdentity", target, keys) for target in about)


def _passing(scene: Scene, operation: Operation) -> Iterator[Demand]:
    """Passing a role to a service needs `iam:PassRole` on it."""
    for path, service in _PASSED.get((operation.service, operation.name), ()):
        for role in at(operation.parameters, path):
            arn = role if role.startswith("arn:") else reference.arn("iam", "role", scene.place, [role])
            keys: Keys = {"iam:passedtoservice": (service,)}
            yield demand_on(scene, "iam:PassRole", Target("role", arn), keys)


def _linking(scene: Scene, operation: Operation) -> Iterator[Demand]:
    """The first use of some services creates their service-linked role."""
    service = _LINKED.get((operation.service, operation.name))
    if service is None or operation.classic:
        return
    arn = linked_role(service, scene.place)
    if scene.look(arn) is None:
        keys: Keys = {"iam:awsservicename": (service,)}
        yield _forwarded(demand_on(scene, "iam:CreateServiceLinkedRole", Target("role", arn, made=True), keys))


def _implied(scene: Scene, operation: Operation) -> Iterator[Demand]:
    """What a service does elsewhere with the caller's permissions.

    https://docs.aws.amazon.com/waf/latest/developerguide/security_iam_service-with-iam.html,
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html and
    https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html
    """
    if operation.action in {"eks:CreateCluster", "eks:AssociateEncryptionConfig"}:
        via: Keys = {"kms:viaservice": (f"eks.{scene.place.region}.amazonaws.com",)}
        for key in at(operation.parameters, "encryptionConfig.provider.keyArn"):
            for name in ("DescribeKey", "CreateGrant"):
                yield _forwarded(demand_on(scene, f"kms:{name}", Target("key", key), via))
    if operation.service == "wafv2" and operation.name in {"AssociateWebACL", "DisassociateWebACL"}:
        yield _forwarded(Demand("elasticloadbalancing:SetWebAcl", "*", Context({})))
    actions = "DefaultActions" if operation.name.endswith("Listener") else "Actions"
    for pool in at(operation.parameters, f"{actions}.AuthenticateCognitoConfig.UserPoolArn"):
        yield _forwarded(Demand("cognito-idp:DescribeUserPoolClient", pool, Context({})))


def _forwarded(demand: Demand) -> Demand:
    """A call by a service on the caller's behalf: the sandbox does not know AWS's keys for the call's origin."""
    way = {"aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:sourceip", "aws:viaawsservice"}
    return replace(demand, context=replace(demand.context, unknown=demand.context.unknown | way))
