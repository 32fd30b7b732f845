"""The IAM policy of the controller's Global Accelerator part, beside `controller.policy`: few clusters need it.

Narrowed to one cluster in the same way. The facts are those of the policy that upstream publishes beside the others:
https://github.com/kubernetes-sigs/aws-load-balancer-controller/tree/main/docs/install
"""

from collections.abc import Iterator
from typing import Final

from eks_load_balancing.controller.policy import document
from eks_load_balancing.controller.statements import REQUEST_TAG, RESOURCE_TAG, Statement
from eks_load_balancing.errors import InvalidInputError

_KIND: Final = "aga.k8s.aws/resource"
_ACCELERATOR: Final = "GlobalAccelerator"
_OF_RESOURCE: Final = f"aws:ResourceTag/{_KIND}"
_OF_REQUEST: Final = f"aws:RequestTag/{_KIND}"


def global_accelerator_policy(partition: str, cluster_name: str) -> str:
    """Return the policy document, as JSON without white space.

    Args:
        partition: `aws`: no other has Global Accelerator.
        cluster_name: the cluster whose accelerators the controller keeps.

    Raises:
        InvalidInputError: for another partition.
    """
    if partition != "aws":
        raise InvalidInputError(f"partition {partition} has no Global Accelerator: leave global_accelerator out")
    return document(list(global_accelerator_statements(cluster_name)))


def global_accelerator_statements(cluster: str) -> Iterator[Statement]:
    """Return every statement, narrowed to one cluster."""
    accelerators = ("arn:aws:globalaccelerator::*:accelerator/*",)
    parts = ("/listener/*", "/listener/*/endpoint-group/*")
    everything = accelerators + tuple(accelerators[0] + part for part in parts)
    own = {"StringEquals": {RESOURCE_TAG: cluster, _OF_RESOURCE: _ACCELERATOR}}
    yield Statement(
        "let Global Accelerator have its own role in a new account",
        ("iam:CreateServiceLinkedRole",),
        condition={"StringEquals": {"iam:AWSServiceName": "globalaccelerator.amazonaws.com"}},
    )
    yield Statement(
        "find accelerators",
        (*_aga("ListAccelerators", "ListEndpointGroups", "ListListeners", "ListTagsForResource"), "ec2:DescribeRegions",
         "tag:GetResources"),
    )  # fmt: skip
    yield Statement(
        "see, change and remove this cluster's accelerators",
        _aga(
            "DescribeAccelerator", "DescribeEndpointGroup", "DescribeListener", "UpdateAccelerator",
            "DeleteAccelerator", "CreateListener", "UpdateListener", "DeleteListener", "CreateEndpointGroup",
            "UpdateEndpointGroup", "DeleteEndpointGroup", "AddEndpoints", "RemoveEndpoints",
        ),
        everything,
        own,
    )  # fmt: skip
    yield Statement(
        "make accelerators tagged for this cluster",
        _aga("CreateAccelerator"),
        condition={"StringEquals": {REQUEST_TAG: cluster, _OF_REQUEST: _ACCELERATOR}},
    )
    yield Statement(
        "change their other tags later",
        _aga("TagResource", "UntagResource"),
        accelerators,
        {**own, "Null": {REQUEST_TAG: "true"}},
    )
    # Without the last condition any accelerator could be tagged over, and so be had.
    yield Statement(
        "tag an accelerator while it is made",
        _aga("TagResource"),
        accelerators,
        {
            "StringEquals": {REQUEST_TAG: cluster, _OF_REQUEST: _ACCELERATOR},
            "StringEqualsIfExists": {RESOURCE_TAG: cluster},
        },
    )


def _aga(*actions: str) -> tuple[str, ...]:
    return tuple(f"globalaccelerator:{action}" for action in actions)
