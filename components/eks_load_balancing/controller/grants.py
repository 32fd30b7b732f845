"""Policies of the controller's role beside its main one, each a resource of its own with its attachment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from eks_load_balancing.controller.global_accelerator_policy import global_accelerator_policy
from eks_load_balancing.controller.opt_ins import extra_policy, opt_in_statements
from eks_load_balancing.controller.policy import document
from eks_load_balancing.outputs import applied, given, suffixed

Tags = Input[Mapping[str, Input[str]]] | None


@dataclass(frozen=True)
class OptIns:
    """What a stack asks for that is off by default: see `opt_in_statements`."""

    feature_gates: Mapping[str, bool]
    assumable_role_arns: Input[Sequence[Input[str]]]
    shared_target_group_arns: Input[Sequence[Input[str]]]


def global_accelerators(
    name: str,
    cluster_name: Input[str],
    partition: Input[str],
    *,
    role_name: Input[str],
    tags: Tags,
    parent: pulumi.Resource,
) -> list[pulumi.Resource]:
    """Declare Global Accelerator's policy and its attachment."""
    text = Output.all(partition, cluster_name).apply(lambda known: global_accelerator_policy(*known))
    what = "What the AWS Load Balancer Controller does for one cluster's Global Accelerators"
    return _granted(f"{name}-global-accelerator", what, text, role_name=role_name, tags=tags, parent=parent)


def opt_ins(
    name: str,
    cluster_name: Input[str],
    asked_for: OptIns,
    partition: Input[str],
    *,
    role_name: Input[str],
    tags: Tags,
    parent: pulumi.Resource,
) -> list[pulumi.Resource]:
    """Declare the policy of what is asked for and its attachment; nothing if nothing is."""
    assumable, shared = asked_for.assumable_role_arns, asked_for.shared_target_group_arns
    gates = asked_for.feature_gates
    if not (given(assumable) or given(shared) or opt_in_statements("any", "any", feature_gates=gates)):
        return []
    text = Output.all(partition, cluster_name, assumable, shared).apply(
        lambda known: document(
            opt_in_statements(
                known[0],
                known[1],
                feature_gates=gates,
                assumable_role_arns=known[2],
                shared_target_group_arns=known[3],
            )
        )
    )
    what = "What the AWS Load Balancer Controller does for features of one cluster that are off by default"
    return _granted(f"{name}-opt-in", what, text, role_name=role_name, tags=tags, parent=parent)


def extra_policies(
    name: str,
    policy_arns: Sequence[Input[str]],
    policy_statements: Input[Sequence[Mapping[str, Any]]],
    *,
    role_name: Input[str],
    tags: Tags,
    parent: pulumi.Resource,
) -> list[pulumi.Resource]:
    """Declare what a program grants beside what the controller needs; nothing if it grants nothing."""
    made: list[pulumi.Resource] = [
        aws.iam.RolePolicyAttachment(
            f"{name}-extra-{suffix}",
            role=role_name,
            policy_arn=arn,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for suffix, arn in suffixed(policy_arns)
    ]
    if given(policy_statements):
        text = Output.from_input(applied(extra_policy, policy_statements))
        what = "What a program grants the AWS Load Balancer Controller beside what it needs"
        made += _granted(f"{name}-extra", what, text, role_name=role_name, tags=tags, parent=parent)
    return made


def _granted(
    name: str, what: str, text: Output[str], *, role_name: Input[str], tags: Tags, parent: pulumi.Resource
) -> list[pulumi.Resource]:
    child = pulumi.ResourceOptions(parent=parent)
    policy = aws.iam.Policy(f"{name}-policy", description=what, policy=text, tags=tags, opts=child)
    attached = aws.iam.RolePolicyAttachment(name, role=role_name, policy_arn=policy.arn, opts=child)
    return [policy, attached]
