"""Policies of the controller's role beside its main one, each a resource of its own with its attachment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from eks_load_balancing.controller.global_accelerator_policy import global_accelerator_policy
from eks_load_balancing.controller.opt_ins import opt_in_statements
from eks_load_balancing.controller.policy import document

Tags = Input[Mapping[str, Input[str]]] | None


@dataclass(frozen=True)
class OptIns:
    """What a stack asks for that is off by default: see `opt_in_statements`."""

    feature_gates: Mapping[str, bool]
    assumable_role_arns: Sequence[Input[str]]
    shared_target_group_arns: Sequence[Input[str]]


def global_accelerators(
    name: str,
    cluster_name: Input[str],
    partition: str,
    *,
    role_name: Input[str],
    tags: Tags,
    parent: pulumi.Resource,
) -> list[pulumi.Resource]:
    """Declare Global Accelerator's policy and its attachment."""
    text = Output.from_input(cluster_name).apply(lambda cluster: global_accelerator_policy(partition, cluster))
    what = "What the AWS Load Balancer Controller does for one cluster's Global Accelerators"
    return _granted(f"{name}-global-accelerator", what, text, role_name=role_name, tags=tags, parent=parent)


def opt_ins(
    name: str,
    cluster_name: Input[str],
    asked_for: OptIns,
    partition: str,
    *,
    role_name: Input[str],
    tags: Tags,
    parent: pulumi.Resource,
) -> list[pulumi.Resource]:
    """Declare the policy of what is asked for and its attachment; nothing if nothing is."""
    assumable, shared = list(asked_for.assumable_role_arns), list(asked_for.shared_target_group_arns)
    if not (assumable or shared or opt_in_statements(partition, "any", feature_gates=asked_for.feature_gates)):
        return []
    text = Output.all(cluster_name, Output.all(*assumable), Output.all(*shared)).apply(
        lambda known: document(
            opt_in_statements(
                partition,
                known[0],
                feature_gates=asked_for.feature_gates,
                assumable_role_arns=known[1],
                shared_target_group_arns=known[2],
            )
        )
    )
    what = "What the AWS Load Balancer Controller does for features of one cluster that are off by default"
    return _granted(f"{name}-opt-in", what, text, role_name=role_name, tags=tags, parent=parent)


def _granted(
    name: str, what: str, text: Output[str], *, role_name: Input[str], tags: Tags, parent: pulumi.Resource
) -> list[pulumi.Resource]:
    child = pulumi.ResourceOptions(parent=parent)
    policy = aws.iam.Policy(f"{name}-policy", description=what, policy=text, tags=tags, opts=child)
    attached = aws.iam.RolePolicyAttachment(name, role=role_name, policy_arn=policy.arn, opts=child)
    return [policy, attached]
