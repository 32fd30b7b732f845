"""Who may use a cluster: access entries and access policies. The cluster's agent turns them into RBAC."""

import re

from moto.iam.models import iam_backends
from moto.moto_api._internal import mock_random

from sandbox.aws.eks.errors import InvalidParameterError, InvalidRequestError, ResourceNotFoundError
from sandbox.aws.eks.store import Cluster, Document, Eks, Request, page, timestamp

# https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
POLICIES = (
    "AmazonEKSAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSViewPolicy",
)
# The types of nodes' entries; none of them may have groups, a user name or policies.
_NODES = {"EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX", "EC2", "HYPERPOD_LINUX"}
_PRINCIPAL = re.compile(r"arn:aws[\w-]*:iam::\d{12}:(root|user/.+|role/.+)")


def policy_arn(eks: Eks, name: str) -> str:
    """The ARN of one of EKS's access policies."""
    return f"arn:{eks.partition}:eks::aws:cluster-access-policy/{name}"


def admit_creator(eks: Eks, cluster: Cluster) -> None:
    """Bootstrap: the cluster's creator becomes its administrator."""
    add_entry(eks, cluster, cluster.creator, {})
    add_policy(cluster, cluster.creator, policy_arn(eks, "AmazonEKSClusterAdminPolicy"), {"type": "cluster"})


def admit_nodes(eks: Eks, cluster: Cluster, role: str) -> None:
    """EKS creates the entry of a managed node group's role."""
    if role not in cluster.entries and cluster.document["accessConfig"]["authenticationMode"] != "CONFIG_MAP":
        add_entry(eks, cluster, role, {"type": "EC2_LINUX", "managed": True})


def user_name(principal: str, kind: str) -> str:
    """The default Kubernetes user of a principal; a role's sessions keep their names."""
    if kind in _NODES:
        return "system:node:{{EC2PrivateDNSName}}"
    if ":role/" in principal:
        session = principal.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
        path, _, name = session.rpartition("/")
        return f"{path.partition('/')[0]}/{name}/{{{{SessionName}}}}"
    return principal


def add_entry(eks: Eks, cluster: Cluster, principal: str, wanted: Document) -> Document:
    """Create an entry; `wanted` may contain type, groups, user name, tags."""
    kind = wanted.get("type") or "STANDARD"
    entry: Document = {
        "clusterName": cluster.name,
        "principalArn": principal,
        "accessEntryArn": entry_arn(eks, cluster, principal),
        "kubernetesGroups": wanted.get("kubernetesGroups") or (["system:nodes"] if kind in _NODES else []),
        "username": wanted.get("username") or user_name(principal, kind),
        "type": kind,
        "createdAt": timestamp(),
        "modifiedAt": timestamp(),
        "tags": wanted.get("tags") or {},
        "managed": wanted.get("managed", False),
        "token": wanted.get("clientRequestToken"),
    }
    cluster.entries[principal] = entry
    return entry


def entry_arn(eks: Eks, cluster: Cluster, principal: str) -> str:
    """An entry's ARN contains the principal's kind, account and name."""
    path = principal.split(":", 5)[5]
    kind, _, name = path.partition("/")
    account = principal.split(":")[4]
    return eks.arn("access-entry", cluster.name, kind, account, name or "root", str(mock_random.uuid4()))


def guarded(eks: Eks, request: Request) -> Cluster:
    """The cluster, if its authentication mode supports access entries."""
    cluster = eks.cluster(request["clusterName"])
    if cluster.document["accessConfig"]["authenticationMode"] == "CONFIG_MAP":
        raise InvalidRequestError(
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this"
            " operation."
        )
    return cluster


def find(eks: Eks, request: Request) -> tuple[Cluster, Document]:
    """The entry that a request names."""
    cluster = guarded(eks, request)
    entry = cluster.entries.get(request["principalArn"])
    if entry is None:
        raise ResourceNotFoundError(
            f"The specified principalArn could not be found. You can view your available access entries with"
            f" 'list-access-entries': {request['principalArn']}"
        )
    return cluster, entry


def create_access_entry(eks: Eks, request: Request) -> Document:
    """CreateAccessEntry."""
    cluster, principal = guarded(eks, request), request["principalArn"]
    if existing := cluster.entries.get(principal):
        taken = "The specified access entry resource is already in use on this cluster."
        request.must_repeat(existing["token"], taken)
        return {"accessEntry": existing}
    if not _PRINCIPAL.fullmatch(principal):
        raise InvalidParameterError(f"The principalArn parameter format is not valid: {principal}")
    if not exists(eks, principal):
        raise InvalidParameterError(f"The specified principalArn is invalid: invalid principal: {principal}")
    check_names(request.get("type") or "STANDARD", request)
    return {"accessEntry": add_entry(eks, cluster, principal, request.parameters)}


