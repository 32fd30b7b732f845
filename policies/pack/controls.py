"""The published controls that rules cover, by number.

Titles: CIS Amazon EKS Benchmark 1.8 (https://www.cisecurity.org/benchmark/kubernetes), AWS Security Hub
(https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-controls-reference.html), Amazon EKS Best
Practices Guide (https://docs.aws.amazon.com/eks/latest/best-practices/introduction.html).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Control:
    """A control of a published framework that a rule covers."""

    framework: str
    number: str
    title: str
    page: str = ""
    """Its own page, if the framework has one."""

    def __str__(self) -> str:
        return f"{self.framework} {self.number}".strip()


_CIS = {
    "2.1.1": "Enable audit logs",
    "4.1.1": "Ensure that the cluster-admin role is only used where required",
    "4.1.2": "Minimize access to secrets",
    "4.1.7": "Cluster Access Manager API to manage access controls",
    "4.2.1": "Minimize the admission of privileged containers",
    "4.2.4": "Minimize the admission of containers wishing to share the host network namespace",
    "4.2.5": "Minimize the admission of containers with allowPrivilegeEscalation",
    "4.5.1": "Create administrative boundaries between resources using namespaces",
    "5.1.4": "Minimize container registries to only those approved",
    "5.2.1": "Prefer using dedicated EKS service accounts",
    "5.3.1": "Ensure Kubernetes Secrets are encrypted using keys managed in AWS KMS",
    "5.4.1": "Restrict access to the control plane endpoint",
    "5.4.2": "Private endpoint enabled and public access disabled",
    "5.4.3": "Ensure clusters are created with private nodes",
    "5.4.5": "Encrypt traffic to HTTPS load balancers with TLS certificates",
}
_SECURITY_HUB = {
    "AutoScaling.3": "Launch configurations should require IMDSv2",
    "Autoscaling.5": "Instances of launch configurations should not have public IP addresses",
    "EC2.3": "Attached EBS volumes should be encrypted at rest",
    "EC2.8": "Instances should use IMDSv2",
    "EC2.9": "Instances should not have a public IPv4 address",
    "EC2.13": "Security groups should not allow ingress from 0.0.0.0/0 or ::/0 to port 22",
    "EC2.14": "Security groups should not allow ingress from 0.0.0.0/0 or ::/0 to port 3389",
    "EC2.25": "Launch templates should not assign public IPs to network interfaces",
    "EC2.53": "Security groups should not allow ingress from 0.0.0.0/0 to remote administration ports",
    "EC2.170": "Launch templates should use IMDSv2",
    "EKS.1": "Cluster endpoints should not be publicly accessible",
    "EKS.2": "Clusters should run on a supported Kubernetes version",
    "EKS.3": "Clusters should use encrypted Kubernetes secrets",
    "EKS.8": "Clusters should have audit logging enabled",
    "ELB.1": "ALBs should redirect all HTTP requests to HTTPS",
    "ELB.4": "ALBs should drop invalid HTTP headers",
    "ELB.5": "ALB and Classic load balancers logging should be enabled",
    "ELB.6": "Load balancers should have deletion protection enabled",
    "ELB.12": "ALBs should be configured with defensive or strictest desync mitigation mode",
    "ELB.13": "Load balancers should span multiple Availability Zones",
    "ELB.16": "ALBs should be associated with a web ACL",
    "ELB.17": "Listeners should use recommended security policies",
    "ELB.18": "Listeners should use secure protocols to encrypt data in transit",
    "IAM.1": 'Policies should not allow full "*" administrative privileges',
    "IAM.3": "Users' access keys should be rotated every 90 days or less",
    "IAM.21": "Customer managed policies should not allow wildcard actions for services",
}
_HUB_PAGES = "https://docs.aws.amazon.com/securityhub/latest/userguide"
_GUIDE_PAGES = "https://docs.aws.amazon.com/eks/latest/best-practices"
# The pages of the guide's chapters that rules have as their source.
_CHAPTERS = {
    "networking/loadbalancing": "load-balancing",
    "networking/subnets": "subnets",
    "networking/vpc-cni": "vpc-cni",
    "reliability/application": "application",
    "security/iam": "identity-and-access-management",
    "security/image": "image-security",
    "security/pods": "pod-security",
}


def cis(number: str) -> Control:
    """Name a recommendation of the CIS Amazon EKS Benchmark."""
    return Control("CIS EKS", number, _CIS[number])


def hub(number: str) -> Control:
    """Name a control of AWS Security Hub."""
    service, _, place = number.lower().partition(".")
    return Control(
        "Security Hub", number, _SECURITY_HUB[number], f"{_HUB_PAGES}/{service}-controls.html#{service}-{place}"
    )


def guide(chapter: str, advice: str) -> Control:
    """Name a recommendation of the EKS Best Practices Guide by its chapter and heading."""
    page = _CHAPTERS.get(chapter)
    return Control("EKS best practices", chapter, advice, f"{_GUIDE_PAGES}/{page}.html" if page else "")


BY_CONTROLLER = guide(
    "networking/loadbalancing", "Provision Load Balancers by deploying the AWS Load Balancer Controller"
)
INSTANCE_PROFILE = guide("security/iam", "Restrict access to the instance profile assigned to the worker node")
LEAST_FOR_APPLICATIONS = guide("security/iam", "Grant least privileged access to applications")
LEAST_IN_AWS = guide("security/iam", "Employ least privileged access to AWS Resources")
POD_TARGETS = guide("networking/loadbalancing", "Register Pods as targets using IP Target-Type")
SECURITY_GROUPS = guide("networking/subnets", "Configure Security Groups Carefully")
TENANTS = guide("security/multitenancy", "Tenant Isolation")

# Where the controller's documentation states what rules demand.
CONTROLLER_DOCS = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest"
ALB_ANNOTATIONS = f"{CONTROLLER_DOCS}/guide/ingress/annotations/"
NLB_ANNOTATIONS = f"{CONTROLLER_DOCS}/guide/service/annotations/"
INSTALLATION = f"{CONTROLLER_DOCS}/deploy/installation/"
