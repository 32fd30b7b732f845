"""The requirements of published rule sets in this field: which rule covers each, or why none does.

The rules themselves name the requirements of CIS, Security Hub and the EKS guide that they cover (`pack.controls`).
This module lists the other ones, and everything in checkov and kyverno.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Asked:
    """One requirement of a rule set."""

    by: str
    number: str
    title: str
    rules: tuple[str, ...] = ()
    left_out: str = ""
    """Why no rule covers it."""


_PODS: Final = (
    "it is about every pod; the pack checks the controller's. Pod Security Admission enforces it in the cluster"
)
_RBAC: Final = "it is about all of the cluster's RBAC; the pack checks administrators and the controller's role"

SOURCES: Final = {
    "CIS EKS": "https://www.cisecurity.org/benchmark/kubernetes",
    "Security Hub": "https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-controls-reference.html",
    "EKS best practices": "https://docs.aws.amazon.com/eks/latest/best-practices/introduction.html",
    "checkov": "https://www.checkov.io/5.Policy%20Index/terraform.html",
    "kyverno": "https://kyverno.io/policies/",
}


def _out(by: str, why: str, *titles: tuple[str, str]) -> list[Asked]:
    """List what is left out for one reason, by number and title."""
    return [Asked(by, number, title, (), why) for number, title in titles]


_CIS: Final = [
    Asked(
        "CIS EKS",
        "3.1, 3.2",
        "Worker node configuration files and kubelet",
        (),
        "it is in files of the node's image, which no program declares",
    ),
    *_out(
        "CIS EKS",
        _RBAC,
        ("4.1.3", "Minimize wildcard use in Roles and ClusterRoles"),
        ("4.1.4", "Minimize access to create pods"),
        ("4.1.5", "Ensure that default service accounts are not actively used"),
        ("4.1.6", "Ensure that service account tokens are only mounted where necessary"),
        ("4.1.8", "Limit use of the bind, impersonate and escalate permissions"),
    ),
    *_out(
        "CIS EKS",
        _PODS,
        ("4.2.2", "Minimize the admission of containers wishing to share the host process ID namespace"),
        ("4.2.3", "Minimize the admission of containers wishing to share the host IPC namespace"),
        ("4.4.1", "Prefer using secrets as files over secrets as environment variables"),
        ("4.5.2", "The default namespace should not be used"),
    ),
    *_out(
        "CIS EKS",
        "network policies are the workloads' own; they change nothing about load balancing",
        ("4.3.1", "Ensure CNI plugin supports network policies"),
        ("4.3.2", "Ensure that all namespaces have network policies defined"),
        ("5.4.4", "Ensure network policy is enabled and set as appropriate"),
    ),
    Asked("CIS EKS", "4.4.2", "Consider external secret storage", (), "it is the workloads' own choice"),
    *_out(
        "CIS EKS",
        "it is about the account's registry, which may not be the program's",
        ("5.1.1", "Ensure image vulnerability scanning"),
        ("5.1.2", "Minimize user access to Amazon ECR"),
        ("5.1.3", "Minimize cluster access to read-only for Amazon ECR"),
    ),
    Asked(
        "CIS EKS",
        "5.5.1",
        "Manage Kubernetes RBAC users with IAM",
        ("cluster-authenticates-by-api", "aws-auth-makes-no-administrator"),
    ),
]
_HUB: Final = [
    *_out(
        "Security Hub",
        "tags are an organisation's own choice; they do not change what can be reached",
        ("EKS.6", "Clusters should be tagged"),
        ("EKS.7", "Identity provider configurations should be tagged"),
    ),
    *_out(
        "Security Hub",
        "no-classic-load-balancer refuses every Classic load balancer",
        ("ELB.2", "Classic load balancers with SSL should use a certificate of ACM"),
        ("ELB.3", "Classic load balancer listeners should be configured with HTTPS or TLS termination"),
        ("ELB.7", "Classic load balancers should have connection draining enabled"),
        ("ELB.8", "Classic load balancers with SSL listeners should use a strong predefined policy"),
        ("ELB.9", "Classic load balancers should have cross-zone load balancing enabled"),
        ("ELB.10", "Classic load balancers should span multiple Availability Zones"),
        ("ELB.14", "Classic load balancers should have defensive or strictest desync mitigation mode"),
    ),
    *_out(
        "Security Hub",
        "this traffic stays in the VPC, where most workloads use plain HTTP",
        ("ELB.21", "Target groups should use encrypted health check protocols"),
        ("ELB.22", "Target groups should use encrypted transport protocols"),
    ),
]
_GUIDE: Final = [
    Asked("EKS best practices", chapter, title, (), why)
    for chapter, title, why in (
        ("security/runtime", "Runtime security", _PODS),
        ("security/incidents", "Incident response", "it is what people do, not what a program declares"),
        ("security/compliance", "Compliance", "it is what people do, not what a program declares"),
        (
            "networking/ip-optimization",
            "Optimizing IP address utilization",
            "it is about size, which the pack does not check",
        ),
        ("scalability", "Scalability", "it is about size, which the pack does not check"),
        ("cost", "Cost optimization", "it is about money, which the pack does not check"),
    )
]
_DOORS, _IRSA = "node-doors-are-not-open-to-the-world", "irsa-trust-names-one-service-account"
_CHECKOV: Final = [
    Asked("checkov", number, title, rules)
    for number, title, rules in (
        ("CKV_AWS_37", "EKS control plane logging is enabled for all log types", ("cluster-writes-all-log-types",)),
        (
            "CKV_AWS_38",
            "EKS public endpoint not accessible to 0.0.0.0/0",
            ("cluster-endpoint-is-not-open-to-the-world",),
        ),
        ("CKV_AWS_39", "EKS public endpoint disabled", ("cluster-endpoint-is-not-public",)),
        ("CKV_AWS_58", "EKS cluster has secrets encryption enabled", ("cluster-secrets-are-encrypted-with-kms",)),
        ("CKV_AWS_100", "EKS node group has no implicit SSH access", ("node-group-ssh-names-its-sources",)),
        ("CKV_AWS_339", "EKS clusters run a supported version", ("cluster-version-is-supported",)),
        ("CKV_AWS_2", "ALB protocol is HTTPS", ("listener-redirects-http-to-https", "alb-redirects-http-to-https")),
        (
            "CKV_AWS_91, CKV_AWS_92",
            "ELB has access logging enabled",
            ("load-balancer-writes-access-logs", "no-classic-load-balancer"),
        ),
        ("CKV_AWS_131", "ALB drops HTTP headers", ("alb-drops-invalid-headers",)),
        ("CKV_AWS_150", "Load balancer has deletion protection", ("load-balancer-is-protected-from-deletion",)),
        ("CKV_AWS_328", "ALB has defensive or strictest desync mode", ("alb-does-not-only-monitor-desync",)),
        (
            "CKV_AWS_103, CKV2_AWS_74",
            "Load balancers use TLS 1.2 and strong ciphers",
            ("listener-tls-is-1-2-or-later", "load-balancer-tls-is-1-2-or-later"),
        ),
        (
            "CKV_AWS_127, CKV_AWS_213, CKV_AWS_376",
            "Classic load balancer listeners use TLS, certificates of ACM and secure protocols",
            ("no-classic-load-balancer",),
        ),
        (
            "CKV2_AWS_20",
            "ALB redirects HTTP to HTTPS",
            ("listener-redirects-http-to-https", "alb-redirects-http-to-https"),
        ),
        (
            "CKV2_AWS_28",
            "Public ALBs are protected by WAF",
            ("public-alb-has-a-web-acl", "own-public-alb-has-a-web-acl"),
        ),
        ("CKV_AWS_79", "Instance metadata version 1 is not enabled", ("instance-metadata-needs-a-token",)),
        ("CKV_AWS_341", "Launch template has no hop limit over 1", ("instance-metadata-stays-on-the-node",)),
        ("CKV_AWS_8", "Data in instances is encrypted", ("node-disks-are-encrypted",)),
        ("CKV_AWS_88", "EC2 instance has no public IP", ("nodes-get-no-public-address",)),
        ("CKV_AWS_24, CKV_AWS_25, CKV_AWS_277", "No ingress from 0.0.0.0/0 to 22, 3389 or all ports", (_DOORS,)),
        (
            "CKV_AWS_60, CKV_AWS_61",
            "IAM roles allow only specific principals to assume them",
            ("role-is-not-trusted-to-everybody", "trust-of-another-account-asks-for-an-external-id", _IRSA),
        ),
        ("CKV_AWS_62, CKV_AWS_63, CKV2_AWS_40", "No full privileges or * actions", ("policy-names-its-actions",)),
        (
            "CKV_AWS_274, CKV2_AWS_56",
            "AdministratorAccess and IAMFullAccess are not used",
            ("role-for-pods-cannot-raise-its-rights", "node-role-leaves-load-balancers-alone"),
        ),
        ("CKV_AWS_286", "No privilege escalation", ("role-for-pods-cannot-raise-its-rights",)),
        (
            "CKV_AWS_287, CKV_AWS_288",
            "No credentials exposure or data exfiltration",
            ("policy-names-the-secrets-it-reads",),
        ),
        ("CKV_AWS_289, CKV_AWS_290, CKV_AWS_355", "No writes without constraints", ("policy-names-what-it-writes-to",)),
    )
]
_CHECKOV_OUT: Final = [
    Asked("checkov", number, title, (), why)
    for number, title, why in (
        (
            "CKV_AWS_23",
            "Security groups and rules have descriptions",
            "a description changes nothing about what is reached",
        ),
        ("CKV_AWS_260", "No ingress from 0.0.0.0/0 to port 80", "an ALB listens there to redirect"),
        (
            "CKV_AWS_382",
            "No egress to everywhere",
            "pods need it for images and APIs; VPC endpoints are an account's choice",
        ),
        (
            "CKV_AWS_138, CKV_AWS_152",
            "Cross-zone load balancing is enabled",
            "it costs money and may be unwanted; ALBs always do",
        ),
        ("CKV_AWS_261", "Target group defines a health check", "the controller always defines one"),
        ("CKV_AWS_378", "Target groups do not use HTTP", "as Security Hub ELB.22"),
        ("CKV_AWS_315", "Auto Scaling groups use launch templates", "EKS makes the groups of managed node groups"),
        (
            "CKV2_AWS_76",
            "The web ACL has the managed rules against Log4j",
            "what a web ACL holds is decided apart from load balancing",
        ),
        (
            "CKV_AWS_40, CKV_AWS_273, CKV2_AWS_14, CKV2_AWS_21, CKV2_AWS_22",
            "Users, groups and consoles",
            "it is about people's users and groups in the account",
        ),
    )
]
_HOSTS: Final = "ingress-rules-name-their-hosts"
_KYVERNO: Final = [
    Asked("kyverno", number, title, rules)
    for number, title, rules in (
        ("disallow-empty-ingress-host", "An Ingress has a host", (_HOSTS,)),
        ("restrict-ingress-wildcard", "No wildcard in hosts", (_HOSTS,)),
        ("restrict-ingress-defaultbackend", "No default backend", (_HOSTS,)),
        ("require-ingress-https", "An Ingress serves HTTPS", ("alb-redirects-http-to-https",)),
        ("restrict-ingress-classes", "An Ingress has a known class", ("ingress-names-its-class-in-its-spec",)),
        ("restrict-service-external-ips", "No externalIPs", ("service-has-no-external-ips",)),
        (
            "restrict-loadbalancer",
            "Services of type LoadBalancer are restricted",
            ("no-classic-load-balancer", "load-balancer-is-internal-unless-its-namespace-may-be-public"),
        ),
        (
            "require-encryption-aws-loadbalancers",
            "Services of type LoadBalancer have ssl-cert",
            ("load-balancer-tls-is-1-2-or-later",),
        ),
        ("require-aws-node-irsa", "aws-node uses IRSA", ("node-role-leaves-addresses-alone",)),
        (
            "restrict-binding-clusteradmin",
            "Nobody is bound to cluster-admin",
            ("cluster-admin-is-bound-to-named-subjects",),
        ),
        ("restrict-binding-system-groups", "No binding to system groups", ("role-bindings-serve-named-subjects",)),
    )
]
_KYVERNO_OUT: Final = [
    Asked("kyverno", number, title, (), why)
    for number, title, why in (
        (
            "unique-ingress-host-and-path",
            "Host and path are unique",
            "two Ingresses may share a host by intent; the cluster knows all of them",
        ),
        ("ingress-host-match-tls", "Hosts are among those of spec.tls", "the controller does not need spec.tls"),
        (
            "restrict-nodeport",
            "No Services of type NodePort",
            "a Service that a load balancer does not use opens nothing beyond the nodes' security groups",
        ),
        (
            "restrict-service-port-range",
            "Ports of Services are in a range",
            "the port says nothing about who reaches it",
        ),
        ("restrict-clusterrole-csr and others", "What ClusterRoles may", _RBAC),
        ("nginx-ingress", "Annotations of ingress-nginx", "another controller's"),
    )
]
ASKED: Final = (*_CIS, *_HUB, *_GUIDE, *_CHECKOV, *_CHECKOV_OUT, *_KYVERNO, *_KYVERNO_OUT)