def exists(eks: Eks, principal: str) -> bool:
    """Whether IAM knows the principal; principals of other accounts cannot be checked."""
    if principal.split(":")[4] != eks.account or principal.endswith(":root"):
        return True
    iam = iam_backends[eks.account][eks.partition]
    return any(p.arn == principal for p in (*iam.roles.values(), *iam.users.values()))


def check_names(kind: str, request: Request) -> None:
    """Refuse groups and user names that Kubernetes reserves."""
    groups, name = request.get("kubernetesGroups") or [], request.get("username") or ""
    if kind in _NODES and (groups or name):
        raise InvalidParameterError(f"an access entry of type {kind} takes neither kubernetesGroups nor a username")
    reserved = ("system:", "eks:", "aws:", "amazon:", "iam:")
    for value in (*groups, name):
        if value.startswith(reserved):
            raise InvalidParameterError(
                f"The kubernetes group name or username {value} is invalid, it cannot start with {reserved}"
            )


def describe_access_entry(eks: Eks, request: Request) -> Document:
    """DescribeAccessEntry."""
    return {"accessEntry": find(eks, request)[1]}


def list_access_entries(eks: Eks, request: Request) -> Document:
    """ListAccessEntries, all or only those with an associated policy."""
    cluster = guarded(eks, request)
    wanted = request.get("associatedPolicyArn")
    principals = [p for p in cluster.entries if not wanted or (p, wanted) in cluster.policies]
    return page("accessEntries", sorted(principals), request)


def update_access_entry(eks: Eks, request: Request) -> Document:
    """UpdateAccessEntry: groups and user name."""
    _, entry = find(eks, request)
    check_names(entry["type"], request)
    if request.get("kubernetesGroups") is not None:
        entry["kubernetesGroups"] = request["kubernetesGroups"]
    if request.get("username"):
        entry["username"] = request["username"]
    entry["modifiedAt"] = timestamp()
    return {"accessEntry": entry}


def delete_access_entry(eks: Eks, request: Request) -> Document:
    """DeleteAccessEntry, and its policies."""
    cluster, entry = find(eks, request)
    del cluster.entries[entry["principalArn"]]
    for key in [k for k in cluster.policies if k[0] == entry["principalArn"]]:
        del cluster.policies[key]
    return {}


def list_access_policies(eks: Eks, request: Request) -> Document:
    """ListAccessPolicies."""
    return page("accessPolicies", [{"name": n, "arn": policy_arn(eks, n)} for n in POLICIES], request)


def add_policy(cluster: Cluster, principal: str, policy: str, scope: Document) -> Document:
    """Associate a policy, or change the scope of an associated one."""
    before = cluster.policies.get((principal, policy))
    association: Document = {
        "policyArn": policy,
        "accessScope": {"type": scope["type"], "namespaces": scope.get("namespaces") or []},
        "associatedAt": before["associatedAt"] if before else timestamp(),
        "modifiedAt": timestamp(),
    }
    cluster.policies[principal, policy] = association
    return association


def associate_access_policy(eks: Eks, request: Request) -> Document:
    """AssociateAccessPolicy."""
    cluster, entry = find(eks, request)
    policy, scope = request["policyArn"], request["accessScope"]
    if policy not in {policy_arn(eks, n) for n in POLICIES}:
        raise InvalidParameterError(
            f"The policyArn parameter format is not valid: {policy}; there are {list(POLICIES)}"
        )
    if entry["type"] != "STANDARD":
        raise InvalidParameterError(f"an access entry of type {entry['type']} takes no access policies")
    if (scope["type"] == "namespace") != bool(scope.get("namespaces")):
        raise InvalidParameterError("accessScope: type namespace wants namespaces, type cluster none")
    association = add_policy(cluster, entry["principalArn"], policy, scope)
    return {"clusterName": cluster.name, "principalArn": entry["principalArn"], "associatedAccessPolicy": association}


def disassociate_access_policy(eks: Eks, request: Request) -> Document:
    """DisassociateAccessPolicy."""
    cluster, entry = find(eks, request)
    if cluster.policies.pop((entry["principalArn"], request["policyArn"]), None) is None:
        raise ResourceNotFoundError(f"{request['policyArn']} is not associated with {entry['principalArn']}")
    return {}


def list_associated_access_policies(eks: Eks, request: Request) -> Document:
    """ListAssociatedAccessPolicies."""
    cluster, entry = find(eks, request)
    found = [a for (principal, _), a in cluster.policies.items() if principal == entry["principalArn"]]
    answer = page("associatedAccessPolicies", found, request)
    return {"clusterName": cluster.name, "principalArn": entry["principalArn"], **answer}
