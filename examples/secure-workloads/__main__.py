"""An ALB that asks clients for certificates and users to log in."""

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from eks_load_balancing import ApplicationLoadBalancedIngress, ClusterReference, ValidatedCertificate

DOMAIN, ISSUER = "members.example", "https://login.example"
NAMESPACE, CLIENT = "default", "members-login"

config = pulumi.Config()
cluster = ClusterReference.lookup(config.require("cluster"), irsa=False)
on_cluster = pulumi.ResourceOptions(provider=cluster.provider)

zone = aws.route53.Zone("zone", name=DOMAIN)
certificate = ValidatedCertificate("members", {"host": DOMAIN, "zone_id": zone.zone_id})
# Take your provider's, by `config.require_secret`. In the sandbox nobody logs in, so any will do.
secret = pulumi.Output.secret("nobody-knows")
named = kubernetes.meta.v1.ObjectMetaArgs(name=CLIENT, namespace=NAMESPACE)
kubernetes.core.v1.Secret(
    "client", metadata=named, string_data={"clientID": "members", "clientSecret": secret}, opts=on_cluster
)
kubernetes.rbac.v1.Role(
    "reader",
    metadata=named,
    rules=[
        {"api_groups": [""], "resources": ["secrets"], "resource_names": [CLIENT], "verbs": ["get", "list", "watch"]}
    ],
    opts=on_cluster,
)
may_read = kubernetes.rbac.v1.RoleBinding(
    "reader",
    metadata=named,
    role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": CLIENT},
    subjects=[{"kind": "ServiceAccount", "name": "aws-load-balancer-controller", "namespace": "kube-system"}],
    opts=on_cluster,
)
members = ApplicationLoadBalancedIngress(
    "members",
    {
        "cluster_name": cluster.cluster_name,
        "namespace": NAMESPACE,
        "certificate_arn": certificate.arn,
        "mutual_tls": {"mode": "passthrough"},
        "oidc_login": {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "user_info_endpoint": f"{ISSUER}/userinfo",
            "secret_name": CLIENT,
        },
    },
    pulumi.ResourceOptions(provider=cluster.provider, depends_on=[may_read]),
)

pulumi.export("certificateArn", certificate.arn)
pulumi.export("members", members.host_name)
