"""Who the controller is in the cluster, and what it may do there."""

from typing import Any, Final

from sandbox.providers.kubernetes.chart.naming import Names

_RBAC: Final = "rbac.authorization.k8s.io/v1"
_LOCK: Final = "aws-load-balancer-controller-leader"
_SEE: Final = ("get", "list", "watch")
_ROUTES: Final = ("grpcroutes", "httproutes", "listenersets", "tcproutes", "tlsroutes", "udproutes")
_GATEWAYS: Final = ("gatewayclasses", "gateways")
_CONFIGURATIONS: Final = ("listenerruleconfigurations", "loadbalancerconfigurations", "targetgroupconfigurations")
_INGRESSES: Final = ("extensions", "networking.k8s.io")


def _rule(
    groups: str | tuple[str, ...], resources: str | tuple[str, ...], *verbs: str, part: str = ""
) -> dict[str, Any]:
    """One rule; `part` is the subresource of each resource."""
    several = (resources,) if isinstance(resources, str) else resources
    return {
        "apiGroups": [groups] if isinstance(groups, str) else list(groups),
        "resources": [f"{name}/{part}" if part else name for name in several],
        "verbs": list(verbs),
    }


# In the chart's order, so that a comparison with it is one of equals.
_EVERYWHERE: Final = (
    _rule("", "configmaps", "create", "delete", "get", "update"),
    _rule("", ("endpoints", "namespaces", "nodes", "pods"), *_SEE),
    _rule("", "events", "create", "patch"),
    _rule("", ("pods", "services"), "patch", "update", part="status"),
    _rule("", "services", "get", "list", "patch", "update", "watch"),
    _rule("aga.k8s.aws", "globalaccelerators", "get", "list", "patch", "watch"),
    {
        "apiGroups": ["aga.k8s.aws"],
        "resources": ["globalaccelerators/finalizers", "globalaccelerators/status"],
        "verbs": ["patch", "update"],
    },
    _rule("discovery.k8s.io", "endpointslices", *_SEE),
    _rule("elbv2.k8s.aws", "albtargetcontrolconfigs", "get"),
    _rule("elbv2.k8s.aws", "ingressclassparams", *_SEE),
    _rule("elbv2.k8s.aws", "targetgroupbindings", "create", "delete", "get", "list", "patch", "update", "watch"),
    _rule("elbv2.k8s.aws", "targetgroupbindings", "patch", "update", part="status"),
    _rule(_INGRESSES, "ingresses", "get", "list", "patch", "update", "watch"),
    _rule(_INGRESSES, "ingresses", "patch", "update", part="status"),
    _rule("gateway.k8s.aws", _CONFIGURATIONS, "get", "list", "patch", "watch"),
    _rule("gateway.k8s.aws", _CONFIGURATIONS, "patch", "update", part="finalizers"),
    _rule("gateway.k8s.aws", _CONFIGURATIONS, "get", "patch", "update", part="status"),
    _rule("gateway.networking.k8s.io", (*_GATEWAYS, "referencegrants"), "get", "list", "patch", "watch"),
    _rule("gateway.networking.k8s.io", _GATEWAYS, "patch", "update", part="finalizers"),
    _rule("gateway.networking.k8s.io", (*_GATEWAYS, *_ROUTES), "get", "patch", "update", part="status"),
    _rule("gateway.networking.k8s.io", _ROUTES, *_SEE),
    _rule("gateway.networking.k8s.io", _ROUTES, "update", part="finalizers"),
    _rule("networking.k8s.io", "ingressclasses", *_SEE),
)
_BEFORE_GATEWAYS: Final = (
    _rule("elbv2.k8s.aws", "targetgroupbindings", "create", "delete", "get", "list", "patch", "update", "watch"),
    _rule("elbv2.k8s.aws", "ingressclassparams", *_SEE),
    _rule("", "events", "create", "patch"),
    _rule("", "pods", *_SEE),
    _rule("networking.k8s.io", "ingressclasses", *_SEE),
    _rule(("", *_INGRESSES), ("services", "ingresses"), "get", "list", "patch", "update", "watch"),
    _rule("", ("nodes", "namespaces", "endpoints"), *_SEE),
    _rule("", "configmaps", "get", "delete", "create", "update"),
    _rule(
        ("elbv2.k8s.aws", "", *_INGRESSES),
        ("targetgroupbindings", "pods", "services", "ingresses"),
        *("update", "patch"),
        part="status",
    ),
    _rule("discovery.k8s.io", "endpointslices", *_SEE),
)
_SECRETS: Final = _rule("", "secrets", *_SEE)
_ELECTION: Final = (
    _rule("", "configmaps", "create"),
    {**_rule("", "configmaps", "get", "patch", "update"), "resourceNames": [_LOCK]},
    _rule("coordination.k8s.io", "leases", "create"),
    {**_rule("coordination.k8s.io", "leases", "get", "update", "patch"), "resourceNames": [_LOCK]},
)


def service_account(names: Names) -> list[dict[str, Any]]:
    """The service account, where the chart is to make it."""
    account = names.values["serviceAccount"]
    if not account["create"]:
        return []
    item = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": names.metadata(names.service_account, annotations=account["annotations"]),
        "automountServiceAccountToken": account["automountServiceAccountToken"],
    }
    return [{**item, "imagePullSecrets": account["imagePullSecrets"]} if account["imagePullSecrets"] else item]


def roles(names: Names) -> list[dict[str, Any]]:
    """What the service account may do: in the whole cluster, and in its namespace to elect a leader."""
    values = names.values
    if not values["rbac"]["create"]:
        return []
    secrets = [_SECRETS] if values["clusterSecretsPermissions"]["allowAllSecrets"] else []
    rules = _EVERYWHERE if names.chart.accelerators_and_gateways else _BEFORE_GATEWAYS
    return [
        *_granted(names, "Role", "leader-election-", list(_ELECTION)),
        *_granted(names, "ClusterRole", "", [*rules, *secrets]),
    ]


def _granted(names: Names, kind: str, what: str, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A role and its binding to the controller's service account."""
    everywhere = kind.startswith("Cluster")
    role = names.metadata(f"{names.full}-{what}role", cluster_wide=everywhere)
    binding = names.metadata(f"{names.full}-{what}rolebinding", cluster_wide=everywhere)
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role["name"]}
    subject = {"kind": "ServiceAccount", "name": names.service_account, "namespace": names.release.namespace}
    return [
        {"apiVersion": _RBAC, "kind": kind, "metadata": role, "rules": rules},
        {
            "apiVersion": _RBAC,
            "kind": f"{kind}Binding",
            "metadata": binding,
            "roleRef": reference,
            "subjects": [subject],
        },
    ]
