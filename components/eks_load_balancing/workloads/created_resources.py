"""What the controller creates for a Service or Ingress: the DNS name from its status, target groups by their tags."""

from collections.abc import Sequence
from typing import Any, Final

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output
from pulumi_kubernetes.core.v1.outputs import ServiceStatus
from pulumi_kubernetes.networking.v1.outputs import IngressStatus

from eks_load_balancing.controller.statements import TAG

SERVICE_STACK: Final = "service.k8s.aws/stack"
INGRESS_RESOURCE: Final = "ingress.k8s.aws/resource"
"""A backend, as `namespace/ingress-service:port`; the stack is the group's, where Ingresses share an ALB."""


def host_name(status: ServiceStatus | IngressStatus | None) -> str:
    """Return the host name that the controller wrote into the status, or nothing if there is none yet."""
    ingress = status.load_balancer.ingress if status and status.load_balancer else None
    return str(ingress[0].hostname) if ingress else ""


def tag_filters(cluster_name: str, tag: str, *owners: str) -> list[tuple[str, list[str]]]:
    """Return the tags that say whose a target group is, as key and values, one of which it has.

    https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#resource-tags
    """
    return [(TAG, [cluster_name]), (tag, list(owners))]


def target_group_arns(
    cluster_name: Input[str],
    tag: str,
    owners: Sequence[Output[str]],
    after: pulumi.Resource,
    parent: pulumi.Resource,
) -> Output[Sequence[str]]:
    """Look up the target groups of one Service or Ingress, in a stable order.

    They are read through the tagging API, which answers with an empty list where there are none: a load balancer that
    somebody removed does not stop a preview. That API follows a new resource after some seconds, so the first `up` in a
    busy account may know fewer than the next.

    Args:
        cluster_name: the cluster whose controller made them.
        tag: `SERVICE_STACK` or `INGRESS_RESOURCE`.
        owners: the tag's values: `namespace/name` of the Service, or the Ingress's backends.
        after: the Service or Ingress itself; Pulumi waits for its load balancer.
        parent: the component that asks.
    """

    def filters(known: Sequence[Any]) -> list[aws.resourcegroupstaggingapi.GetResourcesTagFilterArgsDict]:
        cluster, *values = known
        return [{"key": key, "values": value} for key, value in tag_filters(cluster, tag, *values)]

    found = aws.resourcegroupstaggingapi.get_resources_output(
        resource_type_filters=["elasticloadbalancing:targetgroup"],
        tag_filters=pulumi.Output.all(cluster_name, *owners).apply(filters),
        opts=pulumi.InvokeOutputOptions(parent=parent, depends_on=[after]),
    )
    return found.resource_tag_mapping_lists.apply(lambda mappings: sorted(m.resource_arn for m in mappings))
