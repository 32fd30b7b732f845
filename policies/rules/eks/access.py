"""Who administers the cluster: access entries, the aws-auth ConfigMap and role bindings."""

from fnmatch import fnmatchcase
from typing import Final

from kinds.aws import ACCESS_POLICY
from kinds.kubernetes import KubernetesView, objects
from pack.controls import cis, guide
from pack.registry import CRITICAL, Finding, Messages, View, rule, texts
from pack.values import dig, items, known, unknown

_RBAC: Final = "rbac.authorization.k8s.io"
_BINDING: Final = objects("role binding", [(_RBAC, "ClusterRoleBinding"), (_RBAC, "RoleBinding")])
_RBAC_SOURCE: Final = "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"
_LEAST: Final = guide(
    "security/iam", "Employ least privileged access when creating RoleBindings and ClusterRoleBindings"
)


@rule(
    on=ACCESS_POLICY,
    instead="Associate a narrower access policy, or limit its scope to namespaces",
    source="https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html",
    controls=[cis("4.1.1"), guide("security/iam", "Employ least privileged access to the EKS Cluster")],
    admin_principals=texts([], "patterns of the ARNs of roles and users that may administer the cluster"),
    admin_policies=texts(["AmazonEKSClusterAdminPolicy"], "the access policies that make an administrator"),
)
def cluster_admins_are_named_by_the_profile(
    access: View, *, admin_principals: list[str], admin_policies: list[str]
) -> Messages:
    """Only principals that the profile names administer the whole cluster by an access policy.

    An administrator reads every Secret and takes every service account's role. Somebody must be one, but no single
    program should decide who.
    """
    if str(access.policy or "").rpartition("/")[2] not in admin_policies or access.scope == "namespace":
        return
    principal = access.principal
    if not unknown(principal) and not any(fnmatchcase(str(principal), pattern) for pattern in admin_principals):
        yield Finding(f"{principal} administers the whole cluster", f'add "{principal}" to adminPrincipals')


@rule(
    on=objects("ConfigMap aws-auth", [("core", "ConfigMap")]),
    instead="Give access entries, and in aws-auth groups with roles of their own",
    source="https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html",
    controls=[cis("4.1.1"), cis("4.1.7"), guide("security/iam", "The aws-auth ConfigMap (deprecated)")],
    admin_groups=texts(["system:masters"], "the groups that administer the cluster"),
)
def aws_auth_makes_no_administrator(config: KubernetesView, *, admin_groups: list[str]) -> Messages:
    """The ConfigMap aws-auth puts nobody into the group of administrators.

    No RBAC rule limits system:masters, and whoever can write this ConfigMap can join it.
    """
    if config.object_name != "aws-auth" or config.namespace != "kube-system":
        return
    data = dig(config.props, ["data"])
    for key, text in data.items() if isinstance(data, dict) else ():
        if not unknown(text):
            for group in (group for group in admin_groups if group in str(text)):
                yield f"{key} of aws-auth names the group {group}"


@rule(
    on=_BINDING,
    instead="Bind the role to the service accounts, users or groups that need it",
    source=_RBAC_SOURCE,
    severity=CRITICAL,
    controls=[_LEAST, cis("4.1.1")],
    everybody=texts(
        [
            "system:authenticated",
            "system:unauthenticated",
            "system:anonymous",
            "system:serviceaccounts",
            "system:masters",
        ],
        "groups and users that stand for everybody, for the unknown, or are past all rules",
    ),
    public_roles=texts(
        [
            "system:basic-user",
            "system:discovery",
            "system:public-info-viewer",
            "system:service-account-issuer-discovery",
        ],
        "the roles that Kubernetes itself binds to them",
    ),
)
def role_bindings_serve_named_subjects(
    binding: KubernetesView, *, everybody: list[str], public_roles: list[str]
) -> Messages:
    """No role is bound to everybody, to nobody in particular, or to system:masters.

    On EKS every IAM principal with an access entry is authenticated, and so is every pod. The unauthenticated are
    everybody who can reach the endpoint.
    """
    role = dig(binding.props, ["roleRef", "name"])
    if not unknown(role) and role in public_roles:
        return
    for name in (dig(subject, ["name"]) for subject in known(items(dig(binding.props, ["subjects"])))):
        if not unknown(name) and name in everybody:
            yield Finding(f"{binding.title} binds {role} to {name}", f'add "{role}" to publicRoles')


@rule(
    on=_BINDING,
    instead="Bind a role with the rights that are needed",
    source=_RBAC_SOURCE,
    controls=[cis("4.1.1"), _LEAST],
    admin_roles=texts(["cluster-admin"], "the roles that administer the cluster"),
    admin_subjects=texts([], "subjects that may: User/NAME, Group/NAME or ServiceAccount/NAMESPACE/NAME"),
)
def cluster_admin_is_bound_to_named_subjects(
    binding: KubernetesView, *, admin_roles: list[str], admin_subjects: list[str]
) -> Messages:
    """The role cluster-admin is bound only to subjects that the profile names.

    Whoever takes over one pod with that service account takes over the cluster.
    """
    role = dig(binding.props, ["roleRef", "name"])
    if unknown(role) or role not in admin_roles:
        return
    for subject in known(items(dig(binding.props, ["subjects"]))):
        parts = [dig(subject, [part]) for part in ("kind", "namespace", "name")]
        if any(unknown(part) for part in parts):
            continue
        called = "/".join(str(part) for part in parts if part)
        if called not in admin_subjects:
            yield Finding(f"{binding.title} binds {role} to {called}", f'add "{called}" to adminSubjects')
