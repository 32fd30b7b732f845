"""The role of a controller: made here with its policies, or one that the program brings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict, cast

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from eks_load_balancing.controller.controller_args import LoadBalancerControllerArgs
from eks_load_balancing.controller.grants import OptIns, extra_policies, global_accelerators, opt_ins
from eks_load_balancing.controller.policy import bound_policy, controller_policy
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.identity.service_account_role import (
    IRSA,
    ServiceAccountRole,
    ServiceAccountRoleArgs,
    role_annotations,
)
from eks_load_balancing.outputs import given
from eks_load_balancing.versions import ControllerVersion

_OF_OUR_ROLE: Final = (
    *("role_name", "policy_arns", "policy_statements", "permissions_boundary_arn", "assumable_role_arns"),
    *("shared_target_group_arns", "bound_target_group_arns", "global_accelerator"),
)
"""Arguments that say what our role is called and may do: with a role of the program's own they would say nothing."""


@dataclass(frozen=True)
class ControllerRole:
    """What the rest of the component needs to know of the role."""

    arn: Output[str]
    name: Output[str]
    policy_arn: Output[str]
    """The main policy; empty for a role that is not ours."""
    annotations: Input[Mapping[str, str]]
    resources: list[pulumi.Resource]
    """What the controller's pods must find when they come, and keep until they are gone."""


def check_own_role(args: LoadBalancerControllerArgs) -> None:
    """Refuse a role of the program's own together with what would be ours.

    Raises:
        InvalidInputError: the first argument that would be without effect.
    """
    for key in _OF_OUR_ROLE:
        if args.get("role_arn") is not None and args.get(key):
            raise InvalidInputError(
                f"{key} is for the role that is made here, and role_arn names one of yours: give one of them", key=key
            )


def own_role(
    name: str, args: LoadBalancerControllerArgs, namespace: Input[str], account: str, parent: pulumi.Resource
) -> ControllerRole:
    """Declare what hands out a role that the program brings."""
    arn, identity = Output.from_input(args.get("role_arn", "")), args.get("identity", IRSA)
    resources: list[pulumi.Resource] = []
    if identity != IRSA:
        resources.append(
            aws.eks.PodIdentityAssociation(
                f"{name}-association",
                cluster_name=args["cluster_name"],
                namespace=namespace,
                service_account=account,
                role_arn=arn,
                tags=args.get("tags"),
                opts=pulumi.ResourceOptions(parent=parent),
            )
        )
    return ControllerRole(
        arn,
        arn.apply(lambda known: known.rpartition("/")[2]),
        Output.from_input(""),
        arn.apply(lambda known: role_annotations(known, identity)),
        resources,
    )


def made_role(
    name: str,
    args: LoadBalancerControllerArgs,
    *,
    version: ControllerVersion,
    partition: Input[str],
    namespace: Input[str],
    account: str,
    gates: Mapping[str, bool],
    parent: pulumi.Resource,
) -> ControllerRole:
    """Declare the role with its policies."""
    child = pulumi.ResourceOptions(parent=parent)
    bound, disabled = args.get("bound_target_group_arns", ()), list(args.get("disabled_features", ()))
    for_bindings = given(bound)

    def document(known: Sequence[Any]) -> str:
        where, cluster_name, region, vpc_id, groups = known
        if for_bindings:
            return bound_policy(version.like, where, region, vpc_id, groups)
        return controller_policy(version.like, where, cluster_name, region, vpc_id, disabled_features=disabled)

    policy = aws.iam.Policy(
        f"{name}-policy",
        description="What the AWS Load Balancer Controller does for one cluster",
        policy=Output.all(partition, args["cluster_name"], args["region"], args["vpc_id"], bound).apply(document),
        tags=args.get("tags"),
        opts=child,
    )
    role = ServiceAccountRole(
        f"{name}-identity",
        {**_shared(args), "namespace": namespace, "service_account": account, "policy_arn": policy.arn},
        child,
    )
    granted: _GrantedArgs = {"role_name": role.role_name, "tags": args.get("tags"), "parent": parent}
    asked_for = OptIns(gates, args.get("assumable_role_arns", ()), args.get("shared_target_group_arns", ()))
    resources: list[pulumi.Resource] = [role, *opt_ins(name, args["cluster_name"], asked_for, partition, **granted)]
    if args.get("global_accelerator", False):
        resources += global_accelerators(name, args["cluster_name"], partition, **granted)
    resources += extra_policies(name, args.get("policy_arns", ()), args.get("policy_statements", ()), **granted)
    return ControllerRole(role.arn, role.role_name, policy.arn, role.service_account_annotations, resources)


class _GrantedArgs(TypedDict):
    """Whom more policies are for."""

    role_name: Output[str]
    tags: Input[Mapping[str, Input[str]]] | None
    parent: pulumi.Resource


def _shared(args: LoadBalancerControllerArgs) -> ServiceAccountRoleArgs:
    """Return the arguments that the role has under the same name; the caller knows the others better."""
    own = ServiceAccountRoleArgs.__optional_keys__
    return cast(ServiceAccountRoleArgs, {key: value for key, value in args.items() if key in own})
