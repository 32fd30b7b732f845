"""EKS Pod Identity: which role the pods of a service account get."""

import re

from moto.moto_api._internal import mock_random

from sandbox.aws.eks.clusters import check_role
from sandbox.aws.eks.errors import InvalidParameterError
from sandbox.aws.eks.store import Cluster, Document, Eks, Request, page, timestamp

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_SUMMARY = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId")


def create_pod_identity_association(eks: Eks, request: Request) -> Document:
    """CreatePodIdentityAssociation: one per service account."""
    cluster = eks.cluster(request["clusterName"])
    namespace, account = request["namespace"], request["serviceAccount"]
    for value in (namespace, account):
        if not _NAME.fullmatch(value):
            raise InvalidParameterError(
                f"'{value}' is not a Kubernetes name: use lower case letters, digits, '-' and '.'"
            )
    for existing in cluster.associations.values():
        if (existing["namespace"], existing["serviceAccount"]) == (namespace, account):
            request.must_repeat(existing["token"], f"Association already exists: {existing['associationId']}")
            return {"association": existing}
    check_role(eks, request["roleArn"], "pods.eks.amazonaws.com", "roleArn")
    association_id = "a-" + mock_random.get_random_string(17, lower_case=True)
    association: Document = {
        "clusterName": cluster.name,
        "namespace": namespace,
        "serviceAccount": account,
        "roleArn": request["roleArn"],
        "associationArn": eks.arn("podidentityassociation", cluster.name, association_id),
        "associationId": association_id,
        "tags": request.get("tags", {}),
        "createdAt": timestamp(),
        "modifiedAt": timestamp(),
        "disableSessionTags": bool(request.get("disableSessionTags")),
        "targetRoleArn": request.get("targetRoleArn"),
        "token": request.get("clientRequestToken"),
    }
    cluster.associations[association_id] = association
    return {"association": association}


def find(eks: Eks, request: Request) -> tuple[Cluster, Document]:
    """The association that a request names."""
    return eks.part(request, "associationId", lambda cluster: cluster.associations, "No association found with ID: {}")


def describe_pod_identity_association(eks: Eks, request: Request) -> Document:
    """DescribePodIdentityAssociation."""
    return {"association": find(eks, request)[1]}


def list_pod_identity_associations(eks: Eks, request: Request) -> Document:
    """ListPodIdentityAssociations: all, or those of a namespace or a service account."""
    found = [
        {key: a[key] for key in _SUMMARY}
        for a in eks.cluster(request["clusterName"]).associations.values()
        if all(request.get(key) in {None, a[key]} for key in ("namespace", "serviceAccount"))
    ]
    return page("associations", found, request)


def update_pod_identity_association(eks: Eks, request: Request) -> Document:
    """UpdatePodIdentityAssociation: the role, and whether sessions carry tags."""
    _, association = find(eks, request)
    if request.get("roleArn"):
        check_role(eks, request["roleArn"], "pods.eks.amazonaws.com", "roleArn")
        association["roleArn"] = request["roleArn"]
    if request.get("disableSessionTags") is not None:
        association["disableSessionTags"] = request["disableSessionTags"]
    association["modifiedAt"] = timestamp()
    return {"association": association}


def delete_pod_identity_association(eks: Eks, request: Request) -> Document:
    """DeletePodIdentityAssociation."""
    cluster, association = find(eks, request)
    return {"association": cluster.associations.pop(association["associationId"])}
